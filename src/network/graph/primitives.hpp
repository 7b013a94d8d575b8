#pragma once
// The primitives that a network consists of. Every block of a config becomes a few of them
// (config/lowering.hpp). Back ends, exporters and analyses translate each one in a std::visit
// without a default, so that a new primitive does not compile until all of them know it.
#include <string>
#include <variant>

namespace yolov7::network {

enum class ActivationKind { identity, silu, relu, leaky_relu, relu6, sigmoid };
struct Activation {
  ActivationKind kind = ActivationKind::silu;
  double slope = 0;  ///< leaky_relu
  bool operator==(const Activation&) const = default;
};

/// Which branch of a RepConv a primitive belongs to (architecture 1.8, 5.2).
enum class RepBranch { none, dense, point, identity };

/// Zero padding. Weight [out, in / groups, kernel_h, kernel_w], bias [out].
struct Convolution {
  std::string tensor;  ///< the tensors are `tensor`.weight and, with a bias, `tensor`.bias
  int in_channels = 0, out_channels = 0;
  int kernel_h = 1, kernel_w = 1, stride = 1, pad_h = 0, pad_w = 0, groups = 1, dilation = 1;
  bool bias = false;
  RepBranch branch = RepBranch::none;
  bool operator==(const Convolution&) const = default;
};

/// ε is batch_norm_epsilon.
struct BatchNorm {
  std::string tensor;  ///< `tensor`.weight, .bias, .running_mean, .running_var,
                       ///< .num_batches_tracked
  int channels = 0;
  RepBranch branch = RepBranch::none;
  bool operator==(const BatchNorm&) const = default;
};

struct Activate {
  Activation activation;
  bool operator==(const Activate&) const = default;
};

/// Square windows; padding counts as −∞.
struct MaxPool {
  int kernel = 2, stride = 2, padding = 0;
  bool operator==(const MaxPool&) const = default;
};

/// Along the channels.
struct Concat {
  bool operator==(const Concat&) const = default;
};

/// Sum of two or more values of one shape.
struct Add {
  std::string merged;  ///< sum of a RepConv's branches: the convolution that they merge into
                       ///< (`merged`.weight, `merged`.bias); else ""
  bool operator==(const Add&) const = default;
};

/// Value · gate; a gate of one channel goes for all channels.
struct Multiply {
  bool operator==(const Multiply&) const = default;
};
/// Each pixel twice in both directions.
struct Upsample {
  bool operator==(const Upsample&) const = default;
};

/// [B, C, H, W] → [B, 4C, H / 2, W / 2]; the row offset varies fastest (architecture 1.4).
struct Reorg {
  bool operator==(const Reorg&) const = default;
};

/// x + `tensor`.implicit, and x · `tensor`.implicit: one number per channel.
struct ImplicitAdd {
  std::string tensor;
  int channels = 0;
  bool operator==(const ImplicitAdd&) const = default;
};
struct ImplicitMultiply {
  std::string tensor;
  int channels = 0;
  bool operator==(const ImplicitMultiply&) const = default;
};

/// [B, 1, H, W].
struct ChannelMean {
  bool operator==(const ChannelMean&) const = default;
};
/// [B, 1, H, W].
struct ChannelMax {
  bool operator==(const ChannelMax&) const = default;
};

using Primitive =
    std::variant<Convolution, BatchNorm, Activate, MaxPool, Concat, Add, Multiply, Upsample, Reorg,
                 ImplicitAdd, ImplicitMultiply, ChannelMean, ChannelMax>;

}  // namespace yolov7::network
