#pragma once
// The float32 network that a training for 8-bit integers starts from, folded (export 9.6).
#include <memory>
#include <string>
#include <vector>

#include "network/checkpoint/checkpoint.hpp"
#include "nn/torch_network.hpp"
#include "run/run_state.hpp"

namespace yolov7::training {

/// Error: hyper-parameters that change the network, or weights that hold trained ranges already.
void require_float_parent(const network::Checkpoint& initial, const run::RunState& state);

/// The folded network of `from`, with its weights. Error: other classes than the data's.
std::unique_ptr<nn::TorchNetwork> folded_network(const network::Checkpoint& from,
                                                 const std::vector<std::string>& names,
                                                 at::Device device);

}  // namespace yolov7::training
