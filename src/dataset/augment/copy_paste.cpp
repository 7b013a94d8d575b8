#include "dataset/augment/copy_paste.hpp"

#include <algorithm>
#include <cmath>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

namespace yolov7::dataset {

std::vector<std::size_t> choose_polygons(std::span<const Object> objects, double fraction,
                                         Random& random) {
  const std::vector<std::size_t> candidates = with_polygon(objects);
  const double share = std::clamp(fraction, 0.0, 1.0);
  const auto count =
      static_cast<std::size_t>(std::nearbyint(share * static_cast<double>(candidates.size())));
  std::vector<std::size_t> chosen = random.permutation(candidates.size());
  chosen.resize(count);
  for (std::size_t& i : chosen) i = candidates[i];
  return chosen;
}

void fill_outline(cv::Mat& mask, std::span<const cv::Point2d> outline) {
  std::vector<cv::Point> points;
  points.reserve(outline.size());
  for (const cv::Point2d& p : outline)
    points.emplace_back(static_cast<int>(p.x), static_cast<int>(p.y));
  cv::fillPoly(mask, std::vector<std::vector<cv::Point>>{points}, cv::Scalar(255));
}

void copy_paste(Sample& sample, std::span<const std::size_t> chosen) {
  const double width = sample.picture.cols;
  cv::Mat mask;
  for (const std::size_t j : chosen) {
    const Object source = sample.objects[j];
    const Xyxy mirrored{width - source.box.x2, source.box.y1, width - source.box.x1, source.box.y2};
    if (!leaves_visible(sample.objects, mirrored, 0.30)) continue;
    if (mask.empty()) mask = cv::Mat::zeros(sample.picture.size(), CV_8UC1);
    fill_outline(mask, source.polygon);
    Object pasted = source;
    pasted.box = mirrored;
    for (cv::Point2d& p : pasted.polygon) p.x = width - p.x;
    sample.objects.push_back(std::move(pasted));
  }
  if (mask.empty()) return;
  cv::Mat mirror;
  cv::flip(sample.picture, mirror, 1);
  cv::flip(mask, mask, 1);
  mirror.copyTo(sample.picture, mask);
}

}  // namespace yolov7::dataset
