#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include "dataset/augment/transforms/pixel_map.hpp"
#include "dataset/augment/transforms/weather.hpp"

namespace yolov7::dataset {
namespace {

using Context = const TransformContext&;

/// White over the disc: x + (255 − x) · share(d / radius), d the distance to the centre.
template <class F>
void shine(cv::Mat& picture, cv::Point2d centre, double radius, const cv::Vec3d& colour, F share) {
  const int left = std::max(0, static_cast<int>(centre.x - radius) - 1),
            top = std::max(0, static_cast<int>(centre.y - radius) - 1);
  const cv::Rect place(cv::Point(left, top),
                       cv::Point(std::min(picture.cols, static_cast<int>(centre.x + radius) + 2),
                                 std::min(picture.rows, static_cast<int>(centre.y + radius) + 2)));
  if (place.empty() || place.x >= picture.cols || place.y >= picture.rows) return;
  cv::Mat part = picture(place);
  map_pixels(part, [&](const cv::Vec3d& p, int x, int y) {
    const double d = std::hypot(left + x + 0.5 - centre.x, top + y + 0.5 - centre.y) / radius;
    const double s = d < 1 ? share(d) : 0;
    return p + (colour - p) * s;
  });
}

// Row 53. Draws: centre x, y, number; for each circle its place on the line, radius, share, three
// colours.
struct RandomSunFlare {
  std::vector<double> roi_x{0, 1}, roi_y{0, 0.5};
  double src_radius = 400;
  std::vector<int> num_flare_circles{6, 10};
};
Settings settings(RandomSunFlare& o) {
  return Settings{
      "RandomSunFlare",
      {
          setting("roi_x", o.roi_x, "part of the width where the sun may stand").range(0, 1),
          setting("roi_y", o.roi_y, "part of the height").range(0, 1),
          setting("src_radius", o.src_radius, "of the sun's glow, pixels").range(1, 10'000),
          setting("num_flare_circles", o.num_flare_circles,
                  "reflections on the line through the image's centre")
              .range(0, 100),
      }};
}
void apply(const RandomSunFlare& o, Sample& sample, Random& random, Context) {
  const double w = sample.picture.cols, h = sample.picture.rows;
  const double sx = between(o.roi_x, random) * w, sy = between(o.roi_y, random) * h;
  const cv::Point2d sun(sx, sy), centre(w / 2, h / 2);
  const int circles = whole_between(o.num_flare_circles, random);
  for (int i = 0; i < circles; ++i) {
    const double along = random.uniform(0.3, 2),
                 radius = random.uniform(0.01, 0.06) * std::max(w, h),
                 share = random.uniform(0.05, 0.2);
    const double blue = random.uniform(190, 255), green = random.uniform(190, 255),
                 red = random.uniform(190, 255);
    shine(sample.picture, sun + (centre - sun) * along, std::max(radius, 1.0), {blue, green, red},
          [&](double) { return share; });
  }
  shine(sample.picture, sun, o.src_radius, cv::Vec3d::all(255),
        [](double d) { return (1 - d) * (1 - d); });
}

// Row 54. Draws: number; for each shadow its intensity, then x, y of its corners.
struct RandomShadow {
  std::vector<double> roi_x{0, 1}, roi_y{0.5, 1};
  std::vector<int> num_shadows_limit{1, 2};
  int shadow_dimension = 5;
  std::vector<double> shadow_intensity_range{0.5, 0.5};
};
Settings settings(RandomShadow& o) {
  return Settings{
      "RandomShadow",
      {
          setting("roi_x", o.roi_x, "part of the width where shadows fall").range(0, 1),
          setting("roi_y", o.roi_y, "part of the height").range(0, 1),
          setting("num_shadows_limit", o.num_shadows_limit, "number").range(1, 100),
          setting("shadow_dimension", o.shadow_dimension, "corners of each").range(3, 100),
          setting("shadow_intensity_range", o.shadow_intensity_range,
                  "share of the light that is lost")
              .range(0, 1),
      }};
}
void apply(const RandomShadow& o, Sample& sample, Random& random, Context) {
  const double w = sample.picture.cols, h = sample.picture.rows;
  const int count = whole_between(o.num_shadows_limit, random);
  for (int i = 0; i < count; ++i) {
    const double intensity = between(o.shadow_intensity_range, random);
    std::vector<cv::Point> corners;
    cv::Point2d middle;
    for (int k = 0; k < o.shadow_dimension; ++k) {
      const double x = random.uniform(o.roi_x.front(), o.roi_x.back()) * w,
                   y = random.uniform(o.roi_y.front(), o.roi_y.back()) * h;
      corners.emplace_back(static_cast<int>(x), static_cast<int>(y));
      middle += cv::Point2d(corners.back()) / o.shadow_dimension;
    }
    // Around their middle, so that the outline does not cross itself.
    std::sort(corners.begin(), corners.end(), [&](const cv::Point& a, const cv::Point& b) {
      return std::atan2(a.y - middle.y, a.x - middle.x) <
             std::atan2(b.y - middle.y, b.x - middle.x);
    });
    cv::Mat mask = cv::Mat::zeros(sample.picture.size(), CV_8U);
    cv::fillPoly(mask, std::vector<std::vector<cv::Point>>{corners}, cv::Scalar(255));
    map_pixels(sample.picture, [&](const cv::Vec3d& p, int x, int y) {
      return mask.at<std::uint8_t>(y, x) != 0 ? p * (1 - intensity) : p;
    });
  }
}

// Row 56: output radius r takes input radius r · (1 + k₁ r² + k₂ r⁴), r in halves of the longer
// side. Draws: k₁, k₂ of red, then of blue.
struct ChromaticAberration {
  std::vector<double> primary_distortion_limit{0.02}, secondary_distortion_limit{0.05};
};
Settings settings(ChromaticAberration& o) {
  return Settings{
      "ChromaticAberration",
      {
          setting("primary_distortion_limit", o.primary_distortion_limit, "± coefficient of r²")
              .range(-1, 1),
          setting("secondary_distortion_limit", o.secondary_distortion_limit, "± coefficient of r⁴")
              .range(-1, 1),
      }};
}
void apply(const ChromaticAberration& o, Sample& sample, Random& random, Context) {
  std::array<cv::Mat, 3> planes;
  cv::split(sample.picture, planes.data());
  const double cx = (sample.picture.cols - 1) / 2.0, cy = (sample.picture.rows - 1) / 2.0,
               half = std::max({cx, cy, 0.5});
  for (const std::size_t channel : {std::size_t{2}, std::size_t{0}}) {
    const double first = around(o.primary_distortion_limit, random),
                 second = around(o.secondary_distortion_limit, random);
    cv::Mat x_map(sample.picture.size(), CV_32F), y_map(sample.picture.size(), CV_32F), out;
    for (int y = 0; y < x_map.rows; ++y)
      for (int x = 0; x < x_map.cols; ++x) {
        const double u = (x - cx) / half, v = (y - cy) / half, r2 = u * u + v * v,
                     factor = 1 + r2 * (first + r2 * second);
        x_map.at<float>(y, x) = static_cast<float>(cx + u * factor * half);
        y_map.at<float>(y, x) = static_cast<float>(cy + v * factor * half);
      }
    cv::remap(planes[channel], out, x_map, y_map, cv::INTER_LINEAR, cv::BORDER_REPLICATE);
    planes[channel] = out;
  }
  cv::merge(planes.data(), 3, sample.picture);
}

// Row 57. Draws: probability, then one value a segment.
struct Superpixels {
  std::vector<double> p_replace{0, 0.1};
  std::vector<int> n_segments{100, 100};
  int max_size = 128;
  double compactness = 20;
};
Settings settings(Superpixels& o) {
  return Settings{"Superpixels",
                  {
                      setting("p_replace", o.p_replace, "probability of each segment").range(0, 1),
                      setting("n_segments", o.n_segments, "segments, about").range(1, 10'000),
                      setting("max_size", o.max_size,
                              "side to which a larger image is reduced to find them, pixels")
                          .range(16, 1024),
                      setting("compactness", o.compactness,
                              "weight of the place against the colour, levels a grid step")
                          .range(1, 1000),
                  }};
}
void apply(const Superpixels& o, Sample& sample, Random& random, Context) {
  const double probability = between(o.p_replace, random);
  const cv::Mat labels =
      superpixels(sample.picture, whole_between(o.n_segments, random), o.compactness, o.max_size);
  double last = 0;
  cv::minMaxLoc(labels, nullptr, &last);
  struct Segment {
    cv::Vec3d sum;
    double count = 0;
    bool replaced = false;
  };
  std::vector<Segment> segments(static_cast<std::size_t>(last) + 1);
  for (Segment& one : segments) one.replaced = random.chance(probability);
  const auto segment_at = [&](int x, int y) -> Segment& {
    return segments[static_cast<std::size_t>(labels.at<int>(y, x))];
  };
  for (int y = 0; y < labels.rows; ++y)
    for (int x = 0; x < labels.cols; ++x) {
      segment_at(x, y).sum += cv::Vec3d(sample.picture.at<cv::Vec3b>(y, x));
      segment_at(x, y).count += 1;
    }
  map_pixels(sample.picture, [&](const cv::Vec3d& p, int x, int y) {
    const Segment& one = segment_at(x, y);
    return one.replaced ? one.sum / one.count : p;
  });
}

struct Seed {
  double x = 0, y = 0;
  cv::Vec3d colour;
};

}  // namespace

cv::Mat superpixels(const cv::Mat& bgr, int count, double compactness, int max_size) {
  const double scale = std::min(1.0, static_cast<double>(max_size) / std::max(bgr.cols, bgr.rows));
  cv::Mat small;
  cv::resize(bgr, small,
             {std::max(1, static_cast<int>(bgr.cols * scale)),
              std::max(1, static_cast<int>(bgr.rows * scale))},
             0, 0, cv::INTER_AREA);
  const double step = std::max(1.0, std::sqrt(static_cast<double>(small.total()) / count));
  const int columns = std::max(1, static_cast<int>(small.cols / step + 0.5)),
            rows = std::max(1, static_cast<int>(small.rows / step + 0.5));
  std::vector<Seed> seeds;
  for (int j = 0; j < rows; ++j)
    for (int i = 0; i < columns; ++i) {
      const double x = (i + 0.5) * small.cols / columns, y = (j + 0.5) * small.rows / rows;
      seeds.push_back(
          {x, y, cv::Vec3d(small.at<cv::Vec3b>(static_cast<int>(y), static_cast<int>(x)))});
    }
  cv::Mat labels(small.size(), CV_32S);
  constexpr int rounds = 5;
  for (int round = 0; round < rounds; ++round) {
    cv::Mat best(small.size(), CV_64F, cv::Scalar(std::numeric_limits<double>::infinity()));
    // Every pixel is near the seed of its own grid cell to begin with, so that none stays without
    // one.
    for (int y = 0; y < small.rows; ++y)
      for (int x = 0; x < small.cols; ++x)
        labels.at<int>(y, x) = std::min(rows - 1, y * rows / small.rows) * columns +
                               std::min(columns - 1, x * columns / small.cols);
    for (std::size_t k = 0; k < seeds.size(); ++k) {
      const Seed& s = seeds[k];
      for (int y = std::max(0, static_cast<int>(s.y - 1.5 * step));
           y < std::min(small.rows, static_cast<int>(s.y + 1.5 * step) + 1); ++y)
        for (int x = std::max(0, static_cast<int>(s.x - 1.5 * step));
             x < std::min(small.cols, static_cast<int>(s.x + 1.5 * step) + 1); ++x) {
          const cv::Vec3d c = cv::Vec3d(small.at<cv::Vec3b>(y, x)) - s.colour;
          const double dx = (x + 0.5 - s.x) * compactness / step,
                       dy = (y + 0.5 - s.y) * compactness / step,
                       distance = c.dot(c) + dx * dx + dy * dy;
          if (distance < best.at<double>(y, x))
            best.at<double>(y, x) = distance, labels.at<int>(y, x) = static_cast<int>(k);
        }
    }
    std::vector<Seed> sums(seeds.size());
    std::vector<double> counts(seeds.size());
    for (int y = 0; y < small.rows; ++y)
      for (int x = 0; x < small.cols; ++x) {
        const auto k = static_cast<std::size_t>(labels.at<int>(y, x));
        sums[k].x += x + 0.5, sums[k].y += y + 0.5,
            sums[k].colour += cv::Vec3d(small.at<cv::Vec3b>(y, x)), counts[k] += 1;
      }
    for (std::size_t k = 0; k < seeds.size(); ++k)
      if (counts[k] > 0)
        seeds[k] = {sums[k].x / counts[k], sums[k].y / counts[k], sums[k].colour / counts[k]};
  }
  cv::Mat out;
  cv::resize(labels, out, bgr.size(), 0, 0, cv::INTER_NEAREST);
  return out;
}

std::vector<TransformEntry> light_transforms() {
  constexpr auto none = BoxRule::none;
  constexpr auto stage = Stage::pixels;
  return {entry<RandomSunFlare>("RandomSunFlare", none, stage, 0.5,
                                "The sun and its reflections in the lens"),
          entry<RandomShadow>("RandomShadow", none, stage, 0.5, "Darker polygons"),
          entry<ChromaticAberration>("ChromaticAberration", none, stage, 0.5,
                                     "Red and blue are displaced along the radius"),
          entry<Superpixels>("Superpixels", none, stage, 0.5,
                             "Some segments become their mean colour")};
}

}  // namespace yolov7::dataset
