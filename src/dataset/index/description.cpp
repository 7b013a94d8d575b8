#include "dataset/index/description.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <system_error>

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "core/value.hpp"
#include "dataset/index/describes_data.hpp"
#include "dataset/index/store_reader.hpp"

namespace yolov7::dataset {
namespace fs = std::filesystem;
namespace {

constexpr long long most_classes = 100'000;

struct StoreReader {
  std::string_view prefix;
  fs::path (*description_of)(const std::string&) = nullptr;
} store_reader;

bool on_disk(const fs::path& path) {
  std::error_code error;
  return fs::exists(path, error);
}

/// Without "." and "..", where that names the same thing (a link before ".." may make it another
/// one).
fs::path tidy(const fs::path& path) {
  const fs::path normal = path.lexically_normal();
  std::error_code error;
  return fs::equivalent(normal, path, error) && !error ? normal : path;
}

/// The places where an entry is looked for, in order (data 1, F01).
std::vector<fs::path> places(const std::string& entry, const fs::path& folder,
                             const std::string& root) {
  if (fs::path(entry).is_absolute()) return {entry};
  std::vector<fs::path> result;
  if (!root.empty()) {
    result.push_back(folder / root / entry);
    if (!fs::path(root).is_absolute()) result.push_back(fs::path(root) / entry);
  }
  result.push_back(folder / entry);
  result.emplace_back(entry);
  if (entry.starts_with("../")) result.push_back(folder / entry.substr(3));
  return result;
}

fs::path resolve(const Value& value, const std::string& key, const fs::path& folder,
                 const std::string& root, const std::string& download) {
  const std::string& entry = value.text();
  if (entry.empty())
    throw Error(fmt::format("{}: expected a folder or list file for '{}', found an empty text",
                            value.where(), key));
  std::vector<std::string> tried;
  for (const fs::path& place : places(entry, folder, root)) {
    if (on_disk(place)) return tidy(place);
    const std::string name = place.lexically_normal().string();
    if (std::find(tried.begin(), tried.end(), name) == tried.end()) tried.push_back(name);
  }
  std::string message =
      fmt::format("{}: expected a folder or list file for '{}', found none; looked for {}",
                  value.where(), key, text::join(tried, ", "));
  if (!download.empty())
    message += fmt::format(
        "; the file names the download '{}', which is never run: fetch it yourself", download);
  throw Error(message);
}

std::vector<fs::path> read_entries(const Value& document, const std::string& key,
                                   const std::string& root, const std::string& download) {
  const Value* value = document.find(key);
  if (value == nullptr || value->is_null()) return {};
  const fs::path folder = fs::path(document.source).parent_path();
  std::vector<fs::path> result;
  if (value->is_sequence()) {
    for (const Value& entry : value->sequence)
      result.push_back(resolve(entry, key, folder, root, download));
  } else {
    result.push_back(resolve(*value, key, folder, root, download));
  }
  return result;
}

std::string class_name(const Value& value, std::size_t index) {
  if (value.is_scalar()) return value.scalar;
  throw Error(fmt::format("{}: expected a name for class {}, found {}", value.where(), index,
                          value.is_null()
                              ? "nothing (a class called null or ~ is written in quotes)"
                              : "a list or mapping"));
}

std::vector<std::string> names_by_index(const Value& value) {
  std::map<long long, std::string> by_index;
  for (const auto& [key, name] : value.mapping) {
    const auto index = text::parse_int(key);
    if (!index || *index < 0 || *index >= static_cast<long long>(value.mapping.size()))
      throw Error(fmt::format("{}: expected class numbers 0..{} as keys of names, found '{}'",
                              name.where(), value.mapping.size() - 1, key));
    if (!by_index.emplace(*index, class_name(name, static_cast<std::size_t>(*index))).second)
      throw Error(fmt::format("{}: found the class number {} twice", name.where(), *index));
  }
  std::vector<std::string> names;
  for (auto& entry : by_index) names.push_back(std::move(entry.second));
  return names;
}

std::vector<std::string> read_names(const Value& value) {
  if (value.is_mapping()) return names_by_index(value);
  if (!value.is_sequence())
    throw Error(fmt::format(
        "{}: expected names as a list or as a mapping from class number to name", value.where()));
  std::vector<std::string> names;
  for (const Value& name : value.sequence) names.push_back(class_name(name, names.size()));
  return names;
}

void read_classes(const Value& document, Description& result) {
  const Value* count = document.find("nc");
  const Value* names = document.find("names");
  const bool have_count = count != nullptr && !count->is_null(),
             have_names = names != nullptr && !names->is_null();
  if (!have_count && !have_names)
    throw Error(
        fmt::format("{}: expected the keys 'names' or 'nc', found neither", document.source));
  const long long nc = have_count ? count->integer() : 0;
  if (have_count && (nc < 1 || nc > most_classes))
    throw Error(
        fmt::format("{}: expected nc in 1..{}, found {}", count->where(), most_classes, nc));
  if (have_names) {
    result.names = read_names(*names);
    if (have_count && nc != static_cast<long long>(result.names.size()))
      throw Error(fmt::format("{}: expected nc = {}, the number of names, found nc = {}",
                              count->where(), result.names.size(), nc));
    if (result.names.empty())
      throw Error(fmt::format("{}: expected at least one class name, found none", names->where()));
  } else {
    for (long long i = 0; i < nc; ++i) result.names.push_back(std::to_string(i));
  }
  result.class_count = static_cast<int>(result.names.size());
}

void warn_of_classes(const Value& document, const Description& result) {
  const Value* names = document.find("names");
  if (names == nullptr || names->is_null())
    log::warning(fmt::format("{}: no 'names'; the {} classes are called by their numbers",
                             document.source, result.class_count));
  std::set<std::string> seen;
  for (const std::string& name : result.names)
    if (!seen.insert(name).second)
      log::warning(
          fmt::format("{}: the class name '{}' stands for two classes", document.source, name));
}

/// `kpt_shape: [n, d]` of data sets for poses: n points of d = 2 (x, y) or 3 (x, y, visibility)
/// numbers. n = 0: none, and rows of more than five numbers are polygons.
int read_key_points(const Value& document, bool& none) {
  const Value* value = document.find("kpt_shape");
  if (value == nullptr || value->is_null()) return 0;
  constexpr long long most_points = 10'000;
  if (value->is_sequence() && value->sequence.size() == 2) {
    const long long points = value->sequence[0].integer(), numbers = value->sequence[1].integer();
    none = points == 0;
    if (none) return 0;
    if (points > 0 && points <= most_points && (numbers == 2 || numbers == 3))
      return static_cast<int>(points * numbers);
  }
  throw Error(fmt::format("{}: expected kpt_shape as [number of points, 2 or 3]", value->where()));
}

Value read_document(const fs::path& path) {
  Value document = read_yaml(path);
  if (!document.is_mapping())
    throw Error(
        fmt::format("{}: expected a mapping with train, val, nc and names, found something else",
                    path.string()));
  return document;
}

}  // namespace

const std::vector<fs::path>& Description::split(const std::string& name) const {
  if (name == "train") return train;
  if (name == "val") return val;
  if (name == "test") return test;
  throw Error(fmt::format("expected the split train, val or test, found '{}'", name));
}

void install_store_reader(std::string_view prefix, fs::path (*description_of)(const std::string&)) {
  store_reader = {prefix, description_of};
}

bool describes_data(const fs::path& path) {
  const Value document = read_document(path);
  const auto is_there = [&](const char* key) {
    const Value* value = document.find(key);
    return value != nullptr && !value->is_null();
  };
  if (!is_there("names") && !is_there("nc")) return false;
  Description checked;
  read_classes(document, checked);
  read_key_points(document, checked.no_key_points);
  return true;
}

Description read_description(const fs::path& path) {
  if (store_reader.description_of != nullptr && path.native().starts_with(store_reader.prefix))
    return read_description(store_reader.description_of(path.string()));
  const Value document = read_document(path);
  Description result;
  result.file = path;
  if (const Value* download = document.find("download");
      download != nullptr && download->is_scalar())
    result.download = download->scalar;
  std::string root;
  if (const Value* value = document.find("path"); value != nullptr && !value->is_null())
    root = value->text();
  const Value* val = document.find("val");
  if (val == nullptr || val->is_null()) {
    std::vector<std::string> keys;
    for (const auto& entry : document.mapping) keys.push_back(entry.first);
    throw Error(
        fmt::format("{}: expected a key 'val' with the validation images, found {}", path.string(),
                    keys.empty() ? "no key at all" : "none among: " + text::join(keys, ", ")));
  }
  read_classes(document, result);
  warn_of_classes(document, result);
  result.key_point_columns = read_key_points(document, result.no_key_points);
  result.train = read_entries(document, "train", root, result.download);
  result.val = read_entries(document, "val", root, result.download);
  result.test = read_entries(document, "test", root, result.download);
  return result;
}

std::string key_point_shape(const Description& description) {
  if (description.ready) return "";
  const Value document = read_yaml(description.file);
  const Value* shape = document.find("kpt_shape");
  return shape == nullptr || shape->is_null() ? "" : yaml_flow(*shape);
}

}  // namespace yolov7::dataset
