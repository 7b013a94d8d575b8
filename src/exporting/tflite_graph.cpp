#include "exporting/tflite_graph.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.hpp"

namespace yolov7::exporting {
namespace {

using Kind = ChannelsLastKind;

constexpr std::int32_t schema_version = 3;
constexpr int dequantize = 6, dequantize_options = 38;

namespace model_field {
constexpr int version = 0, operator_codes = 1, subgraphs = 2, description = 3, buffers = 4,
              signature_defs = 7;
}
namespace code_field {
constexpr int short_code = 0, version = 2, code = 3;
}
namespace graph_field {
constexpr int tensors = 0, inputs = 1, outputs = 2, operators = 3, name = 4;
}
namespace tensor_field {
constexpr int shape = 0, type = 1, buffer = 2, name = 3, quantization = 4, shape_signature = 7;
}
namespace quantization_field {
constexpr int scale = 2, zero_point = 3, axis = 6;
}
namespace operator_field {
constexpr int code = 0, inputs = 1, outputs = 2, options_type = 3, options = 4;
}
namespace signature_field {
constexpr int inputs = 0, outputs = 1, key = 2;
}

struct Builtin {
  int code, version, options_type;  // options: 0 = there are none
};

Builtin real_builtin(const ChannelsLastNode& node) {
  switch (node.kind) {
    case Kind::convolution: return {3, node.grouped ? 6 : 1, 1};
    case Kind::depthwise_convolution: return {4, node.dilation > 1 ? 2 : 1, 2};
    case Kind::logistic: return {14, 1, 0};
    case Kind::relu: return {19, 1, 0};
    case Kind::relu6: return {21, 1, 0};
    case Kind::leaky_relu: return {98, 1, 75};
    case Kind::max_pool: return {17, 1, 5};
    case Kind::concat: return {2, 1, 10};
    case Kind::add: return {0, 1, 11};
    case Kind::multiply: return {18, 1, 21};
    case Kind::resize: return {97, 1, 74};
    case Kind::pad: return {34, 1, 22};
    case Kind::pad_value: return {60, 1, 43};
    case Kind::slice: return {45, 1, 32};
    case Kind::reshape: return {22, 1, 17};
    case Kind::transpose: return {39, 1, 26};
    case Kind::mean: return {40, 1, 27};
    case Kind::maximum: return {82, 1, 27};
    case Kind::from_bytes: return {53, 1, 37};
    case Kind::to_integers: return {114, 1, 0};
    case Kind::from_integers: return {dequantize, 2, dequantize_options};
  }
  throw Error("unknown operation of TensorFlow Lite");
}

/// Versions that know 8-bit integers.
Builtin builtin(const ChannelsLastNode& node) {
  Builtin one = real_builtin(node);
  if (!node.scale || node.kind == Kind::to_integers || node.kind == Kind::reshape) return one;
  const bool convolution =
      node.kind == Kind::convolution || node.kind == Kind::depthwise_convolution;
  one.version = std::max(one.version, convolution ? 3 : 2);
  return one;
}

std::int8_t padding(const ChannelsLastNode& node) { return node.same ? 0 : 1; }

FlatTable options_of(const ChannelsLastNode& node) {
  FlatTable table;
  const std::int32_t stride = node.stride, dilation = node.dilation, kernel = node.kernel;
  switch (node.kind) {
    case Kind::convolution:
      table.scalar(0, padding(node)).scalar(1, stride).scalar(2, stride);
      table.scalar(4, dilation).scalar(5, dilation);
      break;
    case Kind::depthwise_convolution:
      table.scalar(0, padding(node)).scalar(1, stride).scalar(2, stride);
      table.scalar(3, std::int32_t{node.multiplier}).scalar(5, dilation).scalar(6, dilation);
      break;
    case Kind::max_pool:
      table.scalar(0, padding(node)).scalar(1, stride).scalar(2, stride);
      table.scalar(3, kernel).scalar(4, kernel);
      break;
    case Kind::concat: table.scalar(0, std::int32_t{node.axis}); break;
    case Kind::leaky_relu: table.scalar(0, node.slope); break;
    case Kind::mean:
    case Kind::maximum: table.scalar(0, true); break;
    case Kind::slice:
      table.scalar(0, std::int32_t{node.whole_from}).scalar(1, std::int32_t{node.whole_to});
      break;
    case Kind::from_bytes: table.scalar(0, std::int8_t{3}).scalar(1, std::int8_t{0}); break;
    case Kind::logistic:
    case Kind::relu:
    case Kind::relu6:
    case Kind::add:
    case Kind::multiply:
    case Kind::resize:
    case Kind::pad:
    case Kind::pad_value:
    case Kind::reshape:
    case Kind::transpose:
    case Kind::to_integers:
    case Kind::from_integers: break;
  }
  return table;
}

std::vector<std::int32_t> sides(const Shape& shape) { return {shape.begin(), shape.end()}; }

std::uint64_t elements(const Shape& shape) {
  std::uint64_t product = 1;
  for (const std::int64_t side : shape) product *= static_cast<std::uint64_t>(side);
  return product;
}

template <class T>
std::string bytes_of(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

}  // namespace

/// Buffer 0 is empty by definition.
TfliteGraph::TfliteGraph(bool half, bool open_batch, std::shared_ptr<const void> owner)
    : half_(half), open_batch_(open_batch), owner_(std::move(owner)), buffers_(1) {}

int TfliteGraph::add(TfliteTensor tensor) {
  tensors_.push_back(std::move(tensor));
  return static_cast<int>(tensors_.size()) - 1;
}

std::uint32_t TfliteGraph::buffer(std::uint64_t size, FlatTable::Writer write) {
  FlatTable table;
  table.later(0, size, std::move(write));
  buffers_.push_back(std::move(table));
  return static_cast<std::uint32_t>(buffers_.size()) - 1;
}

int TfliteGraph::input(const std::string& name, TfliteType type, const Shape& shape) {
  const int value = add({.name = name, .shape = shape, .type = type, .open_batch = open_batch_});
  inputs_.emplace_back(name, value);
  return value;
}

void TfliteGraph::output(const std::string& tensor_name, const std::string& signature_name,
                         int value) {
  tensor(value).name = tensor_name;
  outputs_.emplace_back(signature_name, value);
}

int TfliteGraph::constant(const std::string& name, TfliteType type, const Shape& shape,
                          std::string bytes) {
  const std::uint64_t size = bytes.size();
  return add({name, shape, type, buffer(size, [kept = std::move(bytes)](std::ostream& out) {
                out.write(kept.data(), static_cast<std::streamsize>(kept.size()));
              })});
}

int TfliteGraph::floats(const Shape& shape, const std::vector<float>& values) {
  return constant(fmt::format("floats_{}", tensors_.size()), TfliteType::float32, shape,
                  bytes_of(values));
}

int TfliteGraph::integers(const Shape& shape, const std::vector<std::int32_t>& values) {
  return constant(fmt::format("integers_{}", tensors_.size()), TfliteType::int32, shape,
                  bytes_of(values));
}

int TfliteGraph::weight(const std::string& name, const Shape& shape, const network::Tensor& tensor,
                        const Shape& source, const std::vector<std::size_t>& order) {
  const auto write = [&tensor, source, order, half = half_, kept = owner_](std::ostream& out) {
    network::Tensor values = network::Tensor::from(permuted(tensor, source, order), source);
    if (half) values = values.converted(network::DataType::float16);
    out.write(reinterpret_cast<const char*>(values.bytes.data()),
              static_cast<std::streamsize>(values.bytes.size()));
  };
  const int value = add({name, shape, half_ ? TfliteType::float16 : TfliteType::float32,
                         buffer(elements(shape) * (half_ ? 2 : 4), write)});
  if (!half_) return value;
  const int widened = add({.name = name + "_float32", .shape = shape});
  operation(dequantize, 3, {value}, widened, dequantize_options, {});
  return widened;
}

/// [out, kh, kw, in], or depthwise [1, kh, kw, out].
int TfliteGraph::filter(const std::string& name, const network::Tensor& tensor, const Shape& shape,
                        int depthwise_channels) {
  if (depthwise_channels > 0)
    return weight(name, {1, shape[2], shape[3], shape[0]}, tensor, shape, {1, 2, 3, 0});
  return weight(name, {shape[0], shape[2], shape[3], shape[1]}, tensor, shape, {0, 2, 3, 1});
}

int TfliteGraph::bias(const std::string& name, const network::Tensor& tensor) {
  const Shape shape{tensor.elements()};
  return weight(name, shape, tensor, shape, {0});
}

int TfliteGraph::bytes(const std::string& name, const ChannelsLastBytes& bytes) {
  const int value = constant(name, TfliteType::int8, bytes.shape, bytes_of(bytes.numbers));
  tensor(value).quantization = {bytes.scales, bytes.zero_points, bytes.axis};
  return value;
}

int TfliteGraph::integer_bias(const std::string& name, const std::vector<std::int32_t>& numbers,
                              const std::vector<float>& scales) {
  const int value = constant(name, TfliteType::int32, {static_cast<std::int64_t>(numbers.size())},
                             bytes_of(numbers));
  tensor(value).quantization = {scales, std::vector<std::int64_t>(scales.size(), 0), 0};
  return value;
}

/// Numbers of a scale are 0 … 255 there, and 128 less here.
int TfliteGraph::node(const ChannelsLastNode& node) {
  const Builtin one = builtin(node);
  const int value = add({.name = fmt::format("value_{}", tensors_.size()),
                         .shape = node.shape,
                         .open_batch = open_batch_});
  if (node.scale) {
    tensor(value).type = TfliteType::int8;
    tensor(value).quantization = {{node.scale->scale}, {node.scale->zero_point - 128}, 0};
  }
  operation(one.code, one.version, {node.inputs.begin(), node.inputs.end()}, value,
            one.options_type, options_of(node));
  return value;
}

std::uint32_t TfliteGraph::code(int builtin_code, int version) {
  const std::pair wanted{builtin_code, version};
  auto found = std::find(codes_.begin(), codes_.end(), wanted);
  if (found == codes_.end()) found = codes_.insert(codes_.end(), wanted);
  return static_cast<std::uint32_t>(found - codes_.begin());
}

void TfliteGraph::operation(int builtin_code, int version, const std::vector<std::int32_t>& inputs,
                            int output, int options_type, FlatTable options) {
  FlatTable table;
  table.scalar(operator_field::code, code(builtin_code, version))
      .values(operator_field::inputs, inputs)
      .values(operator_field::outputs, std::vector<std::int32_t>{output});
  if (options_type != 0)
    table.scalar(operator_field::options_type, static_cast<std::uint8_t>(options_type))
        .table(operator_field::options, std::move(options));
  operations_.push_back(std::move(table));
}

FlatTable TfliteGraph::table(const TfliteTensor& tensor) const {
  FlatTable table;
  table.values(tensor_field::shape, sides(tensor.shape))
      .scalar(tensor_field::type, static_cast<std::int8_t>(tensor.type))
      .scalar(tensor_field::buffer, tensor.buffer)
      .text(tensor_field::name, tensor.name);
  if (!tensor.quantization.scales.empty()) {
    FlatTable numbers;
    numbers.values(quantization_field::scale, tensor.quantization.scales)
        .values(quantization_field::zero_point, tensor.quantization.zero_points)
        .scalar(quantization_field::axis, tensor.quantization.axis);
    table.table(tensor_field::quantization, std::move(numbers));
  }
  if (tensor.open_batch) {
    std::vector<std::int32_t> open = sides(tensor.shape);
    open.front() = -1;
    table.values(tensor_field::shape_signature, open);
  }
  return table;
}

FlatTable TfliteGraph::signature() const {
  const auto list = [](const auto& named) {
    std::vector<FlatTable> maps;
    for (const auto& [name, value] : named) {
      maps.emplace_back();
      maps.back().text(0, name).scalar(1, static_cast<std::uint32_t>(value));
    }
    return maps;
  };
  FlatTable table;
  table.tables(signature_field::inputs, list(inputs_))
      .tables(signature_field::outputs, list(outputs_))
      .text(signature_field::key, "serving_default");
  return table;
}

FlatFile TfliteGraph::file(std::string_view description) const {
  std::vector<FlatTable> codes, tensors;
  for (const auto& [builtin_code, version] : codes_) {
    codes.emplace_back();
    codes.back()
        .scalar(code_field::short_code, static_cast<std::int8_t>(std::min(builtin_code, 127)))
        .scalar(code_field::version, std::int32_t{version})
        .scalar(code_field::code, std::int32_t{builtin_code});
  }
  for (const TfliteTensor& one : tensors_) tensors.push_back(table(one));
  const auto numbers = [](const auto& named) {
    std::vector<std::int32_t> values;
    for (const auto& [name, value] : named) values.push_back(value);
    return values;
  };
  FlatTable graph;
  graph.tables(graph_field::tensors, std::move(tensors))
      .values(graph_field::inputs, numbers(inputs_))
      .values(graph_field::outputs, numbers(outputs_))
      .tables(graph_field::operators, operations_)
      .text(graph_field::name, "main");
  FlatTable model;
  model.scalar(model_field::version, schema_version)
      .tables(model_field::operator_codes, std::move(codes))
      .tables(model_field::subgraphs, {graph})
      .text(model_field::description, description)
      .tables(model_field::signature_defs, {signature()})
      .tables(model_field::buffers, buffers_);
  return FlatFile(model, "TFL3");
}

}  // namespace yolov7::exporting
