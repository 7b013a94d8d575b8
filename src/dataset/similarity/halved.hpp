#pragma once
// Images made smaller by halves, without rounding.
#include <opencv2/core/mat.hpp>

namespace yolov7::dataset::similarity {

/// How often sums of 8-bit values can be halved: 255 · 4⁴ is below 2¹⁶.
inline constexpr int most_halves = 4;

/// Sums over 2 × 2 px, of 8-bit or 16-bit values; a last row and column without a neighbour are
/// left out. Sides of at least 2.
cv::Mat1w halved(const cv::Mat& plane);
/// An 8-bit plane brought to `side` × `side` px by means over areas.
cv::Mat1b square_of(const cv::Mat& plane, int side);

}  // namespace yolov7::dataset::similarity
