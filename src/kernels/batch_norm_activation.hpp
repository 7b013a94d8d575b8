#pragma once
// Batch-norm and activation as one differentiable operation on NHWC tensors: three passes over
// memory forward and five backward, where the separate operations take six and nine.
// docs/performance.md has the measurements.
#include <array>

#include "kernels/joint_statistics.hpp"
#include "kernels/torch.hpp"
#include "network/graph/graph.hpp"

namespace yolov7::kernels {

struct BatchNormActivation {
  at::Tensor weight, bias;               ///< float32 [C], parameters
  at::Tensor running_mean, running_var;  ///< float32 [C]
  network::Activation activation;
  bool batch_statistics =
      true;  ///< normalise by the batch and update the running values, or by those alone
  double momentum = 0.03;  ///< share of the new batch in the running values
  double epsilon = 1e-3;
  JointStatistics* joint =
      nullptr;  ///< the batch is that of all processes (training 11.3); outlives the backward pass
  at::Tensor missing = {};  ///< float32 [C], a constant of each channel that x lacks and the
                            ///< running mean has; may be undefined
};

/// Error where the batch has a single value per channel, whose unbiased variance does not exist.
void require_variance(double values_per_channel);

/// Whether batch_norm_activation() takes x: on the CPU, [B, C, H, W], float32 or bfloat16, not
/// empty, float32 parameters.
bool supports(const at::Tensor& x, const BatchNormActivation& norm);

/// act(γ (x − μ) / √(σ² + ε) + β), x [B, C, H, W] → the same shape and type, channels_last. All
/// arithmetic is float32 and rounds once, at the end. μ and σ² are the batch's (biased variance;
/// the running variance gets the unbiased one) or the running ones. Differentiable once with
/// respect to x, weight and bias. Of x + missing, to be exact, which is never formed: the result
/// and the gradients do not depend on a constant, μ does. With `joint` the statistics are those of
/// all processes' pictures, forward and backward; the gradients of weight and bias stay this
/// process's part, to be summed with all other gradients.
/// Sums run over blocks of fixed size in a fixed order: the result does not depend on the number of
/// threads. Errors: those of require_variance(), and on a second derivative.
at::Tensor batch_norm_activation(const at::Tensor& x, const BatchNormActivation& norm);

/// The same result as two tensors over one memory, for an output that several layers read: their
/// gradients arrive apart and are added in the backward pass's own first walk, which spares one
/// over memory. The sum is rounded as a separate addition would be.
std::array<at::Tensor, 2> batch_norm_activation_twice(const at::Tensor& x,
                                                      const BatchNormActivation& norm);

}  // namespace yolov7::kernels
