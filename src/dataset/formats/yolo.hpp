#pragma once
// YOLO text labels in every layout: this program's and the official one's, Ultralytics, Darknet and
// CVAT "YOLO 1.1", Roboflow, Label Studio, and bare pairs of image and text.
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "dataset/formats/format.hpp"
#include "dataset/index/row_shape.hpp"

namespace yolov7::dataset {

inline constexpr const char* yolo_side_file = "annotations.extra.jsonl";

struct YoloRowOptions {
  std::size_t key_point_columns = 0;  ///< behind each box, by data.yaml's kpt_shape
  bool as_predictions = false;        ///< a sixth value is a score
  int key_point_values = 3;  ///< of each point: 2 (x, y), or 3 with 0, 1 or 2: not labelled,
                             ///< hidden, visible
};

struct YoloRows {
  std::vector<AnnotatedObject> objects;  ///< in fractions; a broken row has a fault
  std::size_t quads = 0;                 ///< rows of four corners
  LongRows long_rows;                    ///< what rows of 7 and more columns may be
};
/// One object per row that is not blank. `source`: as it is named in `long_rows`. Class numbers are
/// checked by the caller.
YoloRows parse_yolo_rows(std::string_view text, const YoloRowOptions& options,
                         const std::filesystem::path& source = {});
/// Whether the first row looks like one: a class number and 4 fractions or more.
bool is_yolo_text(std::string_view head);

/// Where the images of a split are and what the classes are called, in any of the layouts.
struct YoloLayout {
  struct Entry {
    std::size_t image;
    std::string split;
  };
  std::vector<Entry> entries;      ///< sorted by path, each image once
  std::vector<std::string> names;  ///< empty: unknown
  std::size_t key_point_columns = 0;
  int key_point_values = 3;
  bool no_key_points = false;  ///< data.yaml says that long rows are polygons
  std::string split_rule;
};
YoloLayout find_yolo_layout(const Reading& reading);
/// A file that looks like data.yaml; nothing is resolved.
bool is_yolo_description(const SourceTree& tree, const std::filesystem::path& file);

/// A row as write_yolo() writes it: the polygon where it stands for the object, else the box.
std::string yolo_row(const AnnotatedObject& object, const AnnotatedImage& image);
/// The row of a set with key points: the box, and `points` times x, y and visibility, in the order
/// of `names`. Points without a label are 0 0 0.
std::string yolo_row(const AnnotatedObject& object, const AnnotatedImage& image,
                     const std::vector<std::string>& names, std::size_t points);
/// Whether an object gets no row, since nothing can be learned from it: crowds, ignored regions. It
/// is then dropped by name; `kept`: where it is all the same, or "".
bool withheld_from_rows(const AnnotatedObject& object, const AnnotatedImage& image,
                        const std::string& kept, Conversion& account);

AnnotatedSet read_yolo(const Reading& reading);
void write_yolo(const Writing& writing);

}  // namespace yolov7::dataset
