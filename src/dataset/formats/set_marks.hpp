#pragma once
// The marks of a data set (index/label_marks.hpp), from annotations of any format and from the
// side file of YOLO text.
#include "dataset/formats/annotated_set.hpp"
#include "dataset/index/index.hpp"
#include "dataset/index/label_marks.hpp"

namespace yolov7::dataset {

/// Attribute of an object that a network has labelled, and tag of an image that was drawn.
inline constexpr const char* origin_attribute = "origin";
inline constexpr const char* machine_origin = "machine";
inline constexpr const char* drawn_origin = "drawn";

/// Of an image that open_data() has read. `read`: its rows as labels, whose dropped rows are named
/// by their line among the rows of the objects that are no regions.
ImageMarks marks_of(const AnnotatedImage& image, const LabelFile& read);

/// Of a split. A set that open_data() has prepared has them; of a data.yaml they stand in the
/// annotations.extra.jsonl beside it, and in those beside the `images` folders of its images. A
/// line whose label has changed since is a problem.
SetMarks read_marks(const Description& description, const Index& index);

}  // namespace yolov7::dataset
