#pragma once
// Numbers of few bits in training: the forward pass rounds as the quantized network will, the
// backward pass takes rounding for the identity (export 9.6).
#include "kernels/torch.hpp"

namespace yolov7::kernels {

/// The integers behind one value: 0 … most, of which zero_point stands for 0.
struct NumberRange {
  int zero_point = 0, most = 255;
  bool operator==(const NumberRange&) const = default;
};

/// s of the logarithm ln s, a float32 tensor of one element. One place, so that training and what
/// is written down of it have the same bits.
float scale_of(const at::Tensor& log_scale);

/// y = s · (clamp(round(x / s) + z, 0, n) − z), halves to the even number: network::quantized() in
/// the type of x. Backward (Esser et al. 2020, "Learned step size quantization", arXiv 1902.08153,
/// equations 3 and 5): ∂y/∂x = 1 between the ends and 0 beyond, ∂y/∂s = round(x / s) − x / s
/// between, −z below, n − z above. The gradient of ln s is that of s times s and `share`; none
/// where log_scale needs none. On the CPU for float32 tensors without gaps one pass each way, sums
/// in blocks of fixed size and order; everything else by LibTorch's operations. Error on a second
/// derivative.
at::Tensor fake_quantize(const at::Tensor& x, const at::Tensor& log_scale, NumberRange range,
                         double share);

/// The same for a scale that is known and not learned; no gradient flows.
at::Tensor quantized_by(const at::Tensor& x, float scale, NumberRange range);

/// −127 … 127 by the largest magnitude of each output channel, or of the tensor, which is the scale
/// that network::quantized_weight() has. [out, …]. Backward: the identity.
at::Tensor fake_quantize_weight(const at::Tensor& weight, bool per_tensor);

}  // namespace yolov7::kernels
