#pragma once
// Batch-norm over the pictures of several processes, in LibTorch's own operations: for every device
// and type (training 11.3). batch_norm_activation() is the fast one for float32 and bfloat16 on the
// CPU.
#include "kernels/batch_norm_activation.hpp"

namespace yolov7::kernels {

/// γ (x − μ) / √(σ² + ε) + β without the activation, x [B, C, H, W] → the same shape and type. μ
/// and σ² are those of all processes' pictures; running values as in batch_norm_activation().
/// Differentiable once; the gradients of weight and bias are this process's part.
/// Error: require_variance().
at::Tensor joint_batch_norm(const at::Tensor& x, const BatchNormActivation& norm);

}  // namespace yolov7::kernels
