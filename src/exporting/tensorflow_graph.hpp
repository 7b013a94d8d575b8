#pragma once
// A TensorFlow GraphDef that is put together node by node (graph.proto, node_def.proto,
// attr_value.proto, tensor.proto; public schemas, Apache-2.0).
#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/protobuf.hpp"
#include "exporting/channels_last_graph.hpp"

namespace yolov7::exporting {

/// DataType of types.proto.
enum class TensorflowType { float32 = 1, int32 = 3, uint8 = 4 };

/// A truth value is a TensorflowFlag, so that no number becomes one.
enum class TensorflowFlag { no, yes };
using TensorflowAttribute =
    std::pair<std::string_view, std::variant<std::int64_t, float, TensorflowFlag, TensorflowType,
                                             std::string_view, std::vector<std::int64_t>>>;

class TensorflowGraph : public ChannelsLastGraph {
 public:
  /// `owner` keeps the weights alive.
  explicit TensorflowGraph(std::shared_ptr<const void> owner) : owner_(std::move(owner)) {}

  /// A placeholder; −1 is an open side.
  int input(const std::string& name, TensorflowType type, const Shape& shape);
  /// The node "Identity", or with the name given, whose first output is the graph's.
  void output(int value, const std::string& name = "Identity",
              TensorflowType type = TensorflowType::float32);
  /// tf.image.combined_non_max_suppression: boxes [B, N, 1, 4] and scores [B, N, nc] → boxes
  /// [B, K, 4], scores [B, K], classes [B, K], all float32, and how many there are, int32 [B].
  /// Boxes are clipped to 0 … 1; unused rows are zeros.
  std::array<int, 4> combined_suppression(int boxes, int scores, int most_of_class, int most,
                                          float iou, float score);
  int floats(const Shape& shape, const std::vector<float>& values) override;
  int integers(const Shape& shape, const std::vector<std::int32_t>& values) override;
  int filter(const std::string& name, const network::Tensor& tensor, const Shape& shape,
             int depthwise_channels) override;
  int bias(const std::string& name, const network::Tensor& tensor) override;
  int bytes(const std::string& name, const ChannelsLastBytes& bytes) override;
  int integer_bias(const std::string& name, const std::vector<std::int32_t>& numbers,
                   const std::vector<float>& scales) override;
  int node(const ChannelsLastNode& node) override;
  std::string name_in_file(int value) const override {
    return names_.at(static_cast<std::size_t>(value));
  }

  /// GraphDef.
  ProtobufMessage graph() &&;

 private:
  int add(const std::string& name, std::string_view operation, const std::vector<int>& inputs,
          const std::vector<TensorflowAttribute>& attributes);
  int constant(const std::string& name, TensorflowType type, ProtobufMessage tensor);
  int weight(const std::string& name, const Shape& shape, const network::Tensor& tensor,
             const Shape& source, const std::vector<std::size_t>& order);
  std::string fresh(std::string_view what) const;

  std::shared_ptr<const void> owner_;
  std::vector<std::string> names_;  // by value
  std::vector<ProtobufMessage> nodes_;
};

/// TensorShapeProto.
ProtobufMessage tensorflow_shape(const Shape& shape);

}  // namespace yolov7::exporting
