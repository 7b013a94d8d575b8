#include "exporting/onnx_primitives.hpp"

#include <limits>

#include "core/error.hpp"

namespace yolov7::exporting {
namespace {

using network::ActivationKind;
using Integers = std::vector<std::int64_t>;

}  // namespace

std::string OnnxPrimitives::weight(const std::string& name, const Integers& shape) {
  return graph_.weight(name, shape, model_.fused->weights.at(name), type_, model_.fused);
}

std::string OnnxPrimitives::translate(const network::Convolution& conv, const Inputs& in) {
  const std::int64_t kh = conv.kernel_h, kw = conv.kernel_w, ph = conv.pad_h, pw = conv.pad_w,
                     stride = conv.stride, dilation = conv.dilation, groups = conv.groups;
  const Integers shape{conv.out_channels, conv.in_channels / conv.groups, kh, kw};
  Inputs inputs{in[0]};
  if (quantizers_.quantizes(conv)) {
    inputs.push_back(quantizers_.weight(conv, shape));
    inputs.push_back(quantizers_.bias(conv, first_input_));
  } else {
    inputs.push_back(weight(conv.tensor + ".weight", shape));
    if (conv.bias) inputs.push_back(weight(conv.tensor + ".bias", {conv.out_channels}));
  }
  return graph_.node("Conv", inputs,
                     {{"kernel_shape", Integers{kh, kw}},
                      {"strides", Integers{stride, stride}},
                      {"pads", Integers{ph, pw, ph, pw}},
                      {"dilations", Integers{dilation, dilation}},
                      {"group", groups}});
}

std::string OnnxPrimitives::translate(const network::BatchNorm& norm, const Inputs& in) {
  const auto part = [&](const char* name) { return weight(norm.tensor + name, {norm.channels}); };
  return graph_.node(
      "BatchNormalization",
      {in[0], part(".weight"), part(".bias"), part(".running_mean"), part(".running_var")},
      {{"epsilon", static_cast<float>(network::batch_norm_epsilon)}});
}

std::string OnnxPrimitives::translate(const network::Activate& activate, const Inputs& in) {
  switch (activate.activation.kind) {
    case ActivationKind::identity: return in[0];
    case ActivationKind::silu: return graph_.node("Mul", {in[0], graph_.node("Sigmoid", in)});
    case ActivationKind::relu: return graph_.node("Relu", in);
    case ActivationKind::relu6:
      return graph_.node("Clip",
                         {in[0], graph_.floats({}, {0}, type_), graph_.floats({}, {6}, type_)});
    case ActivationKind::sigmoid: return graph_.node("Sigmoid", in);
    case ActivationKind::leaky_relu:
      return graph_.node("LeakyRelu", in,
                         {{"alpha", static_cast<float>(activate.activation.slope)}});
  }
  throw Error("unknown activation");
}

/// ONNX MaxPool treats padded pixels as −∞, as the network does.
std::string OnnxPrimitives::translate(const network::MaxPool& pool, const Inputs& in) {
  const std::int64_t k = pool.kernel, s = pool.stride, p = pool.padding;
  return graph_.node("MaxPool", in,
                     {{"kernel_shape", Integers{k, k}},
                      {"strides", Integers{s, s}},
                      {"pads", Integers{p, p, p, p}}});
}

std::string OnnxPrimitives::translate(const network::Concat&, const Inputs& in) {
  return graph_.node("Concat", in, {{"axis", std::int64_t{1}}});
}

std::string OnnxPrimitives::translate(const network::Add&, const Inputs& in) {
  std::string sum = in[0];
  for (std::size_t i = 1; i < in.size(); ++i) sum = graph_.node("Add", {sum, in[i]});
  return sum;
}

std::string OnnxPrimitives::translate(const network::Multiply&, const Inputs& in) {
  return graph_.node("Mul", in);
}

/// Up to opset 12 Resize needs its input `roi`, although it is not used. An empty tensor is passed,
/// because ONNX Runtime and ONNX's checker refuse a node without it.
std::string OnnxPrimitives::translate(const network::Upsample&, const Inputs& in) {
  const std::string roi = graph_.opset() <= 12 ? graph_.floats({0}, {}) : std::string();
  return graph_.node("Resize", {in[0], roi, graph_.floats({4}, {1, 1, 2, 2})},
                     {{"mode", "nearest"},
                      {"coordinate_transformation_mode", "asymmetric"},
                      {"nearest_mode", "floor"}});
}

/// Slices, because ONNX SpaceToDepth orders the four parts row by row; here the row varies fastest.
std::string OnnxPrimitives::translate(const network::Reorg&, const Inputs& in) {
  constexpr std::int64_t end = std::numeric_limits<std::int64_t>::max();
  Inputs parts;
  for (const std::int64_t column : {0, 1})
    for (const std::int64_t row : {0, 1})
      parts.push_back(
          graph_.node("Slice", {in[0], graph_.integers({row, column}), graph_.integers({end, end}),
                                graph_.integers({2, 3}), graph_.integers({2, 2})}));
  return graph_.node("Concat", parts, {{"axis", std::int64_t{1}}});
}

std::string OnnxPrimitives::translate(const network::ImplicitAdd& add, const Inputs& in) {
  return graph_.node("Add", {in[0], weight(add.tensor + ".implicit", {1, add.channels, 1, 1})});
}

std::string OnnxPrimitives::translate(const network::ImplicitMultiply& multiply, const Inputs& in) {
  return graph_.node("Mul",
                     {in[0], weight(multiply.tensor + ".implicit", {1, multiply.channels, 1, 1})});
}

std::string OnnxPrimitives::translate(const network::ChannelMean&, const Inputs& in) {
  return graph_.reduce("ReduceMean", in[0], 1);
}

std::string OnnxPrimitives::translate(const network::ChannelMax&, const Inputs& in) {
  return graph_.reduce("ReduceMax", in[0], 1);
}

std::string OnnxPrimitives::translate(const network::PixelsToUnit&, const Inputs& in) {
  return graph_.node(
      "Mul", {graph_.cast(in[0], OnnxType::float32), graph_.floats({1, 1, 1, 1}, {1.0F / 255})});
}

/// In the shape, 0 keeps the batch and -1 takes the cells, so the same node serves variable batch
/// and image sizes.
std::string OnnxPrimitives::translate(const network::ToRows& rows, const Inputs& in) {
  const std::string split =
      graph_.node("Reshape", {in[0], graph_.integers({0, rows.anchors, rows.columns, -1})});
  const std::string result = graph_.node("Transpose", {split}, {{"perm", Integers{0, 1, 3, 2}}});
  map_of_[result] = in[0];
  return result;
}

std::string OnnxPrimitives::translate(const network::ScaleRows& scale, const Inputs& in) {
  const std::vector<float> factors(scale.factors.begin(), scale.factors.end());
  return graph_.node("Mul", {in[0], graph_.floats({1, scale.anchors, 1, scale.columns}, factors)});
}

std::string OnnxPrimitives::translate(const network::ShiftRows& shift, const Inputs& in) {
  const std::vector<float> terms(shift.terms.begin(), shift.terms.end());
  return graph_.node(
      "Add", {in[0], graph_.floats({1, 1, 1, static_cast<std::int64_t>(terms.size())}, terms)});
}

std::string OnnxPrimitives::fixed_cell_offsets(const network::AddCellOffsets& offsets) {
  const std::int64_t cells = std::int64_t{offsets.height} * offsets.width;
  return graph_.floats({1, 1, cells, offsets.columns}, network::cell_offsets(offsets));
}

/// The cell offsets computed from the height and width of the map at run time: [H · W, columns].
/// The counting is in int64: Shape returns it, and its Div gives the row number without a fraction.
std::string OnnxPrimitives::computed_cell_offsets(const network::AddCellOffsets& offsets,
                                                  const std::string& map) {
  const std::string shape = graph_.node("Shape", {map});
  const auto side = [&](std::int64_t axis) {
    return graph_.node("Gather", {shape, graph_.scalar(axis)}, {{"axis", std::int64_t{0}}});
  };
  const std::string height = side(2), width = side(3);
  const std::string cells = graph_.node(
      "Range", {graph_.scalar(0), graph_.node("Mul", {height, width}), graph_.scalar(1)});
  const std::string y = graph_.node("Div", {cells, width});
  const std::string x = graph_.node("Sub", {cells, graph_.node("Mul", {y, width})});
  const auto stride = static_cast<float>(offsets.stride);
  Inputs both;
  for (const std::string& one : {x, y}) {
    const std::string pixels =
        graph_.node("Mul", {graph_.cast(one, OnnxType::float32), graph_.floats({1}, {stride})});
    const std::string shifted = graph_.node("Sub", {pixels, graph_.floats({1}, {stride / 2})});
    both.push_back(graph_.node("Reshape", {shifted, graph_.integers({-1, 1})}));
  }
  return graph_.node("Pad", {graph_.node("Concat", both, {{"axis", std::int64_t{1}}}),
                             graph_.integers({0, 0, 0, offsets.columns - 2})});
}

std::string OnnxPrimitives::translate(const network::AddCellOffsets& offsets, const Inputs& in) {
  return graph_.node("Add",
                     {in[0], model_.dynamic_size ? computed_cell_offsets(offsets, map_of_.at(in[0]))
                                                 : fixed_cell_offsets(offsets)});
}

std::string OnnxPrimitives::translate(const network::JoinRows& join, const Inputs& in) {
  Inputs levels;
  for (const std::string& rows : in)
    levels.push_back(graph_.node("Reshape", {rows, graph_.integers({0, -1, join.columns})}));
  return graph_.node("Concat", levels, {{"axis", std::int64_t{1}}});
}

template <class Operation>
void OnnxPrimitives::compute(const Operation& operation) {
  Inputs in;
  for (const int input : operation.inputs) in.push_back(values_.at(index(input)));
  first_input_ = operation.inputs[0];
  std::string& result = values_.at(index(operation.output));
  result = std::visit([&](const auto& primitive) { return translate(primitive, in); },
                      operation.primitive);
  result = quantizers_.held(operation.output, result);
  model_.name_value(operation.output, result);
  // Rows made from rows belong to the same map; with several inputs, to that of the first.
  for (const std::string& one : in)
    if (const auto known = map_of_.find(one); known != map_of_.end())
      map_of_.emplace(result, std::string(known->second));
}

void OnnxPrimitives::network(const std::string& images) {
  values_.assign(index(model_.program.value_count), {});
  values_.at(index(model_.program.input)) = quantizers_.held(model_.program.input, images);
  for (const auto& operation : model_.program.before) compute(operation);
  for (const auto& operation : model_.network().operations) compute(operation);
  for (const network::Level& level : model_.network().levels) {
    if (level.auxiliary) continue;
    std::string& value = values_.at(index(level.value));
    if (type_ != OnnxType::float32) value = graph_.cast(value, OnnxType::float32);
    levels_.push_back(value);
  }
}

void OnnxPrimitives::raw_maps(const std::vector<std::string>& names, OnnxType type) {
  const std::int64_t no = model_.network().outputs_per_anchor();
  for (std::size_t j = 0; j < levels_.size(); ++j) {
    const network::Level& level = model_.network().levels[j];
    const auto na = static_cast<std::int64_t>(level.anchors.size());
    std::string shape;
    if (model_.dynamic_size) {
      const std::string sides = graph_.node("Slice", {graph_.node("Shape", {levels_[j]}),
                                                      graph_.integers({2}), graph_.integers({4})});
      shape =
          graph_.node("Concat", {graph_.integers({0, na, no}), sides}, {{"axis", std::int64_t{0}}});
    } else {
      const auto cells = [&](int side) {
        return static_cast<std::int64_t>(side / level.stride + 0.5);
      };
      shape = graph_.integers({0, na, no, cells(model_.height), cells(model_.width)});
    }
    const std::string map = type == OnnxType::float32 ? levels_[j] : graph_.cast(levels_[j], type);
    const std::string split = graph_.node("Reshape", {map, shape});
    graph_.node("Transpose", {split}, {{"perm", Integers{0, 1, 3, 4, 2}}}, names.at(j));
  }
}

std::string OnnxPrimitives::rows() {
  for (const auto& operation : model_.program.after) compute(operation);
  return values_.at(index(model_.program.rows));
}

}  // namespace yolov7::exporting
