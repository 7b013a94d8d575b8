#pragma once
// A graph of operations on channels-last tensors [B, H, W, C]: what TensorFlow and TensorFlow Lite
// have in common.
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "network/graph/weights.hpp"
#include "network/transform/quantization.hpp"

namespace yolov7::exporting {

using Shape = std::vector<std::int64_t>;

enum class ChannelsLastKind {
  convolution,            ///< inputs: map, filter, bias
  depthwise_convolution,  ///< the same
  logistic,
  relu,
  relu6,
  leaky_relu,
  max_pool,
  concat,
  add,
  multiply,
  resize,        ///< nearest; inputs: map, height and width
  pad,           ///< with zeros; inputs: map, [rank, 2] numbers
  pad_value,     ///< inputs besides: the value
  slice,         ///< inputs: value, first, end, step
  reshape,       ///< inputs: value, shape
  transpose,     ///< inputs: value, order
  mean,          ///< the reduced axis stays, of length 1; inputs: value, axis
  maximum,       ///< the same
  from_bytes,    ///< uint8 → float
  to_integers,   ///< float32, or 8-bit integers of another scale → 8-bit integers
  from_integers  ///< 8-bit integers → float32
};

/// An operation with what it gives. Strides and dilations are equal in both directions.
struct ChannelsLastNode {
  ChannelsLastKind kind = ChannelsLastKind::add;
  std::vector<int> inputs = {};
  Shape shape = {};      ///< of the result; its first side is an example where the batch is open
  bool same = false;     ///< padded so that the size stays; else not padded
  int stride = 1;        ///< convolutions, pooling
  int dilation = 1;      ///< convolutions
  int kernel = 1;        ///< pooling
  int multiplier = 1;    ///< outputs of a channel, depthwise
  bool grouped = false;  ///< convolution whose filter sees a part of the channels
  int axis = 0;          ///< concat
  float slope = 0;       ///< leaky_relu
  int whole_from = 0, whole_to = 0;  ///< slice: bits of axes that are whole in front, or behind
  /// The result is 8-bit integers, −128 … 127; none: float32.
  std::optional<network::ValueScale> scale = {};
};

/// Constant 8-bit integers: real = scale · (number − zero point), one pair, or one for each index
/// of the axis.
struct ChannelsLastBytes {
  Shape shape;
  std::vector<std::int8_t> numbers;
  std::vector<float> scales;
  std::vector<std::int64_t> zero_points;
  std::int32_t axis = 0;
};

/// Values are numbers that a graph hands out.
class ChannelsLastGraph {
 public:
  virtual ~ChannelsLastGraph() = default;
  virtual int floats(const Shape& shape, const std::vector<float>& values) = 0;
  virtual int integers(const Shape& shape, const std::vector<std::int32_t>& values) = 0;
  /// Of a convolution, [out, in / groups, kh, kw] in `tensor`, in the format's own order.
  /// `depthwise_channels`: of the input; 0 = not depthwise. The tensor stays while the graph is
  /// there.
  virtual int filter(const std::string& name, const network::Tensor& tensor, const Shape& shape,
                     int depthwise_channels) = 0;
  virtual int bias(const std::string& name, const network::Tensor& tensor) = 0;
  /// Error: the format has no 8-bit integers here.
  virtual int bytes(const std::string& name, const ChannelsLastBytes& bytes) = 0;
  /// A bias of integer convolutions, one scale a channel.
  virtual int integer_bias(const std::string& name, const std::vector<std::int32_t>& numbers,
                           const std::vector<float>& scales) = 0;
  virtual int node(const ChannelsLastNode& node) = 0;
  virtual std::string name_in_file(int value) const = 0;  ///< in the file
  /// A tensor that is not the model's own, for filter() and bias().
  const network::Tensor& keep(network::Tensor tensor) {
    return kept_.emplace_back(std::move(tensor));
  }

 private:
  std::deque<network::Tensor> kept_;  // places stay
};

/// float32 values in another order of axes: result axis i is axis order[i].
std::vector<float> permuted(const network::Tensor& tensor, const Shape& shape,
                            const std::vector<std::size_t>& order);

}  // namespace yolov7::exporting
