#include "exporting/channels_last_integers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "core/overloaded.hpp"

namespace yolov7::exporting {
namespace {

using Kind = ChannelsLastKind;
using Value = ChannelsLastValue;
using network::ActivationKind;
using network::ValueRole;

/// What LOGISTIC gives in integers, always.
constexpr network::ValueScale logistic_scale{1.0F / 256, 0, 1.0F / 127};

/// In the format's order of axes.
ChannelsLastBytes filter_bytes(const network::Convolution& conv,
                               const network::QuantizedWeight& weight) {
  const Shape shape = ChannelsLastBuilder::filter_shape(conv);
  const bool depthwise = ChannelsLastBuilder::depthwise_channels(conv) > 0;
  const std::vector<std::size_t> order =
      depthwise ? std::vector<std::size_t>{1, 2, 3, 0} : std::vector<std::size_t>{0, 2, 3, 1};
  ChannelsLastBytes bytes;
  for (const std::size_t axis : order) bytes.shape.push_back(shape[axis]);
  const std::vector<float> numbers(weight.numbers.begin(), weight.numbers.end());
  for (const float number : permuted(network::Tensor::from(numbers, shape), shape, order))
    bytes.numbers.push_back(static_cast<std::int8_t>(number));
  bytes.scales = weight.scales;
  bytes.zero_points.assign(weight.scales.size(), 0);
  bytes.axis = depthwise ? 3 : 0;
  return bytes;
}

/// Channels whose bias would not fit into 32 bits get a coarser scale; their weights are tiny
/// beside it.
void widen(network::QuantizedWeight& weight, const std::vector<float>& bias, float input_scale) {
  constexpr float most = 1 << 30;
  const std::size_t each = weight.numbers.size() / weight.scales.size();
  for (std::size_t c = 0; c < bias.size(); ++c) {
    const float least = std::abs(bias[c]) / (input_scale * most);
    if (weight.scales[c] >= least) continue;
    for (std::size_t i = c * each; i < (c + 1) * each; ++i)
      weight.numbers[i] = static_cast<std::int8_t>(
          std::nearbyint(static_cast<float>(weight.numbers[i]) * weight.scales[c] / least));
    weight.scales[c] = least;
  }
}

}  // namespace

bool ChannelsLastIntegers::gives_integers(const network::Operation& operation) const {
  if (plan_ == nullptr) return false;
  const ValueRole role = plan_->role(operation.output);
  return std::visit(
      Overloaded{
          [&](const network::Convolution& conv) {
            return plan_->quantizes(conv) && role != ValueRole::real;
          },
          [&](const network::Activate& activate) {
            return role == ValueRole::carried ||
                   (role == ValueRole::quantized &&
                    activate.activation.kind != ActivationKind::sigmoid &&
                    plan_->role(operation.inputs[0]) == ValueRole::inner);
          },
          [&](const OneOf<network::MaxPool, network::Concat, network::Upsample,
                          network::Reorg> auto&) { return role == ValueRole::carried; },
          [](const OneOf<network::BatchNorm, network::Add, network::Multiply, network::ImplicitAdd,
                         network::ImplicitMultiply, network::ChannelMean,
                         network::ChannelMax> auto&) { return false; }},
      operation.primitive);
}

bool ChannelsLastIntegers::rounds(const network::Operation& operation) const {
  const auto* conv = operation.as<network::Convolution>();
  return plan_ != nullptr && conv != nullptr && plan_->quantizes(*conv) &&
         !gives_integers(operation);
}

network::Tensor ChannelsLastIntegers::rounded_weight(const network::Convolution& conv) const {
  const network::QuantizedWeight weight =
      plan_->weight(conv, builder_.model().fused->weights, network::ActivationNumbers::asymmetric);
  const std::size_t each = weight.numbers.size() / weight.scales.size();
  std::vector<float> numbers;
  for (std::size_t i = 0; i < weight.numbers.size(); ++i)
    numbers.push_back(static_cast<float>(weight.numbers[i]) * weight.scales[i / each]);
  return network::Tensor::from(numbers, ChannelsLastBuilder::filter_shape(conv));
}

std::vector<float> ChannelsLastIntegers::bias(const network::Convolution& conv) const {
  return plan_->bias(conv, builder_.model().fused->weights, network::ActivationNumbers::asymmetric);
}

Value ChannelsLastIntegers::integers(int number, const Value& real) {
  const auto known = values_.find(number);
  if (known != values_.end()) return known->second;
  return values_[number] = builder_.node(
             {.kind = Kind::to_integers, .shape = real.shape, .scale = plan_->scale(number)},
             {real});
}

Value ChannelsLastIntegers::made_real(int number) {
  return builder_.unary(Kind::from_integers, values_.at(number));
}

Value ChannelsLastIntegers::computed(const network::Operation& operation, const Inputs& in) {
  const int input = operation.inputs[0], output = operation.output;
  if (const auto* conv = operation.as<network::Convolution>())
    return convolution(*conv, input, output, in[0]);
  if (const auto* activate = operation.as<network::Activate>())
    return activation(*activate, output, in[0]);
  throw std::logic_error("integers of an operation that gives none");
}

Value ChannelsLastIntegers::convolution(const network::Convolution& conv, int input, int output,
                                        const Value& in) {
  const ExportModel& model = builder_.model();
  const network::ValueScale &from = plan_->scale(input), &to = plan_->scale(output);
  network::QuantizedWeight weight =
      plan_->weight(conv, model.fused->weights, network::ActivationNumbers::asymmetric);
  const std::vector<float> bias =
      plan_->bias(conv, model.fused->weights, network::ActivationNumbers::asymmetric);
  widen(weight, bias, from.scale);
  std::vector<std::int32_t> numbers;
  std::vector<float> scales;
  for (std::size_t c = 0; c < bias.size(); ++c) {
    scales.push_back(from.scale * weight.scales[c]);
    numbers.push_back(static_cast<std::int32_t>(
        std::nearbyint(static_cast<double>(bias[c]) / static_cast<double>(scales.back()))));
  }
  Value map = in;
  if (!ChannelsLastBuilder::keeps_size(conv) && (conv.pad_h > 0 || conv.pad_w > 0)) {
    builder_.give_integers(&from);
    map = builder_.padded(map, conv.pad_h, conv.pad_w, false);
  }
  builder_.give_integers(&to);
  const Value result = builder_.convolved(
      conv, map, builder_.graph().bytes(conv.tensor + ".weight", filter_bytes(conv, weight)),
      builder_.graph().integer_bias(conv.tensor + ".bias", numbers, scales));
  builder_.give_integers(nullptr);
  return result;
}

Value ChannelsLastIntegers::activation(const network::Activate& activate, int output,
                                       const Value& in) {
  const network::ValueScale& scale = plan_->scale(output);
  const auto simple = [&](Kind kind, float slope = 0) {
    return builder_.node({.kind = kind, .shape = in.shape, .slope = slope, .scale = scale}, {in});
  };
  switch (activate.activation.kind) {
    case ActivationKind::relu: return simple(Kind::relu);
    case ActivationKind::relu6: return simple(Kind::relu6);
    case ActivationKind::leaky_relu:
      return simple(Kind::leaky_relu, static_cast<float>(activate.activation.slope));
    case ActivationKind::silu: {
      const Value gate =
          builder_.node({.kind = Kind::logistic, .shape = in.shape, .scale = logistic_scale}, {in});
      return builder_.node({.kind = Kind::multiply, .shape = in.shape, .scale = scale}, {in, gate});
    }
    case ActivationKind::identity:
    case ActivationKind::sigmoid: break;
  }
  throw std::logic_error("integers of an activation that gives none");
}

}  // namespace yolov7::exporting
