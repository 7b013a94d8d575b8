#pragma once
// One Pascal VOC annotation file.
#include <string>
#include <string_view>
#include <vector>

#include "dataset/formats/annotated_set.hpp"
#include "image/boxes/box.hpp"

namespace yolov7::dataset {

struct VocObject {
  std::string name;      ///< class, trimmed
  Xyxy box_px;           ///< corners as they stand in the file: nothing subtracted, but in order
  bool swapped = false;  ///< xmin was above xmax, or ymin above ymax
  bool difficult = false, truncated = false, occluded = false;
  std::vector<Ring> rings;            ///< <polygon> as Roboflow writes it
  std::vector<Attribute> attributes;  ///< CVAT's <attributes>, and the pose
  int line = 0;                       ///< of <object>, from 1
  std::string fault;  ///< why the box cannot be used (no name, no corner, not a number), or ""
};

struct VocAnnotation {
  std::string folder, filename;  ///< as written; the file name reduced to its last part
  std::string database;          ///< of <source>
  int width = 0, height = 0;     ///< as written, 0 if absent
  std::vector<VocObject> objects;
};

/// Errors name `source`, the line and the reason: not XML, no <annotation>, text that is not UTF-8.
/// Nothing outside the text is ever read (no DTD, no entities of its own).
VocAnnotation parse_voc(std::string_view xml, const std::string& source);
/// Whether the text begins like such a file.
bool is_voc_text(std::string_view head);
/// What follows the last slash or backslash.
std::string base_name(std::string_view path);

}  // namespace yolov7::dataset
