#include "dataset/formats/coco_object.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/text.hpp"
#include "dataset/formats/json_fields.hpp"
#include "dataset/formats/mask_runs.hpp"

namespace yolov7::dataset {
using nlohmann::json;
namespace {

/// The runs of {"size": [h, w], "counts": …}, or a note why they are left out.
std::string read_mask(const json& value, AnnotatedObject& object) {
  const auto size = numbers_of(member(value, "size"));
  const json* counts = member(value, "counts");
  if (!size || size->size() != 2 || counts == nullptr || !((*size)[0] >= 1) || !((*size)[1] >= 1) ||
      (*size)[0] > 1e6 || (*size)[1] > 1e6)
    return "expected a mask with size [height, width] and counts, found " + shown(&value);
  MaskRuns mask{static_cast<int>((*size)[1]), static_cast<int>((*size)[0]), {}};
  if (counts->is_string()) {
    auto runs = runs_of_text(counts->get_ref<const std::string&>());
    if (!runs) return "the text of a mask's runs is broken: " + shown(counts);
    mask.runs = std::move(*runs);
  } else {
    const auto numbers = numbers_of(counts);
    if (!numbers) return "expected a mask's counts as numbers, found " + shown(counts);
    for (const double number : *numbers) {
      if (!(number >= 0 && number <= 4294967295.0)) return "a mask has a run below 0 or too large";
      mask.runs.push_back(static_cast<std::uint32_t>(number));
    }
  }
  if (!fills(mask))
    return fmt::format("the runs of a mask do not fill its {} × {} px", mask.width, mask.height);
  object.mask = std::move(mask);
  return "";
}

}  // namespace

std::string read_coco_segmentation(const json* value, AnnotatedObject& object) {
  if (value == nullptr) return "";
  if (value->is_object()) return read_mask(*value, object);
  if (!value->is_array()) return "expected polygons or a mask, found " + shown(value);
  if (!value->empty() && value->front().is_number()) {  // one ring without its list
    const auto ring = ring_of(value);
    if (!ring || ring->size() < 3) return "expected a polygon, found " + shown(value);
    object.rings.push_back(*ring);
    return "";
  }
  std::string left_out;
  for (const json& one : *value) {
    const auto ring = ring_of(&one);
    if (!ring || ring->size() < 3)
      left_out = "expected a polygon of 3 points or more, found " + shown(&one);
    else
      object.rings.push_back(*ring);
  }
  return left_out;
}

void read_coco_box(const json* value, AnnotatedObject& object) {
  const auto numbers = numbers_of(value);
  if (numbers && numbers->size() == 4) {
    const double x = (*numbers)[0], y = (*numbers)[1], w = (*numbers)[2], h = (*numbers)[3];
    object.box = {x, y, x + w, y + h};
    if (!std::isfinite(object.box.x2) || !std::isfinite(object.box.y2))
      object.fault = "its box is too large for a number: " + shown(value);
  } else if (value != nullptr && !(value->is_array() && value->empty())) {
    object.fault = "expected bbox as [x, y, width, height], found " + shown(value);
  } else if (!object.rings.empty()) {
    object.box = box_around(object.rings);
  } else if (object.mask) {
    object.box = box_of(*object.mask);
  } else {
    object.fault = "it has neither bbox nor segmentation";
  }
}

std::string read_coco_points(const json* value, AnnotatedObject& object) {
  if (value == nullptr) return "";
  const auto numbers = numbers_of(value);
  if (!numbers || numbers->size() % 3 != 0)
    return "expected keypoints as x, y, visibility of each, found " + shown(value);
  for (std::size_t i = 0; i + 2 < numbers->size(); i += 3)
    if ((*numbers)[i + 2] != 0)
      object.key_points.push_back(
          {point_number(i / 3), {(*numbers)[i], (*numbers)[i + 1]}, (*numbers)[i + 2] == 1});
  return "";
}

void take_coco_attributes(const json& value, AnnotatedObject& object) {
  TrackPlace track;
  bool tracked = false;
  for (Attribute& one : attributes_of(value)) {
    const double* number = std::get_if<double>(&one.value);
    if (one.name == "occluded") {
      object.occluded = is_true(one.value);
    } else if (one.name == "truncated") {
      object.truncated = is_true(one.value);
    } else if (one.name == "difficult") {
      object.difficult = is_true(one.value);
    } else if (one.name == "rotation" && number != nullptr) {
      if (*number != 0) object.rotation = Rotation{object.box, *number};
    } else if (one.name == "track_id") {
      tracked = true;
      track.id = text_of(one.value);
    } else if (one.name == "frame" && number != nullptr && std::abs(*number) < 1e9) {
      track.frame = static_cast<int>(*number);
    } else if (one.name == "keyframe") {
      track.keyframe = is_true(one.value);
    } else if (one.name == "outside") {
      track.outside = is_true(one.value);
    } else if (one.name == "group_id") {
      object.group = text_of(one.value);
    } else if (one.name == "z_order" && number != nullptr && std::abs(*number) < 1e9) {
      object.z_order = static_cast<int>(*number);
    } else {
      object.attributes.push_back(std::move(one));
    }
  }
  if (tracked) object.track = track;
  if (object.rotation) object.box = box_around({corners_of(*object.rotation)});
}

std::string coco_mask_note(const AnnotatedObject& object) {
  if (!object.mask) return "";
  const Xyxy mask = box_of(*object.mask), &box = object.box;
  const double apart = std::max({std::abs(mask.x1 - box.x1), std::abs(mask.y1 - box.y1),
                                 std::abs(mask.x2 - box.x2), std::abs(mask.y2 - box.y2)});
  if (!(apart > 2)) return "";
  return fmt::format("object {}: box and mask differ by up to {} px: the box counts", object.id,
                     text::general(apart));
}

}  // namespace yolov7::dataset
