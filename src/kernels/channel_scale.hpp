#pragma once
// The implicit multiplication of the head on NHWC tensors, widening to float32 on the way.
#include "kernels/torch.hpp"

namespace yolov7::kernels {

/// x [B, C, H, W] times factor (float32, C values in any shape that broadcasts as [1, C, 1, 1]) →
/// float32 [B, C, H, W]. On the CPU for channels_last float32 or bfloat16 one pass forward and one
/// backward; everything else as x * factor. The factor's gradient is summed in blocks of fixed size
/// and order. Error on a second derivative of the fast path.
at::Tensor scale_channels(const at::Tensor& x, const at::Tensor& factor);

}  // namespace yolov7::kernels
