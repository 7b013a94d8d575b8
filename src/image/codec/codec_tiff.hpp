#pragma once
// TIFF by libtiff, read from memory: the first picture of the file. 16 bits are scaled, further
// samples (alpha) dropped. DNG only where that first picture is a finished one; raw sensor data and
// previews are refused.
#include "image/codec/codec_format.hpp"

namespace yolov7::tiff {

StoredHeader read_header(std::string_view bytes, const std::string& source);
cv::Mat decode(std::string_view bytes, const std::string& source);
/// LZW.
std::string encode(const cv::Mat& bgr);

}  // namespace yolov7::tiff
