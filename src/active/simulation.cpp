#include "active/simulation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/error.hpp"
#include "core/random.hpp"
#include "core/text.hpp"

namespace yolov7::active {
namespace {

constexpr std::array<Arm, 9> all_arms{{
    {"auto", "auto", false, false, "the default of active select"},
    {"random", "random", false, true, "at random, without near duplicates: the one to beat"},
    {"random-unfiltered", "random", true, true, "at random, near duplicates too"},
    {"tutorial", "low-confidence", true, true,
     "images with a detection below --below in their order, near duplicates too"},
    {"entropy", "entropy", false, false, "active select --strategy entropy"},
    {"entropy-max", "entropy-max", false, false, "active select --strategy entropy-max"},
    {"disagreement", "disagreement", false, false, "active select --strategy disagreement"},
    {"coverage", "coverage", false, false, "active select --strategy coverage"},
    {"typical", "typical", false, false, "active select --strategy typical"},
}};

/// Never change it: the same seed would repeat other images.
constexpr std::uint32_t repeat_stream = 11;

}  // namespace

std::span<const Arm> arms() { return all_arms; }

const Arm& arm_named(const std::string& name) {
  std::vector<std::string> names;
  for (const Arm& one : all_arms) {
    if (name == one.name) return one;
    names.emplace_back(one.name);
  }
  throw usage_error(fmt::format("active simulate: expected strategies of {}, found '{}'{}",
                                text::join(names, ", "), text::printable(name),
                                text::did_you_mean(name, names)));
}

SelectOptions options_of(const Arm& arm, SelectOptions base) {
  base.strategy = arm.strategy;
  if (arm.whole) base.control = base.empty_share = 0;
  return base;
}

std::vector<std::size_t> labelling_order(std::span<const Choice> choices) {
  std::array<std::vector<std::size_t>, 3> parts;
  for (std::size_t i = 0; i < choices.size(); ++i)
    parts[static_cast<std::size_t>(choices[i].part)].push_back(i);
  // The i-th of n stands at (i + ½) / n of the way; of equal places the strategy's comes first.
  std::vector<std::pair<double, std::size_t>> places;
  for (const auto& part : parts)
    for (std::size_t i = 0; i < part.size(); ++i)
      places.emplace_back((static_cast<double>(i) + 0.5) / static_cast<double>(part.size()),
                          part[i]);
  std::stable_sort(places.begin(), places.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::size_t> order;
  for (const auto& [place, index] : places) order.push_back(index);
  return order;
}

Payment pay(std::span<const std::size_t> boxes, const Budget& budget, const CostModel& cost) {
  Payment paid;
  for (const std::size_t one : boxes) {
    const double share = budget.share_of(static_cast<double>(one), cost);
    if (!budget.holds(paid.spent + share)) break;
    paid.spent += share;
    ++paid.images;
  }
  return paid;
}

EqualSteps equal_steps(std::size_t labelled, int steps, int batch, int most_epochs) {
  const auto size = static_cast<std::size_t>(batch);
  for (int each = 1; each <= steps; ++each) {
    const std::size_t images = static_cast<std::size_t>(each) * size;
    if (steps % each == 0 && steps / each <= most_epochs && images >= labelled)
      return {images, steps / each};
  }
  throw usage_error(
      fmt::format("active simulate: expected enough steps to see each labelled image once, found "
                  "{} images for {} steps of {}",
                  labelled, steps, batch));
}

std::vector<std::size_t> repeated_places(std::size_t count, std::size_t wanted,
                                         std::uint64_t seed) {
  std::vector<std::size_t> places;
  if (count == 0) return places;
  const auto order = Random(seed, 0, 0, repeat_stream).permutation(count);
  for (std::size_t i = 0; i < wanted; ++i) places.push_back(order[i % count]);
  std::sort(places.begin(), places.end());
  return places;
}

std::uint64_t round_seed(int seed, int round) {
  return static_cast<std::uint64_t>(seed) * 10007 + static_cast<std::uint64_t>(round);
}

}  // namespace yolov7::active
