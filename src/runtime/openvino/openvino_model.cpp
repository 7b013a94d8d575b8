#include "runtime/openvino/openvino_model.hpp"

#include <fmt/format.h>

#include <openvino/core/model.hpp>
#include <openvino/op/add.hpp>
#include <openvino/op/batch_norm.hpp>
#include <openvino/op/concat.hpp>
#include <openvino/op/constant.hpp>
#include <openvino/op/convert.hpp>
#include <openvino/op/convolution.hpp>
#include <openvino/op/group_conv.hpp>
#include <openvino/op/interpolate.hpp>
#include <openvino/op/max_pool.hpp>
#include <openvino/op/multiply.hpp>
#include <openvino/op/parameter.hpp>
#include <openvino/op/reduce_max.hpp>
#include <openvino/op/reduce_mean.hpp>
#include <openvino/op/reshape.hpp>
#include <openvino/op/result.hpp>
#include <openvino/op/strided_slice.hpp>
#include <openvino/op/transpose.hpp>

#include "core/error.hpp"
#include "core/text.hpp"
#include "network/graph/detector_program.hpp"
#include "runtime/openvino/activation_node.hpp"
#include "runtime/openvino/openvino_quantizers.hpp"
#include "runtime/openvino/value_name.hpp"

namespace yolov7::runtime {
namespace {

using network::Level;
using Value = ov::Output<ov::Node>;
template <class T>
std::shared_ptr<ov::op::v0::Constant> constant(ov::element::Type type, const ov::Shape& shape,
                                               const std::vector<T>& values) {
  return std::make_shared<ov::op::v0::Constant>(type, shape, values);
}
std::shared_ptr<ov::op::v0::Constant> floats(const ov::Shape& shape,
                                             const std::vector<float>& values) {
  return constant(ov::element::f32, shape, values);
}
std::shared_ptr<ov::op::v0::Constant> integers(const std::vector<std::int64_t>& values) {
  return constant(ov::element::i64, {values.size()}, values);
}
std::size_t size(int n) { return static_cast<std::size_t>(n); }

class Builder {
 public:
  Builder(std::shared_ptr<const network::NetworkAndWeights> fused,
          const OpenvinoModelOptions& options)
      : fused_(std::move(fused)),
        network_(fused_->network),
        options_(options),
        program_(
            network::lower_detector(network_, options.height, options.width, !options.float_input)),
        values_(size(program_.value_count)) {}

  std::shared_ptr<ov::Model> build();

 private:
  using Inputs = std::vector<Value>;
  Value input();
  Value weight(const std::string& name, const ov::Shape& shape);
  Value integer_weight(const network::Convolution& conv, const ov::Shape& shape);
  Value translate(const network::Convolution& conv, const Inputs& in);
  Value translate(const network::BatchNorm& norm, const Inputs& in);
  Value translate(const network::Activate& activate, const Inputs& in);
  Value translate(const network::MaxPool& pool, const Inputs& in);
  Value translate(const network::Concat& concat, const Inputs& in);
  Value translate(const network::Add& add, const Inputs& in);
  Value translate(const network::Multiply& multiply, const Inputs& in);
  Value translate(const network::Upsample& upsample, const Inputs& in);
  Value translate(const network::Reorg& reorg, const Inputs& in);
  Value translate(const network::ImplicitAdd& add, const Inputs& in);
  Value translate(const network::ImplicitMultiply& multiply, const Inputs& in);
  Value translate(const network::ChannelMean& mean, const Inputs& in);
  Value translate(const network::ChannelMax& max, const Inputs& in);
  Value translate(const network::PixelsToUnit& pixels, const Inputs& in);
  Value translate(const network::ToRows& rows, const Inputs& in);
  Value translate(const network::ScaleRows& scale, const Inputs& in);
  Value translate(const network::ShiftRows& shift, const Inputs& in);
  Value translate(const network::AddCellOffsets& offsets, const Inputs& in);
  Value translate(const network::JoinRows& join, const Inputs& in);
  /// An operation of the network or of the program around it.
  template <class Operation>
  void compute(const Operation& operation);
  Value implicit(const std::string& tensor, int channels);
  Value raw_map(const Level& level);
  /// `number` of the value: behind it a quantizer where the plan wants one.
  Value held(int number, const Value& value) const;
  void describe(ov::Model& model) const;

  std::shared_ptr<const network::NetworkAndWeights> fused_;
  const network::Network& network_;
  const OpenvinoModelOptions& options_;
  const network::DetectorProgram program_;
  std::shared_ptr<ov::op::v0::Parameter> parameter_;
  std::vector<Value> values_;
};

Value Builder::input() {
  const ov::Shape shape{size(options_.batch), 3, size(options_.height), size(options_.width)};
  parameter_ = std::make_shared<ov::op::v0::Parameter>(
      options_.float_input ? ov::element::f32 : ov::element::u8, shape);
  parameter_->set_friendly_name("images");
  parameter_->output(0).set_names({"images"});
  return parameter_;
}

/// A constant over the tensor's own memory; `shape` may differ from the tensor's in singleton axes
/// and groups only.
Value Builder::weight(const std::string& name, const ov::Shape& shape) {
  const network::Tensor& tensor = fused_->weights.at(name);
  if (tensor.type != network::DataType::float32)
    throw Error(fmt::format("{}: expected float32 weights for the OpenVINO model", name));
  if (static_cast<std::size_t>(tensor.elements()) != ov::shape_size(shape))
    throw Error(fmt::format("{}: expected {} elements, found {}", name, ov::shape_size(shape),
                            tensor.elements()));
  const auto owner = std::const_pointer_cast<network::NetworkAndWeights>(fused_);
  auto node =
      std::make_shared<ov::op::v0::Constant>(ov::element::f32, shape, tensor.bytes.data(), owner);
  node->set_friendly_name(name);
  return node;
}

Value Builder::translate(const network::Convolution& conv, const Inputs& in) {
  const std::size_t out = size(conv.out_channels), in_group = size(conv.in_channels / conv.groups),
                    groups = size(conv.groups);
  const std::size_t kh = size(conv.kernel_h), kw = size(conv.kernel_w);
  const ov::Strides strides{size(conv.stride), size(conv.stride)},
      dilations{size(conv.dilation), size(conv.dilation)};
  const ov::CoordinateDiff pads{conv.pad_h, conv.pad_w};
  const ov::Shape shape = groups == 1 ? ov::Shape{out, in_group, kh, kw}
                                      : ov::Shape{groups, out / groups, in_group, kh, kw};
  const network::Quantization* plan = options_.quantized.plan.get();
  const bool integers = plan != nullptr && plan->quantizes(conv);
  const Value weights =
      integers ? integer_weight(conv, shape) : weight(conv.tensor + ".weight", shape);
  std::shared_ptr<ov::Node> y;
  if (groups == 1)
    y = std::make_shared<ov::op::v1::Convolution>(in[0], weights, strides, pads, pads, dilations);
  else
    y = std::make_shared<ov::op::v1::GroupConvolution>(in[0], weights, strides, pads, pads,
                                                       dilations);
  y->set_friendly_name(conv.tensor);
  const ov::Shape channels{1, out, 1, 1};
  if (integers)
    return std::make_shared<ov::op::v1::Add>(
        y, floats(channels, plan->bias(conv, fused_->weights, options_.quantized.numbers)));
  if (!conv.bias) return y;
  return std::make_shared<ov::op::v1::Add>(y, weight(conv.tensor + ".bias", channels));
}

Value Builder::integer_weight(const network::Convolution& conv, const ov::Shape& shape) {
  ov::Shape scales(shape.size(), 1);
  scales[0] = shape[0];
  if (shape.size() == 5) scales[1] = shape[1];
  return quantized_weights(
      options_.quantized.plan->weight(conv, fused_->weights, options_.quantized.numbers), shape,
      scales);
}

Value Builder::held(int number, const Value& value) const {
  const network::Quantization* plan = options_.quantized.plan.get();
  if (plan == nullptr) return value;
  switch (plan->role(number)) {
    case network::ValueRole::real:
    case network::ValueRole::carried: return value;
    case network::ValueRole::inner:
      if (!options_.quantized.inner) return value;
      break;
    case network::ValueRole::quantized: break;
  }
  return quantized_value(value, plan->scale(number), options_.quantized.numbers);
}

Value Builder::translate(const network::BatchNorm& norm, const Inputs& in) {
  const ov::Shape shape{size(norm.channels)};
  const auto part = [&](const char* name) { return weight(norm.tensor + name, shape); };
  return std::make_shared<ov::op::v5::BatchNormInference>(
      in[0], part(".weight"), part(".bias"), part(".running_mean"), part(".running_var"),
      network::batch_norm_epsilon);
}

Value Builder::translate(const network::Activate& activate, const Inputs& in) {
  return activated(in[0], activate.activation);
}

Value Builder::translate(const network::MaxPool& pool, const Inputs& in) {
  // Version 1: from version 8 on the operation has a second output. Padding counts as −∞.
  const ov::Shape pads{size(pool.padding), size(pool.padding)};
  return std::make_shared<ov::op::v1::MaxPool>(
      in[0], ov::Strides{size(pool.stride), size(pool.stride)}, pads, pads,
      ov::Shape{size(pool.kernel), size(pool.kernel)}, ov::op::RoundingType::FLOOR);
}

Value Builder::translate(const network::Concat&, const Inputs& in) {
  return std::make_shared<ov::op::v0::Concat>(in, 1);
}

Value Builder::translate(const network::Add&, const Inputs& in) {
  Value sum = in[0];
  for (std::size_t i = 1; i < in.size(); ++i) sum = std::make_shared<ov::op::v1::Add>(sum, in[i]);
  return sum;
}

Value Builder::translate(const network::Multiply&, const Inputs& in) {
  return std::make_shared<ov::op::v1::Multiply>(in[0], in[1]);
}

Value Builder::translate(const network::Upsample&, const Inputs& in) {
  ov::op::v11::Interpolate::InterpolateAttrs attributes;
  attributes.mode = ov::op::v11::Interpolate::InterpolateMode::NEAREST;
  attributes.shape_calculation_mode = ov::op::v11::Interpolate::ShapeCalcMode::SCALES;
  attributes.coordinate_transformation_mode =
      ov::op::v11::Interpolate::CoordinateTransformMode::ASYMMETRIC;
  attributes.nearest_mode = ov::op::v11::Interpolate::NearestMode::FLOOR;
  attributes.pads_begin = attributes.pads_end = {0, 0};
  return std::make_shared<ov::op::v11::Interpolate>(in[0], floats({2}, {2, 2}), integers({2, 3}),
                                                    attributes);
}

/// SpaceToDepth does not offer the order of this one.
Value Builder::translate(const network::Reorg&, const Inputs& in) {
  ov::OutputVector parts;
  const std::vector<std::int64_t> begin_mask{1, 1, 0, 0}, end_mask{1, 1, 1, 1};
  for (const std::int64_t column : {0, 1})
    for (const std::int64_t row : {0, 1})
      parts.push_back(std::make_shared<ov::op::v1::StridedSlice>(
          in[0], integers({0, 0, row, column}), integers({0, 0, 0, 0}), integers({1, 1, 2, 2}),
          begin_mask, end_mask));
  return std::make_shared<ov::op::v0::Concat>(parts, 1);
}

Value Builder::implicit(const std::string& tensor, int channels) {
  return weight(tensor + ".implicit", {1, size(channels), 1, 1});
}

Value Builder::translate(const network::ImplicitAdd& add, const Inputs& in) {
  return std::make_shared<ov::op::v1::Add>(in[0], implicit(add.tensor, add.channels));
}

Value Builder::translate(const network::ImplicitMultiply& multiply, const Inputs& in) {
  return std::make_shared<ov::op::v1::Multiply>(in[0],
                                                implicit(multiply.tensor, multiply.channels));
}

Value Builder::translate(const network::ChannelMean&, const Inputs& in) {
  return std::make_shared<ov::op::v1::ReduceMean>(in[0], integers({1}), true);
}

Value Builder::translate(const network::ChannelMax&, const Inputs& in) {
  return std::make_shared<ov::op::v1::ReduceMax>(in[0], integers({1}), true);
}

Value Builder::translate(const network::PixelsToUnit&, const Inputs& in) {
  const auto converted = std::make_shared<ov::op::v0::Convert>(in[0], ov::element::f32);
  return std::make_shared<ov::op::v1::Multiply>(converted, floats({1, 1, 1, 1}, {1.0f / 255}));
}

/// Convolutions leave their result with the channels last, so the transposition to that order comes
/// first: it moves nothing, and the second one moves whole rows.
Value Builder::translate(const network::ToRows& rows, const Inputs& in) {
  const ov::Shape shape = in[0].get_shape();
  const auto cells = static_cast<std::int64_t>(shape[2] * shape[3]);
  const auto last = std::make_shared<ov::op::v1::Transpose>(in[0], integers({0, 2, 3, 1}));
  const auto split = std::make_shared<ov::op::v1::Reshape>(
      last, integers({options_.batch, cells, rows.anchors, rows.columns}), false);
  return std::make_shared<ov::op::v1::Transpose>(split, integers({0, 2, 1, 3}));
}

Value Builder::translate(const network::ScaleRows& scale, const Inputs& in) {
  const std::vector<float> factors(scale.factors.begin(), scale.factors.end());
  return std::make_shared<ov::op::v1::Multiply>(
      in[0], floats({1, size(scale.anchors), 1, size(scale.columns)}, factors));
}

Value Builder::translate(const network::ShiftRows& shift, const Inputs& in) {
  const std::vector<float> terms(shift.terms.begin(), shift.terms.end());
  return std::make_shared<ov::op::v1::Add>(in[0], floats({1, 1, 1, terms.size()}, terms));
}

Value Builder::translate(const network::AddCellOffsets& offsets, const Inputs& in) {
  const std::size_t cells = size(offsets.height) * size(offsets.width);
  return std::make_shared<ov::op::v1::Add>(
      in[0], floats({1, 1, cells, size(offsets.columns)}, network::cell_offsets(offsets)));
}

Value Builder::translate(const network::JoinRows& join, const Inputs& in) {
  ov::OutputVector levels;
  for (const Value& rows : in) {
    const ov::Shape shape = rows.get_shape();
    levels.push_back(std::make_shared<ov::op::v1::Reshape>(
        rows,
        integers({options_.batch, static_cast<std::int64_t>(shape[1] * shape[2]), join.columns}),
        false));
  }
  return std::make_shared<ov::op::v0::Concat>(levels, 1);
}

template <class Operation>
void Builder::compute(const Operation& operation) {
  Inputs in;
  for (const int input : operation.inputs) in.push_back(values_.at(size(input)));
  const Value result = std::visit([&](const auto& primitive) { return translate(primitive, in); },
                                  operation.primitive);
  values_.at(size(operation.output)) = held(operation.output, result);
  if (options_.name_values)
    values_.at(size(operation.output)).add_names({value_name(operation.output)});
}

/// [B, na·no, H, W] → [B, na, H, W, no]
Value Builder::raw_map(const Level& level) {
  const Value map = values_.at(size(level.value));
  const ov::Shape shape = map.get_shape();
  const auto h = static_cast<std::int64_t>(shape[2]), w = static_cast<std::int64_t>(shape[3]);
  const auto na = static_cast<std::int64_t>(level.anchors.size());
  const auto split = std::make_shared<ov::op::v1::Reshape>(
      map, integers({options_.batch, na, network_.outputs_per_anchor(), h, w}), false);
  return std::make_shared<ov::op::v1::Transpose>(split, integers({0, 1, 3, 4, 2}));
}

void Builder::describe(ov::Model& model) const {
  std::vector<std::string> strides, anchors;
  for (std::size_t j = 0; j < network_.lead_levels(); ++j) {
    const Level& level = network_.levels[j];
    strides.push_back(text::general(level.stride));
    std::vector<std::string> pairs;
    for (const network::AnchorSize& anchor : level.anchors)
      pairs.push_back(fmt::format("{},{}", text::general(anchor.w, 9), text::general(anchor.h, 9)));
    anchors.push_back(text::join(pairs, ","));
  }
  const auto set = [&](const char* key, const std::string& value) {
    model.set_rt_info(value, "yolov7", key);
  };
  set("layout", "v5");
  set("stride", text::general(network_.largest_stride()));
  set("strides", text::join(strides, ","));
  set("anchors", text::join(anchors, ";"));
  for (std::size_t i = 0; i < options_.names.size(); ++i)
    model.set_rt_info(options_.names[i], "yolov7", "names", fmt::format("{}", i));
}

std::shared_ptr<ov::Model> Builder::build() {
  values_.at(size(program_.input)) = held(program_.input, input());
  for (const auto& operation : program_.before) compute(operation);
  for (const auto& operation : network_.operations) compute(operation);
  for (const auto& operation : program_.after) compute(operation);
  const Value decoded = values_.at(size(program_.rows));
  decoded.get_node_shared_ptr()->output(0).set_names({"output0"});
  ov::ResultVector results{std::make_shared<ov::op::v0::Result>(decoded)};
  if (options_.raw_maps)
    for (std::size_t j = 0; j < network_.lead_levels(); ++j) {
      Value map = raw_map(network_.levels[j]);
      map.set_names({fmt::format("raw{}", j)});
      results.push_back(std::make_shared<ov::op::v0::Result>(map));
    }
  auto model = std::make_shared<ov::Model>(results, ov::ParameterVector{parameter_}, "yolov7");
  describe(*model);
  return model;
}

}  // namespace

std::shared_ptr<ov::Model> make_openvino_model(
    std::shared_ptr<const network::NetworkAndWeights> fused, const OpenvinoModelOptions& options) {
  const int stride = static_cast<int>(fused->network.largest_stride());
  if (options.batch < 1 || options.height < stride || options.width < stride ||
      options.height % stride != 0 || options.width % stride != 0)
    throw Error(fmt::format(
        "expected at least one image with sides that are multiples of {}, found {} of {} x {}",
        stride, options.batch, options.height, options.width));
  return Builder(std::move(fused), options).build();
}

}  // namespace yolov7::runtime
