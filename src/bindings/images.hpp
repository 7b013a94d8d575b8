#pragma once
// Images of callers as OpenCV has them.
#include <cstddef>
#include <opencv2/core/mat.hpp>

#include "yolov7/yolov7.h"

namespace yolov7::bindings {

/// 8 bit, B G R; over the caller's memory where that is what it holds. Errors (usage): no pixels,
/// sides, stride or format that no image has.
cv::Mat bgr_of(const yolov7_image& image);
/// An image file. One that lacks its end, where that is accepted, is a warning. Errors as
/// read_picture().
cv::Mat read(const char* path);
/// The bytes of an image file; `name`: "image" where it is null. Errors as decode_picture().
cv::Mat decoded(const void* bytes, std::size_t length, const char* name);

}  // namespace yolov7::bindings
