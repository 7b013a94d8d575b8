#pragma once
// Spatial attention (SAM) as an optional child `sam` of any layer: it gates the layer's output, and
// layer indices and the names of all other tensors stay what they are (architecture 7.2).
#include <string>
#include <vector>

#include "network/config/lowering.hpp"

namespace yolov7::network {

/// "spatial" (CBAM: sigmoid of a 7×7 convolution over the channels' mean and maximum), "spatial3"
/// (the same, 3×3) and "pointwise" (YOLOv4: sigmoid of a 1×1 convolution with batch-norm, one gate
/// per element).
std::vector<std::string> attention_kinds();

/// The gated value. Tensors `prefix`conv.weight and, pointwise, `prefix`bn.*.
int lower_attention(Emitter& e, const std::string& kind, int input, const std::string& prefix);

}  // namespace yolov7::network
