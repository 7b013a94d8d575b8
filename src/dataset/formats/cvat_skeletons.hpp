#pragma once
// Key points as skeletons of CVAT for images. A skeleton is an object of its own there, with a
// label of its own; it belongs to the box of its group.
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dataset/formats/annotated_set.hpp"
#include "dataset/formats/xml_file.hpp"

namespace yolov7::dataset {

/// The points of a label of type skeleton and the lines between them, as its drawing has them.
struct CvatSkeleton {
  std::vector<std::string> names;
  std::vector<std::pair<int, int>> joints;  ///< places in `names`
};

/// The skeleton of a label, from the drawing that stands with it: circles are points, lines join
/// two of them.
CvatSkeleton read_cvat_drawing(std::string_view drawing);
/// The labelled points of a <skeleton>, by their labels.
std::vector<KeyPoint> read_cvat_skeleton(const pugi::xml_node& node);

/// The label of the skeletons of a class: "cat skeleton", or a longer name where that is a class.
std::string cvat_skeleton_label(const AnnotatedSet& set, std::size_t class_index);
/// The labels of the skeletons of all classes with key points, and of their parts.
std::string cvat_skeleton_labels_xml(const AnnotatedSet& set);
/// The <skeleton> of an object in this group. Points that nobody labelled are outside.
std::string cvat_skeleton_xml(const AnnotatedObject& object, const AnnotatedSet& set,
                              std::int64_t group);

}  // namespace yolov7::dataset
