#include "dataset/synth/synth_looks.hpp"

#include <algorithm>
#include <cmath>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

namespace yolov7::dataset {

Relief random_relief(bool separating, double light, Random& random) {
  const double least = separating ? 30 : 0;
  const auto either_sign = [&](double low, double high) {
    return random.uniform(low, high) * (random.chance(0.5) ? 1 : -1);
  };
  Relief relief;
  relief.light = light;
  relief.rim_width = random.uniform(0.08, 0.5);
  const bool rim = random.chance(0.6);
  if (rim) relief.rim = either_sign(least, 80);
  if (!rim || random.chance(0.4)) relief.dome = either_sign(rim ? 0 : least, 80);
  if (random.chance(0.5)) relief.slope = random.uniform(0, 35);
  if (random.chance(0.3)) relief.opacity = random.uniform(0.6, 1);
  return relief;
}

void add_relief(cv::Mat& paint, const cv::Mat& coverage, const cv::Rect& roi, cv::Size picture,
                const Relief& relief) {
  const int left = roi.x > 0, top = roi.y > 0, right = roi.br().x < picture.width,
            bottom = roi.br().y < picture.height;
  cv::Mat inside, distance;
  cv::copyMakeBorder(coverage > 0.5f, inside, top, bottom, left, right, cv::BORDER_CONSTANT,
                     cv::Scalar(0));
  if (cv::countNonZero(inside) == static_cast<int>(inside.total())) return;  // no edge in sight
  cv::distanceTransform(inside, distance, cv::DIST_L2, cv::DIST_MASK_PRECISE);
  distance = distance(cv::Rect({left, top}, roi.size()));
  double most = 0;
  cv::minMaxLoc(distance, nullptr, &most);
  if (most <= 0) return;
  const double lx = std::cos(relief.light) * 2 / roi.width,
               ly = std::sin(relief.light) * 2 / roi.height;
  for (int y = 0; y < roi.height; ++y) {
    auto* const out = paint.ptr<cv::Vec3f>(y);
    const auto* const d = distance.ptr<float>(y);
    for (int x = 0; x < roi.width; ++x) {
      const double depth = d[x] / most, fall = depth / relief.rim_width;
      const double side = (x + 0.5 - roi.width / 2.0) * lx + (y + 0.5 - roi.height / 2.0) * ly;
      const auto more = static_cast<float>(relief.rim * std::exp(-fall * fall) +
                                           relief.dome * depth + relief.slope * side);
      out[x] += cv::Vec3f::all(more);
    }
  }
}

}  // namespace yolov7::dataset
