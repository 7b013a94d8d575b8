#pragma once
// A trained network that another one learns of: frozen, in evaluation mode.
#include <memory>
#include <string>
#include <vector>

#include "network/checkpoint/checkpoint.hpp"
#include "nn/torch_network.hpp"

namespace yolov7::training {

class Teacher {
 public:
  /// Any checkpoint that read_checkpoint() reads; its batch-norms are folded and its auxiliary head
  /// is dropped. Errors: as read_checkpoint(), check(), check_finite().
  Teacher(const std::string& path, at::Device device);
  Teacher(const network::Checkpoint& checkpoint, const std::string& source, at::Device device);

  /// images as nn::TorchNetwork::forward(); raw maps and neck outputs of its levels, computed in
  /// `compute`. No gradient.
  nn::TorchNetwork::Outputs operator()(const at::Tensor& images, at::ScalarType compute);

  const network::Network& description() const { return network_->description(); }
  const nn::TorchNetwork& folded() const { return *network_; }
  at::Device device() const { return network_->device(); }
  const std::vector<std::string>& names() const { return names_; }
  /// Channels of the neck's output, by level.
  const std::vector<int>& widths() const { return widths_; }
  /// Of tensors and class names: 32 hexadecimal digits.
  const std::string& hash() const { return hash_; }
  const std::string& source() const { return source_; }

 private:
  std::string source_, hash_;
  std::vector<std::string> names_;
  std::unique_ptr<nn::TorchNetwork> network_;
  std::vector<int> inputs_, widths_;
};

}  // namespace yolov7::training
