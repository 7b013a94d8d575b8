#pragma once
// Stochastic gradient descent with Nesterov momentum over three groups of parameters (training 7.1, 7.2).
#include <array>
#include <string>
#include <vector>

#include "network/weights.hpp"
#include "training/torch_network.hpp"

namespace yolov7::training {

/// The order is part of the checkpoint and of the log (lr0, lr1, lr2).
enum class ParameterGroup { scale = 0, weight = 1, bias = 2 };
/// scale: batch-norm weights and implicit vectors; weight: convolutions, the only group with weight decay; bias: all
/// biases. Error for a role that is not trainable.
ParameterGroup group_of(network::TensorSpec::Role role);

class Sgd {
 public:
  /// Every trainable tensor of the network enters exactly one group; `network` must outlive this object.
  Sgd(const TorchNetwork& network, double weight_decay, bool nesterov = true);

  void set_rates(const std::array<double, 3>& rates) { rates_ = rates; }  ///< by group
  void set_momentum(double momentum) { momentum_ = momentum; }
  const std::array<double, 3>& rates() const { return rates_; }
  double momentum() const { return momentum_; }

  /// g ← grad + λp; v ← g at a parameter's first step, else μv + g; p ← p − η(g + μv). Parameters without a gradient
  /// (frozen ones) are left alone. Gradients are read only.
  void step();
  /// Drops all gradients, so that the next backward pass writes them anew.
  void clear_gradients();

  std::array<std::size_t, 3> group_sizes() const;  ///< tensors per group
  /// Momentum buffers by parameter name; parameters that never had a step have none.
  network::Weights store() const;
  /// Errors: a buffer for a parameter that does not exist or of another shape.
  void load(const network::Weights& momentum);

 private:
  struct Parameter {
    std::string name;
    at::Tensor tensor, momentum;  ///< momentum undefined before the first step
  };
  std::array<std::vector<Parameter>, 3> groups_;
  std::array<double, 3> rates_{0.01, 0.01, 0.01};
  double momentum_ = 0.937, weight_decay_;
  bool nesterov_;
};

}  // namespace yolov7::training
