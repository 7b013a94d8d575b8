#pragma once
// What CVAT's two XML formats (for images, for video) have in common.
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "dataset/formats/annotated_set.hpp"
#include "dataset/formats/format.hpp"
#include "dataset/formats/xml_file.hpp"

namespace yolov7::dataset {

/// The points of a label of type skeleton and the lines between them, as its drawing has them.
struct CvatSkeleton {
  std::vector<std::string> names;
  std::vector<std::pair<int, int>> joints;  ///< places in `names`
};

struct CvatLabels {
  std::vector<std::string> names;  ///< in the order of the file; no skeletons, nor their parts
  std::map<std::string, CvatSkeleton> skeletons;                           ///< by label
  std::map<std::pair<std::string, std::string>, std::string> input_types;  ///< (label, attribute)
};

/// The labels of <meta>, wherever they stand below it.
CvatLabels read_cvat_labels(const pugi::xml_node& meta);
/// Whether the file is CVAT's with elements <image or <track.
bool is_cvat(const SourceTree& tree, const std::filesystem::path& file, const char* element);

/// Whether an element is a box here; others are counted as what they are. Polyline, points, cuboid,
/// skeleton and tag are none.
bool is_cvat_box(const std::string& element);
/// Box, polygon, ellipse, mask or whatever is_cvat_box() allows, without its class. What is wrong
/// becomes the fault. `width`, `height`: of the image, for masks.
AnnotatedObject read_cvat_shape(const pugi::xml_node& node, const LineTable& lines, int width,
                                int height);
/// The labelled points of a <skeleton>, by their labels.
std::vector<KeyPoint> read_cvat_skeleton(const pugi::xml_node& node);
/// Attributes of the shape with the types that <meta> gives them; this program's own ones (crowd,
/// ignore, difficult, truncated, score) go where they belong.
void take_cvat_attributes(const pugi::xml_node& node, const std::string& label,
                          const CvatLabels& labels, AnnotatedObject& object);
/// Sets the class, or the fault where the label is empty or not among `labels`.
void take_cvat_label(const std::string& label, const CvatLabels& labels, AnnotatedSet& set,
                     std::map<std::string, int>& index, AnnotatedObject& object);

/// <labels> of a set, with the attributes that occur.
std::string cvat_labels_xml(const AnnotatedSet& set);
/// The attributes "xtl=… …" or points="…" of a shape, and which element it is.
struct CvatShapeText {
  std::string element, geometry, children;
};
CvatShapeText cvat_shape_text(const AnnotatedObject& object);

}  // namespace yolov7::dataset
