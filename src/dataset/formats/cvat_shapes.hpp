#pragma once
// What CVAT's two XML formats (for images, for video) have in common.
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "dataset/formats/annotated_set.hpp"
#include "dataset/formats/cvat_skeletons.hpp"
#include "dataset/formats/format.hpp"
#include "dataset/formats/xml_file.hpp"

namespace yolov7::dataset {

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
/// Attributes of the shape with the types that <meta> gives them; this program's own ones (crowd,
/// ignore, difficult, truncated, score) go where they belong.
void take_cvat_attributes(const pugi::xml_node& node, const std::string& label,
                          const CvatLabels& labels, AnnotatedObject& object);
/// Sets the class, or the fault where the label is empty or not among `labels`.
void take_cvat_label(const std::string& label, const CvatLabels& labels, AnnotatedSet& set,
                     std::map<std::string, int>& index, AnnotatedObject& object);

/// Where key points are written: as skeletons beside their objects (cvat_skeletons.hpp), or in an
/// attribute.
enum class CvatPoints { skeletons, attributes };
/// <labels> of a set, with the attributes that occur.
std::string cvat_labels_xml(const AnnotatedSet& set, CvatPoints points);
/// The attributes "xtl=… …" or points="…" of a shape, and which element it is.
struct CvatShapeText {
  std::string element, geometry, children;
};
CvatShapeText cvat_shape_text(const AnnotatedObject& object, CvatPoints points);

}  // namespace yolov7::dataset
