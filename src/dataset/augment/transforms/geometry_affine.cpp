#include <algorithm>
#include <array>
#include <cmath>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <string>
#include <utility>

#include "dataset/augment/perspective.hpp"
#include "dataset/augment/transforms/boxes.hpp"
#include "dataset/augment/transforms/geometry.hpp"

namespace yolov7::dataset {
namespace {

using Context = const TransformContext&;

cv::Matx33d shift(double dx, double dy) { return {1, 0, dx, 0, 1, dy, 0, 0, 1}; }
cv::Matx33d stretch(double x, double y) { return {x, 0, 0, 0, y, 0, 0, 0, 1}; }
/// Counter-clockwise on the screen, about the origin.
cv::Matx33d turn(double degrees) {
  const double c = std::cos(degrees * CV_PI / 180), s = std::sin(degrees * CV_PI / 180);
  return {c, s, 0, -s, c, 0, 0, 0, 1};
}
cv::Matx33d shear(double x_degrees, double y_degrees) {
  return {1, std::tan(x_degrees * CV_PI / 180), 0, std::tan(y_degrees * CV_PI / 180), 1, 0, 0, 0,
          1};
}
cv::Matx33d about_centre(const cv::Matx33d& m, cv::Size size) {
  return shift(size.width / 2.0, size.height / 2.0) * m *
         shift(-size.width / 2.0, -size.height / 2.0);
}
double determinant(const cv::Matx33d& m) { return std::abs(m(0, 0) * m(1, 1) - m(0, 1) * m(1, 0)); }

void warp_about_centre(Sample& sample, const cv::Matx33d& m, Context context) {
  const cv::Size size = sample.picture.size();
  warp_sample(sample, about_centre(m, size), size, determinant(m), context.filter);
}

// Row 64.
struct Rotate {
  std::vector<double> limit{90};
  bool crop_border = false;
  std::string rotate_method = "corners";
};
Settings settings(Rotate& o) {
  return Settings{
      "Rotate",
      {
          setting("limit", o.limit, "± angle, degrees, counter-clockwise").range(-360, 360),
          setting("crop_border", o.crop_border,
                  "only the largest rectangle without uncovered pixels stays"),
          setting("rotate_method", o.rotate_method,
                  "boxes by their corners, or tighter by the ellipse that touches their sides; "
                  "outlines go by their points")
              .choices({"corners", "ellipse"}),
      }};
}
/// The box of the ellipse inscribed in each box, after the turn about `centre`.
void turn_ellipses(std::vector<Object>& objects, double degrees, cv::Point2d centre) {
  const double c = std::cos(degrees * CV_PI / 180), s = std::sin(degrees * CV_PI / 180);
  for (Object& object : objects) {
    const double a = object.box.width() / 2, b = object.box.height() / 2,
                 x = object.box.x1 + a - centre.x, y = object.box.y1 + b - centre.y;
    const double cx = centre.x + c * x + s * y, cy = centre.y - s * x + c * y,
                 rx = std::hypot(a * c, b * s), ry = std::hypot(a * s, b * c);
    object.box = {cx - rx, cy - ry, cx + rx, cy + ry};
  }
}
void apply(const Rotate& o, Sample& sample, Random& random, Context context) {
  const double degrees = around(o.limit, random);
  const cv::Size size = sample.picture.size();
  cv::Size output = size;
  if (o.crop_border) {
    const cv::Size2d inner = inscribed_rectangle(size, degrees);
    output = {std::max(1, static_cast<int>(inner.width)),
              std::max(1, static_cast<int>(inner.height))};
  }
  const cv::Point2d centre(size.width / 2.0, size.height / 2.0);
  const cv::Matx33d to_output =
      shift(output.width / 2.0 - centre.x, output.height / 2.0 - centre.y);
  std::vector<Object> ellipses;
  if (o.rotate_method == "ellipse") {
    std::vector<Object> others;
    for (Object& object : sample.objects)
      (object.polygon.empty() ? ellipses : others).push_back(std::move(object));
    sample.objects = std::move(others);
    turn_ellipses(ellipses, degrees, centre);
    transform_objects(ellipses, to_output, 1, output, context.filter);
  }
  warp_sample(sample, to_output * about_centre(turn(degrees), size), output, 1, context.filter);
  sample.objects.insert(sample.objects.end(), ellipses.begin(), ellipses.end());
}

// Row 65.
struct SafeRotate {
  std::vector<double> limit{90};
};
Settings settings(SafeRotate& o) {
  return Settings{
      "SafeRotate",
      {setting("limit", o.limit, "± angle, degrees, counter-clockwise").range(-360, 360)}};
}
void apply(const SafeRotate& o, Sample& sample, Random& random, Context context) {
  const double degrees = around(o.limit, random), c = std::abs(std::cos(degrees * CV_PI / 180)),
               s = std::abs(std::sin(degrees * CV_PI / 180)), w = sample.picture.cols,
               h = sample.picture.rows;
  const double scale = std::min(w / (w * c + h * s), h / (w * s + h * c));
  warp_about_centre(sample, stretch(scale, scale) * turn(degrees), context);
}

// Row 66. Draws: angle, scale, shift x, y.
struct ShiftScaleRotate {
  std::vector<double> shift_limit{0.0625}, scale_limit{0.1}, rotate_limit{45};
};
Settings settings(ShiftScaleRotate& o) {
  return Settings{
      "ShiftScaleRotate",
      {
          setting("shift_limit", o.shift_limit, "± share of each side").range(-1, 1),
          setting("scale_limit", o.scale_limit, "± change of the factor 1").range(-0.99, 10),
          setting("rotate_limit", o.rotate_limit, "± angle, degrees, counter-clockwise")
              .range(-360, 360),
      }};
}
void apply(const ShiftScaleRotate& o, Sample& sample, Random& random, Context context) {
  const double degrees = around(o.rotate_limit, random), scale = 1 + around(o.scale_limit, random),
               x = around(o.shift_limit, random), y = around(o.shift_limit, random);
  warp_about_centre(sample,
                    shift(x * sample.picture.cols, y * sample.picture.rows) *
                        stretch(scale, scale) * turn(degrees),
                    context);
}

// Row 67. Draws: scale, angle, shears x, y, shifts x, y. In this order about the centre: shear,
// scale, turn, shift.
struct Affine {
  std::vector<double> scale{1, 1}, translate_percent{0}, rotate{0}, shear_x{0}, shear_y{0};
};
Settings settings(Affine& o) {
  return Settings{
      "Affine",
      {
          setting("scale", o.scale, "factor").range(0.01, 100),
          setting("translate_percent", o.translate_percent, "± share of each side").range(-1, 1),
          setting("rotate", o.rotate, "± angle, degrees, counter-clockwise").range(-360, 360),
          setting("shear_x", o.shear_x, "± angle, degrees: x grows with y").range(-80, 80),
          setting("shear_y", o.shear_y, "± angle, degrees: y grows with x").range(-80, 80),
      }};
}
void apply(const Affine& o, Sample& sample, Random& random, Context context) {
  const double scale = between(o.scale, random), degrees = around(o.rotate, random),
               sx = around(o.shear_x, random), sy = around(o.shear_y, random);
  const double x = around(o.translate_percent, random), y = around(o.translate_percent, random);
  warp_about_centre(sample,
                    shift(x * sample.picture.cols, y * sample.picture.rows) * turn(degrees) *
                        stretch(scale, scale) * shear(sx, sy),
                    context);
}

// Row 68. Draws: horizontal, vertical.
struct Shear {
  std::vector<double> horizontal{10}, vertical{10};
};
Settings settings(Shear& o) {
  return Settings{
      "Shear",
      {
          setting("horizontal", o.horizontal, "± angle, degrees: x grows with y").range(-80, 80),
          setting("vertical", o.vertical, "± angle, degrees: y grows with x").range(-80, 80),
      }};
}
void apply(const Shear& o, Sample& sample, Random& random, Context context) {
  const double x = around(o.horizontal, random), y = around(o.vertical, random);
  warp_about_centre(sample, shear(x, y), context);
}

// Row 69. Draws: x, y.
struct Translate {
  std::vector<double> limit{0.1};
};
Settings settings(Translate& o) {
  return Settings{"Translate", {setting("limit", o.limit, "± share of each side").range(-1, 1)}};
}
void apply(const Translate& o, Sample& sample, Random& random, Context context) {
  const double x = around(o.limit, random), y = around(o.limit, random);
  warp_about_centre(sample, shift(x * sample.picture.cols, y * sample.picture.rows), context);
}

// Row 70. Draws: scale; for the corners from the upper left clockwise x, y.
struct Perspective {
  std::vector<double> scale{0.05, 0.1};
  bool keep_size = true;
};
Settings settings(Perspective& o) {
  return Settings{
      "Perspective",
      {
          setting("scale", o.scale, "corners move inwards by |N(0, scale²)| of each side")
              .range(0, 0.4),
          setting("keep_size", o.keep_size,
                  "the part between the corners gets the image's size; off: its own"),
      }};
}
void apply(const Perspective& o, Sample& sample, Random& random, Context context) {
  const float w = static_cast<float>(sample.picture.cols),
              h = static_cast<float>(sample.picture.rows);
  const double deviation = between(o.scale, random);
  const auto inwards = [&] {
    return static_cast<float>(std::min(0.45, std::abs(deviation * random.normal())));
  };  // the corners stay apart
  std::array<cv::Point2f, 4> from{{{0, 0}, {w, 0}, {w, h}, {0, h}}};
  for (cv::Point2f& corner : from) {
    const float x = inwards() * w, y = inwards() * h;
    corner = {corner.x > 0 ? corner.x - x : x, corner.y > 0 ? corner.y - y : y};
  }
  const auto length = [&](std::size_t a, std::size_t b) {
    return std::hypot(from[a].x - from[b].x, from[a].y - from[b].y);
  };
  const cv::Size output =
      o.keep_size
          ? sample.picture.size()
          : cv::Size(std::max(1, static_cast<int>(std::max(length(0, 1), length(2, 3)) + 0.5F)),
                     std::max(1, static_cast<int>(std::max(length(1, 2), length(3, 0)) + 0.5F)));
  const float ow = static_cast<float>(output.width), oh = static_cast<float>(output.height);
  const std::array<cv::Point2f, 4> to{{{0, 0}, {ow, 0}, {ow, oh}, {0, oh}}};
  const double area = std::abs((from[2].x - from[0].x) * (from[3].y - from[1].y) -
                               (from[3].x - from[1].x) * (from[2].y - from[0].y)) /
                      2;
  warp_sample(sample, cv::Matx33d(cv::getPerspectiveTransform(from.data(), to.data())), output,
              output.area() / std::max(area, 1e-9), context.filter);
}

// Row 71, data 8.4: the standard pipeline's step, with its own filter.
struct YoloPerspective {
  double degrees = 10, translate = 0.1, scale = 0.5, shear = 2, perspective = 0;
};
Settings settings(YoloPerspective& o) {
  return Settings{
      "YoloPerspective",
      {
          setting("degrees", o.degrees, "± angle").range(0, 180),
          setting("translate", o.translate, "± share of each side").range(0, 1),
          setting("scale", o.scale, "factor from 1 - this to 1.1 + this").range(-0.1, 0.99),
          setting("shear", o.shear, "± angle, degrees").range(0, 80),
          setting("perspective", o.perspective, "± coefficient").range(0, 0.01),
      }};
}
void apply(const YoloPerspective& o, Sample& sample, Random& random, Context) {
  AugmentOptions options;
  options.degrees = o.degrees, options.translate = o.translate, options.scale = o.scale,
  options.shear = o.shear, options.perspective = o.perspective;
  PerspectiveStep step;
  step.draws = draw_perspective(options, random);
  step.projective = o.perspective != 0;
  step.output = sample.picture.size();
  sample = random_perspective(sample, step);
}

}  // namespace

std::vector<TransformEntry> affine_transforms() {
  constexpr auto affine = BoxRule::affine;
  constexpr auto stage = Stage::geometry;
  return {
      entry<Rotate>("Rotate", affine, stage, 0.5, "Turned about the centre"),
      entry<SafeRotate>("SafeRotate", affine, stage, 0.5,
                        "Turned about the centre, and smaller so that all of it is seen"),
      entry<ShiftScaleRotate>("ShiftScaleRotate", affine, stage, 0.5, "Turned, scaled, shifted"),
      entry<Affine>("Affine", affine, stage, 0.5, "Sheared, scaled, turned, shifted"),
      entry<Shear>("Shear", affine, stage, 0.5, "Sheared about the centre"),
      entry<Translate>("Translate", affine, stage, 0.5, "Shifted"),
      entry<Perspective>("Perspective", affine, stage, 0.5, "Corners move inwards"),
      entry<YoloPerspective>("YoloPerspective", affine, stage, 0.5,
                             "The perspective step of the standard pipeline")};
}

}  // namespace yolov7::dataset
