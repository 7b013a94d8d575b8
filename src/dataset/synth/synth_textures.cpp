#include "dataset/synth/synth_textures.hpp"

#include <algorithm>
#include <cmath>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <vector>

namespace yolov7::dataset {
namespace {

/// value(u, v) of the pixel centres in axes turned by a random angle.
template <class Value>
cv::Mat in_turned_axes(cv::Size size, Random& random, Value value) {
  const double angle = random.uniform(0, M_PI), c = std::cos(angle), s = std::sin(angle);
  cv::Mat pattern(size, CV_32FC1);
  for (int y = 0; y < size.height; ++y) {
    auto* const row = pattern.ptr<float>(y);
    for (int x = 0; x < size.width; ++x)
      row[x] = static_cast<float>(value(c * x + s * y, c * y - s * x));
  }
  return pattern;
}

cv::Mat mixed_noise(cv::Size size, Random& random) {
  const double cell = std::max(size.width, size.height) * random.uniform(0.05, 0.4);
  cv::Mat sum = smooth_noise(size, cell, random);
  sum += 0.5 * smooth_noise(size, cell / 3, random);
  sum += 0.25 * smooth_noise(size, cell / 9, random);
  return sum / 1.5;
}

cv::Mat octaves(cv::Size size, Random& random) {
  cv::Mat sum = cv::Mat::zeros(size, CV_32FC1);
  double cell = std::max(size.width, size.height) / 2.0, weight = 1, total = 0;
  const double roughness = random.uniform(0.4, 0.8);
  for (int i = 0; i < 6 && cell >= 2; ++i, cell /= 2, weight *= roughness) {
    sum += weight * smooth_noise(size, cell, random);
    total += weight;
  }
  return total > 0 ? sum / (0.6 * total) : sum;
}

/// Affine maps that shrink (largest singular value below 1), so that the chaos game stays bounded.
cv::Mat attractor(cv::Size size, Random& random) {
  struct Map {
    double a, b, c, d, e, f;
  };
  std::vector<Map> maps(static_cast<std::size_t>(random.integer(2, 4)));
  for (Map& m : maps) {
    const double turn = random.uniform(0, 2 * M_PI), other = random.uniform(0, 2 * M_PI),
                 s1 = random.uniform(0.4, 0.85), s2 = random.uniform(0.2, 0.8);
    m.a = s1 * std::cos(turn), m.b = -s2 * std::sin(other), m.c = s1 * std::sin(turn),
    m.d = s2 * std::cos(other);
    m.e = random.uniform(-1, 1), m.f = random.uniform(-1, 1);
  }
  const int points = std::clamp(2 * size.area(), 500, 30'000);
  std::vector<cv::Point2d> path;
  cv::Point2d at(0, 0), low(1e9, 1e9), high(-1e9, -1e9);
  for (int i = 0; i < points + 20; ++i) {
    const Map& m = maps[static_cast<std::size_t>(
        random.integer(0, static_cast<std::int64_t>(maps.size()) - 1))];
    at = {m.a * at.x + m.b * at.y + m.e, m.c * at.x + m.d * at.y + m.f};
    if (i < 20) continue;
    path.push_back(at);
    low = {std::min(low.x, at.x), std::min(low.y, at.y)},
    high = {std::max(high.x, at.x), std::max(high.y, at.y)};
  }
  cv::Mat density = cv::Mat::zeros(size, CV_32FC1);
  const double sx = (size.width - 1) / std::max(high.x - low.x, 1e-9),
               sy = (size.height - 1) / std::max(high.y - low.y, 1e-9);
  for (const cv::Point2d& p : path)
    density.at<float>(static_cast<int>((p.y - low.y) * sy), static_cast<int>((p.x - low.x) * sx)) +=
        1;
  density += 1;
  cv::log(density, density);
  double most = 0;
  cv::minMaxLoc(density, nullptr, &most);
  cv::Mat pattern;
  density.convertTo(pattern, CV_32F, most > 0 ? 2 / most : 0, -0.5);
  return pattern;
}

int sign(double v) { return v < 0 ? -1 : 1; }

}  // namespace

cv::Mat smooth_noise(cv::Size size, double cell_px, Random& random) {
  const double cell = std::max(2.0, cell_px);
  cv::Mat grid(static_cast<int>(size.height / cell) + 3, static_cast<int>(size.width / cell) + 3,
               CV_32FC1);
  for (int y = 0; y < grid.rows; ++y)
    for (int x = 0; x < grid.cols; ++x)
      grid.at<float>(y, x) = static_cast<float>(random.uniform(-1, 1));
  cv::Mat noise;
  cv::resize(grid, noise, size, 0, 0, cv::INTER_CUBIC);
  return noise;
}

cv::Mat random_pattern(cv::Size size, Random& random) {
  const double side = std::max(size.width, size.height), period = side * random.uniform(0.03, 0.3),
               k = 2 * M_PI / std::max(3.0, period);
  switch (random.integer(0, 6)) {
    case 0: return cv::Mat::zeros(size, CV_32FC1);
    case 1: return in_turned_axes(size, random, [&](double u, double) { return std::sin(k * u); });
    case 2:
      return in_turned_axes(size, random, [&](double u, double v) {
        return sign(std::sin(k * u)) * sign(std::sin(k * v));
      });
    case 3:
      return in_turned_axes(size, random, [&](double u, double v) {
        return std::sin(k * u) + std::sin(k * v) > 1.2 ? 1.0 : -0.3;
      });
    case 4: return in_turned_axes(size, random, [&](double u, double) { return u / side; });
    default: return mixed_noise(size, random);
  }
}

cv::Mat random_fractal(cv::Size size, Random& random) {
  switch (random.integer(0, 3)) {
    case 0: return attractor(size, random);
    case 1: return octaves(size, random);
    default: return random_pattern(size, random);
  }
}

cv::Mat random_texture(cv::Size size, const cv::Vec3f& colour, double amplitude, Random& random,
                       bool fractal) {
  cv::Mat canvas(size, CV_32FC3, cv::Scalar(colour[0], colour[1], colour[2]));
  for (int i = 0; i < 2; ++i) {
    const cv::Mat pattern = fractal ? random_fractal(size, random) : random_pattern(size, random);
    cv::Vec3f tint;
    for (int c = 0; c < 3; ++c)
      tint[c] = static_cast<float>(random.uniform(0.4, 1) * amplitude / 2);
    for (int y = 0; y < size.height; ++y) {
      const auto* const p = pattern.ptr<float>(y);
      auto* const out = canvas.ptr<cv::Vec3f>(y);
      for (int x = 0; x < size.width; ++x) out[x] += tint * p[x];
    }
  }
  return canvas;
}

cv::Vec3f contrasting_colour(const cv::Vec3f& other, double distance, Random& random) {
  constexpr int tries = 40;
  cv::Vec3f best;
  double best_distance = -1;
  for (int i = 0; i < tries; ++i) {
    cv::Vec3f colour;
    for (int c = 0; c < 3; ++c) colour[c] = static_cast<float>(random.uniform(0, 255));
    const double d = cv::norm(colour - other);
    if (d >= distance) {
      // On the line between the two, at the distance asked for: low contrast must happen, too.
      return other + (colour - other) * static_cast<float>(distance / d);
    }
    if (d > best_distance) best_distance = d, best = colour;
  }
  return best;
}

void blend(cv::Mat& canvas, const cv::Rect& roi, const cv::Mat& paint, const cv::Mat& coverage) {
  for (int y = 0; y < roi.height; ++y) {
    auto* const out = canvas.ptr<cv::Vec3f>(roi.y + y) + roi.x;
    const auto* const in = paint.ptr<cv::Vec3f>(y);
    const auto* const share = coverage.ptr<float>(y);
    for (int x = 0; x < roi.width; ++x) out[x] += (in[x] - out[x]) * share[x];
  }
}

void add_noise(cv::Mat& canvas, double sigma, Random& random) {
  // Variance of a uniform byte: (256² − 1) / 12; four of them.
  const auto factor = static_cast<float>(sigma / std::sqrt(4 * (256.0 * 256.0 - 1) / 12));
  for (int y = 0; y < canvas.rows; ++y) {
    auto* const row = canvas.ptr<float>(y);
    for (int i = 0; i < 3 * canvas.cols; ++i) {
      const std::uint32_t word = random.next();
      const auto sum =
          static_cast<int>((word & 255) + (word >> 8 & 255) + (word >> 16 & 255) + (word >> 24));
      row[i] += factor * static_cast<float>(sum - 510);
    }
  }
}

}  // namespace yolov7::dataset
