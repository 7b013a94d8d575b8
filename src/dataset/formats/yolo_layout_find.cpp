#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "core/error.hpp"
#include "core/json.hpp"
#include "core/setting_name.hpp"
#include "core/text.hpp"
#include "core/value.hpp"
#include "dataset/formats/json_fields.hpp"
#include "dataset/formats/splits.hpp"
#include "dataset/formats/yolo.hpp"
#include "image/codec/file_kind.hpp"

namespace yolov7::dataset {
namespace fs = std::filesystem;
namespace {

struct Finding {
  const Reading& reading;
  YoloLayout layout;
  std::map<std::size_t, std::string> split_of;  ///< image → split

  void note(const fs::path& file, int line, std::string text) const {
    reading.account.notes.push_back({file, line, std::move(text)});
  }
  void add(std::size_t image, const std::string& split, const fs::path& file, int line) {
    const auto [known, fresh] = split_of.emplace(image, split);
    if (!fresh && known->second != split)
      note(file, line,
           fmt::format("'{}' is already in {} and stays there",
                       reading.tree.images[image].relative.string(), known->second));
  }
};

bool below(const fs::path& path, const fs::path& folder) {
  if (folder.empty() || folder == ".") return true;
  const auto [end, rest] = std::mismatch(folder.begin(), folder.end(), path.begin(), path.end());
  return end == folder.end() || (end->empty() && std::next(end) == folder.end());
}

bool add_folder(const fs::path& folder, const std::string& split, const fs::path& file,
                Finding& finding) {
  bool any = false;
  const auto& images = finding.reading.tree.images;
  for (std::size_t i = 0; i < images.size(); ++i)
    if (below(images[i].relative, folder)) finding.add(i, split, file, 0), any = true;
  return any;
}

/// The lines of a list: each names an image.
void add_list(const fs::path& list, const std::vector<fs::path>& folders, const std::string& split,
              Finding& finding) {
  int line = 0;
  std::set<FoundBy> told;
  const std::string content = finding.reading.tree.read(list);
  for (const std::string_view raw : text::lines(content)) {
    ++line;
    const std::string_view name = text::trim(raw);
    if (name.empty()) continue;
    const FoundImage found = finding.reading.finder.find(name, list, folders);
    if (found.image) {
      finding.add(*found.image, split, list, line);
      if (!found.note.empty() && told.insert(found.by).second)
        finding.note(list, line, found.note + " (so for every line like it)");
    } else {
      ++finding.reading.account.annotations.in;
      finding.reading.account.drop({"annotation", list, line, 0, found.fault});
    }
  }
}

/// The places inside the source that an entry may mean, nearest to what is written first.
std::vector<fs::path> places(const std::string& entry, const std::string& root,
                             const fs::path& description) {
  const fs::path folder = description.parent_path();
  std::string plain = plain_path(entry);
  while (plain.size() > 1 && plain.ends_with('/')) plain.pop_back();
  const fs::path path(plain);
  std::vector<fs::path> result;
  const auto add = [&](const fs::path& one) {
    const fs::path normal = one.lexically_normal();
    if (!normal.is_absolute() && (normal.empty() || *normal.begin() != ".."))
      result.push_back(normal == "." ? fs::path() : normal);
  };
  if (!path.is_absolute()) {
    if (!root.empty()) add(folder / plain_path(root) / path);
    add(folder / path);
  }
  std::vector<fs::path> parts;
  for (const fs::path& part : path)
    if (part != "/" && part != "." && part != "..") parts.push_back(part);
  for (std::size_t first = 0; first < parts.size(); ++first) {
    fs::path rest;
    for (std::size_t i = first; i < parts.size(); ++i) rest /= parts[i];
    add(folder / rest);
    if (!folder.empty()) add(rest);
  }
  return result;
}

/// Takes the first place that exists; false where none does.
bool add_entry(const std::string& entry, const std::string& root, const fs::path& description,
               const std::string& split, Finding& finding) {
  const std::vector<fs::path> all = places(entry, root, description);
  const bool written = !plain_path(entry).empty();  // an empty place is then the root
  const auto try_place = [&](const fs::path& place) {
    if (const auto image = finding.reading.finder.at(place)) {
      finding.add(*image, split, description, 0);
      return true;
    }
    if (finding.reading.tree.has(place)) {
      add_list(place,
               {place.parent_path(), description.parent_path(),
                description.parent_path() / plain_path(root)},
               split, finding);
      return true;
    }
    return written && add_folder(place, split, description, finding);
  };
  for (const fs::path& place : all)
    if (try_place(place)) {
      if (place != all.front())
        finding.note(description, 0,
                     fmt::format("'{}' is taken to be {}", text::printable(entry),
                                 place.empty() ? "." : place.string()));
      return true;
    }
  return false;
}

std::vector<std::string> names_of(const Value& value) {
  std::vector<std::string> names;
  if (value.is_sequence()) {
    for (const Value& one : value.sequence) names.push_back(one.text());
    return names;
  }
  if (!value.is_mapping())
    throw Error(
        fmt::format("{}: expected names as a list or as a mapping from class number to "
                    "name",
                    value.where()));
  for (const auto& [key, name] : value.mapping) {
    const auto index = text::parse_int(key);
    constexpr long long most_classes = 100'000;
    if (!index || *index < 0 || *index > most_classes)
      throw Error(fmt::format("{}: expected class numbers 0..{} as keys of names, found '{}'",
                              name.where(), most_classes, text::printable(key)));
    const auto place = static_cast<std::size_t>(*index);
    if (names.size() <= place) names.resize(place + 1);
    names[place] = name.text();
  }
  for (std::size_t i = 0; i < names.size(); ++i)
    if (names[i].empty()) names[i] = std::to_string(i);
  return names;
}

/// `nc` and `names` of one file must agree: which of them is wrong, nobody can tell.
void require_count(const Value& document, std::size_t names) {
  const Value* count = document.find("nc");
  if (count == nullptr || count->is_null()) return;
  if (const long long nc = count->integer(); nc != static_cast<long long>(names))
    throw Error(fmt::format("{}: expected nc = {}, the number of names, found nc = {}",
                            count->where(), names, nc));
}

void read_key_points(const Value& document, Finding& finding) {
  const Value* shape = document.find("kpt_shape");
  if (shape == nullptr || shape->is_null()) return;
  if (!shape->is_sequence() || shape->sequence.size() != 2)
    throw Error(
        fmt::format("{}: expected kpt_shape as [number of points, 2 or 3]", shape->where()));
  const long long points = shape->sequence[0].integer(), numbers = shape->sequence[1].integer();
  if (points < 0 || points > 10'000 || (points > 0 && numbers != 2 && numbers != 3))
    throw Error(
        fmt::format("{}: expected kpt_shape as [number of points, 2 or 3]", shape->where()));
  finding.layout.no_key_points = points == 0;
  finding.layout.key_point_columns = static_cast<std::size_t>(points * std::max(numbers, 0LL));
  if (points > 0) finding.layout.key_point_values = static_cast<int>(numbers);
}

void read_description_file(const fs::path& file, Finding& finding) {
  const Value document = parse_yaml(finding.reading.tree.read(file, 64u << 20),
                                    (finding.reading.tree.root / file).string());
  if (const Value* names = document.find("names"); names != nullptr && !names->is_null()) {
    finding.layout.names = names_of(*names);
    require_count(document, finding.layout.names.size());
  }
  read_key_points(document, finding);
  std::string root;
  if (const Value* path = document.find("path"); path != nullptr && path->is_scalar())
    root = path->scalar;
  std::vector<std::string> missing;
  for (const auto& [key, value] : document.mapping) {
    const std::string split = split_name(key);
    if ((split != "train" && split != "val" && split != "test") || value.is_null()) continue;
    const auto take = [&, &name = key](const Value& one) {
      if (!add_entry(one.text(), root, file, split, finding))
        missing.push_back(fmt::format("'{}: {}'", name, text::printable(one.text())));
    };
    if (value.is_sequence())
      for (const Value& one : value.sequence) take(one);
    else
      take(value);
  }
  finding.layout.split_rule = "those of " + file.filename().string();
  if (finding.split_of.empty())
    throw Error(
        fmt::format("{}: expected images at {}, found none below the folder of this file; "
                    "{} names the folder that holds them",
                    document.source, text::join(missing, ", "), setting_name("source")));
  for (const std::string& one : missing)
    finding.note(file, 0, fmt::format("{} names nothing that is there: left out", one));
}

/// "key = value" lines of Darknet.
std::map<std::string, std::string> darknet_keys(std::string_view content) {
  std::map<std::string, std::string> keys;
  for (const std::string_view line : text::lines(content))
    if (const auto equals = line.find('='); equals != std::string_view::npos)
      keys[std::string(text::trim(line.substr(0, equals)))] = text::trim(line.substr(equals + 1));
  return keys;
}

std::vector<std::string> names_in(std::string_view content) {
  std::vector<std::string> names;
  for (const std::string_view line : text::lines(content)) names.emplace_back(text::trim(line));
  while (!names.empty() && names.back().empty()) names.pop_back();
  return names;
}

void read_darknet(const fs::path& file, Finding& finding) {
  const SourceTree& tree = finding.reading.tree;
  const auto keys = darknet_keys(tree.read(file, 1u << 20));
  for (const char* key : {"train", "valid", "val", "test"}) {
    const auto found = keys.find(key);
    if (found != keys.end() && !add_entry(found->second, "", file, split_name(key), finding))
      finding.note(file, 0,
                   fmt::format("'{} = {}' names nothing that is there: left out", key,
                               text::printable(found->second)));
  }
  if (const auto found = keys.find("names"); found != keys.end())
    for (const fs::path& place : places(found->second, "", file))
      if (tree.has(place)) {
        finding.layout.names = names_in(tree.read(place, 64u << 20));
        break;
      }
  finding.layout.split_rule = "those of " + file.filename().string();
  if (finding.split_of.empty())
    throw Error(
        fmt::format("{}: expected lists of images at train, valid or test, found none that "
                    "is there",
                    (tree.root / file).string()));
}

/// Label Studio's notes.json: the ids there are the class numbers.
bool names_of_notes(const fs::path& file, Finding& finding) {
  const nlohmann::json notes = parse_json(finding.reading.tree.read(file, 64u << 20),
                                          (finding.reading.tree.root / file).string());
  const nlohmann::json* categories = member(notes, "categories");
  if (categories == nullptr || !categories->is_array()) return false;
  std::vector<std::string>& names = finding.layout.names;
  for (const nlohmann::json& one : *categories) {
    const auto id = number_at(one, "id");
    if (!id || *id < 0 || *id > 100'000) return false;
    const auto place = static_cast<std::size_t>(*id);
    if (names.size() <= place) names.resize(place + 1);
    names[place] = text_at(one, "name");
  }
  return !names.empty();
}

void read_loose_files(Finding& finding) {
  const Reading& reading = finding.reading;
  for (std::size_t i = 0; i < reading.tree.images.size(); ++i)
    finding.split_of.emplace(i, split_of_folders(reading.tree.images[i].relative));
  finding.layout.split_rule = "the folders' names";
  for (const fs::path& file : reading.tree.files)
    if (file.filename() == "notes.json" && names_of_notes(file, finding)) return;
  for (const fs::path& file : reading.tree.files) {  // a description without splits
    const std::string name = file.filename().string();
    if (name != "data.yaml" && name != "dataset.yaml") continue;
    const Value document = read_yaml(reading.tree.root / file);
    if (const Value* names = document.find("names"); names != nullptr && !names->is_null()) {
      finding.layout.names = names_of(*names);
      return;
    }
  }
  fs::path taken;
  for (const fs::path& file : reading.tree.files) {
    const std::string name = text::lower(file.filename().string());
    if (name != "classes.txt" && name != "labels.txt" && !name.ends_with(".names")) continue;
    if (name == "labels.txt" && is_yolo_text(reading.tree.head(file, 4096))) continue;
    std::vector<std::string> names = names_in(reading.tree.read(file, 64u << 20));
    if (taken.empty()) {
      finding.layout.names = std::move(names);
      taken = file;
    } else if (names != finding.layout.names) {
      finding.note(
          file, 0,
          fmt::format("left out: its names are not those of {}, which count", taken.string()));
    }
  }
}

}  // namespace

bool is_yolo_description(const SourceTree& tree, const fs::path& file) {
  const std::string extension = text::lower(file.extension().string());
  if (extension != ".yaml" && extension != ".yml") return false;
  const std::string content = tree.head(file, 1u << 20);
  bool names = false, split = false;
  for (const std::string_view line : text::lines(content)) {
    names |= line.starts_with("names:") || line.starts_with("nc:");
    split |= line.starts_with("train:") || line.starts_with("val:") || line.starts_with("test:");
  }
  return names && split;
}

YoloLayout find_yolo_layout(const Reading& reading) {
  Finding finding{reading, {}, {}};
  std::vector<fs::path> descriptions, darknet;
  for (const fs::path& file : reading.tree.files) {
    if (is_yolo_description(reading.tree, file)) descriptions.push_back(file);
    if (text::lower(file.extension().string()) == ".data" &&
        darknet_keys(reading.tree.head(file)).contains("names"))
      darknet.push_back(file);
  }
  if (descriptions.size() + darknet.size() > 1) {
    descriptions.insert(descriptions.end(), darknet.begin(), darknet.end());
    throw Error(
        fmt::format("{}: expected one description of the data set, found {} and {}; "
                    "{} names the one to read",
                    reading.tree.root.string(), descriptions[0].string(), descriptions[1].string(),
                    setting_name("source")));
  }
  if (!descriptions.empty())
    read_description_file(descriptions.front(), finding);
  else if (!darknet.empty())
    read_darknet(darknet.front(), finding);
  else
    read_loose_files(finding);
  for (auto& [image, split] : finding.split_of) finding.layout.entries.push_back({image, split});
  return std::move(finding.layout);
}

}  // namespace yolov7::dataset
