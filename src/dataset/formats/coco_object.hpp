#pragma once
// One annotation of a COCO file.
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "dataset/formats/annotated_set.hpp"

namespace yolov7::dataset {

/// Polygons or a mask; null is none. Returns what of it is left out, or "".
std::string read_coco_segmentation(const nlohmann::json* value, AnnotatedObject& object);
/// [x, y, width, height]; in its absence the box around polygons or mask. What is wrong becomes the
/// object's fault.
void read_coco_box(const nlohmann::json* value, AnnotatedObject& object);
/// "keypoints": x, y and 0, 1 or 2 (not labelled, hidden, visible) of each point, which is called
/// by its number; null is none. Returns what of it is left out, or "".
std::string read_coco_points(const nlohmann::json* value, AnnotatedObject& object);
/// What programs put into `attributes` because COCO has no place for it: CVAT's and Datumaro's
/// flags, rotation and tracks, and what write_coco() puts there.
void take_coco_attributes(const nlohmann::json& value, AnnotatedObject& object);
/// What is to be said where box and mask differ by more than 2 px, or "".
std::string coco_mask_note(const AnnotatedObject& object);

}  // namespace yolov7::dataset
