#pragma once
// What a network costs at a picture size: parameters and multiply-adds (architecture 4.3, 4.4),
// shape by shape.
#include <cstdint>
#include <vector>

#include "network/graph/graph.hpp"

namespace yolov7::network {

/// Shape of a value for one picture.
struct ValueSize {
  int channels = 0, height = 0, width = 0;
};

/// By value number, for one picture of height × width pixels. Error: layers whose inputs do not fit
/// together at this size (it is no multiple of the largest stride), or an output without pixels.
std::vector<ValueSize> value_sizes(const Network& network, int height, int width);

/// 2 · H_out · W_out · C_out · (C_in / groups) · k² over the convolutions ÷ 10⁹; the rest counts as
/// zero. "with_bias" adds 2 · H_out · W_out · C_out per convolution, whether it has a bias or a
/// batch-norm.
struct Flops {
  double gflops = 0, with_bias = 0;
};

struct Cost {
  int picture_height = 0, picture_width = 0;
  std::int64_t parameters = 0;  ///< trainable elements as built
  std::int64_t fused_parameters =
      0;  ///< after fuse(): conv + BN, RepConv and implicit tensors folded, no auxiliary head
  Flops flops, fused_flops;
  std::vector<Flops> layer_flops;       ///< as built, by layer index
  std::vector<ValueSize> layer_sizes;   ///< output by layer index; zeros for the head
  std::vector<double> receptive_field;  ///< by layer index: pixels of the picture a side that an
                                        ///< output value may depend on; the head: its widest level
  /// Values of one picture in memory at once, 4 bytes each. Inference: the most that are alive
  /// between two operations of the fused network, each in a buffer of its own until its last
  /// reader. Training: every output that the backward pass may read, which is all of them but those
  /// between a batch-norm and its activation.
  std::int64_t inference_activation_bytes = 0, training_activation_bytes = 0;
};
/// Errors as value_sizes.
Cost cost(const Network& network, int height, int width);

}  // namespace yolov7::network
