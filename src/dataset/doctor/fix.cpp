#include "dataset/doctor/fix.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <tuple>

#include "core/encoding.hpp"
#include "core/error.hpp"
#include "core/file.hpp"
#include "core/json.hpp"
#include "core/output_names.hpp"
#include "core/progress.hpp"
#include "core/setting_name.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "core/value.hpp"
#include "dataset/formats/output_folder.hpp"

namespace yolov7::dataset::doctor {
namespace fs = std::filesystem;
namespace {

using ByImage = std::map<std::pair<std::string, fs::path>, std::vector<const NumberedChange*>>;

/// Lines of a label file as they were read for the check: as UTF-8, without their ends.
std::vector<std::string> lines_of_file(const fs::path& label) {
  std::vector<std::string> lines;
  const std::string text = text::as_utf8(file::read(label), label.string());
  for (const std::string_view line : text::lines(text)) lines.emplace_back(line);
  return lines;
}

bool about_row(Change::Kind kind) {
  return kind == Change::Kind::drop_row || kind == Change::Kind::replace_row;
}

const Picture* picture_of(const Diagnosis& diagnosis, const std::string& split,
                          const fs::path& image) {
  for (const Split& one : diagnosis.subject.splits) {
    if (one.name != split) continue;
    const auto found = std::lower_bound(
        one.pictures.begin(), one.pictures.end(), image,
        [](const Picture& p, const fs::path& path) { return p.file.native() < path.native(); });
    if (found != one.pictures.end() && found->file == image) return &*found;
  }
  return nullptr;
}

void copy_image(const fs::path& from, const fs::path& to, bool hard_link) {
  std::error_code failed;
  if (hard_link) {
    fs::create_hard_link(fs::canonical(from), to, failed);
    if (!failed) return;
  }
  fs::copy_file(from, to, failed);
  if (failed)
    throw Error(fmt::format("{}: cannot copy this image to {}: {}", from.string(), to.string(),
                            failed.message()));
}

/// The label file of an image with its changes made.
std::string changed_label(const Picture& picture, const std::vector<const NumberedChange*>& changes,
                          FixCounts& counts) {
  std::map<int, const NumberedChange*> by_line;
  for (const NumberedChange* one : changes) {
    if (!about_row(one->change.kind)) continue;
    const NumberedChange*& chosen = by_line[one->change.line];
    if (chosen == nullptr || one->change.kind == Change::Kind::drop_row) chosen = one;
  }
  if (by_line.empty()) return file::read(picture.label);
  std::string out;
  int number = 0;
  for (const std::string& line : lines_of_file(picture.label)) {
    const auto found = by_line.find(++number);
    if (found == by_line.end()) {
      out += line + "\n";
    } else if (found->second->change.kind == Change::Kind::replace_row) {
      out += found->second->change.after + "\n";
      ++counts.changed_rows;
      counts.lost_key_points += found->second->change.loses_key_points ? 1 : 0;
    } else {
      ++counts.dropped_rows;
    }
  }
  return out;
}

class Writer {
 public:
  Writer(const fs::path& folder, const ByImage& changes, const FixOptions& options)
      : folder_(folder), changes_(changes), options_(options) {}

  void write(const Split& split, const Picture& picture) {
    static const std::vector<const NumberedChange*> none;
    const auto found = changes_.find({split.name, picture.file});
    const auto& changes = found == changes_.end() ? none : found->second;
    fs::path name = picture.file.filename();
    for (const NumberedChange* one : changes) {
      if (one->change.kind == Change::Kind::drop_image) {
        ++counts.dropped_images;
        return;
      }
      if (one->change.kind == Change::Kind::rename_image) name = one->change.after;
    }
    const std::string stem = names_[split.name].take(name.stem().string());
    copy_image(picture.file, folder_ / "images" / split.name / (stem + name.extension().string()),
               options_.hard_link);
    if (picture.has_label)
      file::write_atomically(folder_ / "labels" / split.name / (stem + ".txt"),
                             changed_label(picture, changes, counts), file::Sync::later);
    ++counts.images;
  }
  /// Label files without an image that are left, after the images of their split.
  void write_orphans(const std::string& split, const std::vector<NumberedChange>& all) {
    for (const NumberedChange& one : all) {
      if (one.split != split || one.change.kind != Change::Kind::drop_label_file) continue;
      if (!options_.leave.contains(one.number)) {
        ++counts.dropped_label_files;
        continue;
      }
      const std::string stem = names_[split].take(one.label.stem().string());
      file::write_atomically(folder_ / "labels" / split / (stem + ".txt"), file::read(one.label),
                             file::Sync::later);
    }
  }
  FixCounts counts;

 private:
  const fs::path& folder_;
  const ByImage& changes_;
  const FixOptions& options_;
  std::map<std::string, OutputNames> names_;
};

std::string description_text(const Subject& subject) {
  std::string out;
  for (const Split& split : subject.splits) out += fmt::format("{0}: images/{0}\n", split.name);
  out += fmt::format("nc: {}\nnames: [", subject.description.names.size());
  for (std::size_t i = 0; i < subject.description.names.size(); ++i)
    out += (i > 0 ? ", " : "") + yaml_scalar(subject.description.names[i]);
  out += "]\n";
  if (const std::string shape = key_point_shape(subject.description); !shape.empty())
    out += "kpt_shape: " + shape + "\n";
  return out;
}

nlohmann::json changes_json(const Diagnosis& diagnosis, const std::vector<NumberedChange>& changes,
                            const std::set<int>& leave) {
  nlohmann::json made = nlohmann::json::array(), left = made;
  for (const NumberedChange& one : changes)
    (leave.contains(one.number) ? left : made).push_back(to_json(one));
  return {{"source", fs::absolute(diagnosis.subject.description.file).lexically_normal().string()},
          {"changes", std::move(made)},
          {"left", std::move(left)}};
}

std::vector<fs::path> source_folders(const Subject& subject) {
  std::set<fs::path> folders;
  for (const Split& split : subject.splits)
    for (const Picture& picture : split.pictures) {
      folders.insert(picture.file.parent_path());
      folders.insert(picture.label.parent_path());
    }
  return {folders.begin(), folders.end()};
}

}  // namespace

std::vector<NumberedChange> changes_of(const Diagnosis& diagnosis) {
  std::vector<NumberedChange> changes;
  std::set<std::tuple<std::string, fs::path, Change::Kind, int>> known;  // split, image or label
  std::set<std::pair<std::string, fs::path>> dropped;
  for (const Finding& finding : diagnosis.findings)
    for (const Change& change : finding.changes)
      if (change.kind == Change::Kind::drop_image) dropped.emplace(finding.split, finding.image);
  fs::path at_hand;  // the label file of `lines`: changes of one file follow one another
  std::vector<std::string> lines;
  for (const Finding& finding : diagnosis.findings)
    for (const Change& change : finding.changes) {
      const bool drops = change.kind == Change::Kind::drop_image;
      if (!drops && dropped.contains({finding.split, finding.image})) continue;
      const fs::path& about = finding.image.empty() ? finding.file : finding.image;
      if (!known.emplace(finding.split, about, change.kind, change.line).second) continue;
      NumberedChange& one = changes.emplace_back();
      one.number = static_cast<int>(changes.size());
      one.check = finding.check;
      one.change = change;
      one.split = finding.split;
      one.image = finding.image;
      const Picture* picture = picture_of(diagnosis, finding.split, finding.image);
      one.label = picture != nullptr ? picture->label : finding.file;
      if (about_row(change.kind)) {
        if (at_hand != one.label) lines = lines_of_file(at_hand = one.label);
        if (static_cast<std::size_t>(change.line) <= lines.size())
          one.before = lines[static_cast<std::size_t>(change.line) - 1];
      }
    }
  return changes;
}

nlohmann::json to_json(const NumberedChange& change) {
  nlohmann::json result = {{"number", change.number},
                           {"check", change.check},
                           {"change", name_of(change.change.kind)},
                           {"split", change.split},
                           {"image", change.image.string()},
                           {"label", change.label.string()}};
  if (about_row(change.change.kind)) {
    result["line"] = change.change.line;
    result["before"] = change.before;
  }
  if (!change.change.after.empty()) result["after"] = change.change.after;
  if (change.change.loses_key_points) result["loses_key_points"] = true;
  return result;
}

FixCounts write_fixed(const Diagnosis& diagnosis, const fs::path& out, const FixOptions& options) {
  require_empty(out);
  const auto folders = source_folders(diagnosis.subject);
  require_outside(out, folders);
  const std::vector<NumberedChange> changes = changes_of(diagnosis);
  for (const int number : options.leave)
    if (number < 1 || number > static_cast<int>(changes.size()))
      throw usage_error(fmt::format("{}: expected numbers of changes, 1..{}, found {}",
                                    setting_name("leave"), changes.size(), number));
  ByImage by_image;
  for (const NumberedChange& one : changes)
    if (!options.leave.contains(one.number)) by_image[{one.split, one.image}].push_back(&one);
  FixCounts counts;
  build_folder(out, [&](const fs::path& folder) {
    Writer writer(folder, by_image, options);
    Progress progress("writing", diagnosis.subject.pictures(), "images");
    for (const Split& split : diagnosis.subject.splits) {
      file::make_folder(folder / "images" / split.name);
      file::make_folder(folder / "labels" / split.name);
      for (const Picture& picture : split.pictures) {
        check_stop(options.stop);
        writer.write(split, picture);
        progress.advance();
      }
      writer.write_orphans(split.name, changes);
    }
    file::write_atomically(folder / "data.yaml", description_text(diagnosis.subject));
    file::write_atomically(folder / "changes.json",
                           json_text(changes_json(diagnosis, changes, options.leave), 1) + "\n");
    counts = writer.counts;
  });
  counts.left = options.leave.size();
  return counts;
}

}  // namespace yolov7::dataset::doctor
