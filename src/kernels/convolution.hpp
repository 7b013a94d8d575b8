#pragma once
// A convolution in bfloat16 with float32 parameters, whose weight gradient is our own
// (weight_gradient.hpp).
#include "kernels/weight_gradient.hpp"

namespace yolov7::kernels {

/// Whether convolution() takes x and these parameters, and is the faster way: what
/// supports_weight_gradient() says of x, float32 parameters, and a processor without AMX, for which
/// LibTorch's convolutions multiply whole tiles.
bool prefers_convolution(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias);

/// x [B, C_in, H, W] bfloat16, weight [C_out, C_in, kh, kw] and bias [C_out] (may be undefined)
/// float32 → [B, C_out, H', W'] bfloat16, channels_last. The parameters are rounded to bfloat16 for
/// the products; their gradients are float32 sums that are not rounded to bfloat16. Differentiable
/// once.
at::Tensor convolution(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                       const ConvolutionGeometry& geometry);

}  // namespace yolov7::kernels
