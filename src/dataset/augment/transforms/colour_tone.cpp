#include <algorithm>
#include <array>
#include <cmath>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <string>

#include "dataset/augment/transforms/colour.hpp"
#include "dataset/augment/transforms/colour_statistics.hpp"
#include "dataset/augment/transforms/pixel_map.hpp"

namespace yolov7::dataset {
namespace {

using Context = const TransformContext&;

// Row 20, data 12.3; OpenCV's CLAHE is that definition.
struct CLAHE {
  std::vector<double> clip_limit{4};
  int tile_rows = 8, tile_columns = 8;
  std::string mode = "lab";
};
Settings settings(CLAHE& o) {
  return Settings{
      "CLAHE",
      {
          setting("clip_limit", o.clip_limit,
                  "bins are cut at this multiple of the mean bin; one value: from 1 to it")
              .range(1, 100),
          setting("tile_rows", o.tile_rows, "tiles from top to bottom").range(1, 64),
          setting("tile_columns", o.tile_columns, "tiles from left to right").range(1, 64),
          setting("mode", o.mode, "channel that is equalised: L of CIE Lab, or Y of YUV")
              .choices({"lab", "luma"}),
      }};
}
void apply(const CLAHE& o, Sample& sample, Random& random, Context) {
  const double limit =
      o.clip_limit.size() == 1 ? random.uniform(1, o.clip_limit[0]) : between(o.clip_limit, random);
  const bool lab = o.mode == "lab";
  cv::Mat converted, plane;
  cv::cvtColor(sample.picture, converted, lab ? cv::COLOR_BGR2Lab : cv::COLOR_BGR2YUV);
  cv::extractChannel(converted, plane, 0);
  cv::createCLAHE(limit, {o.tile_columns, o.tile_rows})->apply(plane, plane);
  cv::insertChannel(plane, converted, 0);
  cv::cvtColor(converted, sample.picture, lab ? cv::COLOR_Lab2BGR : cv::COLOR_YUV2BGR);
}

// Row 21. Draws for each curve: y1, y2.
struct RandomToneCurve {
  double scale = 0.1;
  bool per_channel = false;
};
Settings settings(RandomToneCurve& o) {
  return Settings{
      "RandomToneCurve",
      {
          setting("scale", o.scale,
                  "standard deviation of the two inner control points around 0.25 and 0.75")
              .range(0, 1),
          setting("per_channel", o.per_channel, "each channel has a curve of its own"),
      }};
}
void apply(const RandomToneCurve& o, Sample& sample, Random& random, Context) {
  std::array<std::array<double, 2>, 3> ordinates{};
  for (std::size_t c = 0; c < 3; ++c) {
    if (c > 0 && !o.per_channel) {
      ordinates[c] = ordinates[0];
      continue;
    }
    ordinates[c][0] = std::clamp(0.25 + o.scale * random.normal(), 0.0, 1.0);
    ordinates[c][1] = std::clamp(0.75 + o.scale * random.normal(), 0.0, 1.0);
  }
  map_channels(sample.picture, [&](int c, int v) {
    const auto& y = ordinates[static_cast<std::size_t>(c)];
    return 255 * tone_curve(v / 255.0, y[0], y[1]);
  });
}

// Row 22 (Krizhevsky et al., 2012, section 4.1). Draws: one for each principal direction, the
// largest variance first.
struct FancyPCA {
  double alpha = 0.1;
};
Settings settings(FancyPCA& o) {
  return Settings{
      "FancyPCA",
      {setting("alpha", o.alpha, "standard deviation of the weights of the principal colours")
           .range(0, 10)}};
}
void apply(const FancyPCA& o, Sample& sample, Random& random, Context) {
  const ColourMoments moments = colour_moments(sample.picture);
  cv::Vec3d values;
  cv::Matx33d vectors;  // rows, largest value first
  cv::eigen(moments.covariance * (1.0 / (255 * 255)), values, vectors);
  cv::Vec3d shift;
  for (int i = 0; i < 3; ++i) {
    cv::Vec3d v(vectors(i, 0), vectors(i, 1), vectors(i, 2));
    // The sign of a direction is the solver's choice: towards the brighter colour here.
    if (v[0] + v[1] + v[2] < 0) v = -v;
    shift += o.alpha * random.normal() * values[i] * v;
  }
  map_channels(sample.picture, [&](int c, int v) { return v + 255 * shift[c]; });
}

/// Linear-light R/G and B/G of a black body in sRGB primaries.
cv::Vec2d red_and_blue(double kelvin) {
  const cv::Vec2d xy = planckian_xy(kelvin);
  const cv::Vec3d xyz(xy[0] / xy[1], 1, (1 - xy[0] - xy[1]) / xy[1]);
  const cv::Matx33d to_rgb(3.2406, -1.5372, -0.4986, -0.9689, 1.8758, 0.0415, 0.0557, -0.2040,
                           1.0570);  // IEC 61966-2-1
  const cv::Vec3d rgb = to_rgb * xyz;
  return {std::max(rgb[0] / rgb[1], 0.0), std::max(rgb[2] / rgb[1], 0.0)};
}

// Row 23 (Zini et al., "Planckian Jitter", arXiv 2202.07993). 6500 K changes nothing.
struct PlanckianJitter {
  std::vector<double> temperature_limit{3000, 15000};
};
Settings settings(PlanckianJitter& o) {
  return Settings{"PlanckianJitter",
                  {setting("temperature_limit", o.temperature_limit,
                           "black-body colour of the light, kelvin; 6500 changes nothing")
                       .range(1667, 25000)}};
}
void apply(const PlanckianJitter& o, Sample& sample, Random& random, Context) {
  const cv::Vec2d light = red_and_blue(between(o.temperature_limit, random)),
                  white = red_and_blue(6500);
  constexpr double display_gamma = 2.2;  // gains are of linear light
  const std::array<double, 3> gain{std::pow(light[1] / white[1], 1 / display_gamma), 1,
                                   std::pow(light[0] / white[0], 1 / display_gamma)};
  map_channels(sample.picture, [&](int c, int v) { return v * gain[static_cast<std::size_t>(c)]; });
}

// Row 24. Draws: kind, darker or brighter, intensity, then place: angle; corner; or centre x, y,
// width.
struct Illumination {
  std::string mode = "any", effect_type = "both";
  std::vector<double> intensity_range{0.01, 0.2};
};
Settings settings(Illumination& o) {
  return Settings{
      "Illumination",
      {
          setting("mode", o.mode, "form of the light")
              .choices({"any", "linear", "corner", "gaussian"}),
          setting("effect_type", o.effect_type, "direction")
              .choices({"brighten", "darken", "both"}),
          setting("intensity_range", o.intensity_range, "largest change of the factor 1")
              .range(0, 1),
      }};
}
void apply(const Illumination& o, Sample& sample, Random& random, Context) {
  const int drawn = static_cast<int>(random.integer(0, 2)), kind = o.mode == "any"      ? drawn
                                                                   : o.mode == "linear" ? 0
                                                                   : o.mode == "corner" ? 1
                                                                                        : 2;
  const bool coin = random.chance(0.5),
             darker = o.effect_type == "both" ? coin : o.effect_type == "darken";
  const double strength = between(o.intensity_range, random) * (darker ? -1 : 1),
               w = sample.picture.cols, h = sample.picture.rows;
  if (kind == 0) {
    const double angle = random.uniform(0, 2 * CV_PI), c = std::cos(angle), s = std::sin(angle);
    const double reach =
        (w * std::abs(c) + h * std::abs(s)) / 2;  // of the corners along the direction
    map_pixels(sample.picture, [&](const cv::Vec3d& p, int x, int y) {
      return p *
             (1 + strength * (0.5 + ((x + 0.5 - w / 2) * c + (y + 0.5 - h / 2) * s) / (2 * reach)));
    });
  } else if (kind == 1) {
    const int corner = static_cast<int>(random.integer(0, 3));
    const double cx = corner % 2 == 0 ? 0 : w, cy = corner < 2 ? 0 : h, diagonal = std::hypot(w, h);
    map_pixels(sample.picture, [&](const cv::Vec3d& p, int x, int y) {
      return p * (1 + strength * (1 - std::hypot(x + 0.5 - cx, y + 0.5 - cy) / diagonal));
    });
  } else {
    const double cx = random.uniform(0, w), cy = random.uniform(0, h),
                 sigma = random.uniform(0.25, 1) * std::max(w, h);
    map_pixels(sample.picture, [&](const cv::Vec3d& p, int x, int y) {
      const double dx = x + 0.5 - cx, dy = y + 0.5 - cy;
      return p * (1 + strength * std::exp(-(dx * dx + dy * dy) / (2 * sigma * sigma)));
    });
  }
}

Setting roughness_setting(double& roughness) {
  return setting("roughness", roughness, "ratio of neighbouring scales: larger is smoother")
      .range(1, 10);
}

// Row 25. Draws: brightness, contrast, plane.
struct PlasmaBrightnessContrast {
  std::vector<double> brightness_range{-0.3, 0.3}, contrast_range{-0.3, 0.3};
  double roughness = 3;
};
Settings settings(PlasmaBrightnessContrast& o) {
  return Settings{
      "PlasmaBrightnessContrast",
      {
          setting("brightness_range", o.brightness_range, "largest addition, share of 255")
              .range(-1, 1),
          setting("contrast_range", o.contrast_range, "largest change of the factor 1")
              .range(-1, 10),
          roughness_setting(o.roughness),
      }};
}
void apply(const PlasmaBrightnessContrast& o, Sample& sample, Random& random, Context) {
  const double brightness = between(o.brightness_range, random),
               contrast = between(o.contrast_range, random);
  const cv::Mat plane = fractal_plane(sample.picture.size(), o.roughness, random);
  map_pixels(sample.picture, [&](const cv::Vec3d& p, int x, int y) {
    const double weight = plane.at<float>(y, x);
    return p * (1 + contrast * weight) + cv::Vec3d::all(255 * brightness * weight);
  });
}

// Row 26. Draws: intensity, plane.
struct PlasmaShadow {
  std::vector<double> shadow_intensity_range{0.3, 0.7};
  double roughness = 3;
};
Settings settings(PlasmaShadow& o) {
  return Settings{"PlasmaShadow",
                  {setting("shadow_intensity_range", o.shadow_intensity_range,
                           "share of the light that is lost where the shadow is deepest")
                       .range(0, 1),
                   roughness_setting(o.roughness)}};
}
void apply(const PlasmaShadow& o, Sample& sample, Random& random, Context) {
  const double intensity = between(o.shadow_intensity_range, random);
  const cv::Mat plane = fractal_plane(sample.picture.size(), o.roughness, random);
  map_pixels(sample.picture, [&](const cv::Vec3d& p, int x, int y) {
    return p * (1 - intensity * plane.at<float>(y, x));
  });
}

}  // namespace

cv::Vec2d planckian_xy(double kelvin) {
  const double t = 1e3 / kelvin;
  const double x = kelvin <= 4000 ? ((-0.2661239 * t - 0.2343589) * t + 0.8776956) * t + 0.179910
                                  : ((-3.0258469 * t + 2.1070379) * t + 0.2226347) * t + 0.240390;
  const double y =
      kelvin <= 2222   ? ((-1.1063814 * x - 1.34811020) * x + 2.18555832) * x - 0.20219683
      : kelvin <= 4000 ? ((-0.9549476 * x - 1.37418593) * x + 2.09137015) * x - 0.16748867
                       : ((3.0817580 * x - 5.87338670) * x + 3.75112997) * x - 0.37001483;
  return {x, y};
}

double tone_curve(double at, double y1, double y2) {
  const double rest = 1 - at;
  return 3 * rest * rest * at * y1 + 3 * rest * at * at * y2 + at * at * at;
}

cv::Mat fractal_plane(cv::Size size, double roughness, Random& random) {
  constexpr int finest = 7;
  cv::Mat sum = cv::Mat::zeros(size, CV_32F), grown;
  double weight = 1;
  for (int k = 0; k <= finest && (k == 0 || 2 << k <= std::max(size.width, size.height));
       ++k, weight /= roughness) {
    cv::Mat grid((1 << k) + 1, (1 << k) + 1, CV_32F);
    for (int y = 0; y < grid.rows; ++y)
      for (int x = 0; x < grid.cols; ++x)
        grid.at<float>(y, x) = static_cast<float>(weight * random.uniform(-1, 1));
    cv::resize(grid, grown, size, 0, 0, cv::INTER_LINEAR);
    sum += grown;
  }
  double low = 0, high = 0;
  cv::minMaxLoc(sum, &low, &high);
  if (high > low)
    sum = (sum - low) * (1 / (high - low));
  else
    sum.setTo(0.5);
  return sum;
}

std::vector<TransformEntry> tone_transforms() {
  constexpr auto none = BoxRule::none;
  constexpr auto stage = Stage::pixels;
  return {entry<CLAHE>("CLAHE", none, stage, 0.5,
                       "Histogram equalisation in tiles, with limited contrast"),
          entry<RandomToneCurve>("RandomToneCurve", none, stage, 0.5, "A random smooth tone curve"),
          entry<FancyPCA>("FancyPCA", none, stage, 0.5,
                          "An addition along the image's principal colours"),
          entry<PlanckianJitter>("PlanckianJitter", none, stage, 0.5,
                                 "Light of another colour temperature"),
          entry<Illumination>("Illumination", none, stage, 0.5,
                              "A gradient, a corner or a spot of more or less light"),
          entry<PlasmaBrightnessContrast>("PlasmaBrightnessContrast", none, stage, 0.5,
                                          "Brightness and contrast that vary like clouds"),
          entry<PlasmaShadow>("PlasmaShadow", none, stage, 0.5, "Shadows like clouds")};
}

}  // namespace yolov7::dataset
