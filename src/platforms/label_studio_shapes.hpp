#pragma once
// What people drew in Label Studio, held against what was read of it.
#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "dataset/formats/annotated_set.hpp"

namespace yolov7::platforms {

/// Whether the value of a region says where in the image it is.
bool has_place(const nlohmann::json& region);

/// What of an annotation's `result` is no usable object of the image that was read from it, in
/// words: a region with a place in the image that is no box, or an object with a fault. A key point
/// that belongs to a box counts with it; choices, texts and relations have no place.
std::vector<std::string> shapes_left_out(const nlohmann::json& result,
                                         const dataset::AnnotatedImage& image);

/// Objects without a fault; those that are alike in class, box and rings count once.
std::size_t usable_objects(const dataset::AnnotatedImage& image);

}  // namespace yolov7::platforms
