#include "dataset/augment/transforms/colour_statistics.hpp"

#include <cstdint>

namespace yolov7::dataset {

std::array<std::array<double, 256>, 3> colour_histograms(const cv::Mat& bgr) {
  std::array<std::array<double, 256>, 3> counts{};
  for (int y = 0; y < bgr.rows; ++y) {
    const auto* p = bgr.ptr<std::uint8_t>(y);
    for (int x = 0; x < bgr.cols; ++x, p += 3)
      for (std::size_t c = 0; c < 3; ++c) counts[c][p[c]] += 1;
  }
  return counts;
}

ColourMoments colour_moments(const cv::Mat& bgr) {
  cv::Vec3d sum;
  cv::Matx33d products = cv::Matx33d::zeros();
  for (int y = 0; y < bgr.rows; ++y) {
    const auto* p = bgr.ptr<cv::Vec3b>(y);
    for (int x = 0; x < bgr.cols; ++x) {
      const cv::Vec3d v(p[x]);
      sum += v;
      products += v * v.t();
    }
  }
  const auto n = static_cast<double>(bgr.total());
  const cv::Vec3d mean = sum / n;
  return {mean, products * (1 / n) - mean * mean.t()};
}

}  // namespace yolov7::dataset
