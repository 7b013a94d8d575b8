#pragma once
// Blocks of networks for small processors (architecture 7.4): depthwise convolution, the inverted
// residual of MobileNetV2 (arXiv 1801.04381, table 1) without squeeze-and-excitation, and the
// normalisation of the image in front of a pre-trained backbone.
#include <optional>
#include <vector>

#include "network/config/lowering.hpp"

namespace yolov7::network {

int lower_dwconv(Emitter& e, const BlockCall& call);
int lower_mbconv(Emitter& e, const BlockCall& call);
int lower_normalize(Emitter& e, const BlockCall& call);

/// What a Normalize layer does to a channel's value x in 0 … 1: x · scale + shift, by channel.
struct ImageNormalization {
  std::vector<double> scale, shift;
};
/// Of a layer's arguments; none where it is another block.
std::optional<ImageNormalization> image_normalization(const Layer& layer);

}  // namespace yolov7::network
