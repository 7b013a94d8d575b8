#pragma once
// SGD with Nesterov momentum, Adam and AdamW over three groups of parameters (training 7.1, 7.2).
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "network/graph/weights.hpp"
#include "nn/torch_network.hpp"

namespace yolov7::training {

/// The order is part of the checkpoint and of the log (lr0, lr1, lr2).
enum class ParameterGroup { scale = 0, weight = 1, bias = 2 };
/// scale: batch-norm weights and implicit vectors; weight: convolutions, the only group with weight
/// decay; bias: all biases. Error for a role that is not trainable.
ParameterGroup group_of(network::TensorSpec::Role role);

enum class OptimizerKind { sgd, adam, adamw };
/// "sgd", "adam", "adamw"; Error for another name.
OptimizerKind optimizer_kind(std::string_view name);

struct OptimizerOptions {
  OptimizerKind kind = OptimizerKind::sgd;
  double weight_decay = 0;
  bool nesterov = true;                                 ///< SGD
  double beta1 = 0.937, beta2 = 0.999, epsilon = 1e-8;  ///< Adam, AdamW
  std::vector<double> layer_rates;  ///< share of the group's rate, by layer; empty or shorter: 1
};

/// One step for parameter p with gradient g, decay λ (weight group only), rate η:
/// SGD: g ← g + λp; v ← g at a parameter's first step, else μv + g; p ← p − η(g + μv) (Nesterov) or
/// p − ηv. Adam (Kingma and Ba 2015): g ← g + λp; m ← β₁m + (1 − β₁)g; v ← β₂v + (1 − β₂)g²; p ← p
/// − η m̂ / (√v̂ + ε), m̂ and v̂ divided by 1 − βᵗ. AdamW (Loshchilov and Hutter 2019): p ← p(1 − ηλ),
/// then as Adam without λ.
class Optimizer {
 public:
  /// Every trainable tensor of the network enters exactly one group; `network` must outlive this
  /// object.
  Optimizer(const nn::TorchNetwork& network, const OptimizerOptions& options);

  /// A parameter beside the network's, in the same way: name and tensor are unlike all others.
  /// `rate`: share of the group's rate.
  void add(const std::string& name, const at::Tensor& tensor, ParameterGroup group,
           double rate = 1);

  void set_rates(const std::array<double, 3>& rates) { rates_ = rates; }  ///< by group
  void set_momentum(double momentum) {
    momentum_ = momentum;
  }  ///< of SGD; Adam's β₁ stays (training 7.4)
  const std::array<double, 3>& rates() const { return rates_; }
  double momentum() const { return momentum_; }

  /// Parameters without a gradient (frozen ones) are left alone. Gradients are read only.
  void step();
  void scale_gradients(double factor);
  /// Scales all gradients so that their joint Euclidean norm is at most `limit` (0 = no limit);
  /// returns the norm before. A norm that is not finite leaves the gradients as they are.
  double clip_gradients(double limit);
  /// Drops all gradients, so that the next backward pass writes them anew.
  void clear_gradients();

  std::array<std::size_t, 3> group_sizes() const;  ///< tensors per group
  /// State by parameter name: SGD the momentum under the name itself; Adam `name.m`, `name.v` and
  /// the counter `name.t` (int64). Parameters that never had a step have none.
  network::Weights store() const;
  /// Errors: state for a parameter that does not exist, of another shape, or of another kind of
  /// optimizer.
  void load(const network::Weights& state);

 private:
  struct Parameter {
    std::string name;
    at::Tensor tensor;
    at::Tensor momentum, second;  ///< undefined before the first step; `second` with Adam only
    std::int64_t steps = 0;       ///< counted with Adam only
    double rate = 1;              ///< share of the group's rate
  };
  void step_sgd(std::size_t group, double share);
  void step_adam(std::size_t group, double share);
  std::vector<at::Tensor> gradients() const;
  double decay(std::size_t group) const;

  std::array<std::vector<Parameter>, 3> groups_;
  std::vector<double> shares_;  ///< the different values of Parameter::rate
  std::array<double, 3> rates_{0.01, 0.01, 0.01};
  OptimizerOptions options_;
  double momentum_ = 0.937;
};

}  // namespace yolov7::training
