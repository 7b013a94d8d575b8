#include "evaluation/analyses/bootstrap.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <utility>

#include "core/error.hpp"
#include "core/random.hpp"
#include "core/statistics.hpp"
#include "core/stop.hpp"
#include "core/threads.hpp"
#include "evaluation/metrics/precision_envelope.hpp"

namespace yolov7::evaluation {
namespace {

constexpr std::uint32_t picture_draw = 0x424f4f54;

/// AP of one category at all thresholds; nothing where it has no object.
bool category_ap(const CocoMatches::Category& category, const std::vector<std::uint32_t>& weights,
                 std::array<double, coco_ious>& ap) {
  std::size_t objects = 0;
  for (const std::uint32_t picture : category.objects) objects += weights[picture];
  if (objects == 0) return false;
  PrecisionEnvelope envelope;
  for (const CocoMatches::Detection& d : category.detections)
    if (weights[d.picture] > 0) envelope.add(d.found, d.ignored, weights[d.picture]);
  for (std::size_t t = 0; t < coco_ious; ++t) {
    const auto sampled = envelope.sample(t, objects);
    ap[t] = std::accumulate(sampled.begin(), sampled.end(), 0.0) / coco_recalls;
  }
  return true;
}

std::vector<std::uint32_t> drawn_weights(std::size_t pictures, std::uint64_t seed,
                                         std::size_t draw) {
  std::vector<std::uint32_t> weights(pictures);
  Random random(seed, static_cast<std::uint32_t>(draw), 0, picture_draw);
  for (std::size_t i = 0; i < pictures; ++i)
    ++weights[static_cast<std::size_t>(random.integer(0, static_cast<std::int64_t>(pictures) - 1))];
  return weights;
}

/// Figures of the draws in which there is an object.
struct Drawn {
  std::vector<double> map50, map;
};

/// `figure` gets the weights of a draw, fills the figures and says whether there are any.
template <class Figure>
Drawn draw(std::size_t pictures, const BootstrapOptions& options, Figure figure) {
  const auto draws = static_cast<std::size_t>(options.draws);
  std::vector<Headline> found(draws);
  std::vector<char> any(draws, 0);
  parallel_for(draws, threads_or_all(options.threads), [&](std::size_t i) {
    check_stop(options.stop);
    any[i] = figure(drawn_weights(pictures, options.seed, i), found[i]) ? 1 : 0;
  });
  Drawn out;
  for (std::size_t i = 0; i < draws; ++i) {
    if (any[i] == 0) continue;
    out.map50.push_back(found[i].map50);
    out.map.push_back(found[i].map);
  }
  return out;
}

/// Moved draws can leave the range that the figure has, `least` … 1.
Interval interval(double value, double least, std::vector<double> draws, double level) {
  if (draws.empty()) return {value, value, value};
  const DrawnInterval found = interval_of_draws(value, std::move(draws), level);
  return {value, std::clamp(found.low, least, 1.0), std::clamp(found.high, least, 1.0)};
}

void check(const CocoMatches& matches, const BootstrapOptions& options) {
  if (matches.pictures == 0) throw Error("bootstrap: expected at least one image, found none");
  if (options.draws < 1 || !(options.level > 0 && options.level < 1))
    throw Error(fmt::format(
        "bootstrap: expected at least one draw and a level between 0 and 1, found {} and {}",
        options.draws, options.level));
}

}  // namespace

Headline weighted_headline(const CocoMatches& matches, const std::vector<std::uint32_t>& weights) {
  double sum50 = 0, sum = 0;
  std::size_t categories = 0;
  for (const CocoMatches::Category& category : matches.categories) {
    std::array<double, coco_ious> ap{};
    if (!category_ap(category, weights, ap)) continue;
    ++categories;
    sum50 += ap[0];
    for (const double one : ap) sum += one / coco_ious;
  }
  if (categories == 0) return {};
  return {sum50 / static_cast<double>(categories), sum / static_cast<double>(categories)};
}

HeadlineIntervals bootstrap(const CocoMatches& matches, const BootstrapOptions& options) {
  check(matches, options);
  const Drawn drawn = draw(matches.pictures, options,
                           [&](const std::vector<std::uint32_t>& weights, Headline& found) {
                             found = weighted_headline(matches, weights);
                             return found.map >= 0;
                           });
  const Headline whole =
      weighted_headline(matches, std::vector<std::uint32_t>(matches.pictures, 1));
  return {interval(std::max(whole.map50, 0.0), 0, drawn.map50, options.level),
          interval(std::max(whole.map, 0.0), 0, drawn.map, options.level)};
}

Comparison compare(const CocoMatches& a, const CocoMatches& b, const BootstrapOptions& options) {
  check(a, options);
  if (a.pictures != b.pictures)
    throw Error(fmt::format("compare: expected detections on the same images, found {} and {}",
                            a.pictures, b.pictures));
  if (!std::ranges::equal(a.categories, b.categories, [](const auto& one, const auto& other) {
        return one.id == other.id && one.objects == other.objects;
      }))
    throw Error("compare: expected detections on the same images, found other labels");
  const auto difference = [&](const std::vector<std::uint32_t>& weights, Headline& found) {
    const Headline one = weighted_headline(a, weights), other = weighted_headline(b, weights);
    found = {other.map50 - one.map50, other.map - one.map};
    return one.map >= 0;  // the objects of both are the same
  };
  const Drawn drawn = draw(a.pictures, options, difference);
  Headline whole;
  difference(std::vector<std::uint32_t>(a.pictures, 1), whole);
  const auto better = [](const std::vector<double>& all) {
    if (all.empty()) return 0.5;
    double count = 0;
    for (const double one : all) count += one > 0 ? 1 : one == 0 ? 0.5 : 0;
    return count / static_cast<double>(all.size());
  };
  return {interval(whole.map50, -1, drawn.map50, options.level),
          interval(whole.map, -1, drawn.map, options.level), better(drawn.map50),
          better(drawn.map)};
}

std::string too_few(std::size_t pictures, const BootstrapOptions& options) {
  const double outside = 1 - options.level;
  if (static_cast<double>(options.draws) * outside < 2)
    return fmt::format("{} draws are too few for an interval of {:g} %, which wants {:.0f}",
                       options.draws, 100 * options.level, std::ceil(2 / outside));
  const int n = static_cast<int>(std::min<std::size_t>(pictures, 1000));
  if (std::ldexp(1.0, 1 - n) > outside)
    return fmt::format("{} images are too few for an interval of {:g} %, which wants {:.0f}",
                       pictures, 100 * options.level, std::ceil(1 - std::log2(outside)));
  return {};
}

Calibration calibration(const CocoMatches& matches, int bins, double least_score) {
  Calibration out;
  out.bins.resize(static_cast<std::size_t>(bins));
  for (const CocoMatches::Category& category : matches.categories)
    for (const CocoMatches::Detection& d : category.detections) {
      if ((d.ignored & 1) != 0 || d.score < least_score) continue;
      Calibration::Bin& bin = out.bins[static_cast<std::size_t>(
          std::clamp(static_cast<int>(d.score * bins), 0, bins - 1))];
      ++bin.count;
      bin.confidence += d.score;
      bin.precision += d.found & 1;
      ++out.detections;
    }
  for (Calibration::Bin& bin : out.bins) {
    if (bin.count == 0) continue;
    bin.confidence /= static_cast<double>(bin.count);
    bin.precision /= static_cast<double>(bin.count);
    out.expected_error += static_cast<double>(bin.count) / static_cast<double>(out.detections) *
                          std::abs(bin.precision - bin.confidence);
  }
  return out;
}

}  // namespace yolov7::evaluation
