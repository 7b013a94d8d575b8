#pragma once
// Where a video goes over to another scene (serving 3.1).
#include <cstdint>
#include <span>
#include <vector>

namespace yolov7::active {

inline constexpr int thumbnail_side = 32;  ///< px of the small images that are compared

/// Mean of the absolute differences of two small images, 0 … 255; 255 where their lengths differ.
double scene_difference(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b);

/// `differences[i]`: of frame i and the one before it; that of frame 0 is not looked at. True where
/// a scene begins: frame 0; a difference of 40 and more; one of 15 and more that is three times the
/// mean of the two before and the two behind it, so that a moving camera is no cut.
std::vector<bool> scene_begins(std::span<const double> differences);

}  // namespace yolov7::active
