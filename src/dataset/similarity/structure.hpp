#pragma once
// The structure of an image without its brightness and contrast (data-services D2): what two images
// that show the same have in common.
#include <array>
#include <cstdint>
#include <opencv2/core/mat.hpp>

namespace yolov7::dataset::similarity {

inline constexpr int gray_side = 64;  ///< px of the gray images that structures are made of
inline constexpr int components = 64;
/// Of unit length, times 256.
using Direction = std::array<std::int8_t, components>;
/// Cosine of the angle between two directions.
double cosine(const Direction& a, const Direction& b);

/// Below this root mean square, in gray levels, a block of the band is noise.
inline constexpr double noise_level = 1.5;
inline constexpr int blocks_per_side = 8;

/// With `cut` of each side taken away and brought back to its size.
cv::Mat cut_square(const cv::Mat& square, double cut);
/// Difference of Gaussians, σ 1 and 6 px: neither noise nor shading.
cv::Mat1f band_of(const cv::Mat1f& gray);
/// The band over its local strength (σ 4 px, plus 4 levels), so that a strong edge does not count
/// more than a whole texture; mean 0, length 1.
cv::Mat1f structure_of(const cv::Mat1f& band);
/// Of a structure: logarithms of its power over frequencies, averaged over the eight symmetries of
/// the square, without what a parabola over the frequency explains; unit length. Power does not
/// change with position.
Direction direction_of(const cv::Mat1f& structure);
/// Blocks of the band, of 8 × 8 in equal parts, that are more than noise.
int informative_blocks(const cv::Mat1f& band);

/// The `number`-th of the eight symmetries of the square (0 is the image itself).
cv::Mat turned(const cv::Mat& square, int number);

}  // namespace yolov7::dataset::similarity
