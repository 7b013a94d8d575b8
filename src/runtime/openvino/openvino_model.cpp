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
#include <openvino/op/prelu.hpp>
#include <openvino/op/reduce_max.hpp>
#include <openvino/op/reduce_mean.hpp>
#include <openvino/op/relu.hpp>
#include <openvino/op/reshape.hpp>
#include <openvino/op/result.hpp>
#include <openvino/op/sigmoid.hpp>
#include <openvino/op/strided_slice.hpp>
#include <openvino/op/swish.hpp>
#include <openvino/op/transpose.hpp>

#include "core/error.hpp"
#include "core/text.hpp"

namespace yolov7::runtime {
namespace {

using network::Activation;
using network::ActivationKind;
using network::Level;
using network::Operation;
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
        values_(size(network_.value_count)) {}

  std::shared_ptr<ov::Model> build();

 private:
  Value input();
  Value weight(const std::string& name, const ov::Shape& shape);
  Value convolution(const Operation& operation);
  Value activation(const Activation& activation, const Value& x);
  Value max_pool(const Operation& operation);
  Value batch_norm(const Operation& operation);
  Value implicit(const Operation& operation);
  Value reorg(const Value& x);
  Value upsample(const Value& x);
  Value compute(const Operation& operation);
  Value raw_map(const Level& level);
  Value decode(const Level& level);
  void describe(ov::Model& model) const;

  std::shared_ptr<const network::NetworkAndWeights> fused_;
  const network::Network& network_;
  const OpenvinoModelOptions& options_;
  std::shared_ptr<ov::op::v0::Parameter> parameter_;
  std::vector<Value> values_;
};

Value Builder::input() {
  const ov::Shape shape{size(options_.batch), 3, size(options_.height), size(options_.width)};
  parameter_ = std::make_shared<ov::op::v0::Parameter>(
      options_.float_input ? ov::element::f32 : ov::element::u8, shape);
  parameter_->set_friendly_name("images");
  parameter_->output(0).set_names({"images"});
  if (options_.float_input) return parameter_;
  const auto converted = std::make_shared<ov::op::v0::Convert>(parameter_, ov::element::f32);
  return std::make_shared<ov::op::v1::Multiply>(converted, floats({1, 1, 1, 1}, {1.0f / 255}));
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

Value Builder::convolution(const Operation& op) {
  const std::size_t out = size(op.out_channels), in = size(op.in_channels / op.groups),
                    groups = size(op.groups);
  const std::size_t kh = size(op.kernel_h), kw = size(op.kernel_w);
  const ov::Strides strides{size(op.stride), size(op.stride)},
      dilations{size(op.dilation), size(op.dilation)};
  const ov::CoordinateDiff pads{op.pad_h, op.pad_w};
  const Value x = values_.at(size(op.inputs.at(0)));
  std::shared_ptr<ov::Node> y;
  if (op.groups == 1)
    y = std::make_shared<ov::op::v1::Convolution>(
        x, weight(op.tensor + ".weight", {out, in, kh, kw}), strides, pads, pads, dilations);
  else
    y = std::make_shared<ov::op::v1::GroupConvolution>(
        x, weight(op.tensor + ".weight", {groups, out / groups, in, kh, kw}), strides, pads, pads,
        dilations);
  y->set_friendly_name(op.tensor);
  if (op.bias)
    y = std::make_shared<ov::op::v1::Add>(y, weight(op.tensor + ".bias", {1, out, 1, 1}));
  return y;
}

Value Builder::activation(const Activation& activation, const Value& x) {
  switch (activation.kind) {
    case ActivationKind::identity: return x;
    case ActivationKind::silu: return std::make_shared<ov::op::v4::Swish>(x);
    case ActivationKind::relu: return std::make_shared<ov::op::v0::Relu>(x);
    case ActivationKind::sigmoid: return std::make_shared<ov::op::v0::Sigmoid>(x);
    case ActivationKind::leaky_relu:
      return std::make_shared<ov::op::v0::PRelu>(
          x, floats({1}, {static_cast<float>(activation.slope)}));
  }
  throw Error("unknown activation");
}

Value Builder::max_pool(const Operation& op) {
  // Version 1: from version 8 on the operation has a second output. Padding counts as −∞.
  const ov::Shape pads{size(op.pad_h), size(op.pad_w)};
  return std::make_shared<ov::op::v1::MaxPool>(
      values_.at(size(op.inputs.at(0))), ov::Strides{size(op.stride), size(op.stride)}, pads, pads,
      ov::Shape{size(op.kernel_h), size(op.kernel_w)}, ov::op::RoundingType::FLOOR);
}

/// Space to depth with the row offset varying fastest (architecture 1.4), which SpaceToDepth does
/// not offer.
Value Builder::reorg(const Value& x) {
  ov::OutputVector parts;
  const std::vector<std::int64_t> begin_mask{1, 1, 0, 0}, end_mask{1, 1, 1, 1};
  for (const std::int64_t column : {0, 1})
    for (const std::int64_t row : {0, 1})
      parts.push_back(std::make_shared<ov::op::v1::StridedSlice>(
          x, integers({0, 0, row, column}), integers({0, 0, 0, 0}), integers({1, 1, 2, 2}),
          begin_mask, end_mask));
  return std::make_shared<ov::op::v0::Concat>(parts, 1);
}

Value Builder::upsample(const Value& x) {
  ov::op::v11::Interpolate::InterpolateAttrs attributes;
  attributes.mode = ov::op::v11::Interpolate::InterpolateMode::NEAREST;
  attributes.shape_calculation_mode = ov::op::v11::Interpolate::ShapeCalcMode::SCALES;
  attributes.coordinate_transformation_mode =
      ov::op::v11::Interpolate::CoordinateTransformMode::ASYMMETRIC;
  attributes.nearest_mode = ov::op::v11::Interpolate::NearestMode::FLOOR;
  attributes.pads_begin = attributes.pads_end = {0, 0};
  return std::make_shared<ov::op::v11::Interpolate>(x, floats({2}, {2, 2}), integers({2, 3}),
                                                    attributes);
}

Value Builder::compute(const Operation& op) {
  const auto in = [&](std::size_t i) { return values_.at(size(op.inputs.at(i))); };
  switch (op.kind) {
    case Operation::Kind::conv: return convolution(op);
    case Operation::Kind::activation: return activation(op.activation, in(0));
    case Operation::Kind::max_pool: return max_pool(op);
    case Operation::Kind::add: {
      Value sum = in(0);
      for (std::size_t i = 1; i < op.inputs.size(); ++i)
        sum = std::make_shared<ov::op::v1::Add>(sum, in(i));
      return sum;
    }
    case Operation::Kind::multiply: return std::make_shared<ov::op::v1::Multiply>(in(0), in(1));
    case Operation::Kind::channel_mean:
      return std::make_shared<ov::op::v1::ReduceMean>(in(0), integers({1}), true);
    case Operation::Kind::channel_max:
      return std::make_shared<ov::op::v1::ReduceMax>(in(0), integers({1}), true);
    case Operation::Kind::upsample: return upsample(in(0));
    case Operation::Kind::reorg: return reorg(in(0));
    case Operation::Kind::concat: {
      ov::OutputVector parts;
      for (std::size_t i = 0; i < op.inputs.size(); ++i) parts.push_back(in(i));
      return std::make_shared<ov::op::v0::Concat>(parts, 1);
    }
    case Operation::Kind::batch_norm: return batch_norm(op);
    case Operation::Kind::implicit_add:
      return std::make_shared<ov::op::v1::Add>(in(0), implicit(op));
    case Operation::Kind::implicit_mul:
      return std::make_shared<ov::op::v1::Multiply>(in(0), implicit(op));
  }
  throw Error(fmt::format("layer {} ({}): an unknown operation", op.layer, op.tensor));
}

Value Builder::batch_norm(const Operation& op) {
  const ov::Shape shape{size(op.out_channels)};
  const auto part = [&](const char* name) { return weight(op.tensor + name, shape); };
  return std::make_shared<ov::op::v5::BatchNormInference>(
      values_.at(size(op.inputs.at(0))), part(".weight"), part(".bias"), part(".running_mean"),
      part(".running_var"), network::batch_norm_epsilon);
}

Value Builder::implicit(const Operation& op) {
  const std::string name = op.tensor + ".implicit";
  return weight(name, {1, static_cast<std::size_t>(fused_->weights.at(name).elements()), 1, 1});
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

/// [B, na·no, H, W] → [B, na·H·W, no]: xy = 2S·σ + S·(g − 0.5), wh = 4A·σ², the rest σ
/// (architecture 3.4), all columns at once as (square·σ + linear)·σ + offset. Convolutions leave
/// their result with the channels last, so the transposition to rows comes first: it moves whole
/// rows.
Value Builder::decode(const Level& level) {
  const Value map = values_.at(size(level.value));
  const std::size_t h = map.get_shape()[2], w = map.get_shape()[3], na = level.anchors.size(),
                    no = size(network_.outputs_per_anchor());
  const auto stride = static_cast<float>(level.stride);
  std::vector<float> square(na * no, 0), linear(no, 1), offset(h * w * no, 0);
  for (std::size_t a = 0; a < na; ++a) {
    square[a * no + 2] = static_cast<float>(4 * level.anchors[a].w);
    square[a * no + 3] = static_cast<float>(4 * level.anchors[a].h);
  }
  linear[0] = linear[1] = 2 * stride;
  linear[2] = linear[3] = 0;
  for (std::size_t cell = 0; cell < h * w; ++cell) {
    offset[cell * no] = stride * (static_cast<float>(cell % w) - 0.5f);
    offset[cell * no + 1] = stride * (static_cast<float>(cell / w) - 0.5f);
  }
  const std::int64_t cells = static_cast<std::int64_t>(h * w),
                     anchors = static_cast<std::int64_t>(na),
                     columns = network_.outputs_per_anchor();
  const auto sigma = std::make_shared<ov::op::v0::Sigmoid>(map);
  const auto last = std::make_shared<ov::op::v1::Transpose>(sigma, integers({0, 2, 3, 1}));
  const auto split = std::make_shared<ov::op::v1::Reshape>(
      last, integers({options_.batch, cells, anchors, columns}), false);
  const auto rows = std::make_shared<ov::op::v1::Transpose>(split, integers({0, 2, 1, 3}));
  const auto squared = std::make_shared<ov::op::v1::Multiply>(rows, floats({1, na, 1, no}, square));
  const auto factor = std::make_shared<ov::op::v1::Add>(squared, floats({1, 1, 1, no}, linear));
  const auto scaled = std::make_shared<ov::op::v1::Multiply>(factor, rows);
  const auto decoded = std::make_shared<ov::op::v1::Add>(scaled, floats({1, 1, h * w, no}, offset));
  return std::make_shared<ov::op::v1::Reshape>(
      decoded, integers({options_.batch, anchors * cells, columns}), false);
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
  values_.at(0) = input();
  for (const Operation& operation : network_.operations)
    values_.at(size(operation.output)) = compute(operation);
  ov::OutputVector outputs;
  for (std::size_t j = 0; j < network_.lead_levels(); ++j)
    outputs.push_back(decode(network_.levels[j]));
  const auto decoded = std::make_shared<ov::op::v0::Concat>(outputs, 1);
  decoded->output(0).set_names({"output0"});
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

bool is_fused(const network::Network& network) {
  for (const Operation& operation : network.operations)
    if (operation.kind == Operation::Kind::batch_norm ||
        operation.kind == Operation::Kind::implicit_add ||
        operation.kind == Operation::Kind::implicit_mul)
      return false;
  return true;
}

std::shared_ptr<ov::Model> make_openvino_model(
    std::shared_ptr<const network::NetworkAndWeights> fused, const OpenvinoModelOptions& options) {
  const int stride = static_cast<int>(fused->network.largest_stride());
  if (options.batch < 1 || options.height < stride || options.width < stride ||
      options.height % stride != 0 || options.width % stride != 0)
    throw Error(fmt::format(
        "expected at least one picture with sides that are multiples of {}, found {} of {} x {}",
        stride, options.batch, options.height, options.width));
  return Builder(std::move(fused), options).build();
}

}  // namespace yolov7::runtime
