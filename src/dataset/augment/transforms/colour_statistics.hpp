#pragma once
// What a picture's colours are like.
#include <array>
#include <opencv2/core/mat.hpp>
#include <opencv2/core/matx.hpp>

namespace yolov7::dataset {

/// Number of pixels of each value, per channel.
std::array<std::array<double, 256>, 3> colour_histograms(const cv::Mat& bgr);

struct ColourMoments {
  cv::Vec3d mean;
  cv::Matx33d covariance;  ///< of the population: divided by the number of pixels
};
ColourMoments colour_moments(const cv::Mat& bgr);

}  // namespace yolov7::dataset
