#include "nn/layers.hpp"

#include "kernels/batch_norm_activation.hpp"
#include "kernels/convolution.hpp"
#include "kernels/joint_batch_norm.hpp"

namespace yolov7::nn {
namespace {

using network::ActivationKind;

at::Tensor cast(const at::Tensor& tensor, at::ScalarType type) {
  return tensor.defined() && tensor.scalar_type() != type ? tensor.to(type) : tensor;
}

/// act(x) in place where the backward pass allows it: SiLU's needs its input, the others' need only
/// the sign.
at::Tensor activate_own(at::Tensor x, const network::Activation& activation) {
  if (activation.kind == ActivationKind::leaky_relu && activation.slope > 0)
    return at::leaky_relu_(x, activation.slope);
  if (activation.kind == ActivationKind::relu) return at::relu_(x);
  if (activation.kind == ActivationKind::silu && !at::GradMode::is_enabled()) return at::silu_(x);
  return activate(x, activation);
}

kernels::BatchNormActivation fused(const BatchNorm& norm, const network::Activation& activation) {
  return {norm.weight, norm.bias, norm.mean, norm.variance, activation};
}

bool by_batch(const BatchNorm& norm, const ForwardMode& mode) {
  return mode.training && !norm.frozen;
}

/// What one forward pass through a batch-norm is; the batch is counted. `missing`: see
/// kernels::BatchNormActivation.
kernels::BatchNormActivation counted(const BatchNorm& norm, const network::Activation& activation,
                                     const ForwardMode& mode, const at::Tensor& missing) {
  kernels::BatchNormActivation result = fused(norm, activation);
  result.batch_statistics = by_batch(norm, mode);
  result.momentum = mode.momentum;
  result.epsilon = batch_norm_epsilon;
  result.missing = missing;
  if (!result.batch_statistics) return result;
  result.joint = mode.joint;
  at::NoGradGuard no_gradient;
  at::Tensor counter = norm.counter;
  counter.add_(1);
  return result;
}

/// LibTorch leaves 1 × 1 kernels of float32 in batches below 16 on one thread to BLAS instead of
/// oneDNN, and the BLAS of the process is the system's, which OpenCV brings along: 2 to 5 GFLOP/s
/// with Debian's reference one, where oneDNN does 80 to 120. A dilation means nothing to a 1 × 1
/// kernel, but LibTorch then takes oneDNN.
std::int64_t dilation_for(const at::Tensor& x, const ConvLayer& layer, at::ScalarType compute) {
  const bool left_to_blas = x.is_cpu() && compute == at::kFloat && layer.weight.size(2) == 1 &&
                            layer.weight.size(3) == 1 && at::get_num_threads() == 1;
  return left_to_blas ? 2 : layer.dilation;
}

/// With `bias` instead of the layer's.
at::Tensor convolution(const at::Tensor& x, const ConvLayer& layer, const at::Tensor& bias,
                       const ForwardMode& mode) {
  const at::Tensor in = cast(x, mode.compute);
  if (layer.groups == 1 && layer.dilation == 1 && at::GradMode::is_enabled() &&
      kernels::prefers_convolution(in, layer.weight, bias)) {
    return kernels::convolution(
        in, layer.weight, bias,
        {{layer.weight.size(2), layer.weight.size(3)}, layer.stride, layer.padding});
  }
  const std::int64_t dilation = dilation_for(x, layer, mode.compute);
  return at::conv2d(in, cast(layer.weight, mode.compute), cast(bias, mode.compute), layer.stride,
                    layer.padding, {dilation, dilation}, layer.groups);
}

/// The means of conv(x) by channel, about: from 8 to 15 rows and columns of each picture, and as if
/// there were no border.
at::Tensor expected_means(const at::Tensor& x, const at::Tensor& weight) {
  const auto step = [&](int side) { return std::max<std::int64_t>(1, x.size(side) / 8); };
  return at::mv(weight.sum({2, 3}), x.slice(2, 0, x.size(2), step(2))
                                        .slice(3, 0, x.size(3), step(3))
                                        .mean({0, 2, 3}, false, weight.scalar_type()));
}

/// x [B, C, H, W], which lacks a constant of each channel, `missing` [C] float32; undefined: which
/// lacks nothing.
struct Shifted {
  at::Tensor x, missing;
};

/// conv(x) before the batch-norm. The outputs of a channel are often many deviations away from
/// zero, and then the eight bits of a bfloat16 are spent on the mean, of which the batch-norm keeps
/// nothing. So about the mean is subtracted before the sum is rounded, as a bias, which is added in
/// float32, and the batch-norm is told. Gradients need no such thing: a constant has none.
/// docs/training.md has what it brings.
Shifted convolution_for_norm(const at::Tensor& x, const ConvLayer& layer, const ForwardMode& mode) {
  const at::Tensor in = cast(x, mode.compute);
  const bool narrow = mode.compute == at::kBFloat16 && layer.groups == 1 && !layer.bias.defined();
  if (!narrow || !kernels::supports(in, fused(layer.norm, layer.activation)))
    return {convolution(in, layer, layer.bias, mode), {}};
  at::Tensor missing;
  {
    at::NoGradGuard no_gradient;
    missing = (by_batch(layer.norm, mode) ? expected_means(in, layer.weight) : layer.norm.mean)
                  .to(at::kBFloat16)
                  .to(at::kFloat);
  }
  return {convolution(in, layer, -missing, mode), missing};
}

at::Tensor norm_act(const Shifted& shifted, const BatchNorm& norm,
                    const network::Activation& activation, const ForwardMode& mode) {
  const kernels::BatchNormActivation pass = counted(norm, activation, mode, shifted.missing);
  if (kernels::supports(shifted.x, pass)) return kernels::batch_norm_activation(shifted.x, pass);
  if (pass.joint != nullptr)
    return activate_own(kernels::joint_batch_norm(shifted.x, pass), activation);
  if (pass.batch_statistics)
    kernels::require_variance(static_cast<double>(shifted.x.numel() / shifted.x.size(1)));
  at::Tensor y = at::batch_norm(shifted.x, norm.weight, norm.bias, norm.mean, norm.variance,
                                pass.batch_statistics, mode.momentum, batch_norm_epsilon,
                                /*cudnn_enabled=*/true);
  return activate_own(std::move(y), activation);
}

}  // namespace

at::Tensor activate(const at::Tensor& x, const network::Activation& activation) {
  switch (activation.kind) {
    case ActivationKind::silu: return at::silu(x);
    case ActivationKind::relu: return at::relu(x);
    case ActivationKind::relu6: return at::relu6(x);
    case ActivationKind::leaky_relu: return at::leaky_relu(x, activation.slope);
    case ActivationKind::sigmoid: return at::sigmoid(x);
    case ActivationKind::identity: break;
  }
  return x;
}

at::Tensor batch_norm_act(const at::Tensor& x, const BatchNorm& norm,
                          const network::Activation& activation, const ForwardMode& mode) {
  return norm_act({x, {}}, norm, activation, mode);
}

at::Tensor conv_bn_act(const at::Tensor& x, const ConvLayer& layer, const ForwardMode& mode) {
  return layer.norm.defined()
             ? norm_act(convolution_for_norm(x, layer, mode), layer.norm, layer.activation, mode)
             : activate_own(convolution(x, layer, layer.bias, mode), layer.activation);
}

std::array<at::Tensor, 2> conv_bn_act_twice(const at::Tensor& x, const ConvLayer& layer,
                                            const ForwardMode& mode) {
  if (layer.norm.defined() && at::GradMode::is_enabled()) {
    const Shifted y = convolution_for_norm(x, layer, mode);
    if (kernels::supports(y.x, fused(layer.norm, layer.activation)))
      return kernels::batch_norm_activation_twice(
          y.x, counted(layer.norm, layer.activation, mode, y.missing));
    const at::Tensor z = norm_act(y, layer.norm, layer.activation, mode);
    return {z, z};
  }
  const at::Tensor y = conv_bn_act(x, layer, mode);
  return {y, y};
}

}  // namespace yolov7::nn
