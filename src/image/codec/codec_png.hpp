#pragma once
// PNG by libpng: any colour type and depth, interlaced too; 16 bits are scaled (v · 255 / 65535,
// rounded), alpha is dropped. Orientation from the eXIf chunk.
#include "image/codec/codec_format.hpp"

namespace yolov7::png {

StoredHeader read_header(std::string_view bytes, const std::string& source);
cv::Mat decode(std::string_view bytes, const std::string& source);
std::string encode(const cv::Mat& bgr);

}  // namespace yolov7::png
