#include "dataset/augment/perspective.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <utility>

#include "dataset/augment/picture_passes.hpp"
#include "image/letterbox.hpp"

namespace yolov7::dataset {
namespace {

constexpr int polygon_points = 1000;

double radians(double degrees) { return degrees * (CV_PI / 180); }

cv::Point2d transform(const cv::Matx33d& m, const cv::Point2d& p, bool projective) {
  const double x = m(0, 0) * p.x + m(0, 1) * p.y + m(0, 2),
               y = m(1, 0) * p.x + m(1, 1) * p.y + m(1, 2);
  if (!projective) return {x, y};
  const double w = m(2, 0) * p.x + m(2, 1) * p.y + m(2, 2);
  return {x / w, y / w};
}

/// Grows from nothing; `found` tells whether it holds a point.
struct Extent {
  double x1 = std::numeric_limits<double>::infinity(), y1 = x1, x2 = -x1, y2 = -x1;
  void add(const cv::Point2d& p) {
    x1 = std::min(x1, p.x), y1 = std::min(y1, p.y);
    x2 = std::max(x2, p.x), y2 = std::max(y2, p.y);
  }
  bool found() const { return x1 <= x2; }
  Xyxy box() const { return {x1, y1, x2, y2}; }
};

cv::Mat warp(const cv::Mat& picture, const cv::Matx33d& m, bool projective, cv::Size output,
             cv::Mat canvas) {
  const cv::Scalar grey = cv::Scalar::all(letterbox_grey);
  canvas.create(output, CV_8UC3);
  if (projective)
    cv::warpPerspective(picture, canvas, m, output, cv::INTER_LINEAR, cv::BORDER_CONSTANT, grey);
  else
    return warp_affine(picture, m, output, std::move(canvas));
  return canvas;
}

}  // namespace

PerspectiveDraws draw_perspective(const AugmentOptions& o, Random& random) {
  PerspectiveDraws d;
  d.p31 = random.uniform(-o.perspective, o.perspective);
  d.p32 = random.uniform(-o.perspective, o.perspective);
  d.angle = random.uniform(-o.degrees, o.degrees);
  d.scale = random.uniform(1 - o.scale, 1.1 + o.scale);
  d.shear_x = random.uniform(-o.shear, o.shear);
  d.shear_y = random.uniform(-o.shear, o.shear);
  d.translate_x = random.uniform(0.5 - o.translate, 0.5 + o.translate);
  d.translate_y = random.uniform(0.5 - o.translate, 0.5 + o.translate);
  return d;
}

cv::Matx33d perspective_matrix(const PerspectiveDraws& d, cv::Size input, cv::Size output) {
  const double c = d.scale * std::cos(radians(d.angle)), s = d.scale * std::sin(radians(d.angle));
  const cv::Matx33d centre(1, 0, -input.width / 2.0, 0, 1, -input.height / 2.0, 0, 0, 1);
  const cv::Matx33d projection(1, 0, 0, 0, 1, 0, d.p31, d.p32, 1);
  const cv::Matx33d rotation(c, s, 0, -s, c, 0, 0, 0, 1);
  const cv::Matx33d shear(1, std::tan(radians(d.shear_x)), 0, std::tan(radians(d.shear_y)), 1, 0, 0,
                          0, 1);
  const cv::Matx33d translation(1, 0, d.translate_x * output.width, 0, 1,
                                d.translate_y * output.height, 0, 0, 1);
  return translation * shear * rotation * projection * centre;
}

std::vector<cv::Point2d> resample_closed(std::span<const cv::Point2d> polygon, int count) {
  std::vector<cv::Point2d> points(static_cast<std::size_t>(count));
  const std::size_t edges = polygon.size();  // of the closed outline
  for (std::size_t i = 0; i < points.size(); ++i) {
    const double at = static_cast<double>(edges) * static_cast<double>(i) / (count - 1);
    const std::size_t k = std::min(static_cast<std::size_t>(at), edges - 1);
    const cv::Point2d& a = polygon[k];
    const cv::Point2d& b = polygon[(k + 1) % edges];
    points[i] = a + (b - a) * (at - static_cast<double>(k));
  }
  return points;
}

Xyxy warp_box(const Xyxy& b, const cv::Matx33d& m, bool projective, cv::Size output) {
  Extent extent;
  for (const cv::Point2d& corner :
       std::array<cv::Point2d, 4>{{{b.x1, b.y1}, {b.x2, b.y2}, {b.x1, b.y2}, {b.x2, b.y1}}})
    extent.add(transform(m, corner, projective));
  return clip(extent.box(), output.width, output.height);
}

Xyxy warp_polygon(std::span<const cv::Point2d> polygon, const cv::Matx33d& m, bool projective,
                  cv::Size output) {
  Extent extent;
  for (const cv::Point2d& point : resample_closed(polygon, polygon_points)) {
    const cv::Point2d p = transform(m, point, projective);
    if (p.x >= 0 && p.y >= 0 && p.x <= output.width && p.y <= output.height) extent.add(p);
  }
  return extent.found() && extent.x2 > 0 ? extent.box() : Xyxy{};
}

bool is_box_candidate(const Xyxy& before, const Xyxy& after, double area_share) {
  constexpr double epsilon = 1e-16;
  const double w = after.width(), h = after.height();
  return w > 2 && h > 2 && w * h / (before.area() + epsilon) > area_share &&
         std::max(w / (h + epsilon), h / (w + epsilon)) < 20;
}

std::vector<Object> warp_objects(const std::vector<Object>& objects, const PerspectiveStep& step,
                                 const cv::Matx33d& m) {
  std::vector<Object> all;
  const double f = step.draws.scale;
  for (const Object& object : objects) {
    const bool outline = step.use_polygons && !object.polygon.empty();
    const Xyxy after = outline ? warp_polygon(object.polygon, m, step.projective, step.output)
                               : warp_box(object.box, m, step.projective, step.output);
    const Xyxy& b = object.box;
    if (!is_box_candidate({b.x1 * f, b.y1 * f, b.x2 * f, b.y2 * f}, after,
                          outline ? polygon_area_share : box_area_share))
      continue;
    Object kept;
    kept.class_index = object.class_index;
    kept.box = after;
    kept.weight = object.weight;
    kept.ignored = object.ignored;
    all.push_back(std::move(kept));
  }
  return all;
}

cv::Rect source_part(const PerspectiveStep& step, cv::Size input) {
  const cv::Rect whole(cv::Point(), input);
  if (step.projective) return whole;
  const cv::Matx33d back = perspective_matrix(step.draws, input, step.output).inv();
  Extent extent;
  for (const double x : {0.0, static_cast<double>(step.output.width)})
    for (const double y : {0.0, static_cast<double>(step.output.height)})
      extent.add(transform(back, {x, y}, false));
  constexpr int margin = 3;  // the neighbour to interpolate with, and rounding
  const auto low = [](double v) {
    return static_cast<int>(std::floor(std::max(v, -1e6))) - margin;
  };
  const auto high = [](double v) { return static_cast<int>(std::ceil(std::min(v, 1e6))) + margin; };
  return cv::Rect(cv::Point(low(extent.x1), low(extent.y1)),
                  cv::Point(high(extent.x2), high(extent.y2))) &
         whole;
}

bool changes_nothing(const PerspectiveStep& step, cv::Size input, const cv::Matx33d& m) {
  return step.output == input && m == cv::Matx33d::eye();
}

Sample random_perspective(const Sample& sample, const PerspectiveStep& step, cv::Mat canvas) {
  const cv::Matx33d m = perspective_matrix(step.draws, sample.picture.size(), step.output);
  Sample result;
  result.picture = changes_nothing(step, sample.picture.size(), m)
                       ? sample.picture
                       : warp(sample.picture, m, step.projective, step.output, std::move(canvas));
  result.objects = warp_objects(sample.objects, step, m);
  return result;
}

}  // namespace yolov7::dataset
