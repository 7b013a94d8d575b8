#include "exporting/tensorflow_graph.hpp"

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/overloaded.hpp"

namespace yolov7::exporting {
namespace {

using Kind = ChannelsLastKind;
using Attributes = std::vector<TensorflowAttribute>;
using Integers = std::vector<std::int64_t>;

namespace graph_field {
constexpr int node = 1, versions = 4;
}
namespace node_field {
constexpr int name = 1, op = 2, input = 3, attr = 5;
}
namespace attribute_field {
constexpr int list = 1, s = 2, i = 3, f = 4, b = 5, type = 6, shape = 7, tensor = 8;
}
namespace tensor_field {
constexpr int dtype = 1, tensor_shape = 2, tensor_content = 4;
}

/// Those of the graph that TensorFlow 2.21 writes and, at least, reads.
constexpr int producer = 1882, min_consumer = 12;

constexpr auto real = TensorflowType::float32, whole = TensorflowType::int32;
constexpr auto no = TensorflowFlag::no, yes = TensorflowFlag::yes;

ProtobufMessage attribute(const TensorflowAttribute& one) {
  ProtobufMessage message;
  std::visit(Overloaded{
                 [&](std::int64_t value) { message.integer(attribute_field::i, value); },
                 [&](float value) { message.real(attribute_field::f, value); },
                 [&](TensorflowFlag value) { message.integer(attribute_field::b, value == yes); },
                 [&](TensorflowType value) {
                   message.integer(attribute_field::type, static_cast<int>(value));
                 },
                 [&](std::string_view value) { message.text(attribute_field::s, value); },
                 [&](const Integers& values) {
                   ProtobufMessage list;
                   list.integers(attribute_field::i, values);
                   message.message(attribute_field::list, std::move(list));
                 },
             },
             one.second);
  return message;
}

ProtobufMessage node_head(std::string_view name, std::string_view operation) {
  ProtobufMessage message;
  message.text(node_field::name, name).text(node_field::op, operation);
  return message;
}

ProtobufMessage tensor_head(TensorflowType type, const Shape& shape) {
  ProtobufMessage tensor;
  tensor.integer(tensor_field::dtype, static_cast<int>(type))
      .message(tensor_field::tensor_shape, tensorflow_shape(shape));
  return tensor;
}

template <class T>
ProtobufMessage tensor_of(TensorflowType type, const Shape& shape, const std::vector<T>& values) {
  ProtobufMessage tensor = tensor_head(type, shape);
  tensor.text(tensor_field::tensor_content,
              {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)});
  return tensor;
}

std::string_view name_of(Kind kind) {
  switch (kind) {
    case Kind::convolution: return "Conv2D";
    case Kind::depthwise_convolution: return "DepthwiseConv2dNative";
    case Kind::logistic: return "Sigmoid";
    case Kind::relu: return "Relu";
    case Kind::relu6: return "Relu6";
    case Kind::leaky_relu: return "LeakyRelu";
    case Kind::max_pool: return "MaxPool";
    case Kind::concat: return "ConcatV2";
    case Kind::add: return "AddV2";
    case Kind::multiply: return "Mul";
    case Kind::resize: return "ResizeNearestNeighbor";
    case Kind::pad: return "Pad";
    case Kind::pad_value: return "PadV2";
    case Kind::slice: return "StridedSlice";
    case Kind::reshape: return "Reshape";
    case Kind::transpose: return "Transpose";
    case Kind::mean: return "Mean";
    case Kind::maximum: return "Max";
    case Kind::from_bytes: return "Cast";
    case Kind::to_integers:
    case Kind::from_integers: break;  // not written here
  }
  throw Error("unknown operation of TensorFlow");
}

Attributes attributes_of(const ChannelsLastNode& node) {
  const std::int64_t stride = node.stride, dilation = node.dilation, kernel = node.kernel;
  const std::string_view padding = node.same ? "SAME" : "VALID";
  switch (node.kind) {
    case Kind::convolution:
    case Kind::depthwise_convolution:
      return {{"T", real},
              {"data_format", "NHWC"},
              {"dilations", Integers{1, dilation, dilation, 1}},
              {"padding", padding},
              {"strides", Integers{1, stride, stride, 1}}};
    case Kind::max_pool:
      return {{"T", real},
              {"data_format", "NHWC"},
              {"ksize", Integers{1, kernel, kernel, 1}},
              {"padding", padding},
              {"strides", Integers{1, stride, stride, 1}}};
    case Kind::leaky_relu: return {{"T", real}, {"alpha", node.slope}};
    case Kind::concat:
      return {{"N", static_cast<std::int64_t>(node.inputs.size())}, {"T", real}, {"Tidx", whole}};
    case Kind::resize: return {{"T", real}, {"align_corners", no}, {"half_pixel_centers", no}};
    case Kind::pad:
    case Kind::pad_value: return {{"T", real}, {"Tpaddings", whole}};
    case Kind::slice:
      return {{"Index", whole},
              {"T", real},
              {"begin_mask", std::int64_t{node.whole_from}},
              {"ellipsis_mask", std::int64_t{0}},
              {"end_mask", std::int64_t{node.whole_to}},
              {"new_axis_mask", std::int64_t{0}},
              {"shrink_axis_mask", std::int64_t{0}}};
    case Kind::reshape: return {{"T", real}, {"Tshape", whole}};
    case Kind::transpose: return {{"T", real}, {"Tperm", whole}};
    case Kind::mean:
    case Kind::maximum: return {{"T", real}, {"Tidx", whole}, {"keep_dims", yes}};
    case Kind::from_bytes:
      return {{"DstT", real}, {"SrcT", TensorflowType::uint8}, {"Truncate", no}};
    case Kind::logistic:
    case Kind::relu:
    case Kind::relu6:
    case Kind::add:
    case Kind::multiply: return {{"T", real}};
    case Kind::to_integers:
    case Kind::from_integers: break;
  }
  throw Error("unknown operation of TensorFlow");
}

}  // namespace

ProtobufMessage tensorflow_shape(const Shape& shape) {
  ProtobufMessage message;
  for (const std::int64_t side : shape) {
    ProtobufMessage one;
    one.integer(1, side);
    message.message(2, std::move(one));
  }
  return message;
}

std::string TensorflowGraph::fresh(std::string_view what) const {
  return fmt::format("{}_{}", what, names_.size());
}

int TensorflowGraph::add(const std::string& name, std::string_view operation,
                         const std::vector<int>& inputs, const Attributes& attributes) {
  ProtobufMessage message = node_head(name, operation);
  for (const int input : inputs)
    message.text(node_field::input, names_.at(static_cast<std::size_t>(input)));
  for (const TensorflowAttribute& one : attributes)
    message.entry(node_field::attr, one.first, attribute(one));
  nodes_.push_back(std::move(message));
  names_.push_back(name);
  return static_cast<int>(names_.size()) - 1;
}

int TensorflowGraph::constant(const std::string& name, TensorflowType type,
                              ProtobufMessage tensor) {
  ProtobufMessage message = node_head(name, "Const"), value;
  value.message(attribute_field::tensor, std::move(tensor));
  message.entry(node_field::attr, "dtype", attribute({"dtype", type}))
      .entry(node_field::attr, "value", std::move(value));
  nodes_.push_back(std::move(message));
  names_.push_back(name);
  return static_cast<int>(names_.size()) - 1;
}

int TensorflowGraph::input(const std::string& name, TensorflowType type, const Shape& shape) {
  const int value = add(name, "Placeholder", {}, {{"dtype", type}});
  ProtobufMessage sides;
  sides.message(attribute_field::shape, tensorflow_shape(shape));
  nodes_.back().entry(node_field::attr, "shape", std::move(sides));
  return value;
}

void TensorflowGraph::output(int value, const std::string& name, TensorflowType type) {
  add(name, "Identity", {value}, {{"T", type}});
}

std::array<int, 4> TensorflowGraph::combined_suppression(int boxes, int scores, int most_of_class,
                                                         int most, float iou, float score) {
  const std::string name = "CombinedNonMaxSuppression";
  const int of_class = integers({}, {most_of_class}), of_image = integers({}, {most}),
            iou_value = floats({}, {iou}), score_value = floats({}, {score});
  std::array<int, 4> outputs{};
  outputs[0] = add(name, name, {boxes, scores, of_class, of_image, iou_value, score_value},
                   {{"clip_boxes", yes}, {"pad_per_class", no}});
  for (std::size_t port = 1; port < outputs.size(); ++port) {
    names_.push_back(fmt::format("{}:{}", name, port));  // further outputs of the node
    outputs[port] = static_cast<int>(names_.size()) - 1;
  }
  return outputs;
}

int TensorflowGraph::floats(const Shape& shape, const std::vector<float>& values) {
  return constant(fresh("floats"), real, tensor_of(real, shape, values));
}

int TensorflowGraph::integers(const Shape& shape, const std::vector<std::int32_t>& values) {
  return constant(fresh("integers"), whole, tensor_of(whole, shape, values));
}

/// Names of nodes take letters, digits, and . - / \ _ behind the first, as official names do.
int TensorflowGraph::weight(const std::string& name, const Shape& shape,
                            const network::Tensor& tensor, const Shape& source,
                            const std::vector<std::size_t>& order) {
  ProtobufMessage message = tensor_head(real, shape);
  message.later(tensor_field::tensor_content,
                static_cast<std::uint64_t>(tensor.elements()) * sizeof(float),
                [&tensor, source, order, kept = owner_](std::ostream& out) {
                  const std::vector<float> values = permuted(tensor, source, order);
                  out.write(reinterpret_cast<const char*>(values.data()),
                            static_cast<std::streamsize>(values.size() * sizeof(float)));
                });
  return constant(fresh(name), real, std::move(message));
}

/// [kh, kw, in, out], or depthwise [kh, kw, in, multiplier], whose numbers stand in the same order.
int TensorflowGraph::filter(const std::string& name, const network::Tensor& tensor,
                            const Shape& shape, int depthwise_channels) {
  if (depthwise_channels > 0)
    return weight(name, {shape[2], shape[3], depthwise_channels, shape[0] / depthwise_channels},
                  tensor, shape, {2, 3, 1, 0});
  return weight(name, {shape[2], shape[3], shape[1], shape[0]}, tensor, shape, {2, 3, 1, 0});
}

int TensorflowGraph::bias(const std::string& name, const network::Tensor& tensor) {
  const Shape shape{tensor.elements()};
  return weight(name, shape, tensor, shape, {0});
}

int TensorflowGraph::bytes(const std::string& name, const ChannelsLastBytes&) {
  throw Error(fmt::format("TensorFlow: {}: graphs of 8-bit integers are not written", name));
}

int TensorflowGraph::integer_bias(const std::string& name, const std::vector<std::int32_t>&,
                                  const std::vector<float>&) {
  throw Error(fmt::format("TensorFlow: {}: graphs of 8-bit integers are not written", name));
}

int TensorflowGraph::node(const ChannelsLastNode& node) {
  std::vector<int> inputs = node.inputs;
  const std::string_view operation = name_of(node.kind);
  switch (node.kind) {
    case Kind::convolution:
    case Kind::depthwise_convolution: {
      const int sum = add(fresh(operation), operation, {inputs[0], inputs[1]}, attributes_of(node));
      return add(fresh("BiasAdd"), "BiasAdd", {sum, inputs[2]},
                 {{"T", real}, {"data_format", "NHWC"}});
    }
    case Kind::concat: inputs.push_back(integers({}, {node.axis})); break;
    default: break;
  }
  return add(fresh(operation), operation, inputs, attributes_of(node));
}

ProtobufMessage TensorflowGraph::graph() && {
  ProtobufMessage graph, versions;
  for (ProtobufMessage& one : nodes_) graph.message(graph_field::node, std::move(one));
  versions.integer(1, producer).integer(2, min_consumer);
  graph.message(graph_field::versions, std::move(versions));
  return graph;
}

}  // namespace yolov7::exporting
