#include "nn/batch_norm_snapshot.hpp"

namespace yolov7::nn {

using Role = network::TensorSpec::Role;

BatchNormSnapshot::BatchNormSnapshot(const TorchNetwork& network) {
  for (const TorchNetwork::Entry& entry : network.entries()) {
    if (entry.spec.role != Role::bn_mean && entry.spec.role != Role::bn_var &&
        entry.spec.role != Role::bn_count)
      continue;
    live_.push_back(entry.tensor);
    kept_.push_back(entry.tensor.detach().clone());
  }
}

void BatchNormSnapshot::take() {
  at::NoGradGuard no_gradient;
  for (std::size_t i = 0; i < live_.size(); ++i) kept_[i].copy_(live_[i]);
}

void BatchNormSnapshot::restore() const {
  at::NoGradGuard no_gradient;
  for (std::size_t i = 0; i < live_.size(); ++i) live_[i].copy_(kept_[i]);
}

}  // namespace yolov7::nn
