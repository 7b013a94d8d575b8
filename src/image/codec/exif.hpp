#pragma once
// EXIF orientation: read from the TIFF structure of an Exif block by hand, with every offset
// checked, and applied.
#include <opencv2/core/mat.hpp>
#include <string_view>

namespace yolov7 {

/// Value 1 … 8 of tag 0x0112 in the first directory of an Exif block ("II*\0…" or "MM\0*…", with or
/// without a leading "Exif\0\0"). 1 if there is none or if the block is damaged: metadata never
/// costs a picture.
int exif_orientation(std::string_view block);

/// The upright picture (data 6): 2 mirror horizontally, 3 rotate 180°, 4 mirror vertically, 5
/// transpose, 6 rotate 90° clockwise, 7 transverse, 8 rotate 90° counter-clockwise. Any other value
/// leaves it as it is.
cv::Mat apply_orientation(const cv::Mat& stored, int orientation);

/// 5 … 8 exchange width and height.
inline bool orientation_swaps_sides(int orientation) {
  return orientation >= 5 && orientation <= 8;
}

}  // namespace yolov7
