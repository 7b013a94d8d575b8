#pragma once
// A network of a few thousand parameters that holds every primitive operation once, with strides 8
// and 16.
#include <string>

#include "network/config/builder.hpp"
#include "network/graph/graph.hpp"
#include "nn/initial_values.hpp"
#include "nn/torch_network.hpp"

namespace yolov7::nn {

inline network::Network small_network(
    const std::string& head = "[[12, 9], 1, IDetect, [nc, anchors]]") {
  const std::string config = R"(nc: 2
depth_multiple: 1.0
width_multiple: 1.0
anchors:
  - [10,13, 16,30]
  - [30,61, 62,45]
backbone:
  [[-1, 1, Conv, [8, 3, 2]],
   [-1, 1, ReOrg, []],
   [-1, 1, Conv, [8, 3, 2, None, 1, nn.LeakyReLU(0.1)]],
   [-1, 1, RepConv, [8, 3, 1]],
   [-1, 1, SP, [5, 1]],
   [[-1, -2], 1, Concat, [1]],
   [-1, 1, Conv, [8, 1, 1, None, 1, nn.ReLU()]],
   [[-1, 3], 1, Shortcut, [1]],
   [-1, 1, MP, []],
   [-1, 1, Conv, [8, 3, 1, None, 2]]]
head:
  [[-1, 1, nn.Upsample, [None, 2, 'nearest']],
   [[-1, 7], 1, Concat, [1]],
   [-1, 1, Conv, [8, 3, 1, None, 1, False]],
   )" + head + "]\n";
  return network::build(config, "small.yaml");
}

inline network::Network small_auxiliary_network() {
  return small_network("[[12, 9, 7, 8], 1, IAuxDetect, [nc, anchors]]");
}

/// Initial values, then running statistics and implicit vectors moved away from their neutral
/// values.
inline void randomize(TorchNetwork& net, std::uint64_t seed) {
  initialize(net, seed);
  at::NoGradGuard no_gradient;
  std::uint64_t i = 0;
  for (const auto& entry : net.entries()) {
    using Role = network::TensorSpec::Role;
    const Role role = entry.spec.role;
    if (role == Role::weight || role == Role::bias || role >= Role::anchors ||
        role == Role::bn_count)
      continue;
    at::Tensor noise = at::arange(entry.tensor.numel(), at::kDouble)
                           .add_(0.37 * static_cast<double>(++i))
                           .sin_()
                           .mul_(0.3);
    at::Tensor(entry.tensor).add_(noise.view(entry.spec.shape));
  }
}

inline at::Tensor test_images(std::int64_t batch = 2, std::int64_t height = 64,
                              std::int64_t width = 48, at::ScalarType type = at::kDouble) {
  return at::arange(batch * 3 * height * width, at::kDouble)
      .mul_(0.7)
      .sin_()
      .mul_(0.5)
      .add_(0.5)
      .view({batch, 3, height, width})
      .to(type);
}

}  // namespace yolov7::nn
