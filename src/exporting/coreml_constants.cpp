#include "exporting/coreml_constants.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <optional>
#include <span>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/protobuf.hpp"
#include "exporting/coreml_program.hpp"

namespace yolov7::exporting {
namespace {

namespace fs = std::filesystem;
using network::DataType;
using network::Tensor;

void each(std::string_view message, int field,
          const std::function<void(const ProtobufReader&)>& look) {
  for (ProtobufReader reader(message); reader.next();)
    if (reader.field() == field) look(reader);
}

/// The last one counts, as in protocol buffers; nothing: there is none.
std::optional<std::string_view> part(std::string_view message, int field) {
  std::optional<std::string_view> found;
  each(message, field, [&](const ProtobufReader& reader) { found = reader.bytes(); });
  return found;
}
std::string_view inside(std::string_view message, std::initializer_list<int> path) {
  for (const int field : path) message = part(message, field).value_or(std::string_view());
  return message;
}
std::uint64_t number(std::string_view message, int field) {
  std::uint64_t found = 0;
  each(message, field, [&](const ProtobufReader& reader) { found = reader.number(); });
  return found;
}

/// Values of a map from text.
std::map<std::string, std::string_view> entries(std::string_view message, int field) {
  std::map<std::string, std::string_view> all;
  each(message, field, [&](const ProtobufReader& reader) {
    all[std::string(inside(reader.bytes(), {1}))] = inside(reader.bytes(), {2});
  });
  return all;
}

/// Whether an operation computes with the tensor; a checkpoint has others, the anchors among them.
bool is_read(const network::Network& network, const std::string& name) {
  return std::ranges::any_of(network.operations, [&](const network::Operation& op) {
    return std::visit(
        [&](const auto& primitive) {
          if constexpr (requires { primitive.tensor; })
            return name.starts_with(primitive.tensor + ".");
          else
            return false;
        },
        op.primitive);
  });
}

class Constants {
 public:
  explicit Constants(const fs::path& package)
      : package_(package),
        model_(file::read(package / "Data/com.apple.CoreML/model.mlmodel")),
        blobs_(file::read(package / "Data/com.apple.CoreML/weights/weight.bin")) {}

  std::map<std::string, Tensor> read() {
    std::string_view network = model_;
    if (const auto pipeline = part(model_, 202)) {
      std::optional<std::string_view> first;
      each(*pipeline, 1, [&](const ProtobufReader& reader) {
        if (!first) first = reader.bytes();
      });
      network = first.value_or(std::string_view());
    }
    for (const auto& [function_name, function] : entries(inside(network, {502}), 2))
      for (const auto& [opset, block] : entries(function, 3))
        each(block, 3, [&](const ProtobufReader& operation) { add(operation.bytes()); });
    if (all_.empty()) throw broken("an ML program with constants", "none");
    return std::move(all_);
  }

 private:
  Error broken(const std::string& expected, const std::string& found) const {
    return Error(fmt::format("{}: expected {}, found {}", package_.string(), expected, found));
  }

  void add(std::string_view operation) {
    const std::string_view type = inside(operation, {1});
    auto attributes = entries(operation, 5);
    const std::string name(inside(operation, {3, 1}));
    if (type == "const") {
      if (auto tensor = value(attributes["val"])) all_[name] = std::move(*tensor);
    } else if (type == "constexpr_lut_to_dense") {
      const auto places = value(attributes["indices"]), numbers = value(attributes["lut"]);
      if (!places || !numbers || places->type != DataType::uint8)
        throw broken(name + ": places and numbers of a palette", "something else");
      all_[name] = dense(name, *places, numbers->to_floats(), shape(inside(operation, {3, 2})));
    }
  }

  Tensor dense(const std::string& name, const Tensor& places, const std::vector<float>& numbers,
               const std::vector<std::int64_t>& sides) const {
    std::vector<float> values;
    for (const std::byte place : places.bytes) {
      const auto at = std::to_integer<std::size_t>(place);
      if (at >= numbers.size())
        throw broken(fmt::format("{}: places below {}", name, numbers.size()), std::to_string(at));
      values.push_back(numbers[at]);
    }
    return sized(name, Tensor::from(values, {static_cast<std::int64_t>(values.size())}), sides);
  }

  Tensor sized(const std::string& name, Tensor tensor,
               const std::vector<std::int64_t>& sides) const {
    const std::int64_t found = tensor.elements();
    tensor.shape = sides;
    if (tensor.elements() != found)
      throw broken(fmt::format("{}: {} numbers", name, tensor.elements()), std::to_string(found));
    return tensor;
  }

  static std::vector<std::int64_t> shape(std::string_view value_type) {
    std::vector<std::int64_t> sides;
    each(inside(value_type, {1}), 3, [&](const ProtobufReader& dimension) {
      sides.push_back(static_cast<std::int64_t>(number(inside(dimension.bytes(), {1}), 1)));
    });
    return sides;
  }

  /// Nothing: it is no tensor of floats or bytes.
  std::optional<Tensor> value(std::string_view message) const {
    const std::string_view type = inside(message, {2});
    const auto kind = static_cast<CoremlType>(number(inside(type, {1}), 1));
    Tensor tensor;
    if (kind == CoremlType::float32)
      tensor.type = DataType::float32;
    else if (kind == CoremlType::float16)
      tensor.type = DataType::float16;
    else if (kind == CoremlType::uint8)
      tensor.type = DataType::uint8;
    else
      return std::nullopt;
    tensor.shape = shape(type);
    const auto blob = part(message, 5);
    const std::string_view list = inside(message, {3, 1});
    const std::string_view bytes = blob ? blob_bytes(number(*blob, 2))
                                        : inside(list, {kind == CoremlType::float32 ? 1 : 7, 1});
    if (bytes.size() != static_cast<std::size_t>(tensor.elements()) * size_in_bytes(tensor.type))
      throw broken(fmt::format("{} numbers in a constant", tensor.elements()),
                   fmt::format("{} bytes", bytes.size()));
    tensor.bytes.resize(bytes.size());
    std::memcpy(tensor.bytes.data(), bytes.data(), bytes.size());
    return tensor.type == DataType::uint8 ? tensor : tensor.converted(DataType::float32);
  }

  std::string_view blob_bytes(std::uint64_t record) const {
    struct {
      std::uint32_t mark, type;
      std::uint64_t bytes, place;
    } head;
    if (record > blobs_.size() || blobs_.size() - record < sizeof head)
      throw broken("a record of weight.bin", fmt::format("its end before byte {}", record));
    std::memcpy(&head, blobs_.data() + record, sizeof head);
    if (head.mark != 0xDEADBEEF)
      throw broken(fmt::format("the mark of a record at byte {} of weight.bin", record),
                   fmt::format("{:#x}", head.mark));
    if (head.place > blobs_.size() || blobs_.size() - head.place < head.bytes)
      throw broken(fmt::format("{} bytes at {} of weight.bin", head.bytes, head.place),
                   fmt::format("{} in all", blobs_.size()));
    return std::string_view(blobs_).substr(head.place, head.bytes);
  }

  const fs::path package_;
  const std::string model_, blobs_;
  std::map<std::string, Tensor> all_;
};

}  // namespace

std::map<std::string, Tensor> coreml_constants(const fs::path& package) {
  return Constants(package).read();
}

network::Weights coreml_package_weights(const fs::path& package,
                                        const network::NetworkAndWeights& like) {
  const auto constants = coreml_constants(package);
  network::Weights weights;
  for (const auto& [name, tensor] : like.weights.entries()) {
    if (!is_read(like.network, name)) {
      weights.set(name, tensor);
      continue;
    }
    const auto found = constants.find(coreml_identifier(name));
    if (found == constants.end())
      throw Error(fmt::format("{}: expected the constant {}, found none", package.string(),
                              coreml_identifier(name)));
    if (found->second.elements() != tensor.elements())
      throw Error(fmt::format("{}: {}: expected {} numbers, found {}", package.string(), name,
                              tensor.elements(), found->second.elements()));
    Tensor own = found->second;
    own.shape = tensor.shape;
    weights.set(name, std::move(own));
  }
  return weights;
}

}  // namespace yolov7::exporting
