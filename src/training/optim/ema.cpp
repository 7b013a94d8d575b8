#include "training/optim/ema.hpp"

#include <cmath>

namespace yolov7::training {
namespace {

using Role = network::TensorSpec::Role;

bool is_constant(Role role) {
  return role == Role::bn_count || role == Role::anchors || role == Role::anchor_grid;
}

}  // namespace

double ema_decay(std::int64_t update) {
  return 0.9999 * (1 - std::exp(-static_cast<double>(update) / 2000));
}

Ema::Ema(const nn::TorchNetwork& network)
    : average_(network.description(), network.type(), network.device()) {
  at::NoGradGuard no_gradient;
  for (std::size_t i = 0; i < average_.entries().size(); ++i) {
    at::Tensor tensor = average_.entries()[i].tensor;
    tensor.requires_grad_(false).copy_(network.entries()[i].tensor);
  }
}

void Ema::update(const nn::TorchNetwork& network) {
  at::NoGradGuard no_gradient;
  const double decay = ema_decay(++updates_);
  std::vector<at::Tensor> averages, values;
  for (std::size_t i = 0; i < average_.entries().size(); ++i) {
    const nn::TorchNetwork::Entry& entry = average_.entries()[i];
    const at::Tensor& value = network.entries()[i].tensor;
    if (is_constant(entry.spec.role)) {
      at::Tensor copy = entry.tensor;
      copy.copy_(value);
    } else {
      averages.push_back(entry.tensor);
      values.push_back(value.detach());
    }
  }
  at::_foreach_mul_(averages, decay);
  at::_foreach_add_(averages, values, 1 - decay);
}

network::Weights Ema::store() const { return average_.store(); }

void Ema::load(const network::Weights& weights, std::int64_t updates) {
  average_.load(weights);
  updates_ = updates;
}

}  // namespace yolov7::training
