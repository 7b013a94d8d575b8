#pragma once
// JPEG by libjpeg-turbo: accurate integer DCT (islow), fancy upsampling. Gray and colour; CMYK and
// YCCK are converted, inverted as Adobe's programs store them where their marker says so.
// Arithmetic and progressive coding too. Of a multi-picture file (MPO) the first picture.
// A file that ends too soon gives the rows that it holds: those whose every pixel is as in the
// whole file. Data that do not decode, or an end marker among them, are an Error.
#include "image/codec/codec_format.hpp"

namespace yolov7::jpeg {

StoredHeader read_header(std::string_view bytes, const std::string& source);
StoredPicture decode(std::string_view bytes, const std::string& source);
/// The same at ⌈width / denominator⌉ × ⌈height / denominator⌉; denominator 1, 2, 4 or 8. The
/// decoder leaves out the high frequencies, so that a pixel is about the mean of those that it
/// stands for.
StoredPicture decode_reduced(std::string_view bytes, const std::string& source, int denominator);
/// 4:2:0, baseline. Error: a side above 65,500 px.
std::string encode(const cv::Mat& bgr, int quality);

}  // namespace yolov7::jpeg
