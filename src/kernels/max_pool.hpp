#pragma once
// Max-pooling of NHWC tensors without the int64 index per value that the general operation writes
// and reads.
#include <cstdint>

#include "kernels/torch.hpp"

namespace yolov7::kernels {

/// x [B, C, H, W], padding behaves as −∞ → the values of at::max_pool2d(x, kernel, stride,
/// padding), channels_last where the fast path serves: on the CPU, float32 or bfloat16,
/// channels_last, and either kernel 2, stride 2, no padding or an odd kernel, stride 1, padding
/// kernel / 2. Everything else goes to at::max_pool2d. The gradient goes to the first largest value
/// of a window; it is summed in float32. Error on a second derivative of the fast path.
at::Tensor max_pool(const at::Tensor& x, std::int64_t kernel, std::int64_t stride,
                    std::int64_t padding);

}  // namespace yolov7::kernels
