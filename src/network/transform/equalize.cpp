#include "network/transform/equalize.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "core/error.hpp"
#include "core/overloaded.hpp"
#include "network/graph/links.hpp"
#include "network/transform/quantization.hpp"

namespace yolov7::network {
namespace {

using Floats = std::vector<float>;

std::size_t place(int number) { return static_cast<std::size_t>(number); }

bool keeps_factors(const Activation& activation) {
  switch (activation.kind) {
    case ActivationKind::identity:
    case ActivationKind::relu:
    case ActivationKind::leaky_relu: return true;
    case ActivationKind::silu:
    case ActivationKind::relu6:
    case ActivationKind::sigmoid: return false;
  }
  throw Error("unknown activation");
}

/// The convolution whose result the operation activates; none: the channels cannot be multiplied.
const Convolution* maker(const Links& links, const Operation& op) {
  const Activate* activate = op.as<Activate>();
  if (activate == nullptr || !keeps_factors(activate->activation)) return nullptr;
  const Operation* before = links.producer(op.inputs[0]);
  if (before == nullptr || links.only_reader<Activate>(op.inputs[0]) == nullptr) return nullptr;
  return before->as<Convolution>();
}

/// By value number: whether something but convolutions reads it in the end.
std::vector<char> read_otherwise(const Network& network) {
  std::vector<char> otherwise(place(network.value_count), 0);
  for (const Level& level : network.levels) otherwise[place(level.value)] = 1;
  for (auto op = network.operations.rbegin(); op != network.operations.rend(); ++op) {
    if (op->is<Convolution>()) continue;
    const bool passed = moves_numbers(op->primitive) && otherwise[place(op->output)] == 0;
    if (!passed)
      for (const int input : op->inputs) otherwise[place(input)] = 1;
  }
  return otherwise;
}

/// Numbers of channels, by value number.
std::vector<int> channel_counts(const Network& network) {
  std::vector<int> counts(place(network.value_count), 3);
  for (const Operation& op : network.operations) {
    int& count = counts[place(op.output)];
    const int in = counts[place(op.inputs[0])];
    count =
        std::visit(Overloaded{[](const Convolution& conv) { return conv.out_channels; },
                              [&](const Concat&) {
                                int sum = 0;
                                for (const int input : op.inputs) sum += counts[place(input)];
                                return sum;
                              },
                              [&](const Reorg&) { return 4 * in; },
                              [](const OneOf<ChannelMean, ChannelMax> auto&) { return 1; },
                              [&](const OneOf<BatchNorm, Activate, MaxPool, Add, Multiply, Upsample,
                                              ImplicitAdd, ImplicitMultiply> auto&) { return in; }},
                   op.primitive);
  }
  return counts;
}

/// What an operation that moves numbers makes of its inputs' factors; empty where none has any.
Floats moved(const Operation& op, const ChannelFactors& factors, const std::vector<int>& counts) {
  Floats all;
  bool any = false;
  for (const int input : op.inputs) {
    const Floats& known = factors[place(input)];
    any = any || !known.empty();
    const Floats part = known.empty() ? Floats(place(counts[place(input)]), 1) : known;
    for (int copy = 0; copy < (op.is<Reorg>() ? 4 : 1); ++copy)
      all.insert(all.end(), part.begin(), part.end());
  }
  return any ? all : Floats();
}

/// Rows times the factors behind the convolution, columns divided by those in front of it.
void change(NetworkAndWeights& result, const Convolution& conv, const Floats& before,
            const Floats& behind) {
  const std::string name = conv.tensor + ".weight", bias = conv.tensor + ".bias";
  const Tensor& tensor = result.weights.at(name);
  std::vector<double> weight = tensor.to_doubles();
  const std::size_t inputs = place(conv.in_channels / conv.groups),
                    outputs = place(conv.out_channels / conv.groups),
                    window = place(conv.kernel_h * conv.kernel_w);
  for (std::size_t at = 0; at < weight.size(); ++at) {
    const std::size_t out = at / (inputs * window),
                      in = out / outputs * inputs + at / window % inputs;
    if (!behind.empty()) weight[at] *= static_cast<double>(behind[out]);
    if (!before.empty()) weight[at] /= static_cast<double>(before[in]);
  }
  result.weights.set(name, Tensor::from(weight, tensor.shape).converted(DataType::float32));
  if (!conv.bias || behind.empty()) return;
  std::vector<double> terms = result.weights.at(bias).to_doubles();
  for (std::size_t c = 0; c < terms.size(); ++c) terms[c] *= static_cast<double>(behind[c]);
  result.weights.set(bias, Tensor::from(terms, {conv.out_channels}).converted(DataType::float32));
}

}  // namespace

std::vector<int> scalable_values(const Network& network) {
  const Links links(network);
  const std::vector<char> otherwise = read_otherwise(network);
  std::vector<int> values;
  for (const Operation& op : network.operations)
    if (maker(links, op) != nullptr && otherwise[place(op.output)] == 0)
      values.push_back(op.output);
  std::sort(values.begin(), values.end());
  return values;
}

NetworkAndWeights with_channel_factors(const NetworkAndWeights& fused, ChannelFactors factors) {
  const Network& network = fused.network;
  const Links links(network);
  const std::vector<int> scalable = scalable_values(network), counts = channel_counts(network);
  factors.resize(place(network.value_count));
  for (int value = 0; value < network.value_count; ++value) {
    const Floats& known = factors[place(value)];
    if (known.empty()) continue;
    if (!std::binary_search(scalable.begin(), scalable.end(), value) ||
        known.size() != place(counts[place(value)]) ||
        std::any_of(known.begin(), known.end(), [](float one) { return !(one > 0); }))
      throw Error(
          fmt::format("value {}: expected no factors, or one positive factor for each of "
                      "its {} channels, of a value whose readers can be divided by them",
                      value, counts[place(value)]));
  }
  NetworkAndWeights result = fused;
  for (const Operation& op : network.operations) {
    if (const Convolution* conv = op.as<Convolution>()) {
      const Operation* activate = links.only_reader<Activate>(op.output);
      const Floats behind = activate != nullptr ? factors[place(activate->output)] : Floats();
      change(result, *conv, factors[place(op.inputs[0])], behind);
    } else if (moves_numbers(op.primitive) && maker(links, op) == nullptr) {
      factors[place(op.output)] = moved(op, factors, counts);
    }
  }
  return result;
}

}  // namespace yolov7::network
