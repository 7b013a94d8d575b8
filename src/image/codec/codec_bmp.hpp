#pragma once
// BMP, read by hand: 1, 4, 8, 24 and 32 bits per pixel, uncompressed, bottom-up and top-down. RLE
// is refused.
#include "image/codec/codec_format.hpp"

namespace yolov7::bmp {

StoredHeader read_header(std::string_view bytes, const std::string& source);
cv::Mat decode(std::string_view bytes, const std::string& source);
std::string encode(const cv::Mat& bgr);

}  // namespace yolov7::bmp
