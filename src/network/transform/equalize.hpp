#pragma once
// Cross-layer equalisation (Nagel et al., "Data-Free Quantization through Weight Equalization and
// Bias Correction", ICCV 2019, section 4.1): a ReLU and a leaky ReLU keep positive factors, so the
// channels of a value can be multiplied where the weights that read them are divided. The outputs
// stay, and one scale for all channels loses less of the quiet ones.
#include <vector>

#include "network/graph/weights.hpp"

namespace yolov7::network {

/// By value number: one positive factor a channel. Empty: the value has none.
using ChannelFactors = std::vector<std::vector<float>>;

/// Values whose channels can be multiplied, ascending: a convolution and an activation that keeps
/// positive factors make them, and convolutions alone read them, also behind what only moves
/// numbers. SiLU, ReLU6 and sigmoid keep no factor.
std::vector<int> scalable_values(const Network& network);

/// The folded network whose scalable values are `factors` times what they were, and whose outputs
/// are the same but for the rounding of float32. Error: factors of another value, or not one a
/// channel.
NetworkAndWeights with_channel_factors(const NetworkAndWeights& fused, ChannelFactors factors);

}  // namespace yolov7::network
