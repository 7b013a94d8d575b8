#pragma once
// The layers that hold nearly all of the computing time. The network executes them through these
// functions only, so that faster kernels can stand behind the same names.
#include <array>
#include <cstdint>

#include "kernels/joint_statistics.hpp"
#include "kernels/torch.hpp"
#include "network/graph/graph.hpp"

namespace yolov7::nn {

using network::batch_norm_epsilon;

/// Handles to the tensors of one batch-norm over C channels; all [C], counter a scalar int64.
struct BatchNorm {
  at::Tensor weight, bias;    ///< parameters
  at::Tensor mean, variance;  ///< running statistics
  at::Tensor counter;         ///< batches seen
  bool frozen = false;        ///< always normalise by the running statistics and leave them alone
  bool defined() const { return weight.defined(); }
};

/// One convolution with what follows it. `bias` and `norm` are undefined where the network has
/// none.
struct ConvLayer {
  at::Tensor weight;  ///< [C_out, C_in / groups, kh, kw]
  at::Tensor bias;    ///< [C_out]
  std::array<std::int64_t, 2> stride{1, 1}, padding{0, 0};
  std::int64_t dilation = 1, groups = 1;
  BatchNorm norm;
  network::Activation activation{network::ActivationKind::identity, 0};
};

/// How a forward pass is to be computed.
struct ForwardMode {
  bool training = false;   ///< batch-norm by batch statistics, running statistics updated
  double momentum = 0.03;  ///< share of the new batch in the running statistics
  at::ScalarType compute =
      at::kFloat;  ///< type of convolutions and activations; parameters keep their own
  kernels::JointStatistics* joint = nullptr;  ///< batch statistics over all processes
};

/// x [B, C_in, H, W] of any floating type → act(norm(conv(x))) [B, C_out, H', W'] of type
/// mode.compute, channels_last if x is. Parameters of another type are cast, so that gradients
/// arrive in the parameters' type.
at::Tensor conv_bn_act(const at::Tensor& x, const ConvLayer& layer, const ForwardMode& mode);

/// act(norm(x)), x [B, C, H, W]. Training: biased batch variance for normalising, unbiased for the
/// running value; x is left alone.
at::Tensor batch_norm_act(const at::Tensor& x, const BatchNorm& norm,
                          const network::Activation& activation, const ForwardMode& mode);

/// The same values as two tensors, for an output that several layers read: one reader takes the
/// first, all others the second. Where gradients are wanted the two share memory and their
/// gradients are joined on the way back; else both are one tensor.
std::array<at::Tensor, 2> conv_bn_act_twice(const at::Tensor& x, const ConvLayer& layer,
                                            const ForwardMode& mode);

/// act(x); x is left alone.
at::Tensor activate(const at::Tensor& x, const network::Activation& activation);

}  // namespace yolov7::nn
