#pragma once
// What is kept of an image in order to find others that show the same (data-services D2): a small
// gray and colour image, and vectors that hardly change when an image is moved, cropped, turned by
// 90° or mirrored.
#include <array>
#include <cstdint>
#include <filesystem>
#include <opencv2/core/mat.hpp>

#include "dataset/similarity/structure.hpp"
#include "image/codec/planes.hpp"

namespace yolov7::dataset::similarity {

inline constexpr int colour_side = 16;  ///< px of the colours of a sketch
/// Shares that are cut from each of the four sides before an image is compared with another.
inline constexpr std::array<double, 4> cuts = {0, 0.02, 0.04, 0.06};

/// Trivially copyable: a cache may keep its bytes, together with `sketch_version`.
struct Sketch {
  std::int32_t width = 0, height = 0;  ///< of the image, px
  /// Too little structure (a blank page, a dark frame): nothing can be said about its likeness.
  std::uint8_t plain = 1;
  /// Gray levels: darkest + step · value, where values of 7 bits stand one after the other. A step
  /// of 1 keeps every level; 2 where they reach further than 127.
  std::uint8_t darkest = 0, step = 1;
  std::array<std::uint8_t, gray_side * gray_side * 7 / 8> gray{};
  std::array<std::int8_t, 2 * colour_side * colour_side> colour{};  ///< Cr and Cb about 0, in turn
  std::array<Direction, cuts.size()> directions{};                  ///< one for each cut
};
/// Changes with what a sketch holds.
inline constexpr int sketch_version = 3;

Sketch sketch_of(const PicturePlanes& planes);
/// Of decoded pixels, 8-bit B G R.
Sketch sketch_of(const cv::Mat& bgr);
/// Reads the image, a JPEG at a fraction of its size where that is enough. Errors as
/// read_picture().
Sketch read_sketch(const std::filesystem::path& image);

/// The gray image of a sketch with this share of each side cut away.
cv::Mat1f gray_of(const Sketch& sketch, double cut);

}  // namespace yolov7::dataset::similarity
