#include "exporting/coreml_primitives.hpp"

#include <algorithm>

#include "core/error.hpp"

namespace yolov7::exporting {
namespace {

using network::ActivationKind;
using Integers = std::vector<std::int64_t>;

std::int64_t windows(std::int64_t side, int kernel, int stride, int padding, int dilation = 1) {
  return (side + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1;
}

}  // namespace

CoremlValue CoremlPrimitives::weight(const std::string& name, const Integers& shape) {
  return program_.weight(name, shape, model_.fused->weights.at(name), type_);
}

CoremlValue CoremlPrimitives::same_shape(const char* operation, const Inputs& in) {
  return program_.operation(operation, {{"x", {in[0]}}}, in[0].type, in[0].shape);
}

/// Sides of 1, and sides that are missing in front, go for all.
CoremlValue CoremlPrimitives::binary(const char* operation, const CoremlValue& x,
                                     const CoremlValue& y) {
  const bool x_has_more = x.shape.size() >= y.shape.size();
  Integers shape = x_has_more ? x.shape : y.shape;
  const Integers& other = x_has_more ? y.shape : x.shape;
  const std::size_t missing = shape.size() - other.size();
  for (std::size_t i = 0; i < other.size(); ++i)
    shape[missing + i] = std::max(shape[missing + i], other[i]);
  return program_.operation(operation, {{"x", {x}}, {"y", {y}}}, x.type, shape);
}

CoremlValue CoremlPrimitives::concat(const Inputs& values, std::size_t axis) {
  if (values.size() == 1) return values[0];
  Integers shape = values[0].shape;
  shape[axis] = 0;
  for (const CoremlValue& one : values) shape[axis] += one.shape[axis];
  return program_.operation("concat",
                            {{"values", values},
                             {"axis", {program_.integer(static_cast<std::int64_t>(axis))}},
                             {"interleave", {program_.boolean(false)}}},
                            values[0].type, shape);
}

CoremlValue CoremlPrimitives::reshape(const CoremlValue& value, const Integers& shape) {
  return program_.operation("reshape", {{"x", {value}}, {"shape", {program_.integers(shape)}}},
                            value.type, shape);
}

CoremlValue CoremlPrimitives::transpose(const CoremlValue& value, const Integers& order) {
  Integers shape;
  for (const std::int64_t axis : order)
    shape.push_back(value.shape[static_cast<std::size_t>(axis)]);
  return program_.operation("transpose", {{"x", {value}}, {"perm", {program_.integers(order)}}},
                            value.type, shape);
}

CoremlValue CoremlPrimitives::columns(const CoremlValue& rows, std::int64_t from, std::int64_t to) {
  Integers begin(rows.shape.size(), 0), end = rows.shape, shape = rows.shape;
  begin.back() = from, end.back() = to, shape.back() = to - from;
  return program_.operation(
      "slice_by_index",
      {{"x", {rows}}, {"begin", {program_.integers(begin)}}, {"end", {program_.integers(end)}}},
      rows.type, shape);
}

CoremlValue CoremlPrimitives::translate(const network::Convolution& conv, const Inputs& in) {
  const std::int64_t kh = conv.kernel_h, kw = conv.kernel_w, ph = conv.pad_h, pw = conv.pad_w,
                     stride = conv.stride, dilation = conv.dilation;
  CoremlArguments arguments = {
      {"x", {in[0]}},
      {"weight",
       {weight(conv.tensor + ".weight",
               {conv.out_channels, conv.in_channels / conv.groups, kh, kw})}},
      {"strides", {program_.integers({stride, stride})}},
      {"pad_type", {program_.text("custom")}},
      {"pad", {program_.integers({ph, ph, pw, pw})}},
      {"dilations", {program_.integers({dilation, dilation})}},
      {"groups", {program_.integer(conv.groups)}}};
  if (conv.bias)
    arguments.push_back({"bias", {weight(conv.tensor + ".bias", {conv.out_channels})}});
  const auto& side = in[0].shape;
  return program_.operation(
      "conv", arguments, type_,
      {1, conv.out_channels,
       windows(side[2], conv.kernel_h, conv.stride, conv.pad_h, conv.dilation),
       windows(side[3], conv.kernel_w, conv.stride, conv.pad_w, conv.dilation)});
}

CoremlValue CoremlPrimitives::translate(const network::BatchNorm& norm, const Inputs& in) {
  const auto part = [&](const char* name) { return weight(norm.tensor + name, {norm.channels}); };
  return program_.operation("batch_norm",
                            {{"x", {in[0]}},
                             {"mean", {part(".running_mean")}},
                             {"variance", {part(".running_var")}},
                             {"gamma", {part(".weight")}},
                             {"beta", {part(".bias")}},
                             {"epsilon", {program_.real(network::batch_norm_epsilon, type_)}}},
                            type_, in[0].shape);
}

CoremlValue CoremlPrimitives::translate(const network::Activate& activate, const Inputs& in) {
  switch (activate.activation.kind) {
    case ActivationKind::identity: return in[0];
    case ActivationKind::silu: return same_shape("silu", in);
    case ActivationKind::relu: return same_shape("relu", in);
    case ActivationKind::relu6: return same_shape("relu6", in);
    case ActivationKind::sigmoid: return same_shape("sigmoid", in);
    case ActivationKind::leaky_relu:
      return program_.operation(
          "leaky_relu",
          {{"x", {in[0]}}, {"alpha", {program_.real(activate.activation.slope, in[0].type)}}},
          in[0].type, in[0].shape);
  }
  throw Error("unknown activation");
}

CoremlValue CoremlPrimitives::translate(const network::MaxPool& pool, const Inputs& in) {
  const std::int64_t k = pool.kernel, s = pool.stride, p = pool.padding;
  const auto& side = in[0].shape;
  return program_.operation("max_pool",
                            {{"x", {in[0]}},
                             {"kernel_sizes", {program_.integers({k, k})}},
                             {"strides", {program_.integers({s, s})}},
                             {"pad_type", {program_.text("custom")}},
                             {"pad", {program_.integers({p, p, p, p})}},
                             {"ceil_mode", {program_.boolean(false)}}},
                            type_,
                            {1, side[1], windows(side[2], pool.kernel, pool.stride, pool.padding),
                             windows(side[3], pool.kernel, pool.stride, pool.padding)});
}

CoremlValue CoremlPrimitives::translate(const network::Concat&, const Inputs& in) {
  return concat(in, 1);
}

CoremlValue CoremlPrimitives::translate(const network::Add&, const Inputs& in) {
  CoremlValue sum = in[0];
  for (std::size_t i = 1; i < in.size(); ++i) sum = binary("add", sum, in[i]);
  return sum;
}

CoremlValue CoremlPrimitives::translate(const network::Multiply&, const Inputs& in) {
  return binary("mul", in[0], in[1]);
}

CoremlValue CoremlPrimitives::translate(const network::Upsample&, const Inputs& in) {
  const auto& side = in[0].shape;
  return program_.operation("upsample_nearest_neighbor",
                            {{"x", {in[0]}},
                             {"scale_factor_height", {program_.integer(2)}},
                             {"scale_factor_width", {program_.integer(2)}}},
                            type_, {1, side[1], 2 * side[2], 2 * side[3]});
}

CoremlValue CoremlPrimitives::translate(const network::Reorg&, const Inputs& in) {
  const auto& side = in[0].shape;
  const CoremlValue step = program_.integers({1, 1, 2, 2}), end = program_.integers(side);
  Inputs parts;
  for (const std::int64_t column : {0, 1})
    for (const std::int64_t row : {0, 1})
      parts.push_back(program_.operation("slice_by_index",
                                         {{"x", {in[0]}},
                                          {"begin", {program_.integers({0, 0, row, column})}},
                                          {"end", {end}},
                                          {"stride", {step}}},
                                         type_, {1, side[1], side[2] / 2, side[3] / 2}));
  return concat(parts, 1);
}

CoremlValue CoremlPrimitives::translate(const network::ImplicitAdd& add, const Inputs& in) {
  return binary("add", in[0], weight(add.tensor + ".implicit", {1, add.channels, 1, 1}));
}

CoremlValue CoremlPrimitives::translate(const network::ImplicitMultiply& multiply,
                                        const Inputs& in) {
  return binary("mul", in[0], weight(multiply.tensor + ".implicit", {1, multiply.channels, 1, 1}));
}

CoremlValue CoremlPrimitives::over_channels(const char* operation, const Inputs& in) {
  Integers shape = in[0].shape;
  shape[1] = 1;
  return program_.operation(
      operation,
      {{"x", {in[0]}}, {"axes", {program_.integers({1})}}, {"keep_dims", {program_.boolean(true)}}},
      type_, shape);
}

CoremlValue CoremlPrimitives::translate(const network::ChannelMean&, const Inputs& in) {
  return over_channels("reduce_mean", in);
}

CoremlValue CoremlPrimitives::translate(const network::ChannelMax&, const Inputs& in) {
  return over_channels("reduce_max", in);
}

CoremlValue CoremlPrimitives::translate(const network::PixelsToUnit&, const Inputs& in) {
  return binary("mul", in[0], program_.real(1.0 / 255, in[0].type));
}

CoremlValue CoremlPrimitives::translate(const network::ToRows& rows, const Inputs& in) {
  const std::int64_t cells = in[0].shape[2] * in[0].shape[3];
  return transpose(reshape(in[0], {1, rows.anchors, rows.columns, cells}), {0, 1, 3, 2});
}

CoremlValue CoremlPrimitives::translate(const network::ScaleRows& scale, const Inputs& in) {
  const std::vector<float> factors(scale.factors.begin(), scale.factors.end());
  return binary("mul", in[0],
                program_.reals({1, scale.anchors, 1, scale.columns}, factors, in[0].type));
}

CoremlValue CoremlPrimitives::translate(const network::ShiftRows& shift, const Inputs& in) {
  const std::vector<float> terms(shift.terms.begin(), shift.terms.end());
  return binary(
      "add", in[0],
      program_.reals({1, 1, 1, static_cast<std::int64_t>(terms.size())}, terms, in[0].type));
}

CoremlValue CoremlPrimitives::translate(const network::AddCellOffsets& offsets, const Inputs& in) {
  const std::int64_t cells = std::int64_t{offsets.height} * offsets.width;
  return binary(
      "add", in[0],
      program_.reals({1, 1, cells, offsets.columns}, network::cell_offsets(offsets), in[0].type));
}

CoremlValue CoremlPrimitives::translate(const network::JoinRows& join, const Inputs& in) {
  Inputs levels;
  for (const CoremlValue& rows : in)
    levels.push_back(reshape(rows, {1, rows.shape[1] * rows.shape[2], join.columns}));
  return concat(levels, 1);
}

template <class Operation>
void CoremlPrimitives::compute(const Operation& operation) {
  Inputs in;
  for (const int input : operation.inputs) in.push_back(values_.at(index(input)));
  values_.at(index(operation.output)) = std::visit(
      [&](const auto& primitive) { return translate(primitive, in); }, operation.primitive);
}

CoremlValue CoremlPrimitives::rows(const CoremlValue& images) {
  values_.assign(index(model_.program.value_count), {});
  values_.at(index(model_.program.input)) = images;
  for (const auto& operation : model_.program.before) compute(operation);
  for (const auto& operation : model_.network().operations) compute(operation);
  for (const network::Level& level : model_.network().levels) {
    CoremlValue& value = values_.at(index(level.value));
    if (!level.auxiliary) value = program_.cast(value, CoremlType::float32);
  }
  for (const auto& operation : model_.program.after) compute(operation);
  return values_.at(index(model_.program.rows));
}

}  // namespace yolov7::exporting
