#pragma once
// The operations of AutoAugment for detection (Zoph et al., arXiv 1906.11172; constants of
// data 12.6). Colours are B G R here; uncovered pixels and cut-outs are 128; resampling is nearest
// neighbour.
#include <opencv2/core/mat.hpp>
#include <span>
#include <string_view>

#include "core/random.hpp"
#include "dataset/augment/sample.hpp"
#include "dataset/augment/transforms/transform.hpp"

namespace yolov7::dataset {

struct PolicyOptions {
  double pixel_scale = 1;  ///< of constants in pixels (s / 640 with scale_pixels)
  bool published_contrast =
      false;  ///< the authors' mean grey, (number of pixels) / 256, cut at 255 (data F25)
  BoxFilter filter;
};

struct PolicyOperation {
  std::string_view name;
  bool only_boxes = false;  ///< entered always; probability / 3 for each box, boxes in random order
  void (*apply)(Sample&, double level, Random&, const PolicyOptions&) = nullptr;
};

/// All of them, or the one of that name (nullptr: none).
std::span<const PolicyOperation> policy_operations();
const PolicyOperation* find_policy_operation(std::string_view name);

/// One entry of a sub-policy: draws whether (each box for itself where it is of boxes only), then
/// applies. Level 0 … 10.
void apply_policy_operation(const PolicyOperation& operation, double probability, double level,
                            Sample& sample, Random& random, const PolicyOptions& options);

// Parts, as functions of their strength alone.
void auto_contrast(cv::Mat& bgr);
void equalize(cv::Mat& bgr);  ///< per channel
void posterize(cv::Mat& bgr, int bits);
void solarize(cv::Mat& bgr, int threshold);
void solarize_add(cv::Mat& bgr, int addition);
/// u + f · (v − u), clipped, truncated; f = 0 → u, 1 → v.
cv::Mat policy_blend(const cv::Mat& u, const cv::Mat& v, double f);
/// 0.2989 R + 0.5870 G + 0.1140 B in all three channels, truncated.
cv::Mat policy_grey(const cv::Mat& bgr);
/// 3 × 3 with 5 in the centre and 1 around, divided by 13, truncated; the outermost pixels keep
/// their value.
cv::Mat policy_smooth(const cv::Mat& bgr);
/// Content by nearest neighbour: output pixel centre p takes the input pixel that holds inverse ·
/// p; outside is 128. `inverse` maps continuous output coordinates (pixel (i, j) covers [j, j + 1)
/// × [i, i + 1)) to input ones.
cv::Mat nearest_warp(const cv::Mat& bgr, const cv::Matx33d& inverse);

}  // namespace yolov7::dataset
