#pragma once
// What a picture takes in a forward and backward pass, from the shapes of the network alone: known
// before anything is computed.
#include <span>

#include "network/graph/graph.hpp"

namespace yolov7::training {

/// Most bytes of tensors at once, per picture of height × width pixels: outputs that the backward
/// pass reads again (inputs of convolutions, batch-norms, poolings and products), what lives
/// between two operations, and gradients on the way back. `value_bytes`: of an activation; the raw
/// maps and the picture are float32. Nothing is kept for `frozen` layers before the first one that
/// trains. Workspaces of kernels and gaps between tensors come on top. Errors as value_sizes.
double pass_bytes(const network::Network& network, int height, int width, int value_bytes,
                  std::span<const int> frozen);

}  // namespace yolov7::training
