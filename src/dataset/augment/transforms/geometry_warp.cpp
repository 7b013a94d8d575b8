#include <algorithm>
#include <cmath>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <utility>
#include <vector>

#include "dataset/augment/transforms/boxes.hpp"
#include "dataset/augment/transforms/filters.hpp"
#include "dataset/augment/transforms/geometry.hpp"
#include "dataset/augment/transforms/noise.hpp"

namespace yolov7::dataset {
namespace {

using Context = const TransformContext&;

void displace(Sample& sample, cv::Mat dx, cv::Mat dy, Context context) {
  prevent_folds(dx, dy);
  displace_sample(
      sample, dx, dy, [&](cv::Point2d p) { return inverse_displacement(dx, dy, p); },
      context.filter);
}

/// Values of a grid that spans the picture from corner to corner, bilinear in between.
cv::Mat spread(const cv::Mat& nodes, cv::Size size) {
  cv::Mat plane(size, CV_32F);
  for (int y = 0; y < size.height; ++y)
    for (int x = 0; x < size.width; ++x) {
      const double u = (x + 0.5) / size.width * (nodes.cols - 1),
                   v = (y + 0.5) / size.height * (nodes.rows - 1);
      const int i = std::min(static_cast<int>(u), nodes.cols - 2),
                j = std::min(static_cast<int>(v), nodes.rows - 2);
      const double fu = u - i, fv = v - j;
      plane.at<float>(y, x) = static_cast<float>(
          (nodes.at<float>(j, i) * (1 - fu) + nodes.at<float>(j, i + 1) * fu) * (1 - fv) +
          (nodes.at<float>(j + 1, i) * (1 - fu) + nodes.at<float>(j + 1, i + 1) * fu) * fv);
    }
  return plane;
}

// Row 88 (Simard et al., "Best practices for convolutional neural networks", ICDAR 2003, section
// 2). Draws: noise of x, of y, row by row.
struct ElasticTransform {
  double alpha = 1, sigma = 50;
};
Settings settings(ElasticTransform& o) {
  return Settings{
      "ElasticTransform",
      {
          setting("alpha", o.alpha,
                  "root mean square of the displacement each way, per cent of the longer side")
              .range(0, 50),
          setting("sigma", o.sigma,
                  "smoothness: the displacement is noise under a Gaussian of this many pixels")
              .range(1, 1000),
      }};
}
/// Smoothed noise of a root mean square of `strength`, on a grid of a quarter of sigma.
cv::Mat smooth_noise(cv::Size size, double sigma, double strength, FastNormal& normal) {
  const double step = std::max(1.0, sigma / 4), cells = sigma / step;
  const int margin = static_cast<int>(std::ceil(3 * cells));
  cv::Mat noise(static_cast<int>(size.height / step) + 2 + 2 * margin,
                static_cast<int>(size.width / step) + 2 + 2 * margin, CV_32F);
  for (int y = 0; y < noise.rows; ++y)
    for (int x = 0; x < noise.cols; ++x) noise.at<float>(y, x) = normal();
  cv::Mat plane = spread(gaussian(noise, cells)(cv::Rect(margin, margin, noise.cols - 2 * margin,
                                                         noise.rows - 2 * margin)),
                         size);
  const double rms = cv::norm(plane, cv::NORM_L2) / std::sqrt(static_cast<double>(plane.total()));
  if (rms > 0) plane *= strength / rms;
  return plane;
}
void apply(const ElasticTransform& o, Sample& sample, Random& random, Context context) {
  FastNormal normal(random);
  const double strength = o.alpha / 100 * std::max(sample.picture.cols, sample.picture.rows);
  const cv::Mat dx = smooth_noise(sample.picture.size(), o.sigma, strength, normal),
                dy = smooth_noise(sample.picture.size(), o.sigma, strength, normal);
  displace(sample, dx, dy, context);
}

/// A monotone map of 0 … length onto itself, linear between `knots` at equal steps of the output.
struct Knots {
  std::vector<double> at;
  double length = 1;

  double input(double output) const {
    const double u = std::clamp(output / length, 0.0, 1.0) * static_cast<double>(at.size() - 1);
    const auto i = std::min(static_cast<std::size_t>(u), at.size() - 2);
    return at[i] + (at[i + 1] - at[i]) * (u - static_cast<double>(i));
  }
  double output(double input) const {
    const auto i = static_cast<std::size_t>(
        std::clamp<std::ptrdiff_t>(std::upper_bound(at.begin(), at.end(), input) - at.begin() - 1,
                                   0, static_cast<std::ptrdiff_t>(at.size()) - 2));
    return (static_cast<double>(i) + (input - at[i]) / (at[i + 1] - at[i])) * length /
           static_cast<double>(at.size() - 1);
  }
};

// Row 89. Draws: the cells' widths from left to right, their heights from top to bottom.
struct GridDistortion {
  int num_steps = 5;
  std::vector<double> distort_limit{0.3};
};
Settings settings(GridDistortion& o) {
  return Settings{
      "GridDistortion",
      {
          setting("num_steps", o.num_steps, "cells each way").range(1, 100),
          setting("distort_limit", o.distort_limit, "± change of a cell's share of the side")
              .range(-0.9, 0.9),
      }};
}
Knots draw_knots(const GridDistortion& o, double length, Random& random) {
  Knots knots{{0}, length};
  for (int i = 0; i < o.num_steps; ++i)
    knots.at.push_back(knots.at.back() + 1 + around(o.distort_limit, random));
  for (const double all = knots.at.back(); double& k : knots.at) k *= length / all;
  return knots;
}
void apply(const GridDistortion& o, Sample& sample, Random& random, Context context) {
  const cv::Size size = sample.picture.size();
  const Knots x_knots = draw_knots(o, size.width, random),
              y_knots = draw_knots(o, size.height, random);
  cv::Mat dx(size, CV_32F), dy(size, CV_32F);
  for (int y = 0; y < size.height; ++y)
    for (int x = 0; x < size.width; ++x) {
      dx.at<float>(y, x) = static_cast<float>(x_knots.input(x + 0.5) - x - 0.5);
      dy.at<float>(y, x) = static_cast<float>(y_knots.input(y + 0.5) - y - 0.5);
    }
  displace_sample(
      sample, dx, dy,
      [&](cv::Point2d p) { return cv::Point2d(x_knots.output(p.x), y_knots.output(p.y)); },
      context.filter);
}

// Row 90: output radius r shows input radius r · (1 + k r²), r in halves of the longer side.
struct OpticalDistortion {
  std::vector<double> distort_limit{0.05};
};
Settings settings(OpticalDistortion& o) {
  return Settings{
      "OpticalDistortion",
      {setting("distort_limit", o.distort_limit, "± k: above 0 a barrel, below a cushion")
           .range(-0.15, 0.15)}};
}
void apply(const OpticalDistortion& o, Sample& sample, Random& random, Context context) {
  const double k = around(o.distort_limit, random), cx = sample.picture.cols / 2.0,
               cy = sample.picture.rows / 2.0, half = std::max(cx, cy);
  cv::Mat dx(sample.picture.size(), CV_32F), dy(sample.picture.size(), CV_32F);
  for (int y = 0; y < dx.rows; ++y)
    for (int x = 0; x < dx.cols; ++x) {
      const double u = x + 0.5 - cx, v = y + 0.5 - cy, change = k * (u * u + v * v) / (half * half);
      dx.at<float>(y, x) = static_cast<float>(u * change);
      dy.at<float>(y, x) = static_cast<float>(v * change);
    }
  const auto forward = [&](cv::Point2d p) {
    const double wanted = std::hypot(p.x - cx, p.y - cy) / half;
    double r = wanted;
    for (int i = 0; i < 30; ++i)
      r -= (r * (1 + k * r * r) - wanted) / std::max(0.05, 1 + 3 * k * r * r);  // Newton
    return wanted > 0 ? cv::Point2d(cx + (p.x - cx) * r / wanted, cy + (p.y - cy) * r / wanted) : p;
  };
  displace_sample(sample, dx, dy, forward, context.filter);
}

// Row 91. Draws: strength, then x, y of each node, row by row.
struct PiecewiseAffine {
  std::vector<double> scale{0.03, 0.05};
  int rows = 4, columns = 4;
};
Settings settings(PiecewiseAffine& o) {
  return Settings{"PiecewiseAffine",
                  {
                      setting("scale", o.scale,
                              "standard deviation of a node's displacement, share of the side")
                          .range(0, 0.5),
                      setting("nb_rows", o.rows, "nodes from top to bottom").range(2, 100),
                      setting("nb_cols", o.columns, "nodes from left to right").range(2, 100),
                  }};
}
void apply(const PiecewiseAffine& o, Sample& sample, Random& random, Context context) {
  const double strength = between(o.scale, random);
  cv::Mat x_nodes(o.rows, o.columns, CV_32F), y_nodes(o.rows, o.columns, CV_32F);
  for (int j = 0; j < o.rows; ++j)
    for (int i = 0; i < o.columns; ++i) {
      x_nodes.at<float>(j, i) =
          static_cast<float>(strength * sample.picture.cols * random.normal());
      y_nodes.at<float>(j, i) =
          static_cast<float>(strength * sample.picture.rows * random.normal());
    }
  displace(sample, spread(x_nodes, sample.picture.size()), spread(y_nodes, sample.picture.size()),
           context);
}

// Row 92 (Bookstein, "Principal warps", TPAMI 1989). Draws: strength, then x, y of each point, row
// by row.
struct ThinPlateSpline {
  std::vector<double> scale_range{0.2, 0.4};
  int num_control_points = 4;
};
Settings settings(ThinPlateSpline& o) {
  return Settings{
      "ThinPlateSpline",
      {
          setting(
              "scale_range", o.scale_range,
              "standard deviation of a control point's displacement, share of the points' distance")
              .range(0, 2),
          setting("num_control_points", o.num_control_points, "points each way, corners included")
              .range(2, 20),
      }};
}
double plate(double r2) { return r2 > 0 ? r2 * std::log(r2) : 0; }
void apply(const ThinPlateSpline& o, Sample& sample, Random& random, Context context) {
  const double strength = between(o.scale_range, random);
  const int n = o.num_control_points, count = n * n;
  // In the unit square: Σ w U(|p − pᵢ|) + affine part, equal to the displacement in every point.
  cv::Mat system = cv::Mat::zeros(count + 3, count + 3, CV_64F),
          wanted = cv::Mat::zeros(count + 3, 2, CV_64F), solution;
  std::vector<cv::Point2d> points;
  for (int j = 0; j < n; ++j)
    for (int i = 0; i < n; ++i)
      points.emplace_back(static_cast<double>(i) / (n - 1), static_cast<double>(j) / (n - 1));
  for (int a = 0; a < count; ++a) {
    const cv::Point2d p = points[static_cast<std::size_t>(a)];
    for (int b = 0; b < count; ++b) {
      const cv::Point2d d = p - points[static_cast<std::size_t>(b)];
      system.at<double>(a, b) = plate(d.dot(d));
    }
    const double affine[3] = {1, p.x, p.y};
    for (int k = 0; k < 3; ++k)
      system.at<double>(a, count + k) = system.at<double>(count + k, a) = affine[k];
    for (int k = 0; k < 2; ++k) wanted.at<double>(a, k) = strength / (n - 1) * random.normal();
  }
  cv::solve(system, wanted, solution, cv::DECOMP_LU);
  // On a grid fine enough for a smooth surface.
  constexpr int nodes = 33;
  cv::Mat x_nodes(nodes, nodes, CV_32F), y_nodes(nodes, nodes, CV_32F);
  for (int j = 0; j < nodes; ++j)
    for (int i = 0; i < nodes; ++i) {
      const double x = static_cast<double>(i) / (nodes - 1),
                   y = static_cast<double>(j) / (nodes - 1);
      double sums[2] = {0, 0};
      for (int k = 0; k < 2; ++k) {
        for (int a = 0; a < count; ++a) {
          const cv::Point2d d = cv::Point2d(x, y) - points[static_cast<std::size_t>(a)];
          sums[k] += solution.at<double>(a, k) * plate(d.dot(d));
        }
        sums[k] += solution.at<double>(count, k) + solution.at<double>(count + 1, k) * x +
                   solution.at<double>(count + 2, k) * y;
      }
      x_nodes.at<float>(j, i) = static_cast<float>(sums[0] * sample.picture.cols);
      y_nodes.at<float>(j, i) = static_cast<float>(sums[1] * sample.picture.rows);
    }
  displace(sample, spread(x_nodes, sample.picture.size()), spread(y_nodes, sample.picture.size()),
           context);
}

// Row 93. Draws: the order of the cells.
struct RandomGridShuffle {
  int rows = 3, columns = 3;
};
Settings settings(RandomGridShuffle& o) {
  return Settings{"RandomGridShuffle",
                  {setting("rows", o.rows, "cells from top to bottom").range(1, 100),
                   setting("columns", o.columns, "cells from left to right").range(1, 100)}};
}
void apply(const RandomGridShuffle& o, Sample& sample, Random& random, Context context) {
  const auto cells = static_cast<std::size_t>(o.rows * o.columns);
  const auto order = random.permutation(cells);
  const int w = sample.picture.cols / o.columns, h = sample.picture.rows / o.rows;
  if (w == 0 || h == 0) return;
  const auto cell = [&](std::size_t i) {
    return cv::Rect(static_cast<int>(i) % o.columns * w, static_cast<int>(i) / o.columns * h, w, h);
  };
  const cv::Mat before = sample.picture.clone();
  // What is left over at the right and at the bottom stays where it is.
  std::vector<std::pair<cv::Rect, cv::Point>> parts{
      {{o.columns * w, 0, before.cols - o.columns * w, before.rows}, {}},
      {{0, o.rows * h, before.cols, before.rows - o.rows * h}, {}}};
  for (std::size_t i = 0; i < cells; ++i) {
    before(cell(order[i])).copyTo(sample.picture(cell(i)));
    parts.emplace_back(cell(order[i]), cell(i).tl() - cell(order[i]).tl());
  }
  std::erase_if(sample.objects, [&](Object& object) {
    const auto most =
        std::max_element(parts.begin(), parts.end(), [&](const auto& a, const auto& b) {
          return intersection_area(object.box, to_box(a.first)) <
                 intersection_area(object.box, to_box(b.first));
        });
    if (!cut_object(object, to_box(most->first), context.filter)) return true;
    object.box = {object.box.x1 + most->second.x, object.box.y1 + most->second.y,
                  object.box.x2 + most->second.x, object.box.y2 + most->second.y};
    for (cv::Point2d& p : object.polygon) p += cv::Point2d(most->second);
    return false;
  });
}

}  // namespace

std::vector<TransformEntry> warp_transforms() {
  constexpr auto warp = BoxRule::warp;
  constexpr auto stage = Stage::geometry;
  return {
      entry<ElasticTransform>("ElasticTransform", warp, stage, 0.5, "A smooth random displacement"),
      entry<GridDistortion>("GridDistortion", warp, stage, 0.5,
                            "Columns and rows become wider and narrower"),
      entry<OpticalDistortion>("OpticalDistortion", warp, stage, 0.5, "Barrel or cushion"),
      entry<PiecewiseAffine>("PiecewiseAffine", warp, stage, 0.5, "Nodes of a grid move"),
      entry<ThinPlateSpline>("ThinPlateSpline", warp, stage, 0.5,
                             "Control points move, a thin plate in between"),
      entry<RandomGridShuffle>(
          "RandomGridShuffle", BoxRule::covers, stage, 0.5,
          "Cells of a grid change places; an object goes with its largest part")};
}

}  // namespace yolov7::dataset
