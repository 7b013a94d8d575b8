#pragma once
// What makes a training picture of its source: bilinear warp, change of colours, flips and planes,
// row by row, so that a row stays in the nearest cache from the source to the batch.
#include <cstddef>
#include <cstdint>
#include <opencv2/core/mat.hpp>
#include <opencv2/core/matx.hpp>
#include <vector>

#include "dataset/augment/hsv.hpp"
#include "dataset/augment/kernels/picture_rows.hpp"
#include "dataset/augment/pixel_words.hpp"

namespace yolov7::dataset {

struct Flips {
  bool vertical = false, horizontal = false;
};

/// An affine warp with bilinear interpolation in 1/32 px and a border of 114: the pixels of
/// cv::warpAffine of OpenCV 4.6.
class AffineWarp {
 public:
  /// `source` (8-bit B G R, sides below 32,768) must outlive this. `m` takes its positions to those
  /// of the output, of which `flips` are then mirrored.
  AffineWarp(const cv::Mat& source, const cv::Matx33d& m, cv::Size output, Flips flips = {});
  /// Row y of the output (one thread at a time), padded_words(output.width) words.
  void row(int y, std::uint32_t* words) const;

 private:
  struct Part {
    int from, to;
  };
  /// The part of a row whose positions, in whole pixels, lie in low … high.
  static Part where(const std::vector<std::int64_t>& steps, int width, std::int64_t start,
                    std::int64_t low, std::int64_t high);
  std::uint32_t near_border(std::int32_t px, std::int32_t py) const;

  const cv::Mat& source_;
  cv::Size output_;
  bool vertical_;
  double inverse_[6];
  std::vector<std::int64_t> x_steps_, y_steps_;  ///< along a row, in 1/1024 px
  std::vector<std::int32_t> dx_, dy_;            ///< their low 32 bits, for the kernels
  mutable std::vector<std::uint16_t> scratch_;
};

cv::Mat warp_affine(const cv::Mat& source, const cv::Matx33d& m, cv::Size output, cv::Mat canvas);

/// B G R rows → R G B planes of height × width bytes each; colours (null: none) and flips on the
/// way.
void write_planes(const cv::Mat& bgr, Flips flips, const ColourChange* colours,
                  std::uint8_t* planes);
/// The same of a warp, without a picture in between.
void warp_to_planes(const cv::Mat& source, const cv::Matx33d& m, cv::Size output, Flips flips,
                    const ColourChange* colours, std::uint8_t* planes);

}  // namespace yolov7::dataset
