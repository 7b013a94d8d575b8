#include "dataset/arrange/set_output.hpp"

#include <fmt/format.h>

#include <utility>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/setting_name.hpp"
#include "core/stop.hpp"
#include "dataset/formats/yolo_layout.hpp"
#include "dataset/split/assignment.hpp"

namespace yolov7::dataset {
namespace fs = std::filesystem;
namespace {

/// A path that would break a list: its lines are trimmed, and a line feed ends one.
void require_listable(const fs::path& path) {
  const std::string& text = path.native();
  const bool blank_edge = text.empty() || text.back() == ' ' || text.back() == '\t';
  if (blank_edge || text.find_first_of("\r\n") != std::string::npos)
    throw Error(
        fmt::format("{}: expected a path that a list can hold, found a line break or a "
                    "blank at its end; copy the images instead",
                    text));
}

void write_lists(const fs::path& folder, const OutputSet& set, Conversion& account) {
  std::vector<std::pair<std::string, std::string>> entries;
  std::string note;
  for (const char* split : split_names) {
    std::string lines;
    for (const OutputImage& one : set.images) {
      if (one.split != split) continue;
      check_stop(set.stop);
      const std::string line = one.listed.empty() ? one.image->entry.picture.string() : one.listed;
      require_listable(line);
      lines += line + "\n";
    }
    if (!lines.empty()) {
      const std::string name = std::string(split) + ".txt";
      file::write_atomically(folder / name, lines, file::Sync::later);
      entries.emplace_back(split, name);
    } else if (split == std::string("val") && !entries.empty()) {
      entries.emplace_back("val", "train.txt");
      account.val_is_train = true;
      note =
          "There are no validation images: val names the training images, so results on it say "
          "nothing about unseen ones.";
    }
  }
  std::string text = description_text(entries, set.names, note);
  if (!set.key_points.empty()) text += "kpt_shape: " + set.key_points + "\n";
  file::write_atomically(folder / "data.yaml", text, file::Sync::later);
}

void write_folder(const fs::path& folder, const OutputSet& set, Conversion& account) {
  std::vector<ExportSplit> splits;
  for (const char* name : split_names) {
    ExportSplit split{name, {}};
    for (const OutputImage& one : set.images)
      if (one.split == name)
        split.items.push_back(
            {one.image->entry.picture, one.labels, one.image->entry.has_label_file});
    splits.push_back(std::move(split));
  }
  ExportReport report =
      export_yolo(folder, set.names, splits, set.placement == Placement::link, set.stop);
  account.renamed = std::move(report.renamed);
  account.val_is_train = report.val_is_train;
}

void count_out(const OutputSet& set, Conversion& account) {
  account.names = set.names;
  for (const char* name : split_names) {
    SplitCount count{name, 0, 0, 0, std::vector<std::size_t>(set.names.size())};
    for (const OutputImage& one : set.images) {
      if (one.split != name) continue;
      ++count.pictures;
      count.boxes += one.labels.size();
      count.empty += one.labels.empty() ? 1 : 0;
      account.annotations.out += one.image->entry.has_label_file ? 1 : 0;
      for (const Label& label : one.labels)
        ++count.boxes_per_class[static_cast<std::size_t>(label.class_index)];
    }
    account.pictures.out += count.pictures;
    account.boxes.out += count.boxes;
    if (count.pictures > 0) account.splits.push_back(std::move(count));
  }
  require_balance(account);
}

}  // namespace

Placement placement_for(const GatheredSet& set, Placement wanted, Conversion& account) {
  if (wanted != Placement::list || set.has_label_files) return wanted;
  account.notes.push_back(
      {account.source, 0,
       fmt::format("it has no label files that lists of images could lead to: images and labels "
                   "are copied ({} makes hard links of the images)",
                   setting_name("link"))});
  return Placement::copy;
}

void write_set(const fs::path& folder, const OutputSet& set, Conversion& account) {
  count_out(set, account);
  if (set.placement == Placement::list)
    write_lists(folder, set, account);
  else
    write_folder(folder, set, account);
}

}  // namespace yolov7::dataset
