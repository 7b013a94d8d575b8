#include "runtime/server/inference_messages.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/json.hpp"
#include "core/text.hpp"
#include "network/graph/weights.hpp"

namespace yolov7::runtime {
namespace {

using nlohmann::json;

/// Arrays may nest as deep as a tensor has axes, inside "outputs".
constexpr int json_depth = 24;

json object_of(std::string_view body, const std::string& source) {
  json tree = parse_json(body, source, json_depth);
  if (!tree.is_object())
    throw Error(fmt::format("{}: expected an object of JSON, found something else", source));
  return tree;
}

const json* member(const json& tree, const char* name) {
  const auto found = tree.find(name);
  return found == tree.end() ? nullptr : &*found;
}

ServerTensor tensor_of(const json& tree, const std::string& source) {
  const json *name = member(tree, "name"), *type = member(tree, "datatype"),
             *sides = member(tree, "shape");
  const bool good = name != nullptr && name->is_string() && type != nullptr && type->is_string() &&
                    sides != nullptr && sides->is_array() && sides->size() <= 8;
  ServerTensor tensor;
  if (good) {
    tensor = {name->get<std::string>(), type->get<std::string>(), {}};
    for (const json& side : *sides)
      if (side.is_number_integer())
        tensor.sides.push_back(std::max<std::int64_t>(side.get<std::int64_t>(), -1));
  }
  if (!good || tensor.sides.size() != sides->size())
    throw Error(fmt::format(
        "{}: expected name, datatype and shape of each tensor, found {}", source,
        text::printable(tree.dump(-1, ' ', false, json::error_handler_t::replace).substr(0, 120))));
  return tensor;
}

std::vector<ServerTensor> tensors_of(const json& tree, const char* which,
                                     const std::string& source) {
  const json* list = member(tree, which);
  if (list == nullptr || !list->is_array())
    throw Error(
        fmt::format("{}: expected the list '{}' of a model's tensors, found none", source, which));
  std::vector<ServerTensor> tensors;
  for (const json& one : *list) tensors.push_back(tensor_of(one, source));
  return tensors;
}

/// Texts by their key; {"key": {"string_value": "text"}}, as Triton has them, too.
ModelMetadata texts_of(const json* tree) {
  ModelMetadata texts;
  if (tree == nullptr || !tree->is_object()) return texts;
  for (const auto& [key, value] : tree->items()) {
    const json* text = value.is_object() ? member(value, "string_value") : &value;
    if (text != nullptr && text->is_string()) texts[key] = text->get<std::string>();
  }
  return texts;
}

/// The 256 values of a byte in the form of a type, one behind the other.
std::string byte_values(std::string_view type) {
  if (type == "UINT8") {
    std::string all;
    for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
    return all;
  }
  std::vector<float> values;
  for (int i = 0; i < 256; ++i) values.push_back(static_cast<float>(i) / 255.0F);
  network::Tensor tensor = network::Tensor::from(values, {256});
  if (type == "FP16") tensor = tensor.converted(network::DataType::float16);
  return {reinterpret_cast<const char*>(tensor.bytes.data()), tensor.bytes.size()};
}

/// Calls `put` with each byte in the order in which the images travel.
template <typename Put>
void walk(const ImageTensor& images, const Put& put) {
  if (!images.channels_last) {
    for (const std::uint8_t one : images.pixels) put(one);
    return;
  }
  const std::size_t plane = images.height * images.width;
  for (std::size_t i = 0; i < images.count; ++i)
    for (std::size_t at = 0; at < plane; ++at)
      for (std::size_t c = 0; c < 3; ++c) put(images.pixels[(3 * i + c) * plane + at]);
}

std::string json_numbers(const ImageTensor& images, bool whole) {
  std::array<std::string, 256> texts;
  for (std::size_t i = 0; i < texts.size(); ++i)
    texts[i] =
        (whole ? fmt::format("{}", i) : fmt::format("{}", static_cast<float>(i) / 255.0F)) + ",";
  std::string all;
  all.reserve(images.pixels.size() * 10);
  walk(images, [&](std::uint8_t one) { all += texts[one]; });
  if (!all.empty()) all.pop_back();
  return all;
}

std::size_t size_of(std::string_view type) {
  struct Known {
    std::string_view type;
    std::size_t bytes;
  };
  static constexpr Known known[] = {{"FP32", 4},   {"FP16", 2},   {"FP64", 8},   {"INT8", 1},
                                    {"INT16", 2},  {"INT32", 4},  {"INT64", 8},  {"UINT8", 1},
                                    {"UINT16", 2}, {"UINT32", 4}, {"UINT64", 8}, {"BOOL", 1}};
  for (const Known& one : known)
    if (one.type == type) return one.bytes;
  return 0;
}

template <typename Value>
void append(std::string_view bytes, std::vector<float>& values) {
  for (std::size_t at = 0; at < bytes.size(); at += sizeof(Value)) {
    Value value;
    std::memcpy(&value, bytes.data() + at, sizeof value);
    values.push_back(static_cast<float>(value));
  }
}

std::vector<float> floats_of(std::string_view bytes, std::string_view type) {
  std::vector<float> values;
  values.reserve(bytes.size() / size_of(type));
  if (type == "FP32") append<float>(bytes, values);
  if (type == "FP64") append<double>(bytes, values);
  if (type == "INT8") append<std::int8_t>(bytes, values);
  if (type == "INT16") append<std::int16_t>(bytes, values);
  if (type == "INT32") append<std::int32_t>(bytes, values);
  if (type == "INT64") append<std::int64_t>(bytes, values);
  if (type == "UINT8" || type == "BOOL") append<std::uint8_t>(bytes, values);
  if (type == "UINT16") append<std::uint16_t>(bytes, values);
  if (type == "UINT32") append<std::uint32_t>(bytes, values);
  if (type == "UINT64") append<std::uint64_t>(bytes, values);
  if (type == "FP16") {
    network::Tensor half;
    half.type = network::DataType::float16;
    half.shape = {static_cast<std::int64_t>(bytes.size() / 2)};
    half.bytes.resize(bytes.size());
    std::memcpy(half.bytes.data(), bytes.data(), bytes.size());
    values = half.to_floats();
  }
  return values;
}

/// Numbers of an array, or of arrays of arrays, in their order.
void flatten(const json& data, std::vector<float>& values, const std::string& source) {
  for (const json& one : data) {
    if (one.is_array())
      flatten(one, values, source);
    else if (one.is_number())
      values.push_back(one.get<float>());
    else if (one.is_boolean())
      values.push_back(one.get<bool>() ? 1.0F : 0.0F);
    else
      throw Error(fmt::format("{}: expected numbers, found {}", source,
                              one.is_null() ? "null" : one.type_name()));
  }
}

/// Error: more values than any detector gives.
std::size_t product(const std::vector<std::int64_t>& sides, const std::string& source) {
  constexpr std::size_t most = std::size_t{1} << 30;
  std::size_t all = 1;
  for (const std::int64_t side : sides) {
    if (side < 0 || (side > 0 && all > most / static_cast<std::size_t>(side)))
      throw Error(
          fmt::format("{}: expected sides of 0 and more, with at most {} values in all, "
                      "found {}",
                      source, most, fmt::join(sides, " x ")));
    all *= static_cast<std::size_t>(side);
  }
  return all;
}

/// The bytes of the tensors behind the JSON of an answer, taken from front to back.
class RawBytes {
 public:
  RawBytes(std::string_view bytes, const std::string& source) : bytes_(bytes), source_(source) {}
  std::string_view take(const json& size, const std::string& name) {
    const std::size_t wanted =
        size.is_number_unsigned() ? size.get<std::size_t>() : bytes_.size() + 1;
    if (wanted > bytes_.size())
      throw Error(
          fmt::format("{}: expected {} bytes of the output '{}', found {}: the answer is "
                      "cut off",
                      source_, size.dump(), text::printable(name), bytes_.size()));
    const std::string_view taken = bytes_.substr(0, wanted);
    bytes_.remove_prefix(wanted);
    return taken;
  }
  void require_end() const {
    if (!bytes_.empty())
      throw Error(fmt::format("{}: expected the end of the answer, found {} more bytes", source_,
                              bytes_.size()));
  }

 private:
  std::string_view bytes_;
  const std::string& source_;
};

AnswerTensor answer_tensor(const json& tree, const ServerTensor& found, RawBytes& raw,
                           const std::string& source) {
  const std::string where = fmt::format("{}: output '{}'", source, text::printable(found.name));
  const std::size_t wanted = product(found.sides, where), size = size_of(found.type);
  if (size == 0)
    throw Error(fmt::format("{}: expected numbers, found the datatype {}", where,
                            text::printable(found.type)));
  AnswerTensor tensor;
  const json *parameters = member(tree, "parameters"), *data = member(tree, "data");
  const json* bytes = parameters != nullptr && parameters->is_object()
                          ? member(*parameters, "binary_data_size")
                          : nullptr;
  if (bytes != nullptr) {
    const std::string_view taken = raw.take(*bytes, found.name);
    if (taken.size() != wanted * size)
      throw Error(fmt::format("{}: expected {} bytes for the shape {}, found {}", where,
                              wanted * size, fmt::join(found.sides, " x "), taken.size()));
    tensor.values = floats_of(taken, found.type);
  } else if (data != nullptr && data->is_array()) {
    flatten(*data, tensor.values, where);
  } else {
    throw Error(fmt::format("{}: expected its data, found none", where));
  }
  if (tensor.values.size() != wanted)
    throw Error(fmt::format("{}: expected {} values for the shape {}, found {}", where, wanted,
                            fmt::join(found.sides, " x "), tensor.values.size()));
  for (const std::int64_t side : found.sides)
    tensor.sides.push_back(static_cast<std::size_t>(side));
  return tensor;
}

}  // namespace

ServerModel server_model(std::string_view body, const std::string& source) {
  const json tree = object_of(body, source);
  ServerModel model;
  if (const json* platform = member(tree, "platform"); platform != nullptr && platform->is_string())
    model.platform = text::printable(platform->get<std::string>());
  model.inputs = tensors_of(tree, "inputs", source);
  model.outputs = tensors_of(tree, "outputs", source);
  model.parameters = texts_of(member(tree, "parameters"));
  return model;
}

std::vector<std::string> server_extensions(std::string_view body, const std::string& source) {
  const json tree = object_of(body, source);
  std::vector<std::string> names;
  if (const json* list = member(tree, "extensions"); list != nullptr && list->is_array())
    for (const json& one : *list)
      if (one.is_string()) names.push_back(one.get<std::string>());
  return names;
}

ModelMetadata server_parameters(std::string_view body, const std::string& source) {
  const json tree = object_of(body, source);
  return texts_of(member(tree, "parameters"));
}

bool is_image_type(std::string_view type) {
  return type == "FP32" || type == "FP16" || type == "UINT8";
}

InferenceRequest inference_request(const ServerTensor& input, const ImageTensor& images,
                                   const std::vector<ServerTensor>& outputs, bool binary) {
  const bool last = images.channels_last;
  if (input.type == "FP16" && !binary)
    throw Error(
        fmt::format("input '{}': expected a server that takes tensors in bytes "
                    "(binary_tensor_data) for FP16, found one without",
                    text::printable(input.name)));
  const json sides = {images.count, last ? images.height : 3, last ? images.width : images.height,
                      last ? 3 : images.width};
  json tensor = {{"name", input.name}, {"datatype", input.type}, {"shape", sides}};
  json wanted = json::array();
  for (const ServerTensor& one : outputs) {
    json entry = {{"name", one.name}};
    if (binary) entry["parameters"] = {{"binary_data", true}};
    wanted.push_back(std::move(entry));
  }
  InferenceRequest request;
  if (!binary) {
    // The numbers are put in as text: a tree of a million of them would take 16 times the memory.
    const std::string head = json_text(tensor);
    request.body = fmt::format("{{\"inputs\":[{},\"data\":[{}]}}],\"outputs\":{}}}",
                               head.substr(0, head.size() - 1),
                               json_numbers(images, input.type == "UINT8"), json_text(wanted));
    return request;
  }
  const std::string values = byte_values(input.type);
  const std::size_t size = values.size() / 256;
  tensor["parameters"] = {{"binary_data_size", images.pixels.size() * size}};
  request.body = json_text({{"inputs", json::array({tensor})}, {"outputs", wanted}});
  request.json_bytes = request.body.size();
  request.body.reserve(request.body.size() + images.pixels.size() * size);
  walk(images, [&](std::uint8_t one) { request.body.append(values, one * size, size); });
  return request;
}

std::vector<AnswerTensor> inference_answer(std::string_view body, std::string_view json_bytes,
                                           const std::vector<ServerTensor>& outputs,
                                           const std::string& source) {
  std::size_t head = body.size();
  if (!json_bytes.empty()) {
    const auto told = text::parse_int(text::trim(json_bytes));
    if (!told || *told < 0 || static_cast<std::uint64_t>(*told) > body.size())
      throw Error(
          fmt::format("{}: expected Inference-Header-Content-Length of 0 to {}, the length "
                      "of the answer, found '{}': the answer is cut off, or wrong",
                      source, body.size(), text::printable(json_bytes)));
    head = static_cast<std::size_t>(*told);
  }
  const json tree = object_of(body.substr(0, head), source);
  const std::vector<ServerTensor> found = tensors_of(tree, "outputs", source);
  RawBytes raw(body.substr(head), source);
  std::vector<AnswerTensor> taken(outputs.size());
  std::vector<bool> there(outputs.size(), false);
  for (std::size_t i = 0; i < found.size(); ++i) {
    AnswerTensor tensor = answer_tensor(tree["outputs"][i], found[i], raw, source);
    for (std::size_t k = 0; k < outputs.size(); ++k)
      if (outputs[k].name == found[i].name) taken[k] = tensor, there[k] = true;
  }
  raw.require_end();
  for (std::size_t k = 0; k < outputs.size(); ++k)
    if (!there[k])
      throw Error(fmt::format("{}: expected the output '{}', found {} others", source,
                              text::printable(outputs[k].name), found.size()));
  return taken;
}

}  // namespace yolov7::runtime
