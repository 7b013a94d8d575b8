#include "network/transform/channel_groups.hpp"

#include <algorithm>
#include <map>
#include <numeric>

#include "core/overloaded.hpp"

namespace yolov7::network {
namespace {

/// Sets of channels, joined step by step.
class Ties {
 public:
  explicit Ties(const Network& network) : first_(1, 0) {
    for (const int channels : network.value_channels)
      first_.push_back(first_.back() + static_cast<std::size_t>(channels));
    parents_.resize(first_.back());
    std::iota(parents_.begin(), parents_.end(), std::size_t{0});
    fixed_.resize(parents_.size());
  }

  int channels(int value) const {
    const auto v = static_cast<std::size_t>(value);
    return static_cast<int>(first_[v + 1] - first_[v]);
  }
  std::size_t set_of(int value, int channel) {
    std::size_t at = first_[static_cast<std::size_t>(value)] + static_cast<std::size_t>(channel);
    while (parents_[at] != at) at = parents_[at] = parents_[parents_[at]];
    return at;
  }
  void tie(int value, int channel, int other, int other_channel) {
    const std::size_t a = set_of(value, channel), b = set_of(other, other_channel);
    parents_[b] = a;
    fixed_[a] = static_cast<char>(fixed_[a] | fixed_[b]);
  }
  void tie_all(int value, int other) {
    for (int c = 0; c < channels(value); ++c) tie(value, c, other, c);
  }
  void fix(int value) {
    for (int c = 0; c < channels(value); ++c) fixed_[set_of(value, c)] = 1;
  }
  bool fixed(int value, int channel) { return fixed_[set_of(value, channel)] != 0; }

 private:
  std::vector<std::size_t> first_, parents_;
  std::vector<char> fixed_;
};

/// The same place of every group is one channel.
void tie_groups(Ties& ties, int value, int groups) {
  const int each = ties.channels(value) / groups;
  for (int g = 1; g < groups; ++g)
    for (int p = 0; p < each; ++p) ties.tie(value, p, value, g * each + p);
}

void tie_convolution(Ties& ties, const Convolution& conv, int in, int out) {
  if (conv.groups == 1) return;
  if (conv.groups != conv.in_channels) {
    tie_groups(ties, in, conv.groups);
    tie_groups(ties, out, conv.groups);
    return;
  }
  const int each = conv.out_channels / conv.in_channels;  // depthwise: outputs of each input
  for (int c = 0; c < conv.out_channels; ++c) ties.tie(in, c / each, out, c);
}

void tie_operation(Ties& ties, const Operation& op) {
  const int in = op.inputs.front(), out = op.output;
  std::visit(Overloaded{
                 [&](const Convolution& conv) { tie_convolution(ties, conv, in, out); },
                 [&](const OneOf<BatchNorm, Activate, MaxPool, Upsample, ImplicitAdd,
                                 ImplicitMultiply> auto&) { ties.tie_all(in, out); },
                 [&](const Concat&) {
                   int at = 0;
                   for (const int input : op.inputs)
                     for (int c = 0; c < ties.channels(input); ++c) ties.tie(input, c, out, at++);
                 },
                 [&](const Add&) {
                   for (const int input : op.inputs) ties.tie_all(input, out);
                 },
                 [&](const Multiply&) {
                   ties.tie_all(in, out);
                   if (ties.channels(op.inputs[1]) == ties.channels(in))
                     ties.tie_all(op.inputs[1], out);
                   else
                     ties.fix(op.inputs[1]);
                 },
                 [&](const Reorg&) {
                   const int c = ties.channels(in);
                   for (int part = 0; part < 4; ++part)
                     for (int i = 0; i < c; ++i) ties.tie(in, i, out, part * c + i);
                 },
                 [&](const OneOf<ChannelMean, ChannelMax> auto&) {
                   ties.fix(in);
                   ties.fix(out);
                 },
             },
             op.primitive);
}

}  // namespace

std::vector<ChannelGroup> channel_groups(const Network& network) {
  Ties ties(network);
  ties.fix(0);
  for (const Operation& op : network.operations) tie_operation(ties, op);
  for (const Level& level : network.levels) ties.fix(level.value);

  std::map<std::size_t, ChannelUnit> units;
  std::map<std::size_t, std::vector<std::string>> makers;
  for (int value = 0; value < network.value_count; ++value)
    for (int c = 0; c < ties.channels(value); ++c)
      if (!ties.fixed(value, c)) units[ties.set_of(value, c)].members.emplace_back(value, c);
  for (const Operation& op : network.operations)
    if (const Convolution* conv = op.as<Convolution>())
      for (int c = 0; c < conv->out_channels; ++c) {
        if (ties.fixed(op.output, c)) continue;
        std::vector<std::string>& names = makers[ties.set_of(op.output, c)];
        if (names.empty() || names.back() != conv->tensor) names.push_back(conv->tensor);
      }
  std::vector<ChannelGroup> groups;
  std::map<std::vector<std::string>, std::size_t> known;
  // In the order of the values, so that the result is the same each time.
  std::map<std::pair<int, int>, std::size_t> ordered;
  for (const auto& [set, unit] : units) ordered[unit.members.front()] = set;
  for (const auto& [place, set] : ordered) {
    const auto names = makers.find(set);
    if (names == makers.end()) continue;  // of a value that folding has left without operations
    const auto [at, fresh] = known.emplace(names->second, groups.size());
    if (fresh) groups.push_back({names->second, {}});
    groups[at->second].units.push_back(std::move(units[set]));
  }
  return groups;
}

KeptChannels all_kept(const Network& network) {
  KeptChannels kept;
  for (const int channels : network.value_channels)
    kept.emplace_back(static_cast<std::size_t>(channels), char{1});
  return kept;
}

void remove(KeptChannels& kept, const ChannelUnit& unit) {
  for (const auto& [value, channel] : unit.members)
    kept[static_cast<std::size_t>(value)][static_cast<std::size_t>(channel)] = 0;
}

}  // namespace yolov7::network
