#pragma once
// An ONNX graph that is put together node by node (onnx.ai, IR specification; field numbers of
// onnx.proto).
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/protobuf.hpp"
#include "network/graph/weights.hpp"

namespace yolov7::exporting {

/// TensorProto.DataType.
enum class OnnxType { float32 = 1, uint8 = 2, int8 = 3, int32 = 6, int64 = 7, float16 = 10 };

/// A side of known length, or the name of an open one.
using OnnxSide = std::variant<std::int64_t, std::string>;

using OnnxAttribute =
    std::pair<std::string_view,
              std::variant<std::int64_t, float, std::string_view, std::vector<std::int64_t>>>;

class OnnxGraph {
 public:
  explicit OnnxGraph(int opset) : opset_(opset) {}
  int opset() const { return opset_; }

  void input(const std::string& name, OnnxType type, const std::vector<OnnxSide>& shape);
  void output(const std::string& name, OnnxType type, const std::vector<OnnxSide>& shape);

  /// Appends a node with one output; returns that output's name, which is made up where `output`
  /// is empty. "" among the inputs is one left out.
  std::string node(std::string_view operation, const std::vector<std::string>& inputs,
                   const std::vector<OnnxAttribute>& attributes = {}, std::string output = {});
  void node(std::string_view operation, std::string_view domain,
            const std::vector<std::string>& inputs, const std::vector<std::string>& outputs,
            const std::vector<OnnxAttribute>& attributes);

  /// Initialisers; all return their name.
  std::string integers(const std::vector<std::int64_t>& values);
  std::string scalar(std::int64_t value);
  std::string floats(const std::vector<std::int64_t>& shape, const std::vector<float>& values,
                     OnnxType type = OnnxType::float32);
  /// Little-endian numbers as they are.
  std::string numbers(const std::vector<std::int64_t>& shape, OnnxType type,
                      std::string_view bytes);
  /// A large one, converted when the file is written. `owner` keeps the tensor alive; float32 or
  /// float16 in the file. One name is written once.
  std::string weight(const std::string& name, const std::vector<std::int64_t>& shape,
                     const network::Tensor& tensor, OnnxType type,
                     std::shared_ptr<const void> owner);

  /// Operations that differ between operator sets.
  std::string reduce(std::string_view operation, const std::string& input, std::int64_t axis);
  std::string cast(const std::string& input, OnnxType to);

  /// The whole file. `domains`: further operator sets, version 1.
  ProtobufMessage model(const std::vector<std::pair<std::string, std::string>>& metadata,
                        const std::vector<std::string>& domains) &&;

 private:
  std::string fresh(std::string_view what);

  int opset_;
  std::size_t count_ = 0;
  std::vector<std::string> written_;  // names of weights
  std::vector<ProtobufMessage> nodes_, initializers_, inputs_, outputs_;
};

}  // namespace yolov7::exporting
