#pragma once
// Writing a data set in the usual layout: images/<split>, labels/<split>, data.yaml (data 1, 3).
#include <filesystem>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "dataset/index/index.hpp"
#include "dataset/index/label.hpp"

namespace yolov7::dataset {

struct ExportItem {
  std::filesystem::path picture;
  std::vector<Label> labels;  ///< none: an empty label file is written
  bool write_labels = true;   ///< off: no label file at all
};

struct ExportSplit {
  std::string name;  ///< "train", "val" or "test"
  std::vector<ExportItem> items;
};

struct ExportReport {
  /// Pictures whose name was taken by a picture of another folder: original path, new name.
  std::vector<std::pair<std::filesystem::path, std::string>> renamed;
  bool val_is_train =
      false;              ///< data.yaml names the training pictures as val, there being no others
  bool polygons = false;  ///< data.yaml says that long rows are polygons
};

/// The line of a data.yaml that says so of its long rows.
inline constexpr const char* polygon_declaration =
    "kpt_shape: [0, 0]  # rows of more than five numbers are polygons\n";

/// Text of a data.yaml: `path: .`, the entries of the splits in the order given, nc and names,
/// which are always quoted, so that no class name can be read as anything but text. `note` becomes
/// a comment. `polygons`: long rows are declared to be polygons (need_declaration()). Error: a name
/// that is not UTF-8.
std::string description_text(const std::vector<std::pair<std::string, std::string>>& entries,
                             const std::vector<std::string>& names, const std::string& note = {},
                             bool polygons = false);

/// A copy of an image, or a hard link where that is wanted and the file system can; writable. Error
/// names both paths.
void copy_image(const std::filesystem::path& from, const std::filesystem::path& to, bool hard_link);

/// Writes pictures (copies, or hard links where the file system can), label files and data.yaml
/// into `folder`. Names are kept; where two pictures of a split have the same stem, the later one
/// gets "_2", "_3" …. Call it inside build_folder() for an all-or-nothing result. Errors: a picture
/// that cannot be copied, a full disk, stopped_error().
ExportReport export_yolo(const std::filesystem::path& folder, const std::vector<std::string>& names,
                         const std::vector<ExportSplit>& splits, bool hard_link = false,
                         const std::stop_token& stop = {});
/// The items of an index, for export.
ExportSplit export_split(const Index& index);

}  // namespace yolov7::dataset
