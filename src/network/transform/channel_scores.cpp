#include "network/transform/channel_scores.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.hpp"
#include "network/graph/links.hpp"

namespace yolov7::network {
namespace {

/// Something of each channel, by value number.
using ByChannel = std::vector<std::vector<double>>;

ByChannel nothing_yet(const Network& network) {
  ByChannel sums;
  for (const int channels : network.value_channels)
    sums.emplace_back(static_cast<std::size_t>(channels), 0.0);
  return sums;
}

/// What a batch-norm or an implicit vector behind the convolution multiplies its outputs by.
std::vector<double> factors(const Links& links, const Weights& weights, const Operation& op) {
  const auto& conv = *op.as<Convolution>();
  std::vector<double> scale(static_cast<std::size_t>(conv.out_channels), 1.0);
  if (const Operation* next = links.only_reader<BatchNorm>(op.output)) {
    const std::string& name = next->as<BatchNorm>()->tensor;
    const std::vector<double> gamma = weights.at(name + ".weight").to_doubles(),
                              variance = weights.at(name + ".running_var").to_doubles();
    for (std::size_t o = 0; o < scale.size(); ++o)
      scale[o] = gamma[o] / std::sqrt(variance[o] + batch_norm_epsilon);
  } else if (const Operation* mul = links.only_reader<ImplicitMultiply>(op.output)) {
    scale = weights.at(mul->as<ImplicitMultiply>()->tensor + ".implicit").to_doubles();
  }
  return scale;
}

void add_convolution(ByChannel& sums, const Links& links, const Weights& weights,
                     const Operation& op) {
  const auto& conv = *op.as<Convolution>();
  const std::vector<double> w = weights.at(conv.tensor + ".weight").to_doubles(),
                            scale = factors(links, weights, op);
  const auto per_group = static_cast<std::size_t>(conv.in_channels / conv.groups),
             outputs = static_cast<std::size_t>(conv.out_channels / conv.groups),
             area = static_cast<std::size_t>(conv.kernel_h * conv.kernel_w);
  std::vector<double>& in = sums[static_cast<std::size_t>(op.inputs.front())];
  std::vector<double>& out = sums[static_cast<std::size_t>(op.output)];
  std::size_t at = 0;
  for (std::size_t o = 0; o < out.size(); ++o)
    for (std::size_t i = 0; i < per_group; ++i)
      for (std::size_t k = 0; k < area; ++k) {
        const double square = std::pow(w[at++] * scale[o], 2);
        out[o] += square;
        in[o / outputs * per_group + i] += square;
      }
}

ByChannel squares(const Network& network, const Weights& weights) {
  const Links links(network);
  ByChannel sums = nothing_yet(network);
  for (const Operation& op : network.operations)
    if (op.is<Convolution>()) add_convolution(sums, links, weights, op);
  return sums;
}

ByChannel scales(const Network& network, const Weights& weights) {
  ByChannel sums = nothing_yet(network);
  for (const Operation& op : network.operations)
    if (const BatchNorm* norm = op.as<BatchNorm>()) {
      const std::vector<double> gamma = weights.at(norm->tensor + ".weight").to_doubles();
      for (std::size_t c = 0; c < gamma.size(); ++c)
        sums[static_cast<std::size_t>(op.output)][c] += std::abs(gamma[c]);
    }
  return sums;
}

void require_norm(const Network& network, const ChannelGroup& group) {
  for (const Operation& op : network.operations) {
    if (!op.is<BatchNorm>()) continue;
    for (const auto& [value, channel] : group.units.front().members)
      if (value == op.output) return;
  }
  throw Error(
      fmt::format("scale: expected a batch-norm behind {}, found none: the weights are "
                  "folded (norm needs none)",
                  group.convolutions.front()));
}

}  // namespace

Importance importance(const std::string& name) {
  if (name == "norm") return Importance::norm;
  if (name == "scale") return Importance::scale;
  throw Error(fmt::format("importance: expected norm or scale, found '{}'", name));
}

std::vector<std::vector<double>> channel_scores(const Network& network, const Weights& weights,
                                                const std::vector<ChannelGroup>& groups,
                                                Importance kind) {
  check(network, weights);
  const ByChannel sums =
      kind == Importance::norm ? squares(network, weights) : scales(network, weights);
  std::vector<std::vector<double>> scores;
  for (const ChannelGroup& group : groups) {
    if (kind == Importance::scale) require_norm(network, group);
    std::vector<double> one;
    double all = 0;
    for (const ChannelUnit& unit : group.units) {
      double score = 0;
      for (const auto& [value, channel] : unit.members)
        score += sums[static_cast<std::size_t>(value)][static_cast<std::size_t>(channel)];
      one.push_back(score);
      all += score;
    }
    if (all > 0)
      for (double& score : one) score *= static_cast<double>(one.size()) / all;
    scores.push_back(std::move(one));
  }
  return scores;
}

void put_dead_first(std::vector<std::vector<double>>& scores,
                    const std::vector<std::vector<char>>& dead) {
  constexpr double next_to_nothing = std::numeric_limits<double>::min();
  for (std::size_t g = 0; g < scores.size(); ++g)
    for (std::size_t u = 0; u < scores[g].size(); ++u)
      scores[g][u] = dead[g][u] != 0 ? 0 : std::max(scores[g][u], next_to_nothing);
}

}  // namespace yolov7::network
