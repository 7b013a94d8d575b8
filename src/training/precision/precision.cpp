#include "training/precision/precision.hpp"

#include <fmt/format.h>

#include <cmath>
#include <utility>
#include <vector>

#include "nn/batch_norm_snapshot.hpp"
#include "training/precision/loss_scaler.hpp"
#include "training/precision/trial_pass.hpp"

namespace yolov7::training {
namespace {

/// What trains, rounded to a narrow type as long as this object lives.
class RoundedWeights {
 public:
  RoundedWeights(nn::TorchNetwork& network, at::ScalarType narrow) {
    at::NoGradGuard no_gradient;
    for (const nn::TorchNetwork::Entry& entry : network.entries())
      if (entry.tensor.requires_grad())
        kept_.emplace_back(entry.tensor, entry.tensor.detach().clone());
    for (auto& [tensor, value] : kept_) tensor.copy_(value.to(narrow));
  }
  ~RoundedWeights() {
    at::NoGradGuard no_gradient;
    for (auto& [tensor, value] : kept_) tensor.copy_(value);
  }
  RoundedWeights(const RoundedWeights&) = delete;
  RoundedWeights& operator=(const RoundedWeights&) = delete;

 private:
  std::vector<std::pair<at::Tensor, at::Tensor>> kept_;
};

/// Float32 with picture and parameters rounded to the narrow type: how much the gradient depends on
/// bits that this type does not have.
TrialPass rounded_pass(nn::TorchNetwork& network, Loss& loss, const at::Tensor& images,
                       std::span<const Target> targets, at::ScalarType narrow) {
  const RoundedWeights rounded(network, narrow);
  return trial_pass(network, loss, images.to(narrow).to(images.scalar_type()), targets);
}

/// Statistics, mode and compute type of the network as before, also where memory does not suffice.
class NetworkState {
 public:
  explicit NetworkState(nn::TorchNetwork& network)
      : network_(network), training_(network.training()), statistics_(network) {}
  ~NetworkState() {
    statistics_.restore();
    network_.train(training_);
    network_.set_compute(network_.type());
  }
  NetworkState(const NetworkState&) = delete;
  NetworkState& operator=(const NetworkState&) = delete;
  void restore_statistics() const { statistics_.restore(); }

 private:
  nn::TorchNetwork& network_;
  bool training_;
  nn::BatchNormSnapshot statistics_;
};

double dot(const std::vector<at::Tensor>& a, const std::vector<at::Tensor>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (a[i].defined() && b[i].defined())
      sum += (a[i].to(at::kDouble) * b[i].to(at::kDouble)).sum().item<double>();
  return sum;
}

}  // namespace

bool processor_computes_bfloat16() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx512bf16");  // every processor with AMX has it too
#else
  return false;
#endif
}

at::ScalarType compute_type(const std::string& precision) {
  return precision == "bfloat16" ? at::kBFloat16 : precision == "float16" ? at::kHalf : at::kFloat;
}

std::string PrecisionCheck::text() const {
  return fmt::format(
      "loss {:.5g} against {:.5g}, gradients: cosine {:.3f} (float32 with rounded weights: "
      "{:.3f}), length {:.3f} times",
      narrow_loss, loss, gradient_cosine, rounding_cosine, gradient_ratio);
}

PrecisionCheck check_precision(nn::TorchNetwork& network, Loss& loss, const at::Tensor& images,
                               std::span<const Target> targets, at::ScalarType narrow) {
  const NetworkState before(network);
  network.train(true);
  network.set_compute(network.type());
  const TrialPass exact = trial_pass(network, loss, images, targets);
  before.restore_statistics();
  const TrialPass control = rounded_pass(network, loss, images, targets, narrow);
  before.restore_statistics();
  network.set_compute(narrow);
  const TrialPass rounded =
      trial_pass(network, loss, images, targets, narrow == at::kHalf ? LossScaler::first_scale : 1);
  PrecisionCheck check;
  check.loss = exact.loss;
  check.narrow_loss = rounded.loss;
  const double exact_norm = std::sqrt(dot(exact.gradients, exact.gradients)),
               norm = std::sqrt(dot(rounded.gradients, rounded.gradients));
  check.gradient_cosine = dot(exact.gradients, rounded.gradients) / (exact_norm * norm);
  check.rounding_cosine = dot(exact.gradients, control.gradients) /
                          (exact_norm * std::sqrt(dot(control.gradients, control.gradients)));
  check.gradient_ratio = norm / exact_norm;
  // Written so that a value that is not finite fails.
  const bool alike = std::abs(check.narrow_loss - check.loss) <= 0.05 * std::abs(check.loss) &&
                     check.gradient_ratio >= 0.5 && check.gradient_ratio <= 2;
  check.aligned = alike && check.gradient_cosine >= 0.8;
  check.undecided = !check.aligned && std::isfinite(check.narrow_loss) &&
                    std::isfinite(check.gradient_ratio) && check.gradient_ratio > 0 &&
                    check.rounding_cosine < 0.9;
  check.accepted = check.aligned || (alike && check.undecided);
  return check;
}

}  // namespace yolov7::training
