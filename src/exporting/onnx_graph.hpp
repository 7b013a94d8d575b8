#pragma once
// Builds an ONNX graph node by node (onnx.ai, IR specification; field numbers of onnx.proto).
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

/// The length of an axis: a number, or the name of a variable length.
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

  /// Appends a node with one output and returns the name of the output. If `output` is empty, a
  /// name is made. An empty input name omits an optional input.
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
  /// Adds a weight, which is converted when the file is written. `tensor`: float32. `owner` keeps
  /// it alive until then. In the file: `type`, float32 or float16. A name that was added before is
  /// not added again. Error: another number of values than `shape` has, or another type.
  std::string weight(const std::string& name, const std::vector<std::int64_t>& shape,
                     const network::Tensor& tensor, OnnxType type,
                     std::shared_ptr<const void> owner);

  /// Operations that differ between operator sets.
  std::string reduce(std::string_view operation, const std::string& input, std::int64_t axis);
  std::string cast(const std::string& input, OnnxType to);

  /// The ONNX model. `domains`: further operator sets, each with version 1. Call once.
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
