#pragma once
#include "kernels/torch.hpp"

namespace yolov7::kernels {

/// Σ over pictures and pixels of x [B, C, H, W], float32 or bfloat16, channels_last, on the CPU →
/// float32 [C]: the gradient of a convolution's bias. Sums run over blocks of fixed size in float32
/// and over those in double: the number of threads changes nothing.
at::Tensor channel_sums(const at::Tensor& x);

}  // namespace yolov7::kernels
