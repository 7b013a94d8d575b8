#include "network/transform/width_choice.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <set>

#include "network/graph/cost.hpp"
#include "network/graph/links.hpp"

namespace yolov7::network {
namespace {

constexpr int most_steps = 8;  ///< multiples that one cut may take at once

std::size_t floor_of(std::size_t units, const WidthLimits& limits) {
  const auto least =
      static_cast<std::size_t>(std::ceil(limits.least_share * static_cast<double>(units)));
  return std::min(units, std::max(static_cast<std::size_t>(limits.multiple), least));
}

std::size_t rounded_up(std::size_t count, int multiple) {
  const auto m = static_cast<std::size_t>(multiple);
  return (count + m - 1) / m * m;
}

/// Units of a group, the least score first; equal ones: the later first.
std::vector<std::size_t> by_score(const std::vector<double>& scores) {
  std::vector<std::size_t> order(scores.size());
  std::iota(order.rbegin(), order.rend(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return scores[a] < scores[b]; });
  return order;
}

Activation activation_behind(const Links& links, const Operation& op) {
  const Operation* next = links.only_reader<Activate>(op.output);
  return next == nullptr ? Activation{ActivationKind::identity, 0}
                         : next->as<Activate>()->activation;
}

}  // namespace

Widths all_units(const std::vector<ChannelGroup>& groups) {
  Widths widths;
  for (const ChannelGroup& group : groups) widths.push_back(group.units.size());
  return widths;
}

Widths widths_by_share(const std::vector<std::vector<double>>& scores, double share,
                       const WidthLimits& limits) {
  struct Entry {
    double score;
    std::size_t group, unit;
  };
  std::vector<Entry> all;
  Widths widths;
  for (std::size_t g = 0; g < scores.size(); ++g) {
    widths.push_back(scores[g].size());
    for (const std::size_t unit : by_score(scores[g])) all.push_back({scores[g][unit], g, unit});
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const Entry& a, const Entry& b) { return a.score < b.score; });
  const auto going = static_cast<std::size_t>(share * static_cast<double>(all.size()));
  for (std::size_t i = 0; i < going; ++i) --widths[all[i].group];
  for (std::size_t g = 0; g < scores.size(); ++g) {
    const std::size_t whole = scores[g].size();
    widths[g] =
        std::min(whole, std::max(rounded_up(widths[g], limits.multiple), floor_of(whole, limits)));
  }
  return widths;
}

KeptChannels kept_channels(const Network& network, const std::vector<ChannelGroup>& groups,
                           const std::vector<std::vector<double>>& scores, const Widths& widths) {
  KeptChannels kept = all_kept(network);
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const std::vector<std::size_t> order = by_score(scores[g]);
    for (std::size_t i = 0; i + widths[g] < order.size(); ++i)
      remove(kept, groups[g].units[order[i]]);
  }
  return kept;
}

WidthsByTime::WidthsByTime(const Network& folded, const std::vector<ChannelGroup>& groups,
                           const std::vector<std::vector<double>>& scores,
                           const WidthLimits& limits, int image_height, int image_width,
                           ConvolutionTime time)
    : scores_(scores), limits_(limits), time_(std::move(time)) {
  std::map<std::pair<int, int>, std::size_t> group_of;
  for (std::size_t g = 0; g < groups.size(); ++g)
    for (const ChannelUnit& unit : groups[g].units)
      for (const auto& member : unit.members) group_of[member] = g;
  const Links links(folded);
  const std::vector<ValueSize> sizes = value_sizes(folded, image_height, image_width);
  touched_.resize(groups.size());
  for (const Operation& op : folded.operations) {
    const Convolution* shape = op.as<Convolution>();
    if (shape == nullptr) continue;
    const ValueSize& size = sizes[static_cast<std::size_t>(op.inputs.front())];
    Conv conv{{*shape, activation_behind(links, op), size.height, size.width}, {}, {}, 0, 0, 0};
    const auto count = [&](int value, int channels, auto& parts, int& fixed) {
      std::map<std::size_t, int> by_group;
      for (int c = 0; c < channels; ++c)
        if (const auto found = group_of.find({value, c}); found != group_of.end())
          ++by_group[found->second];
        else
          ++fixed;
      for (const auto& [g, n] : by_group)
        parts.emplace_back(g, n / static_cast<int>(groups[g].units.size()));
    };
    count(op.inputs.front(), shape->in_channels, conv.in, conv.fixed_in);
    count(op.output, shape->out_channels, conv.out, conv.fixed_out);
    std::set<std::size_t> touching;
    for (const auto* side : {&conv.in, &conv.out})
      for (const auto& [g, n] : *side) touching.insert(g);
    for (const std::size_t g : touching) touched_[g].push_back(convs_.size());
    convs_.push_back(std::move(conv));
  }
  for (const std::vector<double>& group : scores_) {
    std::vector<double> best = group, sums{0};
    std::sort(best.rbegin(), best.rend());
    for (const double score : best) sums.push_back(sums.back() + score);
    sums_.push_back(std::move(sums));
  }
  state_.widths = all_units(groups);
  for (Conv& conv : convs_) state_.before += conv.now = time_of(conv, state_.widths);
  state_.after = state_.before;
}

double WidthsByTime::time_of(const Conv& conv, const Widths& widths) const {
  TimedConvolution one = conv.whole;
  const auto channels = [&](const auto& parts, int fixed) {
    int sum = fixed;
    for (const auto& [g, each] : parts) sum += each * static_cast<int>(widths[g]);
    return sum;
  };
  const bool depthwise = one.shape.groups > 1 && one.shape.groups == one.shape.in_channels;
  one.shape.in_channels = channels(conv.in, conv.fixed_in);
  one.shape.out_channels = channels(conv.out, conv.fixed_out);
  if (depthwise) one.shape.groups = one.shape.in_channels;
  return time_(one);
}

double WidthsByTime::lost(std::size_t group, std::size_t from, std::size_t to) const {
  const double before = sums_[group][from], after = sums_[group][to];
  if (before <= 0) return 0;
  return after > 0 ? -std::log(after / before) : std::numeric_limits<double>::infinity();
}

bool WidthsByTime::find_cut(Cut& best) const {
  best.worth = 0;
  for (std::size_t g = 0; g < scores_.size(); ++g) {
    const std::size_t from = state_.widths[g], least = floor_of(scores_[g].size(), limits_);
    Widths widths = state_.widths;
    std::size_t to = from;
    for (int step = 0; step < most_steps && to > least; ++step) {
      const auto m = static_cast<std::size_t>(limits_.multiple);
      to = std::max(least, (to - 1) / m * m);
      widths[g] = to;
      double saved = 0;
      for (const std::size_t c : touched_[g]) saved += convs_[c].now - time_of(convs_[c], widths);
      if (saved <= 0) continue;
      // What costs next to nothing is worth its time over a trifle.
      const double worth = saved / (lost(g, from, to) + 1e-6);
      if (worth > best.worth) best = {g, to, saved, worth};
    }
  }
  return best.worth > 0;
}

void WidthsByTime::make(const Cut& cut) {
  state_.widths[cut.group] = cut.to;
  for (const std::size_t c : touched_[cut.group]) convs_[c].now = time_of(convs_[c], state_.widths);
  state_.after -= cut.saved;
  ++state_.cuts;
}

TimedWidths WidthsByTime::choose(double saving) {
  Cut cut;
  while (state_.before - state_.after < saving && find_cut(cut)) make(cut);
  return state_;
}

WidthSearch search_widths(double wanted, WidthsByTime& choice, const WidthsTime& measure) {
  constexpr double least_step = 0.02;  // of the table's time
  WidthSearch found{choice.choose(0), 0, false};
  double saving = wanted * found.chosen.before;
  for (;;) {
    const std::size_t cuts = found.chosen.cuts;
    found.chosen = choice.choose(saving);
    if (found.chosen.cuts == cuts) return found;
    const auto [before, after] = measure(found.chosen);
    found.best = std::max(found.best, 1 - after / before);
    found.reached = after <= (1 - wanted) * before;
    if (found.reached) return found;
    // One cut may have saved far more than was asked for: the next one comes on top of that.
    saving = std::max(saving, found.chosen.before - found.chosen.after) +
             std::max(least_step * found.chosen.before, after - (1 - wanted) * before);
  }
}

}  // namespace yolov7::network
