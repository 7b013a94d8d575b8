#include "network/transform/quantization.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.hpp"
#include "core/overloaded.hpp"
#include "network/graph/cost.hpp"
#include "network/graph/links.hpp"

namespace yolov7::network {
namespace {

std::size_t place(int value) { return static_cast<std::size_t>(value); }

bool is_identity(const Activate& activate) {
  return activate.activation.kind == ActivationKind::identity;
}

bool quantizable(const Convolution& conv) {
  return conv.groups == 1 || conv.groups == conv.in_channels;
}

/// Whether a value is real, and convolutions in float32 alone read it.
bool read_by_convolutions(const Network& network, const Quantization& plan, int value) {
  if (plan.role(value) != ValueRole::real) return false;
  for (const Level& level : network.levels)
    if (level.value == value) return false;
  return std::ranges::all_of(network.operations, [&](const Operation& op) {
    return op.is<Convolution>() || std::ranges::find(op.inputs, value) == op.inputs.end();
  });
}

/// Between a quantized convolution and its activation, where the activation's output is quantized,
/// or convolutions in float32 alone read it.
std::vector<int> inner_values(const Network& network, const Quantization& plan) {
  const Links links(network);
  std::vector<int> all;
  for (const Operation& op : network.operations) {
    const Convolution* conv = op.as<Convolution>();
    if (conv == nullptr || !plan.quantizes(*conv)) continue;
    const Operation* reader = links.only_reader<Activate>(op.output);
    if (reader == nullptr || is_identity(*reader->as<Activate>())) continue;
    if (plan.role(reader->output) == ValueRole::quantized ||
        read_by_convolutions(network, plan, reader->output))
      all.push_back(op.output);
  }
  return all;
}

}  // namespace

float quantized(float x, const ValueScale& scale, ActivationNumbers numbers) {
  if (numbers == ActivationNumbers::symmetric)
    return scale.symmetric * std::clamp(std::nearbyint(x / scale.symmetric), -128.0F, 127.0F);
  const auto zero = static_cast<float>(scale.zero_point), most = static_cast<float>(scale.most);
  return scale.scale * (std::clamp(std::nearbyint(x / scale.scale) + zero, 0.0F, most) - zero);
}

ValueRole Quantization::role(int value) const {
  return place(value) < roles.size() ? roles[place(value)] : ValueRole::real;
}

const ValueScale& Quantization::scale(int value) const { return scales.values.at(place(value)); }

QuantizedWeight Quantization::weight(const Convolution& conv, const Weights& weights,
                                     ActivationNumbers numbers) const {
  const auto& fitted = scales.fitted.of(numbers);
  if (const auto found = fitted.find(conv.tensor); found != fitted.end())
    return found->second.weight;
  return quantized_weight(weights.at(conv.tensor + ".weight"), conv.out_channels,
                          scales.per_tensor);
}

std::vector<float> Quantization::bias(const Convolution& conv, const Weights& weights,
                                      ActivationNumbers numbers) const {
  const auto& fitted = scales.fitted.of(numbers);
  if (const auto known = fitted.find(conv.tensor); known != fitted.end()) return known->second.bias;
  std::vector<float> bias(place(conv.out_channels), 0);
  if (conv.bias) bias = weights.at(conv.tensor + ".bias").to_floats();
  const auto found = scales.corrections.find(conv.tensor);
  if (found == scales.corrections.end()) return bias;
  const std::vector<float>& correction = found->second.of(numbers);
  if (correction.size() != bias.size())
    throw Error(fmt::format("{}: expected {} corrections of the bias, found {}", conv.tensor,
                            bias.size(), correction.size()));
  for (std::size_t c = 0; c < bias.size(); ++c) bias[c] += correction[c];
  return bias;
}

QuantizedWeight quantized_weight(const Tensor& weight, int out_channels, bool per_tensor) {
  constexpr float most = 127;
  const std::vector<float> values = weight.to_floats();
  const std::size_t out = place(out_channels), each = values.size() / std::max<std::size_t>(out, 1);
  QuantizedWeight result;
  result.scales.assign(out, 0);
  for (std::size_t i = 0; i < out * each; ++i)
    result.scales[i / each] = std::max(result.scales[i / each], std::abs(values[i]));
  if (per_tensor)
    std::fill(result.scales.begin(), result.scales.end(),
              *std::max_element(result.scales.begin(), result.scales.end()));
  for (float& scale : result.scales) scale = scale > 0 ? scale / most : 1;
  result.numbers.reserve(values.size());
  for (std::size_t i = 0; i < out * each; ++i)
    result.numbers.push_back(static_cast<std::int8_t>(
        std::clamp(std::nearbyint(values[i] / result.scales[i / each]), -most, most)));
  return result;
}

bool moves_numbers(const Primitive& primitive) {
  return std::visit(
      Overloaded{
          [](const OneOf<MaxPool, Concat, Upsample, Reorg> auto&) { return true; },
          [](const Activate& activate) { return is_identity(activate); },
          [](const OneOf<Convolution, BatchNorm, Add, Multiply, ImplicitAdd, ImplicitMultiply,
                         ChannelMean, ChannelMax> auto&) { return false; }},
      primitive);
}

std::vector<int> scale_groups(const Network& network) {
  std::vector<int> parent(place(network.value_count));
  std::iota(parent.begin(), parent.end(), 0);
  const auto root = [&](int value) {
    while (parent[place(value)] != value) value = parent[place(value)];
    return value;
  };
  for (const Operation& op : network.operations)
    if (moves_numbers(op.primitive))
      for (const int input : op.inputs) {
        const int a = root(input), b = root(op.output);
        parent[place(std::max(a, b))] = std::min(a, b);
      }
  for (int value = 0; value < network.value_count; ++value) parent[place(value)] = root(value);
  return parent;
}

std::vector<const Convolution*> quantizable_convolutions(const Network& network) {
  std::vector<const Convolution*> all;
  for (const Operation& op : network.operations)
    if (const Convolution* conv = op.as<Convolution>(); conv != nullptr && quantizable(*conv))
      all.push_back(conv);
  return all;
}

std::set<std::string> result_convolutions(const Network& network) {
  const Links links(network);
  std::set<std::string> names;
  for (const Level& level : network.levels) {
    const Operation* maker = links.producer(level.value);
    if (maker != nullptr && maker->is<Convolution>())
      names.insert(maker->as<Convolution>()->tensor);
  }
  return names;
}

Quantization make_quantization(const Network& network, QuantizationScales scales,
                               const std::set<std::string>& real) {
  Quantization plan;
  plan.scales = std::move(scales);
  plan.roles.assign(place(network.value_count), ValueRole::real);
  for (const Convolution* conv : quantizable_convolutions(network))
    if (!real.contains(conv->tensor)) plan.convolutions.insert(conv->tensor);
  const std::vector<int> groups = scale_groups(network);
  const Links links(network);
  std::set<int> wanted;  // groups
  for (const Operation& op : network.operations)
    if (const Convolution* conv = op.as<Convolution>(); conv != nullptr && plan.quantizes(*conv))
      wanted.insert(groups[place(op.inputs[0])]);
  for (int value = 0; value < network.value_count; ++value) {
    if (!wanted.contains(groups[place(value)])) continue;
    const Operation* maker = links.producer(value);
    plan.roles[place(value)] = maker != nullptr && moves_numbers(maker->primitive)
                                   ? ValueRole::carried
                                   : ValueRole::quantized;
  }
  for (const int value : inner_values(network, plan)) plan.roles[place(value)] = ValueRole::inner;
  return plan;
}

std::vector<int> calibrated_values(const Network& network) {
  const Quantization all = make_quantization(network, {}, {});
  std::vector<int> values;
  for (int value = 0; value < network.value_count; ++value)
    if (all.role(value) == ValueRole::quantized || all.role(value) == ValueRole::inner)
      values.push_back(value);
  return values;
}

std::map<std::string, double> multiply_adds(const Network& network, int height, int width) {
  const std::vector<ValueSize> sizes = value_sizes(network, height, width);
  std::map<std::string, double> all;
  for (const Operation& op : network.operations)
    if (const Convolution* conv = op.as<Convolution>()) {
      const ValueSize& out = sizes.at(place(op.output));
      all[conv->tensor] = 1.0 * out.height * out.width * conv->out_channels * conv->in_channels /
                          conv->groups * conv->kernel_h * conv->kernel_w;
    }
  return all;
}

double integer_share(const Network& network, const Quantization& quantization, int height,
                     int width) {
  double integers = 0, all = 0;
  for (const auto& [tensor, count] : multiply_adds(network, height, width)) {
    all += count;
    if (quantization.convolutions.contains(tensor)) integers += count;
  }
  return all > 0 ? integers / all : 0;
}

}  // namespace yolov7::network
