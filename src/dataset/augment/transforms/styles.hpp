#pragma once
// The look of another picture (data 13.4, row 106). `reference` may have any size.
#include <opencv2/core/mat.hpp>
#include <vector>

#include "dataset/augment/transforms/transform.hpp"

namespace yolov7::dataset {

/// Per channel: value → least reference value whose cumulative share is at least the value's own.
cv::Mat match_histograms(const cv::Mat& picture, const cv::Mat& reference);
/// Amplitudes of all frequencies up to ⌊beta · min(h, w)⌋ in each direction become the reference's,
/// resized to the picture; phases stay (Yang and Soatto, "FDA: Fourier Domain Adaptation", arXiv
/// 2004.05498, equation 3).
cv::Mat match_amplitudes(const cv::Mat& picture, const cv::Mat& reference, double beta);
/// Mean and covariance of the colours become the reference's: Σr^½ · Σs^−½ · (x − μs) + μr;
/// `covariance` off: mean and deviation of each channel.
cv::Mat match_distribution(const cv::Mat& picture, const cv::Mat& reference, bool covariance);

std::vector<TransformEntry> style_transforms();

}  // namespace yolov7::dataset
