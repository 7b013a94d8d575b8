#include "exporting/coreml_program.hpp"

#include <fmt/format.h>

#include <cstring>

#include "exporting/palette.hpp"

namespace yolov7::exporting {
namespace {

// Field numbers of MIL.proto.
namespace program_field {
constexpr int version = 1, functions = 2;
}
namespace function_field {
constexpr int inputs = 1, opset = 2, block_specializations = 3;
}
namespace block_field {
constexpr int outputs = 2, operations = 3;
}
namespace operation_field {
constexpr int type = 1, inputs = 2, outputs = 3, attributes = 5;
}
namespace value_field {
constexpr int type = 2, immediate = 3, blob = 5;
}
namespace tensor_field {
constexpr int floats = 1, ints = 2, bools = 3, strings = 4, bytes = 7;
}

/// Fewer numbers stand in the program itself, as Apple's own tools do it.
constexpr std::int64_t fewest_in_file = 10;
/// As many and fewer are not worth a palette.
constexpr std::int64_t most_without_palette = 512;

ProtobufMessage value_type(const CoremlValue& value) {
  ProtobufMessage tensor;
  tensor.integer(1, static_cast<int>(value.type))
      .integer(2, static_cast<std::int64_t>(value.shape.size()));
  for (const std::int64_t side : value.shape) {
    ProtobufMessage length, dimension;
    length.integer(1, side);
    dimension.message(1, std::move(length));
    tensor.message(3, std::move(dimension));
  }
  return std::move(ProtobufMessage().message(1, std::move(tensor)));
}

ProtobufMessage named_type(const CoremlValue& value) {
  return std::move(ProtobufMessage().text(1, value.name).message(2, value_type(value)));
}

/// A Value of one field of TensorValue, in which `list` is all numbers.
ProtobufMessage immediate(const CoremlValue& value, int kind, ProtobufMessage list) {
  ProtobufMessage tensor, immediate, whole;
  tensor.message(kind, std::move(list));
  immediate.message(1, std::move(tensor));
  whole.message(value_field::type, value_type(value))
      .message(value_field::immediate, std::move(immediate));
  return whole;
}

ProtobufMessage text_value(std::string_view text) {
  return immediate({{}, CoremlType::text, {}}, tensor_field::strings,
                   std::move(ProtobufMessage().text(1, text)));
}

/// A Value that stands in the file of weights, by the place of its record.
ProtobufMessage blob_value(const CoremlValue& value, std::uint64_t place) {
  ProtobufMessage blob, content;
  blob.text(1, "@model_path/weights/weight.bin").integer(2, static_cast<std::int64_t>(place));
  content.message(value_field::type, value_type(value)).message(value_field::blob, std::move(blob));
  return content;
}

std::string_view bytes_of(const network::Tensor& tensor) {
  return {reinterpret_cast<const char*>(tensor.bytes.data()), tensor.bytes.size()};
}

network::DataType data_type(CoremlType type) {
  return type == CoremlType::float16 ? network::DataType::float16 : network::DataType::float32;
}

std::int64_t elements(const CoremlValue& value) {
  std::int64_t product = 1;
  for (const std::int64_t side : value.shape) product *= side;
  return product;
}

}  // namespace

std::string coreml_identifier(std::string_view what) {
  std::string name;
  for (const char c : what)
    name += (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ? c : '_';
  return name;
}

/// Not twice.
std::string CoremlProgram::fresh(std::string_view what) {
  std::string name = coreml_identifier(what);
  while (!names_.insert(name).second) name = fmt::format("{}_{}", name, count_++);
  return name;
}

CoremlValue CoremlProgram::input(const std::string& name, CoremlType type,
                                 const std::vector<std::int64_t>& shape) {
  names_.insert(name);
  CoremlValue value{name, type, shape};
  inputs_.push_back(named_type(value));
  return value;
}

CoremlValue CoremlProgram::operation(std::string_view type, const CoremlArguments& arguments,
                                     CoremlType result_type, const std::vector<std::int64_t>& shape,
                                     std::string name) {
  if (name.empty()) name = fmt::format("{}_{}", type, count_++);
  CoremlValue result{fresh(name), result_type, shape};
  ProtobufMessage message;
  message.text(operation_field::type, type);
  for (const auto& [parameter, values] : arguments) {
    ProtobufMessage argument;
    for (const CoremlValue& value : values)
      argument.message(1, std::move(ProtobufMessage().text(1, value.name)));
    message.entry(operation_field::inputs, parameter, std::move(argument));
  }
  message.message(operation_field::outputs, named_type(result))
      .entry(operation_field::attributes, "name", text_value(result.name));
  operations_.push_back(std::move(message));
  return result;
}

CoremlValue CoremlGraph::cast(const CoremlValue& value, CoremlType to) {
  if (value.type == to) return value;
  return operation("cast",
                   {{"x", {value}}, {"dtype", {text(to == CoremlType::float16 ? "fp16" : "fp32")}}},
                   to, value.shape);
}

CoremlValue CoremlProgram::constant(CoremlValue value, ProtobufMessage content) {
  if (value.name.empty()) value.name = fmt::format("const_{}", count_++);
  value.name = fresh(value.name);
  ProtobufMessage message;
  message.text(operation_field::type, "const")
      .message(operation_field::outputs, named_type(value))
      .entry(operation_field::attributes, "name", text_value(value.name))
      .entry(operation_field::attributes, "val", std::move(content));
  operations_.push_back(std::move(message));
  return value;
}

CoremlValue CoremlProgram::integer(std::int64_t number) {
  const CoremlValue value{{}, CoremlType::int32, {}};
  return constant(value, immediate(value, tensor_field::ints,
                                   std::move(ProtobufMessage().integers(1, {&number, 1}))));
}

CoremlValue CoremlProgram::integers(const std::vector<std::int64_t>& values) {
  const CoremlValue value{{}, CoremlType::int32, {static_cast<std::int64_t>(values.size())}};
  return constant(value, immediate(value, tensor_field::ints,
                                   std::move(ProtobufMessage().integers(1, values))));
}

CoremlValue CoremlProgram::boolean(bool truth) {
  const CoremlValue value{{}, CoremlType::boolean, {}};
  const std::int64_t number = truth ? 1 : 0;
  return constant(value, immediate(value, tensor_field::bools,
                                   std::move(ProtobufMessage().integers(1, {&number, 1}))));
}

CoremlValue CoremlProgram::text(std::string_view words) {
  return constant({{}, CoremlType::text, {}}, text_value(words));
}

/// `converted` is float32 or float16.
CoremlValue CoremlProgram::tensor(std::string name, const std::vector<std::int64_t>& shape,
                                  const network::Tensor& converted) {
  const bool half = converted.type == network::DataType::float16;
  const CoremlValue value{std::move(name), half ? CoremlType::float16 : CoremlType::float32, shape};
  if (elements(value) < fewest_in_file) {
    ProtobufMessage list;
    list.text(1, bytes_of(converted));  // packed floats are their bytes
    return constant(value, immediate(value, half ? tensor_field::bytes : tensor_field::floats,
                                     std::move(list)));
  }
  return constant(value, blob_value(value, weights_.add(converted)));
}

CoremlValue CoremlProgram::palettised(const std::string& name,
                                      const std::vector<std::int64_t>& shape,
                                      const network::Tensor& stored) {
  const Palette palette = palette_of(stored.to_floats());
  const CoremlValue result{fresh(name), CoremlType::float32, shape};
  const auto count = static_cast<std::int64_t>(palette.places.size()),
             numbers = static_cast<std::int64_t>(palette.numbers.size());
  network::Tensor places{network::DataType::uint8, {count}, {}};
  places.bytes.resize(palette.places.size());
  std::memcpy(places.bytes.data(), palette.places.data(), palette.places.size());
  std::vector<std::uint32_t> sides(shape.begin(), shape.end());
  ProtobufMessage list, message;
  list.text(1, {reinterpret_cast<const char*>(sides.data()), sides.size() * sizeof(sides[0])});
  const auto attribute = [&](std::string_view key, ProtobufMessage value) {
    message.entry(operation_field::attributes, key, std::move(value));
  };
  message.text(operation_field::type, "constexpr_lut_to_dense")
      .message(operation_field::outputs, named_type(result));
  attribute("name", text_value(result.name));
  attribute("indices", blob_value({{}, CoremlType::uint8, {count}}, weights_.add(places)));
  attribute("lut", blob_value({{}, CoremlType::float32, {numbers}},
                              weights_.add(network::Tensor::from(palette.numbers, {numbers}))));
  attribute("shape", immediate({{}, CoremlType::uint32, {static_cast<std::int64_t>(sides.size())}},
                               tensor_field::bytes, std::move(list)));
  operations_.push_back(std::move(message));
  return result;
}

CoremlValue CoremlGraph::real(double number, CoremlType type) {
  return reals({}, {static_cast<float>(number)}, type);
}

CoremlValue CoremlProgram::reals(const std::vector<std::int64_t>& shape,
                                 const std::vector<float>& values, CoremlType type) {
  return tensor({}, shape, network::Tensor::from(values, shape).converted(data_type(type)));
}

CoremlValue CoremlProgram::weight(const std::string& name, const std::vector<std::int64_t>& shape,
                                  const network::Tensor& stored, CoremlType type) {
  const auto found = written_.find(name);
  if (found != written_.end()) return found->second;
  const bool palette = palettes_ && shape.size() == 4 && stored.elements() > most_without_palette;
  return written_[name] = palette ? palettised(name, shape, stored)
                                  : tensor(name, shape, stored.converted(data_type(type)));
}

ProtobufMessage CoremlProgram::finish(const std::vector<std::string>& outputs) {
  const char* opset = palettes_ ? "CoreML6" : "CoreML5";
  ProtobufMessage block, function, program;
  for (const std::string& output : outputs) block.text(block_field::outputs, output);
  for (ProtobufMessage& one : operations_) block.message(block_field::operations, std::move(one));
  for (ProtobufMessage& one : inputs_) function.message(function_field::inputs, std::move(one));
  function.text(function_field::opset, opset)
      .entry(function_field::block_specializations, opset, std::move(block));
  program.integer(program_field::version, 1)
      .entry(program_field::functions, "main", std::move(function));
  return program;
}

}  // namespace yolov7::exporting
