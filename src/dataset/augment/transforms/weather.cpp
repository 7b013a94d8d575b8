#include "dataset/augment/transforms/weather.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <string>
#include <utility>

#include "dataset/augment/transforms/filters.hpp"
#include "dataset/augment/transforms/noise.hpp"
#include "dataset/augment/transforms/pixel_map.hpp"

namespace yolov7::dataset {
namespace {

using Context = const TransformContext&;

// Row 50. Draws: slant, then for each drop x, y.
struct RandomRain {
  std::vector<double> slant_range{-10, 10};
  int drop_length = 20, drop_width = 1, drop_color = 200, blur_value = 7, drops = 0;
  double brightness_coefficient = 0.7;
};
Settings settings(RandomRain& o) {
  return Settings{
      "RandomRain",
      {
          setting("slant_range", o.slant_range, "of the streaks, degrees from the vertical")
              .range(-60, 60),
          setting("drop_length", o.drop_length, "pixels downwards").range(1, 1000),
          setting("drop_width", o.drop_width, "pixels").range(1, 50),
          setting("drop_color", o.drop_color, "grey level").range(0, 255),
          setting("drops", o.drops, "number of streaks; 0 = one for 700 pixels of the image")
              .range(0, 1'000'000),
          setting("blur_value", o.blur_value,
                  "side of the window that blurs the view, pixels; 1 = none")
              .range(1, 99),
          setting("brightness_coefficient", o.brightness_coefficient,
                  "factor: rainy days are darker")
              .range(0, 1),
      }};
}
void apply(const RandomRain& o, Sample& sample, Random& random, Context) {
  const cv::Size size = sample.picture.size();
  const double slant = std::tan(between(o.slant_range, random) * CV_PI / 180);
  const int drops = o.drops > 0 ? o.drops : std::max(1, size.area() / 700),
            dx = static_cast<int>(std::floor(slant * o.drop_length + 0.5));
  for (int i = 0; i < drops; ++i) {
    const int x = static_cast<int>(
                  random.integer(std::min(0, -dx), size.width - 1 + std::max(0, -dx))),
              y = static_cast<int>(random.integer(-o.drop_length, size.height - 1));
    cv::line(sample.picture, {x, y}, {x + dx, y + o.drop_length}, cv::Scalar::all(o.drop_color),
             o.drop_width);
  }
  cv::Mat out;
  cv::blur(sample.picture, out, {o.blur_value | 1, o.blur_value | 1}, {-1, -1},
           cv::BORDER_REFLECT_101 | cv::BORDER_ISOLATED);
  sample.picture = out;
  map_values(sample.picture, [&](int v) { return v * o.brightness_coefficient; });
}

// Row 51: lightness below 85 + 127.5 · snow point is multiplied (hue, lightness, saturation).
struct RandomSnow {
  double brightness_coeff = 2.5;
  std::vector<double> snow_point_range{0.1, 0.3};
};
Settings settings(RandomSnow& o) {
  return Settings{
      "RandomSnow",
      {
          setting("brightness_coeff", o.brightness_coeff, "factor of the lightness").range(1, 10),
          setting("snow_point_range", o.snow_point_range,
                  "lightness below 85 + 127.5 of this is covered with snow")
              .range(0, 1),
      }};
}
void apply(const RandomSnow& o, Sample& sample, Random& random, Context) {
  const double point = 85 + 127.5 * between(o.snow_point_range, random);
  cv::Mat hls;
  cv::cvtColor(sample.picture, hls, cv::COLOR_BGR2HLS);
  map_channels(hls, [&](int c, int v) { return c == 1 && v < point ? v * o.brightness_coeff : v; });
  cv::cvtColor(hls, sample.picture, cv::COLOR_HLS2BGR);
}

// Row 52: x → 255 − (255 − x) · (1 − alpha · coefficient)^k where k discs lie. Draws: coefficient,
// then for each disc x, y.
struct RandomFog {
  std::vector<double> fog_coef_range{0.3, 1};
  double alpha_coef = 0.08;
  int discs = 40;
};
Settings settings(RandomFog& o) {
  return Settings{
      "RandomFog",
      {
          setting("fog_coef_range", o.fog_coef_range,
                  "density, and the discs' radius in sixths of the longer side")
              .range(0, 1),
          setting("alpha_coef", o.alpha_coef, "white of one disc at density 1").range(0, 1),
          setting("discs", o.discs, "number").range(1, 1000),
      }};
}
void apply(const RandomFog& o, Sample& sample, Random& random, Context) {
  const double density = between(o.fog_coef_range, random), kept = 1 - o.alpha_coef * density,
               longer = std::max(sample.picture.cols, sample.picture.rows);
  // Discs are counted on a small plane; what lies between its pixels is smooth anyway.
  constexpr double most = 256;
  const double scale = std::min(1.0, most / longer), radius = density * longer * scale / 6;
  cv::Mat counts =
      cv::Mat::zeros(std::max(1, static_cast<int>(sample.picture.rows * scale)),
                     std::max(1, static_cast<int>(sample.picture.cols * scale)), CV_32F);
  for (int i = 0; i < o.discs; ++i) {
    const double cx = random.uniform(0, counts.cols), cy = random.uniform(0, counts.rows);
    for (int y = std::max(0, static_cast<int>(cy - radius));
         y < std::min(counts.rows, static_cast<int>(cy + radius) + 1); ++y)
      for (int x = std::max(0, static_cast<int>(cx - radius));
           x < std::min(counts.cols, static_cast<int>(cx + radius) + 1); ++x)
        if (std::hypot(x + 0.5 - cx, y + 0.5 - cy) <= radius) counts.at<float>(y, x) += 1;
  }
  cv::Mat plane;
  cv::resize(gaussian(counts, std::max(0.3, radius / 4)), plane, sample.picture.size(), 0, 0,
             cv::INTER_LINEAR);
  map_pixels(sample.picture, [&](const cv::Vec3d& p, int x, int y) {
    return cv::Vec3d::all(255) - (cv::Vec3d::all(255) - p) * std::pow(kept, plane.at<float>(y, x));
  });
}

// Row 55. Draws: one normal value a pixel.
struct Spatter {
  std::string mode = "rain";
  double mean = 0.65, std = 0.3, gauss_sigma = 2, cutout_threshold = 0.68, intensity = 0.6;
};
Settings settings(Spatter& o) {
  return Settings{
      "Spatter",
      {
          setting("mode", o.mode, "colour of the drops").choices({"rain", "mud"}),
          setting("mean", o.mean, "of the random field").range(0, 1),
          setting("std", o.std, "of the random field, before it is smoothed").range(0, 1),
          setting("gauss_sigma", o.gauss_sigma, "smoothing, pixels: the size of the drops")
              .range(0.3, 50),
          setting("cutout_threshold", o.cutout_threshold, "drops lie where the field is above")
              .range(0, 1),
          setting("intensity", o.intensity, "share of the drops' colour where the field is highest")
              .range(0, 1),
      }};
}
void apply(const Spatter& o, Sample& sample, Random& random, Context) {
  cv::Mat field(sample.picture.size(), CV_32F);
  FastNormal normal(random);
  for (int y = 0; y < field.rows; ++y)
    for (int x = 0; x < field.cols; ++x)
      field.at<float>(y, x) = static_cast<float>(o.mean + o.std * normal());
  const cv::Mat smooth = gaussian(field, o.gauss_sigma);
  double highest = 0;
  cv::minMaxLoc(smooth, nullptr, &highest);
  if (highest <= o.cutout_threshold) return;
  const cv::Vec3d colour = o.mode == "rain" ? cv::Vec3d(238, 238, 175) : cv::Vec3d(20, 42, 63);
  map_pixels(sample.picture, [&](const cv::Vec3d& p, int x, int y) {
    const double share = o.intensity * std::max(0.0, (smooth.at<float>(y, x) - o.cutout_threshold) /
                                                         (highest - o.cutout_threshold));
    return p * (1 - share) + colour * share;
  });
}

// Row 58. Draws for each patch: width, height, x, y; for each speck x, y, radius, grey.
struct RandomGravel {
  std::vector<double> roi_x{0.1, 0.9}, roi_y{0.4, 0.9};
  int number_of_patches = 2;
  double density = 0.02;
};
Settings settings(RandomGravel& o) {
  return Settings{
      "RandomGravel",
      {
          setting("roi_x", o.roi_x, "part of the width where specks may lie").range(0, 1),
          setting("roi_y", o.roi_y, "part of the height").range(0, 1),
          setting("number_of_patches", o.number_of_patches, "rectangles with specks").range(1, 100),
          setting("density", o.density, "specks per pixel of a patch").range(0, 1),
      }};
}
void apply(const RandomGravel& o, Sample& sample, Random& random, Context) {
  const int w = sample.picture.cols, h = sample.picture.rows;
  const cv::Rect region(
      cv::Point(static_cast<int>(o.roi_x.front() * w), static_cast<int>(o.roi_y.front() * h)),
      cv::Point(static_cast<int>(std::ceil(o.roi_x.back() * w)),
                static_cast<int>(std::ceil(o.roi_y.back() * h))));
  if (region.empty()) return;
  cv::Mat inside = sample.picture(region);
  for (int i = 0; i < o.number_of_patches; ++i) {
    const int width = std::max(1, static_cast<int>(random.uniform(0.1, 0.4) * region.width)),
              height = std::max(1, static_cast<int>(random.uniform(0.1, 0.4) * region.height));
    const int x0 = static_cast<int>(random.integer(0, region.width - width)),
              y0 = static_cast<int>(random.integer(0, region.height - height));
    const int specks = std::max(1, static_cast<int>(o.density * width * height));
    for (int k = 0; k < specks; ++k) {
      const int x = x0 + static_cast<int>(random.integer(0, width - 1)),
                y = y0 + static_cast<int>(random.integer(0, height - 1));
      const int radius = static_cast<int>(random.integer(1, 3));
      cv::circle(inside, {x, y}, radius,
                 cv::Scalar::all(static_cast<double>(random.integer(160, 255))), cv::FILLED);
    }
  }
}

}  // namespace

std::vector<TransformEntry> weather_transforms() {
  constexpr auto none = BoxRule::none;
  constexpr auto stage = Stage::pixels;
  std::vector<TransformEntry> all{
      entry<RandomRain>("RandomRain", none, stage, 0.5, "Streaks, a blurred and darker view"),
      entry<RandomSnow>("RandomSnow", none, stage, 0.5, "Dark places become light, as under snow"),
      entry<RandomFog>("RandomFog", none, stage, 0.5, "White discs, one over the other"),
      entry<Spatter>("Spatter", none, stage, 0.5, "Drops of water or mud on the lens"),
      entry<RandomGravel>("RandomGravel", none, stage, 0.5, "Patches of small bright specks")};
  for (TransformEntry& one : light_transforms()) all.push_back(std::move(one));
  return all;
}

}  // namespace yolov7::dataset
