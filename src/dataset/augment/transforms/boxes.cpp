#include "dataset/augment/transforms/boxes.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <utility>

#include "dataset/augment/perspective.hpp"
#include "image/letterbox.hpp"

namespace yolov7::dataset {
namespace {

constexpr int side_points = 16, polygon_points = 1000;

cv::Point2d mapped(const cv::Matx33d& m, const cv::Point2d& p) {
  const double w = m(2, 0) * p.x + m(2, 1) * p.y + m(2, 2);
  return {(m(0, 0) * p.x + m(0, 1) * p.y + m(0, 2)) / w,
          (m(1, 0) * p.x + m(1, 1) * p.y + m(1, 2)) / w};
}

std::vector<cv::Point2d> border(const Xyxy& b, int per_side) {
  const std::array<cv::Point2d, 5> corners{
      {{b.x1, b.y1}, {b.x2, b.y1}, {b.x2, b.y2}, {b.x1, b.y2}, {b.x1, b.y1}}};
  std::vector<cv::Point2d> points;
  for (std::size_t side = 0; side < 4; ++side)
    for (int i = 0; i < per_side; ++i)
      points.push_back(corners[side] +
                       (corners[side + 1] - corners[side]) * (static_cast<double>(i) / per_side));
  return points;
}

Xyxy extent(const std::vector<cv::Point2d>& points) {
  constexpr double far = std::numeric_limits<double>::infinity();
  Xyxy box{far, far, -far, -far};
  for (const cv::Point2d& p : points)
    box = {std::min(box.x1, p.x), std::min(box.y1, p.y), std::max(box.x2, p.x),
           std::max(box.y2, p.y)};
  return box;
}

/// Extent of the part of a closed polygon inside a rectangle (Sutherland and Hodgman, "Reentrant
/// polygon clipping", 1974).
std::vector<cv::Point2d> clipped(std::vector<cv::Point2d> points, double width, double height) {
  const std::array<std::function<double(const cv::Point2d&)>, 4> inside{
      {[](const cv::Point2d& p) { return p.x; }, [](const cv::Point2d& p) { return p.y; },
       [width](const cv::Point2d& p) { return width - p.x; },
       [height](const cv::Point2d& p) { return height - p.y; }}};
  for (const auto& distance : inside) {
    std::vector<cv::Point2d> kept;
    for (std::size_t i = 0; i < points.size(); ++i) {
      const cv::Point2d &a = points[i], &b = points[(i + 1) % points.size()];
      const double da = distance(a), db = distance(b);
      if (da >= 0) kept.push_back(a);
      if ((da < 0) != (db < 0)) kept.push_back(a + (b - a) * (da / (da - db)));
    }
    points = std::move(kept);
  }
  return points;
}

/// `points` of the object after the transform; its box and polygon become theirs. Whether it stays.
bool place(Object& object, std::vector<cv::Point2d> points, double area_factor, cv::Size output,
           const BoxFilter& filter) {
  const double before = object.box.area() * area_factor;
  if (filter.clip && !object.polygon.empty())
    points = clipped(std::move(points), output.width, output.height);
  if (points.empty()) return false;
  object.box = extent(points);
  if (filter.clip) object.box = clip(object.box, output.width, output.height);
  if (!object.polygon.empty()) object.polygon = std::move(points);
  return stays(object.box, before, filter);
}

}  // namespace

bool stays(const Xyxy& box, double area_before, const BoxFilter& filter) {
  if (!(box.area() > filter.min_area || filter.min_area == 0)) return false;
  return is_box_candidate({0, 0, area_before, 1}, box, filter.min_visibility);
}

void transform_objects(std::vector<Object>& objects, const cv::Matx33d& m, double area_factor,
                       cv::Size output, const BoxFilter& filter) {
  std::erase_if(objects, [&](Object& object) {
    std::vector<cv::Point2d> points =
        object.polygon.empty() ? border(object.box, 1) : object.polygon;
    for (cv::Point2d& p : points) p = mapped(m, p);
    return !place(object, std::move(points), area_factor, output, filter);
  });
}

void permute_objects(std::vector<Object>& objects, const cv::Matx33d& m) {
  for (Object& object : objects) {
    const cv::Point2d a = mapped(m, {object.box.x1, object.box.y1}),
                      b = mapped(m, {object.box.x2, object.box.y2});
    object.box = {std::min(a.x, b.x), std::min(a.y, b.y), std::max(a.x, b.x), std::max(a.y, b.y)};
    for (cv::Point2d& p : object.polygon) p = mapped(m, p);
  }
}

void warp_objects(std::vector<Object>& objects,
                  const std::function<cv::Point2d(cv::Point2d)>& forward, cv::Size output,
                  const BoxFilter& filter) {
  std::erase_if(objects, [&](Object& object) {
    std::vector<cv::Point2d> points = object.polygon.empty()
                                          ? border(object.box, side_points)
                                          : resample_closed(object.polygon, polygon_points);
    for (cv::Point2d& p : points) p = forward(p);
    return !place(object, std::move(points), 1, output, filter);
  });
}

void letterbox_sample(Sample& sample, cv::Size size, const BoxFilter& filter) {
  if (sample.picture.size() == size) return;
  LetterboxOptions options;
  options.automatic = false;
  const Letterbox g = letterbox_geometry(sample.picture.size(), size, options);
  // By the whole pixels of the resized picture and its pads, which labels miss by up to half a
  // pixel (data 7.2, K10).
  const double x = static_cast<double>(g.resized.width) / sample.picture.cols,
               y = static_cast<double>(g.resized.height) / sample.picture.rows;
  sample.picture = letterbox(sample.picture, g);
  transform_objects(sample.objects,
                    {x, 0, static_cast<double>(g.left), 0, y, static_cast<double>(g.top), 0, 0, 1},
                    x * y, size, filter);
}

bool cut_object(Object& object, const Xyxy& region, const BoxFilter& filter) {
  std::vector<Object> one{std::move(object)};
  transform_objects(one, {1, 0, -region.x1, 0, 1, -region.y1, 0, 0, 1}, 1,
                    {static_cast<int>(region.width()), static_cast<int>(region.height())}, filter);
  if (one.empty()) return false;
  object = std::move(one[0]);
  object.box = {object.box.x1 + region.x1, object.box.y1 + region.y1, object.box.x2 + region.x1,
                object.box.y2 + region.y1};
  for (cv::Point2d& p : object.polygon) p += cv::Point2d(region.x1, region.y1);
  return true;
}

Xyxy to_box(const cv::Rect& pixels) {
  const cv::Rect2d r(pixels);
  return {r.x, r.y, r.x + r.width, r.y + r.height};
}

cv::Rect pixels_of(const Xyxy& box, cv::Size picture) {
  const int x1 = static_cast<int>(std::floor(box.x1)), y1 = static_cast<int>(std::floor(box.y1));
  return cv::Rect(x1, y1, static_cast<int>(std::ceil(box.x2)) - x1,
                  static_cast<int>(std::ceil(box.y2)) - y1) &
         cv::Rect({}, picture);
}

void drop_covered(std::vector<Object>& objects, const cv::Mat& erased, double limit) {
  if (limit > 1 || objects.empty()) return;
  cv::Mat sums;
  cv::integral(erased != 0, sums, CV_64F);
  // Area of the erased cells inside a box, parts of cells by bilinear interpolation of the integral
  // image: exact, for it is bilinear in each cell.
  const auto sum_to = [&](double x, double y) {
    const int column = std::min(static_cast<int>(x), erased.cols - 1),
              row = std::min(static_cast<int>(y), erased.rows - 1);
    const double fx = x - column, fy = y - row;
    return ((sums.at<double>(row, column) * (1 - fx) + sums.at<double>(row, column + 1) * fx) *
                (1 - fy) +
            (sums.at<double>(row + 1, column) * (1 - fx) +
             sums.at<double>(row + 1, column + 1) * fx) *
                fy) /
           255;
  };
  std::erase_if(objects, [&](const Object& object) {
    const Xyxy box = clip(object.box, erased.cols, erased.rows);
    if (!(object.box.area() > 0) || !(box.area() > 0)) return false;
    const double covered = sum_to(box.x2, box.y2) - sum_to(box.x1, box.y2) -
                           sum_to(box.x2, box.y1) + sum_to(box.x1, box.y1);
    return covered / object.box.area() >= limit;
  });
}

}  // namespace yolov7::dataset
