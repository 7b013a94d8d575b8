#pragma once
// Operations on channels-last values with their shapes: what translations of networks consist of.
#include <cstdint>
#include <string>
#include <vector>

#include "exporting/channels_last_graph.hpp"
#include "exporting/export_model.hpp"

namespace yolov7::exporting {

/// The batch, or −1 where it is open.
std::int64_t batch_side(const ExportModel& model);

struct ChannelsLastValue {
  int number = -1;  ///< the graph's; −1: there is none
  Shape shape = {};
};

class ChannelsLastBuilder {
 public:
  using Value = ChannelsLastValue;
  using Inputs = std::vector<Value>;
  using Numbers = std::vector<std::int32_t>;

  ChannelsLastBuilder(ChannelsLastGraph& graph, const ExportModel& model)
      : graph_(graph), model_(model) {}

  /// While there is one, results are 8-bit integers of this scale.
  void give_integers(const network::ValueScale* scale) { scale_ = scale; }

  Value node(ChannelsLastNode one, const Inputs& in);
  Value unary(ChannelsLastKind kind, const Value& in);
  Value with_constant(ChannelsLastKind kind, const Value& in, const Shape& shape,
                      const std::vector<float>& values);
  Value per_channel(ChannelsLastKind kind, const Value& in, const std::vector<float>& values);
  int numbers(const Numbers& values);
  Value concat(const Inputs& in, int axis);
  /// `shape`: what follows the batch.
  Value reshaped(const Value& in, Shape shape);
  Value transposed(const Value& in, const Numbers& order);
  /// Of [B, N, columns].
  Value columns(const Value& in, int from, int to);
  /// By zeros, or by the lowest number.
  Value padded(const Value& in, int rows, int columns, bool lowest);

  /// A convolution of `in` by these constants of the graph, padded as it wants.
  Value convolved(const network::Convolution& conv, const Value& in, int filter, int bias);
  /// The shape of its weights in `network`, and its channels where it is depthwise, else 0.
  static Shape filter_shape(const network::Convolution& conv);
  static int depthwise_channels(const network::Convolution& conv);
  /// Whether the format's own padding does what the convolution's does.
  static bool keeps_size(const network::Convolution& conv);

  const network::Tensor& weight(const std::string& name, std::int64_t elements) const;
  std::vector<float> channel_values(const std::string& name, int channels) const;

  ChannelsLastGraph& graph() { return graph_; }
  const ExportModel& model() const { return model_; }

 private:
  ChannelsLastGraph& graph_;
  const ExportModel& model_;
  const network::ValueScale* scale_ = nullptr;
};

}  // namespace yolov7::exporting
