#include "compression/budget/choice.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "core/error.hpp"

namespace yolov7::compression {
namespace {

std::string loss_text(const Candidate& one) {
  return fmt::format("{:+.4f} mAP", one.accuracy.file_map - one.accuracy.parent_map);
}

const Candidate* find(const std::vector<Candidate>& candidates, const std::string& network,
                      const std::string& numbers) {
  const auto found = std::ranges::find_if(candidates, [&](const Candidate& one) {
    return one.network == network && one.numbers == numbers;
  });
  return found == candidates.end() ? nullptr : &*found;
}

/// What came nearest: the fastest of all, and the most accurate of those that are faster.
std::string none_of(const std::vector<Candidate>& candidates) {
  const Candidate& parent = candidates.front();
  const Candidate* nearest = nullptr;
  std::size_t faster = 0, keeping = 0;
  for (std::size_t i = 1; i < candidates.size(); ++i) {
    const Candidate& one = candidates[i];
    keeping += keeps_budget(one) ? 1 : 0;
    if (!one.measured() || one.speed.least >= parent.speed.least) continue;
    ++faster;
    if (nearest == nullptr || one.accuracy.file_map > nearest->accuracy.file_map) nearest = &one;
  }
  const std::string counts = fmt::format(
      "nothing that was tried is faster than the parent in float32 ({:.3f} ms) and loses at most "
      "{:g} mAP: {} faster, {} within the budget",
      parent.speed.least, parent.accuracy.budget, faster, keeping);
  if (nearest == nullptr) return counts;
  return fmt::format("{}; nearest is {}: {:.3f} ms, {}", counts, nearest->name(),
                     nearest->speed.least, loss_text(*nearest));
}

}  // namespace

bool keeps_budget(const Candidate& candidate) {
  return candidate.measured() && equivalence::accuracy_breach(candidate.accuracy).empty();
}

Choice choose(const std::vector<Candidate>& candidates) {
  if (candidates.empty() || !candidates.front().measured())
    throw Error("compress: expected the parent in float32 among what was measured, found it not");
  const Candidate& parent = candidates.front();
  const auto rank = [&](std::size_t i) {
    return std::tuple(candidates[i].speed.least, -candidates[i].accuracy.file_map);
  };
  Choice choice;
  for (std::size_t i = 1; i < candidates.size(); ++i)
    if (keeps_budget(candidates[i]) && candidates[i].speed.least < parent.speed.least &&
        (!choice.chosen || rank(i) < rank(*choice.chosen)))
      choice.chosen = i;
  if (!choice.chosen) {
    choice.reason = none_of(candidates);
    return choice;
  }
  const Candidate& one = candidates[*choice.chosen];
  choice.reason = fmt::format(
      "{}: {:.2f} times as fast as the parent in float32 ({:.3f} ms, {:.3f} ms), {} (budget {:g})",
      one.name(), parent.speed.least / one.speed.least, one.speed.least, parent.speed.least,
      loss_text(one), one.accuracy.budget);
  if (one.accuracy.low < -one.accuracy.budget)
    choice.reason += fmt::format(
        "; on other images it may lose more: the interval of the change reaches to {:+.4f}",
        one.accuracy.low);
  return choice;
}

std::string number_advice(const std::vector<Candidate>& candidates, const std::string& network) {
  const Candidate *half = find(candidates, network, "bfloat16"),
                  *integers = find(candidates, network, "int8");
  if (half == nullptr || integers == nullptr) return {};
  if (!half->measured() && !integers->measured()) return {};
  if (!half->measured())
    return fmt::format("{}: bfloat16 is not there to compare int8 with: {}", network,
                       half->missing);
  if (!integers->measured())
    return fmt::format("{}: int8 is not there to compare bfloat16 with: {}", network,
                       integers->missing);
  const double times = half->speed.least / integers->speed.least;
  if (!keeps_budget(*integers))
    return fmt::format(
        "{}: int8 does not keep the budget ({}); {}", network, loss_text(*integers),
        keeps_budget(*half) ? "bfloat16 does, and needs no calibration" : "neither does bfloat16");
  if (times > 1) return fmt::format("{}: int8 is {:.2f} times as fast as bfloat16", network, times);
  return keeps_budget(*half)
             ? fmt::format(
                   "{}: int8 is no faster than bfloat16 ({:.2f} times): take bfloat16, which needs "
                   "no calibration",
                   network, times)
             : fmt::format(
                   "{}: int8 is no faster than bfloat16 ({:.2f} times), which does not "
                   "keep the budget",
                   network, times);
}

}  // namespace yolov7::compression
