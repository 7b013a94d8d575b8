#include "anchors/anchor_search.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "core/random.hpp"
#include "core/stop.hpp"

namespace yolov7::anchors {
namespace {

using network::AnchorSize;
using Point = std::array<double, 2>;

constexpr int restarts = 30;
constexpr double smallest_gain = 1e-5;  // of the mean distance: k-means stops below it
enum : std::uint32_t { draw_centres = 1, draw_mutation = 2 };

double fitness_of(std::span<const AnchorSize> labels, std::span<const AnchorSize> anchors,
                  double threshold) {
  double sum = 0;
  for (const AnchorSize& label : labels) {
    double best = 0;
    for (const AnchorSize& anchor : anchors) best = std::max(best, anchor_metric(label, anchor));
    if (best > 1 / threshold) sum += best;
  }
  return sum / static_cast<double>(labels.size());
}

struct Clusters {
  std::vector<Point> centres;
  double distance = std::numeric_limits<double>::infinity();  ///< mean
};

/// One restart of the k-means of training 12: centres that no observation is nearest to are
/// dropped.
Clusters cluster(std::span<const Point> points, std::vector<Point> centres) {
  double before = std::numeric_limits<double>::infinity();
  for (;;) {
    std::vector<Point> sums(centres.size(), Point{0, 0});
    std::vector<std::size_t> members(centres.size(), 0);
    double distance = 0;
    for (const Point& p : points) {
      std::size_t nearest = 0;
      double least = std::numeric_limits<double>::infinity();
      for (std::size_t c = 0; c < centres.size(); ++c) {
        const double dx = p[0] - centres[c][0], dy = p[1] - centres[c][1], d = dx * dx + dy * dy;
        if (d < least) least = d, nearest = c;
      }
      distance += std::sqrt(least);
      sums[nearest][0] += p[0];
      sums[nearest][1] += p[1];
      ++members[nearest];
    }
    distance /= static_cast<double>(points.size());
    std::vector<Point> moved;
    for (std::size_t c = 0; c < centres.size(); ++c)
      if (members[c] > 0)
        moved.push_back({sums[c][0] / static_cast<double>(members[c]),
                         sums[c][1] / static_cast<double>(members[c])});
    centres = std::move(moved);
    if (before - distance <= smallest_gain) return {std::move(centres), distance};
    before = distance;
  }
}

/// Whitened by the population deviation of each column, and back.
std::vector<AnchorSize> k_means(std::span<const AnchorSize> labels, const AnchorSearchOptions& o) {
  Point mean{0, 0}, deviation{0, 0};
  const double n = static_cast<double>(labels.size());
  for (const AnchorSize& l : labels) mean[0] += l.w / n, mean[1] += l.h / n;
  for (const AnchorSize& l : labels)
    deviation[0] += (l.w - mean[0]) * (l.w - mean[0]) / n,
        deviation[1] += (l.h - mean[1]) * (l.h - mean[1]) / n;
  for (double& d : deviation) d = d > 0 ? std::sqrt(d) : 1;
  std::vector<Point> points;
  for (const AnchorSize& l : labels) points.push_back({l.w / deviation[0], l.h / deviation[1]});
  Clusters best;
  for (std::uint32_t restart = 0; restart < restarts; ++restart) {
    check_stop(o.stop);
    Random random(o.seed, 0, restart, draw_centres);
    const std::vector<std::size_t> order = random.permutation(points.size());
    std::vector<Point> centres;
    for (int c = 0; c < o.count; ++c) centres.push_back(points[order[static_cast<std::size_t>(c)]]);
    Clusters found = cluster(points, std::move(centres));
    if (found.distance < best.distance) best = std::move(found);
  }
  if (best.centres.size() < static_cast<std::size_t>(o.count))
    throw TooFewLabels(
        fmt::format("anchor search: expected {} clusters of label sizes, found {}: the sizes are "
                    "too much alike",
                    o.count, best.centres.size()));
  std::vector<AnchorSize> anchors;
  for (const Point& c : best.centres) anchors.push_back({c[0] * deviation[0], c[1] * deviation[1]});
  return anchors;
}

void sort_by_area(std::vector<AnchorSize>& anchors) {
  std::stable_sort(anchors.begin(), anchors.end(),
                   [](const AnchorSize& a, const AnchorSize& b) { return a.w * a.h < b.w * b.h; });
}

/// clip(M · u · Z · 0.1 + 1, 0.3, 3) with M Bernoulli(0.9), one u uniform, Z normal; drawn until
/// not all are one.
std::vector<double> mutation(std::size_t count, Random& random) {
  std::vector<double> factors(count, 1);
  while (std::all_of(factors.begin(), factors.end(), [](double v) { return v == 1; })) {
    const double u = random.uniform();
    for (double& v : factors) {
      const bool mutates = random.chance(0.9);
      v = std::clamp((mutates ? 1 : 0) * u * random.normal() * 0.1 + 1, 0.3, 3.0);
    }
  }
  return factors;
}

}  // namespace

AnchorSearch search_anchors(std::span<const AnchorSize> labels, const AnchorSearchOptions& o) {
  AnchorSearch result;
  result.labels = labels.size();
  std::vector<AnchorSize> used;
  for (const AnchorSize& label : labels) {
    if (label.w < 3 || label.h < 3) ++result.small;
    if (label.w >= 2 || label.h >= 2) used.push_back(label);
  }
  result.left_out = labels.size() - used.size();
  if (used.size() < static_cast<std::size_t>(std::max(o.count, 1)) || o.count < 1)
    throw TooFewLabels(
        fmt::format("anchor search: expected at least as many labels as anchors ({}), found {}",
                    o.count, used.size()));
  result.anchors = k_means(used, o);
  sort_by_area(result.anchors);
  result.fitness = result.clustered_fitness = fitness_of(used, result.anchors, o.threshold);
  for (int generation = 0; generation < o.generations; ++generation) {
    check_stop(o.stop);
    Random random(o.seed, 0, static_cast<std::uint32_t>(generation), draw_mutation);
    const std::vector<double> factors = mutation(2 * result.anchors.size(), random);
    std::vector<AnchorSize> candidate = result.anchors;
    for (std::size_t a = 0; a < candidate.size(); ++a)
      candidate[a] = {std::max(candidate[a].w * factors[2 * a], 2.0),
                      std::max(candidate[a].h * factors[2 * a + 1], 2.0)};
    const double fitness = fitness_of(used, candidate, o.threshold);
    if (fitness > result.fitness) {
      result.fitness = fitness;
      result.anchors = std::move(candidate);
    }
    if (o.progress) o.progress(generation + 1, o.generations);
  }
  sort_by_area(result.anchors);
  result.fit = anchor_fit(labels, result.anchors, o.threshold);
  return result;
}

AnchorSearch search_anchors(const dataset::Index& index, int image_size,
                            const AnchorSearchOptions& options) {
  return search_anchors(label_sizes(index, image_size), options);
}

}  // namespace yolov7::anchors
