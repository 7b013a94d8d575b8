#pragma once
// Initial values for training from scratch (architecture 4.1 and 3.9, training 9).
#include <cstdint>

#include "nn/torch_network.hpp"

namespace yolov7::nn {

/// Convolutions uniform in ±1/√fan_in, implicit vectors N(0 or 1, 0.02²), batch-norms neutral, head
/// biases shifted to the expected share of objects and classes; a Normalize layer as its
/// configuration says. Each other tensor is a pure function of (seed, its name, its shape).
void initialize(TorchNetwork& target, std::uint64_t seed);

}  // namespace yolov7::nn
