#pragma once
// WebP by libwebp: lossy and lossless, alpha dropped; animations are refused. Orientation from the
// EXIF chunk.
#include "image/codec/codec_format.hpp"

namespace yolov7::webp {

StoredHeader read_header(std::string_view bytes, const std::string& source);
cv::Mat decode(std::string_view bytes, const std::string& source);
/// Lossy. Error: a side above 16,383 px.
std::string encode(const cv::Mat& bgr, int quality);

}  // namespace yolov7::webp
