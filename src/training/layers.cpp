#include "training/layers.hpp"

#include "training/kernels/batch_norm_activation.hpp"
#include "training/kernels/convolution.hpp"
#include "training/kernels/joint_batch_norm.hpp"

namespace yolov7::training {
namespace {

using network::ActivationKind;

at::Tensor cast(const at::Tensor& tensor, at::ScalarType type) {
  return tensor.defined() && tensor.scalar_type() != type ? tensor.to(type) : tensor;
}

/// act(x) in place where the backward pass allows it: SiLU's needs its input, the others' need only the sign.
at::Tensor activate_own(at::Tensor x, const network::Activation& activation) {
  if (activation.kind == ActivationKind::leaky_relu && activation.slope > 0) return at::leaky_relu_(x, activation.slope);
  if (activation.kind == ActivationKind::relu) return at::relu_(x);
  if (activation.kind == ActivationKind::silu && !at::GradMode::is_enabled()) return at::silu_(x);
  return activate(x, activation);
}

/// What one forward pass through a batch-norm is; the batch is counted.
kernels::BatchNormActivation counted(const BatchNorm& norm, const network::Activation& activation, const ForwardMode& mode) {
  const bool batch_statistics = mode.training && !norm.frozen;
  if (batch_statistics) {
    at::NoGradGuard no_gradient;
    at::Tensor counter = norm.counter;
    counter.add_(1);
  }
  return {norm.weight, norm.bias, norm.mean, norm.variance, activation, batch_statistics, mode.momentum, batch_norm_epsilon,
          batch_statistics ? mode.joint : nullptr};
}

/// LibTorch leaves 1 × 1 kernels of float32 in batches below 16 on one thread to BLAS instead of oneDNN, and the BLAS of the process is the system's, which OpenCV brings along:
/// 2 to 5 GFLOP/s with Debian's reference one, where oneDNN does 80 to 120. A dilation means nothing to a 1 × 1 kernel, but LibTorch then takes oneDNN.
std::int64_t dilation_for(const at::Tensor& x, const ConvLayer& layer, at::ScalarType compute) {
  const bool left_to_blas = x.is_cpu() && compute == at::kFloat && layer.weight.size(2) == 1 && layer.weight.size(3) == 1 && at::get_num_threads() == 1;
  return left_to_blas ? 2 : layer.dilation;
}

at::Tensor convolution(const at::Tensor& x, const ConvLayer& layer, const ForwardMode& mode) {
  const at::Tensor in = cast(x, mode.compute);
  if (layer.groups == 1 && layer.dilation == 1 && at::GradMode::is_enabled() && kernels::prefers_convolution(in, layer.weight, layer.bias)) {
    return kernels::convolution(in, layer.weight, layer.bias, {{layer.weight.size(2), layer.weight.size(3)}, layer.stride, layer.padding});
  }
  const std::int64_t dilation = dilation_for(x, layer, mode.compute);
  return at::conv2d(in, cast(layer.weight, mode.compute), cast(layer.bias, mode.compute), layer.stride, layer.padding, {dilation, dilation}, layer.groups);
}

}  // namespace

at::Tensor activate(const at::Tensor& x, const network::Activation& activation) {
  switch (activation.kind) {
    case ActivationKind::silu: return at::silu(x);
    case ActivationKind::relu: return at::relu(x);
    case ActivationKind::leaky_relu: return at::leaky_relu(x, activation.slope);
    case ActivationKind::sigmoid: return at::sigmoid(x);
    case ActivationKind::identity: break;
  }
  return x;
}

at::Tensor batch_norm_act(const at::Tensor& x, const BatchNorm& norm, const network::Activation& activation,
                          const ForwardMode& mode) {
  const kernels::BatchNormActivation fused = counted(norm, activation, mode);
  if (kernels::supports(x, fused)) return kernels::batch_norm_activation(x, fused);
  if (fused.joint != nullptr) return activate_own(kernels::joint_batch_norm(x, fused), activation);
  at::Tensor y = at::batch_norm(x, norm.weight, norm.bias, norm.mean, norm.variance, fused.batch_statistics, mode.momentum,
                                batch_norm_epsilon, /*cudnn_enabled=*/true);
  return activate_own(std::move(y), activation);
}

at::Tensor conv_bn_act(const at::Tensor& x, const ConvLayer& layer, const ForwardMode& mode) {
  at::Tensor y = convolution(x, layer, mode);
  return layer.norm.defined() ? batch_norm_act(y, layer.norm, layer.activation, mode)
                              : activate_own(std::move(y), layer.activation);
}

std::array<at::Tensor, 2> conv_bn_act_twice(const at::Tensor& x, const ConvLayer& layer, const ForwardMode& mode) {
  if (layer.norm.defined() && at::GradMode::is_enabled()) {
    const at::Tensor y = convolution(x, layer, mode);
    const kernels::BatchNormActivation probe{layer.norm.weight, layer.norm.bias, layer.norm.mean, layer.norm.variance, layer.activation};
    if (kernels::supports(y, probe)) return kernels::batch_norm_activation_twice(y, counted(layer.norm, layer.activation, mode));
    const at::Tensor z = batch_norm_act(y, layer.norm, layer.activation, mode);
    return {z, z};
  }
  const at::Tensor y = conv_bn_act(x, layer, mode);
  return {y, y};
}

}  // namespace yolov7::training
