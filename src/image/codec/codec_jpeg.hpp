#pragma once
// JPEG by libjpeg-turbo: accurate integer DCT (islow), fancy upsampling. Gray and colour; CMYK and
// YCCK are converted, inverted as Adobe's programs store them where their marker says so.
// Arithmetic and progressive coding too. Of a multi-picture file (MPO) the first picture.
// A file that ends too soon gives the rows that it holds: those whose every pixel is as in the
// whole file. Data that do not decode, or an end marker among them, are an Error.
#include <optional>

#include "image/codec/codec_format.hpp"

namespace yolov7::jpeg {

/// The samples of a colour or gray JPEG as they are stored, in stored orientation.
struct StoredPlanes {
  cv::Mat luma;       ///< 8-bit; rows that were not decoded are 114
  cv::Mat blue, red;  ///< Cb and Cr over the same area, as many px as they have; empty: gray
  DecodedRows rows;
};

StoredHeader read_header(std::string_view bytes, const std::string& source);
StoredPicture decode(std::string_view bytes, const std::string& source);
/// The same at ⌈width / denominator⌉ × ⌈height / denominator⌉; denominator 1, 2, 4 or 8. The
/// decoder leaves out the high frequencies, so that a pixel is about the mean of those that it
/// stands for.
StoredPicture decode_reduced(std::string_view bytes, const std::string& source, int denominator);
/// The same without enlarging the colours and without the conversion to B G R. Nothing for a file
/// that stores neither luma and colour differences nor gray. Errors and rows as decode_reduced().
std::optional<StoredPlanes> decode_planes(std::string_view bytes, const std::string& source,
                                          int denominator);
/// 4:2:0, baseline. Error: a side above 65,500 px.
std::string encode(const cv::Mat& bgr, int quality);

}  // namespace yolov7::jpeg
