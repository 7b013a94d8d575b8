#include "dataset/synth/synth_distractors.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

namespace yolov7::dataset {

Outline blob(cv::Point2d centre, double radius, Random& random) {
  std::array<double, 5> amplitude{}, phase{};
  for (std::size_t k = 0; k < amplitude.size(); ++k)
    amplitude[k] = random.uniform(0.05, 0.35) / std::sqrt(1.0 + static_cast<double>(k)),
    phase[k] = random.uniform(0, 2 * M_PI);
  Outline outline;
  for (int i = 0; i < 72; ++i) {
    const double a = 2 * M_PI * i / 72;
    double r = 1;
    for (std::size_t k = 0; k < amplitude.size(); ++k)
      r += amplitude[k] * std::sin((static_cast<double>(k) + 2) * a + phase[k]);
    outline.emplace_back(centre.x + radius * r * std::cos(a), centre.y + radius * r * std::sin(a));
  }
  return outline;
}

cv::Mat stroke(cv::Size size, double thickest, Random& random) {
  const double longer = std::max(size.width, size.height);
  const auto kind = random.integer(0, 2);
  const double y = random.uniform(0, size.height);  // in this order: arguments have none
  cv::Point2d at(random.uniform(0, size.width), y);
  double direction = random.uniform(0, 2 * M_PI);
  const double step = longer * random.uniform(0.01, 0.05),
               bend = kind == 1 ? 0 : random.uniform(0.05, 0.25) * (random.chance(0.5) ? 1 : -1);
  const int steps = static_cast<int>(random.integer(6, 14));
  std::vector<cv::Point> points;
  for (int i = 0; i < steps; ++i) {
    points.emplace_back(static_cast<int>(std::lround(at.x * 16)),
                        static_cast<int>(std::lround(at.y * 16)));
    at += cv::Point2d(std::cos(direction), std::sin(direction)) * step;
    direction += kind == 0 ? random.uniform(-1.2, 1.2) : bend;
  }
  cv::Mat mask = cv::Mat::zeros(size, CV_8UC1), coverage;
  const int thickness =
      std::max(1, static_cast<int>(std::lround(longer * random.uniform(0.002, thickest))));
  cv::polylines(mask, points, false, cv::Scalar(255), thickness, cv::LINE_AA, 4);
  mask.convertTo(coverage, CV_32F, 1.0 / 255);
  return coverage;
}

}  // namespace yolov7::dataset
