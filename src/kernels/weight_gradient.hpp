#pragma once
// The gradient of a convolution's weights in bfloat16: what LibTorch does slowest
// (docs/performance.md).
#include <array>
#include <cstdint>

#include "kernels/torch.hpp"

namespace yolov7::kernels {

struct ConvolutionGeometry {
  std::array<std::int64_t, 2> kernel{1, 1}, stride{1, 1}, padding{0, 0};  ///< rows, columns
};

/// Whether this processor and x are of the kind that weight_gradient() takes: on the CPU, bfloat16,
/// four dimensions, not empty. dy is of the same kind.
bool supports_weight_gradient(const at::Tensor& x);

/// dL/dw [C_out, C_in, kh, kw], float32, channels_last: Σ over pictures and output pixels of dy ·
/// x, of x [B, C_in, H, W] and dy [B, C_out, H', W'] with H' = ⌊(H + 2·padding − kh) / stride⌋ + 1.
/// Products are exact; sums are float32 over a few thousand pixels, and those sums are joined in a
/// fixed order: the result does not depend on the number of threads.
at::Tensor weight_gradient(const at::Tensor& x, const at::Tensor& dy,
                           const ConvolutionGeometry& geometry);

}  // namespace yolov7::kernels
