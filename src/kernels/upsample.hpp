#pragma once
// Doubling the sides of NHWC tensors, with a backward pass that reads a range of channels of a
// wider tensor where it lies: LibTorch's copies it first.
#include "kernels/torch.hpp"

namespace yolov7::kernels {

/// x [B, C, H, W] → [B, C, 2H, 2W], each pixel four times: the values of at::upsample_nearest2d.
/// The gradient of a pixel is the float32 sum of its four, rounded once. On the CPU in float32 and
/// bfloat16; all else goes to LibTorch. Error on a second derivative of the fast path.
at::Tensor upsample_twice(const at::Tensor& x);

}  // namespace yolov7::kernels
