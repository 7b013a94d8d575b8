#include "dataset/synth/synth_formulas.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/random.hpp"

namespace yolov7::dataset {
namespace {

constexpr int steps = 72;  // radii in a profile, and corners of an outline without Koch edge
constexpr double least_distance = 0.06;

double radius(const Formula& f, double angle) {
  const double t = f.symmetry * angle / 4;
  const double sum = std::pow(std::abs(std::cos(t)), f.n2) + std::pow(std::abs(std::sin(t)), f.n3);
  return std::pow(sum, -1 / f.n1) * (1 + f.lobe_height * std::cos(f.lobes * angle));
}

using Profile = std::array<double, steps>;

/// Radii at equal angles, the largest 1.
Profile profile(const Formula& f) {
  Profile values{};
  double largest = 0;
  for (int i = 0; i < steps; ++i)
    largest =
        std::max(largest, values[static_cast<std::size_t>(i)] = radius(f, 2 * M_PI * i / steps));
  for (double& value : values) value /= largest;
  return values;
}

/// The root mean square difference of the radii, with `b` turned so that it is least.
double distance(const Profile& a, const Profile& b) {
  double best = std::numeric_limits<double>::infinity();
  for (int turn = 0; turn < steps; ++turn) {
    double sum = 0;
    for (int i = 0; i < steps; ++i)
      sum += std::pow(
          a[static_cast<std::size_t>(i)] - b[static_cast<std::size_t>((i + turn) % steps)], 2);
    best = std::min(best, sum);
  }
  return std::sqrt(best / steps);
}

/// Replaces every edge by four: its first third, the two sides of a bump, its last third (von Koch
/// 1904). `height` of the bump: a share of the edge.
Outline koch(const Outline& outline, double height) {
  Outline result;
  for (std::size_t i = 0; i < outline.size(); ++i) {
    const cv::Point2d a = outline[i], b = outline[(i + 1) % outline.size()], d = (b - a) / 3;
    const cv::Point2d middle = (a + b) / 2 + cv::Point2d(d.y, -d.x) * (3 * height);
    result.insert(result.end(), {a, a + d, middle, b - d});
  }
  return result;
}

Formula random_formula(std::uint32_t number) {
  Random random(0x9e3779b97f4a7c15u, number, 0, 0);
  Formula f;
  f.symmetry = static_cast<int>(random.integer(1, 9));
  f.n1 = random.uniform(0.4, 4);
  f.n2 = random.uniform(0.4, 5);
  f.n3 = random.chance(0.5) ? f.n2 : random.uniform(0.4, 5);
  if (random.chance(0.5))
    f.lobes = static_cast<int>(random.integer(1, 7)), f.lobe_height = random.uniform(0.1, 0.4);
  if (random.chance(0.4))
    f.koch = static_cast<int>(random.integer(1, 2)),
    f.koch_height = random.uniform(0.15, 0.35) * (random.chance(0.5) ? 1 : -1);
  return f;
}

}  // namespace

Outline formula_outline(const Formula& f) {
  // A shape with a Koch edge gets fewer corners, so that the bumps are large enough to be seen.
  const int corners = f.koch > 0 ? 24 : steps;
  Outline outline;
  for (int i = 0; i < corners; ++i) {
    const double angle = 2 * M_PI * i / corners, r = radius(f, angle);
    outline.emplace_back(r * std::cos(angle), r * std::sin(angle));
  }
  for (int i = 0; i < f.koch; ++i) outline = koch(outline, f.koch_height);
  double farthest = 0;
  for (const cv::Point2d& p : outline) farthest = std::max(farthest, std::hypot(p.x, p.y));
  for (cv::Point2d& p : outline) p = p * (1 / farthest);
  return outline;
}

std::vector<Formula> formulas(int count) {
  std::vector<Formula> result;
  std::vector<Profile> profiles;
  for (std::uint32_t number = 0; static_cast<int>(result.size()) < count; ++number) {
    Formula one = random_formula(number);
    const Profile shape = profile(one);
    // Left out: very thin shapes, and shapes too similar to an earlier one, which would be the same
    // class twice.
    const double mean = std::accumulate(shape.begin(), shape.end(), 0.0) / steps;
    if (mean < 0.4 || *std::min_element(shape.begin(), shape.end()) < 0.08) continue;
    if (std::any_of(profiles.begin(), profiles.end(),
                    [&](const Profile& known) { return distance(known, shape) < least_distance; }))
      continue;
    one.name = fmt::format("formula-{:02}", result.size());
    profiles.push_back(shape);
    result.push_back(std::move(one));
  }
  return result;
}

}  // namespace yolov7::dataset
