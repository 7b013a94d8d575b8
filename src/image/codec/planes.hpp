#pragma once
// Pictures as brightness and colour (ITU-R BT.601 in full range, as JFIF has it): from what a JPEG
// stores, and from B G R.
#include <filesystem>
#include <opencv2/core/mat.hpp>
#include <string>
#include <string_view>

#include "image/codec/codec_format.hpp"
#include "image/codec/codec_jpeg.hpp"

namespace yolov7 {

struct PicturePlanes {
  cv::Mat luma;       ///< 8-bit
  cv::Mat blue, red;  ///< Cb and Cr over the same area, often in fewer px; 8-bit, 128 = no colour
  bool gray = false;  ///< the channels of each pixel are equal but for rounding
  int width = 0, height = 0;  ///< of the whole picture, after EXIF orientation
  int orientation = 1;
  DecodedRows rows;  ///< as of ReducedPicture; missing ones are gray
};

/// As decode_reduced_picture() and read_reduced_picture() with their usual limits. A JPEG gives
/// what it stores: the colours are not enlarged, and nothing is converted to B G R and back, which
/// is less work.
PicturePlanes decode_planes(std::string_view bytes, const std::string& source, int long_side);
PicturePlanes read_planes(const std::filesystem::path& path, int long_side);
/// Of a decoded picture; the colours at half its size.
PicturePlanes planes_of(const cv::Mat& bgr);
/// Upright, without width and height; a gray file gets planes without colour.
PicturePlanes joined_planes(const jpeg::StoredPlanes& stored, int orientation);

}  // namespace yolov7
