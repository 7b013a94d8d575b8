#pragma once
// A network, and the decoding behind it, as operations on channels-last tensors [B, H, W, C]: what
// TensorFlow and TensorFlow Lite have in common. Each of the two is a ChannelsLastGraph.
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "exporting/export_model.hpp"

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
  resize,     ///< nearest; inputs: map, height and width
  pad,        ///< with zeros; inputs: map, [rank, 2] numbers
  pad_value,  ///< inputs besides: the value
  slice,      ///< inputs: value, first, end, step
  reshape,    ///< inputs: value, shape
  transpose,  ///< inputs: value, order
  mean,       ///< the reduced axis stays, of length 1; inputs: value, axis
  maximum,    ///< the same
  from_bytes  ///< uint8 → float
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
  virtual int node(const ChannelsLastNode& node) = 0;
  virtual std::string name_in_file(int value) const = 0;  ///< in the file
};

/// float32 values in another order of axes: result axis i is axis order[i].
std::vector<float> permuted(const network::Tensor& tensor, const Shape& shape,
                            const std::vector<std::size_t>& order);

/// The batch, or −1 where it is open.
std::int64_t batch_side(const ExportModel& model);
/// What formats of such tensors write of a model, whose forms are decoded: height and width fixed,
/// suppression left to whoever reads.
ExportModel channels_last_model(const ExportModel& model, const ExportOptions& options);
/// What goes into a suppression: corners in parts of the image, [B, N, 1, 4] (x1, y1, x2, y2), and
/// scores, [B, N, nc].
struct SuppressionInputs {
  int boxes = -1, scores = -1;
};
SuppressionInputs channels_last_suppression(ChannelsLastGraph& graph, const ExportModel& model,
                                            int images);

/// "tf", or "v8" without objectness.
std::string_view channels_last_layout(const ExportOptions& options);

/// Translates everything. `images`: [B, H, W, 3] in 0 … 1. Returns the output: [B, N, 5 + nc] with
/// boxes in parts of the image's width and height, or with fold_obj [B, 4 + nc, N] in pixels; and
/// its shape.
std::pair<int, Shape> channels_last(ChannelsLastGraph& graph, const ExportModel& model,
                                    const ExportOptions& options, int images);

}  // namespace yolov7::exporting
