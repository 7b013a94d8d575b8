#pragma once
// The annotations of one image as text: one form for rows of YOLO label files, one for everything
// else (data-services E2).
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "dataset/formats/annotated_set.hpp"

namespace yolov7::versions {

/// Fractions of the image.
struct ShapeBox {
  double x1 = 0, y1 = 0, x2 = 0, y2 = 0;
};
/// 0 where both have no area.
double iou(const ShapeBox& a, const ShapeBox& b);

/// One row of a label file, or one object.
struct Shape {
  bool is_box = false;  ///< off: a row that is no label, kept as it was written
  int class_index = -1;
  ShapeBox box;
  std::string row;  ///< its line in the annotation text
};

struct Annotations {
  bool yolo = true;           ///< else objects with all properties, in pixels
  int key_point_columns = 0;  ///< numbers behind each box of a row
  std::string image;          ///< objects: the line of the image itself (JSON)
  std::vector<Shape> shapes;
};

struct LabelText {
  std::string text;
  std::size_t rows = 0;
  std::size_t odd = 0;  ///< rows that are no numbers, kept as they were written
};
/// The content of a label file: each row that consists of numbers in its shortest form, others as
/// they are behind "? ". Blank lines, blanks at the ends and line ends do not count.
LabelText text_of_labels(std::string_view content);
/// The other way round, with line feeds.
std::string labels_of_text(std::string_view text);

/// The annotations of a prepared image (pixels, with its size).
std::string text_of_image(const dataset::AnnotatedImage& image);

/// `key_point_columns`: numbers behind each box of a label file. Error: no annotation text.
Annotations parse_annotations(std::string_view text, int key_point_columns,
                              const std::string& source);
std::string text_of(const Annotations& annotations);
std::size_t row_count(std::string_view text);      ///< shapes, without looking at them
std::size_t odd_row_count(std::string_view text);  ///< rows that were kept as they were written

/// As writers of formats want it: boxes in pixels of `image`, whose size is known.
/// `key_point_values`: numbers of each key point of a row, 2 or 3. Rows that are no labels are left
/// out and counted in `left_out`.
void put_annotations(const Annotations& annotations, int key_point_values,
                     dataset::AnnotatedImage& image, std::size_t& left_out);

}  // namespace yolov7::versions
