#include "exporting/onnx_graph.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.hpp"
#include "core/overloaded.hpp"
#include "core/version.hpp"

namespace yolov7::exporting {
namespace {

// Field numbers of onnx.proto (public schema, Apache-2.0).
namespace model_field {
constexpr int ir_version = 1, producer_name = 2, producer_version = 3, graph = 7, opset_import = 8,
              metadata_props = 14;
}
namespace graph_field {
constexpr int node = 1, name = 2, initializer = 5, input = 11, output = 12;
}
namespace node_field {
constexpr int input = 1, output = 2, name = 3, op_type = 4, attribute = 5, domain = 7;
}
namespace attribute_field {
constexpr int name = 1, f = 2, i = 3, s = 4, ints = 8, type = 20;
}
namespace tensor_field {
constexpr int dims = 1, data_type = 2, name = 8, raw_data = 9;
}

/// AttributeProto.AttributeType.
constexpr int float_attribute = 1, int_attribute = 2, string_attribute = 3, ints_attribute = 7;

ProtobufMessage attribute(const OnnxAttribute& one) {
  ProtobufMessage message;
  message.text(attribute_field::name, one.first);
  std::visit(
      Overloaded{
          [&](std::int64_t value) {
            message.integer(attribute_field::i, value)
                .integer(attribute_field::type, int_attribute);
          },
          [&](float value) {
            message.real(attribute_field::f, value).integer(attribute_field::type, float_attribute);
          },
          [&](std::string_view value) {
            message.text(attribute_field::s, value)
                .integer(attribute_field::type, string_attribute);
          },
          [&](const std::vector<std::int64_t>& values) {
            for (const std::int64_t value : values) message.integer(attribute_field::ints, value);
            message.integer(attribute_field::type, ints_attribute);
          },
      },
      one.second);
  return message;
}

ProtobufMessage value_info(const std::string& name, OnnxType type,
                           const std::vector<OnnxSide>& shape) {
  ProtobufMessage sides;
  for (const OnnxSide& side : shape) {
    ProtobufMessage one;
    std::visit(Overloaded{[&](std::int64_t length) { one.integer(1, length); },
                          [&](const std::string& open) { one.text(2, open); }},
               side);
    sides.message(1, std::move(one));
  }
  ProtobufMessage tensor, kind, value;
  tensor.integer(1, static_cast<int>(type)).message(2, std::move(sides));
  kind.message(1, std::move(tensor));
  value.text(1, name).message(2, std::move(kind));
  return value;
}

ProtobufMessage tensor_head(const std::string& name, OnnxType type,
                            const std::vector<std::int64_t>& shape) {
  ProtobufMessage tensor;
  for (const std::int64_t side : shape) tensor.integer(tensor_field::dims, side);
  tensor.integer(tensor_field::data_type, static_cast<int>(type)).text(tensor_field::name, name);
  return tensor;
}

template <class T>
std::string_view bytes_of(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

std::string_view bytes_of(const network::Tensor& tensor) {
  return {reinterpret_cast<const char*>(tensor.bytes.data()), tensor.bytes.size()};
}

}  // namespace

std::string OnnxGraph::fresh(std::string_view what) { return fmt::format("{}_{}", what, count_++); }

void OnnxGraph::input(const std::string& name, OnnxType type, const std::vector<OnnxSide>& shape) {
  inputs_.push_back(value_info(name, type, shape));
}

void OnnxGraph::output(const std::string& name, OnnxType type, const std::vector<OnnxSide>& shape) {
  outputs_.push_back(value_info(name, type, shape));
}

void OnnxGraph::node(std::string_view operation, std::string_view domain,
                     const std::vector<std::string>& inputs,
                     const std::vector<std::string>& outputs,
                     const std::vector<OnnxAttribute>& attributes) {
  ProtobufMessage message;
  for (const std::string& one : inputs) message.text(node_field::input, one);
  for (const std::string& one : outputs) message.text(node_field::output, one);
  message.text(node_field::name, outputs.front()).text(node_field::op_type, operation);
  for (const OnnxAttribute& one : attributes)
    message.message(node_field::attribute, attribute(one));
  if (!domain.empty()) message.text(node_field::domain, domain);
  nodes_.push_back(std::move(message));
}

std::string OnnxGraph::node(std::string_view operation, const std::vector<std::string>& inputs,
                            const std::vector<OnnxAttribute>& attributes, std::string output) {
  if (output.empty()) output = fresh(operation);
  node(operation, {}, inputs, {output}, attributes);
  return output;
}

std::string OnnxGraph::integers(const std::vector<std::int64_t>& values) {
  const std::string name = fresh("integers");
  initializers_.push_back(
      tensor_head(name, OnnxType::int64, {static_cast<std::int64_t>(values.size())}));
  initializers_.back().text(tensor_field::raw_data, bytes_of(values));
  return name;
}

std::string OnnxGraph::scalar(std::int64_t value) {
  const std::string name = fresh("integer");
  initializers_.push_back(tensor_head(name, OnnxType::int64, {}));
  initializers_.back().text(tensor_field::raw_data, bytes_of(std::vector<std::int64_t>{value}));
  return name;
}

std::string OnnxGraph::floats(const std::vector<std::int64_t>& shape,
                              const std::vector<float>& values, OnnxType type) {
  const std::string name = fresh("floats");
  initializers_.push_back(tensor_head(name, type, shape));
  if (type == OnnxType::float16)
    initializers_.back().text(
        tensor_field::raw_data,
        bytes_of(network::Tensor::from(values, shape).converted(network::DataType::float16)));
  else
    initializers_.back().text(tensor_field::raw_data, bytes_of(values));
  return name;
}

std::string OnnxGraph::numbers(const std::vector<std::int64_t>& shape, OnnxType type,
                               std::string_view bytes) {
  const std::string name = fresh("numbers");
  initializers_.push_back(tensor_head(name, type, shape));
  initializers_.back().text(tensor_field::raw_data, bytes);
  return name;
}

std::string OnnxGraph::weight(const std::string& name, const std::vector<std::int64_t>& shape,
                              const network::Tensor& tensor, OnnxType type,
                              std::shared_ptr<const void> owner) {
  if (std::find(written_.begin(), written_.end(), name) != written_.end()) return name;
  written_.push_back(name);
  std::int64_t elements = 1;
  for (const std::int64_t side : shape) elements *= side;
  if (tensor.elements() != elements || tensor.type != network::DataType::float32)
    throw Error(fmt::format("{}: expected {} float32 values, found {} of another type or number",
                            name, elements, tensor.elements()));
  initializers_.push_back(tensor_head(name, type, shape));
  if (type == OnnxType::float16)
    initializers_.back().later(
        tensor_field::raw_data, static_cast<std::uint64_t>(elements) * 2,
        [&tensor, kept = std::move(owner)](std::ostream& out) {
          const network::Tensor half = tensor.converted(network::DataType::float16);
          out.write(bytes_of(half).data(), static_cast<std::streamsize>(half.bytes.size()));
        });
  else
    initializers_.back().later(tensor_field::raw_data, tensor.bytes.size(),
                               [&tensor, kept = std::move(owner)](std::ostream& out) {
                                 out.write(bytes_of(tensor).data(),
                                           static_cast<std::streamsize>(tensor.bytes.size()));
                               });
  return name;
}

/// The axes are an input from 18 on.
std::string OnnxGraph::reduce(std::string_view operation, const std::string& input,
                              std::int64_t axis) {
  const std::int64_t keep = 1;
  if (opset_ >= 18) return node(operation, {input, integers({axis})}, {{"keepdims", keep}});
  return node(operation, {input}, {{"axes", std::vector{axis}}, {"keepdims", keep}});
}

std::string OnnxGraph::cast(const std::string& input, OnnxType to) {
  return node("Cast", {input}, {{"to", static_cast<std::int64_t>(to)}});
}

ProtobufMessage OnnxGraph::model(const std::vector<std::pair<std::string, std::string>>& metadata,
                                 const std::vector<std::string>& domains) && {
  ProtobufMessage graph;
  for (ProtobufMessage& one : nodes_) graph.message(graph_field::node, std::move(one));
  graph.text(graph_field::name, "yolov7");
  for (ProtobufMessage& one : initializers_)
    graph.message(graph_field::initializer, std::move(one));
  for (ProtobufMessage& one : inputs_) graph.message(graph_field::input, std::move(one));
  for (ProtobufMessage& one : outputs_) graph.message(graph_field::output, std::move(one));
  ProtobufMessage file;
  file.integer(model_field::ir_version, opset_ >= 15 ? 8 : 7)
      .text(model_field::producer_name, "yolov7.cpp")
      .text(model_field::producer_version, program_version())
      .message(model_field::graph, std::move(graph));
  ProtobufMessage own;
  own.text(1, "").integer(2, opset_);
  file.message(model_field::opset_import, std::move(own));
  for (const std::string& domain : domains) {
    ProtobufMessage other;
    other.text(1, domain).integer(2, 1);
    file.message(model_field::opset_import, std::move(other));
  }
  for (const auto& [key, value] : metadata) {
    ProtobufMessage pair;
    pair.text(1, key).text(2, value);
    file.message(model_field::metadata_props, std::move(pair));
  }
  return file;
}

}  // namespace yolov7::exporting
