#include "dataset/augment/transforms/geometry.hpp"

#include <algorithm>
#include <cmath>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <utility>

#include "dataset/augment/transforms/boxes.hpp"

namespace yolov7::dataset {
namespace {

const cv::Scalar grey = cv::Scalar::all(geometry_grey);

/// Bilinear between pixel centres, the outermost value beyond.
double sampled(const cv::Mat& plane, cv::Point2d p) {
  const double x = std::clamp(p.x - 0.5, 0.0, plane.cols - 1.0),
               y = std::clamp(p.y - 0.5, 0.0, plane.rows - 1.0);
  const int x0 = static_cast<int>(x), y0 = static_cast<int>(y),
            x1 = std::min(x0 + 1, plane.cols - 1), y1 = std::min(y0 + 1, plane.rows - 1);
  const double fx = x - x0, fy = y - y0;
  return (plane.at<float>(y0, x0) * (1 - fx) + plane.at<float>(y0, x1) * fx) * (1 - fy) +
         (plane.at<float>(y1, x0) * (1 - fx) + plane.at<float>(y1, x1) * fx) * fy;
}

/// A position on the outermost half pixel shows that pixel, without a share of what lies beyond.
/// From the pixels' centres.
float inside(float at, int side) {
  const float last = static_cast<float>(side - 1);
  return at < 0 && at >= -0.5F ? 0 : at > last && at <= last + 0.5F ? last : at;
}

double steepest(const cv::Mat& plane) {
  double most = 0;
  if (plane.cols > 1)
    most = std::max(most, cv::norm(plane.colRange(1, plane.cols), plane.colRange(0, plane.cols - 1),
                                   cv::NORM_INF));
  if (plane.rows > 1)
    most = std::max(most, cv::norm(plane.rowRange(1, plane.rows), plane.rowRange(0, plane.rows - 1),
                                   cv::NORM_INF));
  return most;
}

}  // namespace

void warp_sample(Sample& sample, const cv::Matx33d& m, cv::Size output, double area_factor,
                 const BoxFilter& filter) {
  // OpenCV counts from pixel centres.
  const cv::Matx33d to_centre(1, 0, -0.5, 0, 1, -0.5, 0, 0, 1),
      from_centre(1, 0, 0.5, 0, 1, 0.5, 0, 0, 1);
  const cv::Matx33d centred = to_centre * m * from_centre;
  cv::Mat out;
  if (m(2, 0) == 0 && m(2, 1) == 0) {
    cv::warpAffine(sample.picture, out, centred.get_minor<2, 3>(0, 0), output, cv::INTER_LINEAR,
                   cv::BORDER_CONSTANT, grey);
  } else {
    cv::warpPerspective(sample.picture, out, centred, output, cv::INTER_LINEAR, cv::BORDER_CONSTANT,
                        grey);
  }
  sample.picture = out;
  transform_objects(sample.objects, m, area_factor, output, filter);
}

void crop_sample(Sample& sample, const cv::Rect& region, const BoxFilter& filter, int fill) {
  cv::Mat out(region.size(), CV_8UC3, cv::Scalar::all(fill));
  const cv::Rect covered = region & cv::Rect({}, sample.picture.size());
  if (!covered.empty()) sample.picture(covered).copyTo(out(covered - region.tl()));
  sample.picture = out;
  transform_objects(
      sample.objects,
      {1, 0, -static_cast<double>(region.x), 0, 1, -static_cast<double>(region.y), 0, 0, 1}, 1,
      region.size(), filter);
}

void resize_sample(Sample& sample, cv::Size size, const BoxFilter& filter) {
  const cv::Size before = sample.picture.size();
  if (before == size) return;
  cv::Mat out;
  cv::resize(sample.picture, out, size, 0, 0, cv::INTER_LINEAR);
  sample.picture = out;
  const double x = static_cast<double>(size.width) / before.width,
               y = static_cast<double>(size.height) / before.height;
  transform_objects(sample.objects, {x, 0, 0, 0, y, 0, 0, 0, 1}, x * y, size, filter);
}

void displace_sample(Sample& sample, const cv::Mat& dx, const cv::Mat& dy,
                     const std::function<cv::Point2d(cv::Point2d)>& forward,
                     const BoxFilter& filter) {
  cv::Mat x_map(dx.size(), CV_32F), y_map(dx.size(), CV_32F), out;
  for (int y = 0; y < dx.rows; ++y)
    for (int x = 0; x < dx.cols; ++x) {
      x_map.at<float>(y, x) = inside(static_cast<float>(x) + dx.at<float>(y, x), dx.cols);
      y_map.at<float>(y, x) = inside(static_cast<float>(y) + dy.at<float>(y, x), dx.rows);
    }
  cv::remap(sample.picture, out, x_map, y_map, cv::INTER_LINEAR, cv::BORDER_CONSTANT, grey);
  sample.picture = out;
  warp_objects(sample.objects, forward, out.size(), filter);
}

void prevent_folds(cv::Mat& dx, cv::Mat& dy) {
  constexpr double most = 0.7;
  const double slope = std::max(steepest(dx), steepest(dy));
  if (slope <= most) return;
  dx *= most / slope;
  dy *= most / slope;
}

cv::Point2d inverse_displacement(const cv::Mat& dx, const cv::Mat& dy, cv::Point2d point) {
  constexpr double enough = 1e-3;  // px
  cv::Point2d at = point;
  for (int i = 0; i < 50; ++i) {
    const cv::Point2d next(point.x - sampled(dx, at), point.y - sampled(dy, at));
    const bool settled = std::abs(next.x - at.x) < enough && std::abs(next.y - at.y) < enough;
    at = next;
    if (settled) break;
  }
  return at;
}

cv::Size2d inscribed_rectangle(cv::Size2d size, double degrees) {
  const double s = std::abs(std::sin(degrees * CV_PI / 180)),
               c = std::abs(std::cos(degrees * CV_PI / 180));
  const double longer = std::max(size.width, size.height),
               shorter = std::min(size.width, size.height);
  if (shorter <= 2 * s * c * longer || std::abs(s - c) < 1e-10) {
    // Two opposite corners lie on the middles of the longer sides.
    const double half = shorter / 2;
    return size.width >= size.height ? cv::Size2d(half / s, half / c)
                                     : cv::Size2d(half / c, half / s);
  }
  const double d = c * c - s * s;
  return {(size.width * c - size.height * s) / d, (size.height * c - size.width * s) / d};
}

std::vector<TransformEntry> geometry_transforms() {
  std::vector<TransformEntry> all;
  for (auto* part : {&symmetry_transforms, &affine_transforms, &resize_transforms, &crop_transforms,
                     &warp_transforms})
    for (TransformEntry& one : part()) all.push_back(std::move(one));
  return all;
}

}  // namespace yolov7::dataset
