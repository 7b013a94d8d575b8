#include "training/precision/trial_pass.hpp"

#include <utility>

#include "core/error.hpp"

namespace yolov7::training {

namespace {

/// At the end: no gradients, and the loss balance as before, also where memory does not suffice.
class Traces {
 public:
  Traces(nn::TorchNetwork& network, Loss& loss, const Distillation* teacher)
      : network_(network), loss_(loss), teacher_(teacher), balance_(loss.balance()) {
    for (const nn::TorchNetwork::Entry& entry : network.entries())
      if (entry.tensor.grad().defined())
        throw Error("trial pass: expected no gradients before it, found some");
  }
  ~Traces() {
    for (const nn::TorchNetwork::Entry& entry : network_.entries())
      if (at::Tensor tensor = entry.tensor; tensor.requires_grad()) tensor.mutable_grad().reset();
    if (teacher_ != nullptr) teacher_->clear_gradients();
    loss_.set_balance(std::move(balance_));
  }
  Traces(const Traces&) = delete;
  Traces& operator=(const Traces&) = delete;

 private:
  nn::TorchNetwork& network_;
  Loss& loss_;
  const Distillation* teacher_;
  std::vector<double> balance_;
};

}  // namespace

TrialPass trial_pass(nn::TorchNetwork& network, Loss& loss, const at::Tensor& images,
                     std::span<const Target> targets, double scale, const Distillation* teacher) {
  const Traces traces(network, loss, teacher);
  TrialPass result;
  const LossValue value = loss_of(network, loss, teacher, images, targets);
  (scale == 1 ? value.total : value.total * scale).backward();
  result.loss = value.total.item<double>();
  for (const nn::TorchNetwork::Entry& entry : network.entries()) {
    at::Tensor tensor = entry.tensor;
    if (!tensor.requires_grad()) continue;
    result.gradients.push_back(tensor.grad().defined() && scale != 1 ? tensor.grad() / scale
                                                                     : tensor.grad());
  }
  return result;
}

}  // namespace yolov7::training
