// Channels that change nothing: zero for every picture, or read by zeros alone.
#include <algorithm>
#include <map>
#include <set>

#include "core/overloaded.hpp"
#include "network/transform/channel_groups.hpp"

namespace yolov7::network {
namespace {

/// By value number and channel: zero at every position, whatever the picture is.
using Zeros = std::vector<std::vector<char>>;

class ZeroSearch {
 public:
  ZeroSearch(const Network& network, const Weights& weights) : weights_(weights) {
    for (const int channels : network.value_channels)
      zeros_.emplace_back(static_cast<std::size_t>(channels), char{0});
    for (const Operation& op : network.operations) visit(op);
  }

  bool zero(int value, int channel) const {
    return zeros_[static_cast<std::size_t>(value)][static_cast<std::size_t>(channel)] != 0;
  }

  /// By input channel of the convolution: whether every weight of it is zero.
  std::vector<char> unread(const Convolution& conv) const {
    std::vector<char> result(static_cast<std::size_t>(conv.in_channels), char{1});
    each_weight(conv, [&](int, int in, double w) {
      if (w != 0) result[static_cast<std::size_t>(in)] = 0;
    });
    return result;
  }

 private:
  std::vector<double> values(const std::string& name) const {
    return weights_.at(name).to_doubles();
  }

  /// Calls see(output channel, input channel, weight).
  template <class See>
  void each_weight(const Convolution& conv, See see) const {
    const std::vector<double> w = values(conv.tensor + ".weight");
    const int per_group = conv.in_channels / conv.groups, outputs = conv.out_channels / conv.groups,
              area = conv.kernel_h * conv.kernel_w;
    std::size_t at = 0;
    for (int o = 0; o < conv.out_channels; ++o)
      for (int i = 0; i < per_group; ++i)
        for (int k = 0; k < area; ++k) see(o, o / outputs * per_group + i, w[at++]);
  }

  std::vector<char>& of(int value) { return zeros_[static_cast<std::size_t>(value)]; }

  void convolve(const Convolution& conv, const std::vector<char>& in, std::vector<char>& out) {
    std::fill(out.begin(), out.end(), char{1});
    each_weight(conv, [&](int o, int i, double w) {
      if (w != 0 && in[static_cast<std::size_t>(i)] == 0) out[static_cast<std::size_t>(o)] = 0;
    });
    if (!conv.bias) return;
    const std::vector<double> bias = values(conv.tensor + ".bias");
    for (std::size_t o = 0; o < bias.size(); ++o)
      if (bias[o] != 0) out[o] = 0;
  }

  /// γ · (x − μ) / σ + β is zero without any rounding.
  void normalise(const BatchNorm& norm, const std::vector<char>& in, std::vector<char>& out) {
    const std::vector<double> gamma = values(norm.tensor + ".weight"),
                              beta = values(norm.tensor + ".bias"),
                              mean = values(norm.tensor + ".running_mean");
    for (std::size_t c = 0; c < gamma.size(); ++c)
      out[c] = beta[c] == 0 && (gamma[c] == 0 || (in[c] != 0 && mean[c] == 0)) ? 1 : 0;
  }

  void visit(const Operation& op) {
    const std::vector<char> in = of(op.inputs.front());
    std::vector<char>& out = of(op.output);
    std::visit(Overloaded{
                   [&](const Convolution& conv) { convolve(conv, in, out); },
                   [&](const BatchNorm& norm) { normalise(norm, in, out); },
                   [&](const Activate& activate) {
                     if (activate.activation.kind != ActivationKind::sigmoid) out = in;
                   },
                   [&](const OneOf<MaxPool, Upsample> auto&) { out = in; },
                   [&](const Concat&) {
                     out.clear();
                     for (const int input : op.inputs)
                       out.insert(out.end(), of(input).begin(), of(input).end());
                   },
                   [&](const Add&) {
                     out = in;
                     for (const int input : op.inputs)
                       for (std::size_t c = 0; c < out.size(); ++c)
                         out[c] = static_cast<char>(out[c] & of(input)[c]);
                   },
                   [&](const Multiply&) {
                     const std::vector<char>& gate = of(op.inputs[1]);
                     for (std::size_t c = 0; c < out.size(); ++c)
                       out[c] = static_cast<char>(in[c] | gate[gate.size() == 1 ? 0 : c]);
                   },
                   [&](const Reorg&) {
                     for (std::size_t c = 0; c < out.size(); ++c) out[c] = in[c % in.size()];
                   },
                   [&](const ImplicitAdd& implicit) {
                     const std::vector<double> added = values(implicit.tensor + ".implicit");
                     for (std::size_t c = 0; c < out.size(); ++c)
                       out[c] = static_cast<char>(in[c] != 0 && added[c] == 0);
                   },
                   [&](const ImplicitMultiply&) { out = in; },
                   [&](const OneOf<ChannelMean, ChannelMax> auto&) {
                     out[0] =
                         std::all_of(in.begin(), in.end(), [](char zero) { return zero != 0; });
                   },
               },
               op.primitive);
  }

  const Weights& weights_;
  Zeros zeros_;
};

}  // namespace

std::vector<std::vector<char>> dead_units(const Network& network, const Weights& weights,
                                          const std::vector<ChannelGroup>& groups) {
  check(network, weights);
  const ZeroSearch search(network, weights);
  std::set<std::pair<int, int>> read;  // values and channels of which something depends
  for (const Operation& op : network.operations) {
    const Convolution* conv = op.as<Convolution>();
    if (conv == nullptr) continue;
    const std::vector<char> unread = search.unread(*conv);
    for (int c = 0; c < conv->in_channels; ++c)
      if (unread[static_cast<std::size_t>(c)] == 0 && !search.zero(op.inputs.front(), c))
        read.emplace(op.inputs.front(), c);
  }
  std::vector<std::vector<char>> dead;
  for (const ChannelGroup& group : groups) {
    dead.emplace_back();
    for (const ChannelUnit& unit : group.units)
      dead.back().push_back(
          std::none_of(unit.members.begin(), unit.members.end(),
                       [&](const std::pair<int, int>& member) { return read.count(member) != 0; }));
  }
  return dead;
}

}  // namespace yolov7::network
