#pragma once
// Classes of a teacher under the names of the labels.
#include <string>
#include <vector>

#include "image/boxes/box.hpp"

namespace yolov7::cli {

struct AnnotateClasses {
  std::vector<std::string> names;  ///< of the labels
  std::vector<int> of;  ///< class of the teacher → class of the labels, −1 = left out
  std::vector<std::string> left_out;  ///< classes of the teacher
  std::vector<std::string> untaught;  ///< classes of the labels that the teacher does not know
  bool merged = false;                ///< several classes of the teacher became one
};

/// `map`: OLD=NEW, OLD=, or a file (dataset/arrange/class_map). `known`: classes of the labels, or
/// empty where the teacher's are taken; `known_of`: where they come from, for messages. Errors:
/// those of the map; a class that `known` does not have, unless `drop_unknown`; no class is left.
AnnotateClasses annotate_classes(const std::vector<std::string>& teacher,
                                 const std::vector<std::string>& map,
                                 const std::vector<std::string>& known, const std::string& known_of,
                                 bool drop_unknown);

/// Detections of the teacher with the classes of the labels, descending score. Where classes were
/// joined, boxes of one class that overlap by more than `iou_thres` become one.
std::vector<Detection> renamed(const std::vector<Detection>& detections,
                               const AnnotateClasses& classes, double iou_thres);

}  // namespace yolov7::cli
