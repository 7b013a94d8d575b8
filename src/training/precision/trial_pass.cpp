#include "training/precision/trial_pass.hpp"

namespace yolov7::training {

TrialPass trial_pass(nn::TorchNetwork& network, Loss& loss, const at::Tensor& images,
                     std::span<const Target> targets, double scale) {
  const std::vector<double> balance = loss.balance();
  TrialPass result;
  const LossValue value = loss(network.forward(images), targets);
  (scale == 1 ? value.total : value.total * scale).backward();
  result.loss = value.total.item<double>();
  for (const nn::TorchNetwork::Entry& entry : network.entries()) {
    at::Tensor tensor = entry.tensor;
    if (!tensor.requires_grad()) continue;
    result.gradients.push_back(tensor.grad().defined() && scale != 1 ? tensor.grad() / scale
                                                                     : tensor.grad());
    tensor.mutable_grad().reset();
  }
  loss.set_balance(balance);
  return result;
}

}  // namespace yolov7::training
