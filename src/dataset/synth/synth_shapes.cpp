#include "dataset/synth/synth_shapes.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace yolov7::dataset {
namespace {

constexpr int arc_steps = 64;                      // segments of a full circle
constexpr int outer_steps = 43, inner_steps = 32;  // of the crescent's two arcs

void add_arc(Outline& outline, cv::Point2d centre, double radius, double from, double to,
             int steps) {
  for (int i = 0; i <= steps; ++i) {
    const double a = from + (to - from) * i / steps;
    outline.emplace_back(centre.x + radius * std::cos(a), centre.y + radius * std::sin(a));
  }
}

/// `count` corners at equal angles, the first one at the top. Even corners have the distance
/// `outer` from the origin, odd ones `inner`.
Outline corners(int count, double outer, double inner) {
  Outline outline;
  for (int i = 0; i < count; ++i) {
    const double a = -M_PI / 2 + 2 * M_PI * i / count, r = i % 2 == 0 ? outer : inner;
    outline.emplace_back(r * std::cos(a), r * std::sin(a));
  }
  return outline;
}

Outline cross() {
  // a: arm length, b: half of the arm's width. a² + b² = 1 puts the outer corners on the unit
  // circle.
  const double a = 0.95, b = std::sqrt(1 - a * a);
  return {{-b, -a}, {b, -a}, {b, -b}, {a, -b}, {a, b},   {b, b},
          {b, a},   {-b, a}, {-b, b}, {-a, b}, {-a, -b}, {-b, -b}};
}

Outline ring() {
  Outline outline;
  add_arc(outline, {0, 0}, 1, 0, 2 * M_PI, arc_steps);
  add_arc(outline, {0, 0}, 0.6, 2 * M_PI, 0, arc_steps);
  return outline;
}

/// The unit disc without the disc of radius r around (d, 0).
Outline crescent() {
  const double r = 0.85, d = 0.5, x = (1 - r * r + d * d) / (2 * d), y = std::sqrt(1 - x * x);
  const double outer = std::atan2(y, x), inner = std::atan2(y, x - d);
  Outline outline;
  add_arc(outline, {0, 0}, 1, outer, 2 * M_PI - outer, outer_steps);
  add_arc(outline, {d, 0}, r, 2 * M_PI - inner, inner, inner_steps);
  return outline;
}

/// Clips to the half plane where `distance(point)`, a signed distance, is at least 0.
template <class Distance>
Outline cut(const Outline& outline, Distance distance) {
  Outline result;
  for (std::size_t i = 0; i < outline.size(); ++i) {
    const cv::Point2d& a = outline[i];
    const cv::Point2d& b = outline[(i + 1) % outline.size()];
    const double da = distance(a), db = distance(b);
    if (da >= 0) result.push_back(a);
    if ((da < 0) != (db < 0)) result.push_back(a + (b - a) * (da / (da - db)));
  }
  return result;
}

}  // namespace

std::string shape_name(Shape shape) {
  static const std::array<const char*, 8> names{"circle", "square", "triangle", "star",
                                                "cross",  "ring",   "hexagon",  "crescent"};
  return names[static_cast<std::size_t>(shape)];
}

Outline shape_outline(Shape shape) {
  switch (shape) {
    case Shape::circle: return corners(arc_steps, 1, 1);
    case Shape::square: return place_outline(corners(4, 1, 1), {0, 0}, 1, 1, M_PI / 4);
    case Shape::triangle: return corners(3, 1, 1);
    case Shape::star: return corners(10, 1, 0.42);
    case Shape::cross: return cross();
    case Shape::ring: return ring();
    case Shape::hexagon: return corners(6, 1, 1);
    case Shape::crescent: return crescent();
  }
  return {};
}

Outline place_outline(const Outline& outline, cv::Point2d centre, double scale, double stretch,
                      double angle) {
  const double c = std::cos(angle), s = std::sin(angle);
  Outline placed;
  placed.reserve(outline.size());
  for (const cv::Point2d& p : outline) {
    const double x = p.x * stretch * scale, y = p.y * scale;
    placed.emplace_back(centre.x + c * x - s * y, centre.y + s * x + c * y);
  }
  return placed;
}

Outline clip_outline(const Outline& outline, double width, double height) {
  Outline result = cut(outline, [](const cv::Point2d& p) { return p.x; });
  result = cut(result, [&](const cv::Point2d& p) { return width - p.x; });
  result = cut(result, [](const cv::Point2d& p) { return p.y; });
  result = cut(result, [&](const cv::Point2d& p) { return height - p.y; });
  // Rounding can put a cut point slightly outside of the border.
  for (cv::Point2d& p : result) p = {std::clamp(p.x, 0.0, width), std::clamp(p.y, 0.0, height)};
  return result;
}

Xyxy outline_extent(std::span<const cv::Point2d> outline) {
  constexpr double far = std::numeric_limits<double>::infinity();
  Xyxy box{far, far, -far, -far};
  for (const cv::Point2d& p : outline)
    box = {std::min(box.x1, p.x), std::min(box.y1, p.y), std::max(box.x2, p.x),
           std::max(box.y2, p.y)};
  return box;
}

double outline_area(std::span<const cv::Point2d> outline) {
  double twice = 0;
  for (std::size_t i = 0; i < outline.size(); ++i)
    twice += outline[i].cross(outline[(i + 1) % outline.size()]);
  return std::abs(twice) / 2;
}

cv::Mat outline_coverage(std::span<const cv::Point2d> outline, const cv::Rect& roi) {
  constexpr int lines_per_row = 4;
  cv::Mat coverage = cv::Mat::zeros(roi.size(), CV_32FC1);
  std::vector<double> crossings;
  for (int i = 0; i < roi.height * lines_per_row; ++i) {
    const double y = roi.y + (i + 0.5) / lines_per_row;
    crossings.clear();
    for (std::size_t k = 0; k < outline.size(); ++k) {
      const cv::Point2d& a = outline[k];
      const cv::Point2d& b = outline[(k + 1) % outline.size()];
      if ((a.y <= y) != (b.y <= y))
        crossings.push_back(a.x + (b.x - a.x) * ((y - a.y) / (b.y - a.y)) - roi.x);
    }
    std::sort(crossings.begin(), crossings.end());
    auto* const row = coverage.ptr<float>(i / lines_per_row);
    for (std::size_t k = 0; k + 1 < crossings.size(); k += 2) {
      const double from = std::max(0.0, crossings[k]),
                   to = std::min<double>(roi.width, crossings[k + 1]);
      for (int x = static_cast<int>(from); x < to; ++x)
        row[x] +=
            static_cast<float>((std::min(to, x + 1.0) - std::max<double>(from, x)) / lines_per_row);
    }
  }
  return coverage;
}

}  // namespace yolov7::dataset
