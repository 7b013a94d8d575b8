#include "exporting/channels_last_builder.hpp"

#include <fmt/format.h>

#include <limits>

#include "core/error.hpp"

namespace yolov7::exporting {
namespace {

using Kind = ChannelsLastKind;
using Value = ChannelsLastValue;

}  // namespace

std::int64_t batch_side(const ExportModel& model) {
  return model.dynamic_batch ? -1 : std::int64_t{model.batch};
}

Value ChannelsLastBuilder::node(ChannelsLastNode one, const Inputs& in) {
  std::vector<int> inputs;
  for (const Value& value : in) inputs.push_back(value.number);
  inputs.insert(inputs.end(), one.inputs.begin(), one.inputs.end());
  one.inputs = std::move(inputs);
  if (scale_ != nullptr && !one.scale) one.scale = *scale_;
  const int number = graph_.node(one);
  return {number, std::move(one.shape)};
}

Value ChannelsLastBuilder::unary(Kind kind, const Value& in) {
  return node({.kind = kind, .shape = in.shape}, {in});
}

Value ChannelsLastBuilder::with_constant(Kind kind, const Value& in, const Shape& shape,
                                         const std::vector<float>& values) {
  return node({.kind = kind, .inputs = {graph_.floats(shape, values)}, .shape = in.shape}, {in});
}

Value ChannelsLastBuilder::per_channel(Kind kind, const Value& in,
                                       const std::vector<float>& values) {
  return with_constant(kind, in, {1, 1, 1, in.shape.back()}, values);
}

int ChannelsLastBuilder::numbers(const Numbers& values) {
  return graph_.integers({static_cast<std::int64_t>(values.size())}, values);
}

Value ChannelsLastBuilder::concat(const Inputs& in, int axis) {
  Shape shape = in[0].shape;
  for (std::size_t i = 1; i < in.size(); ++i) shape[index(axis)] += in[i].shape[index(axis)];
  return node({.kind = Kind::concat, .shape = shape, .axis = axis}, in);
}

Value ChannelsLastBuilder::reshaped(const Value& in, Shape shape) {
  Numbers target{static_cast<std::int32_t>(batch_side(model_))};
  for (const std::int64_t side : shape) target.push_back(static_cast<std::int32_t>(side));
  shape.insert(shape.begin(), in.shape.front());
  return node({.kind = Kind::reshape, .inputs = {numbers(target)}, .shape = shape}, {in});
}

Value ChannelsLastBuilder::transposed(const Value& in, const Numbers& order) {
  Shape shape;
  for (const std::int32_t axis : order) shape.push_back(in.shape[index(axis)]);
  return node({.kind = Kind::transpose, .inputs = {numbers(order)}, .shape = shape}, {in});
}

Value ChannelsLastBuilder::columns(const Value& in, int from, int to) {
  return node({.kind = Kind::slice,
               .inputs = {numbers({0, 0, from}), numbers({0, 0, to}), numbers({1, 1, 1})},
               .shape = {in.shape[0], in.shape[1], to - from},
               .whole_from = 3,
               .whole_to = 3},
              {in});
}

/// Integers: by the zero point, or by the lowest of them, on the same scale.
Value ChannelsLastBuilder::padded(const Value& in, int rows, int columns, bool lowest) {
  ChannelsLastNode pad{.kind = lowest ? Kind::pad_value : Kind::pad, .shape = in.shape};
  pad.shape[1] += 2 * rows, pad.shape[2] += 2 * columns;
  pad.inputs = {graph_.integers({4, 2}, {0, 0, rows, rows, columns, columns, 0, 0})};
  if (lowest && scale_ != nullptr)
    pad.inputs.push_back(
        graph_.bytes("lowest", {{}, {-128}, {scale_->scale}, {scale_->zero_point - 128}, 0}));
  else if (lowest)
    pad.inputs.push_back(graph_.floats({}, {std::numeric_limits<float>::lowest()}));
  return node(pad, {in});
}

Shape ChannelsLastBuilder::filter_shape(const network::Convolution& conv) {
  return {conv.out_channels, conv.in_channels / conv.groups, conv.kernel_h, conv.kernel_w};
}

int ChannelsLastBuilder::depthwise_channels(const network::Convolution& conv) {
  return conv.groups > 1 && conv.in_channels == conv.groups ? conv.groups : 0;
}

bool ChannelsLastBuilder::keeps_size(const network::Convolution& conv) {
  return conv.stride == 1 && 2 * conv.pad_h == conv.dilation * (conv.kernel_h - 1) &&
         2 * conv.pad_w == conv.dilation * (conv.kernel_w - 1);
}

Value ChannelsLastBuilder::convolved(const network::Convolution& conv, const Value& in, int filter,
                                     int bias) {
  const int reach_h = conv.dilation * (conv.kernel_h - 1),
            reach_w = conv.dilation * (conv.kernel_w - 1);
  const bool same = keeps_size(conv), depthwise = depthwise_channels(conv) > 0;
  const auto reduced = [&](std::int64_t side, int reach) {
    return same ? side : (side - reach - 1) / conv.stride + 1;
  };
  return node({.kind = depthwise ? Kind::depthwise_convolution : Kind::convolution,
               .inputs = {filter, bias},
               .shape = {in.shape[0], reduced(in.shape[1], reach_h), reduced(in.shape[2], reach_w),
                         conv.out_channels},
               .same = same,
               .stride = conv.stride,
               .dilation = conv.dilation,
               .multiplier = depthwise ? conv.out_channels / conv.groups : 1,
               .grouped = conv.groups > 1 && !depthwise},
              {in});
}

const network::Tensor& ChannelsLastBuilder::weight(const std::string& name,
                                                   std::int64_t elements) const {
  const network::Tensor& tensor = model_.fused->weights.at(name);
  if (tensor.elements() != elements || tensor.type != network::DataType::float32)
    throw Error(fmt::format("{}: expected {} float32 values, found {} of another type or number",
                            name, elements, tensor.elements()));
  return tensor;
}

std::vector<float> ChannelsLastBuilder::channel_values(const std::string& name,
                                                       int channels) const {
  return weight(name, channels).to_floats();
}

}  // namespace yolov7::exporting
