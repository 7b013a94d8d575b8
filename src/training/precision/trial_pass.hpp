#pragma once
// A forward and backward pass whose traces are removed, for what has to be known before the first
// step.
#include <span>
#include <vector>

#include "nn/torch_network.hpp"
#include "training/distillation/distillation.hpp"
#include "training/loss/assignment.hpp"
#include "training/loss/loss.hpp"

namespace yolov7::training {

struct TrialPass {
  double loss = 0;                    ///< total of the batch
  std::vector<at::Tensor> gradients;  ///< of what trains, in the order of the network's entries;
                                      ///< undefined where there is none
};

/// In training mode. The loss is multiplied by `scale` for the backward pass and the gradients are
/// divided by it (float16). Loss balance and gradients are as before afterwards; the batch-norms'
/// running statistics are the caller's (BatchNormSnapshot). With a teacher its term is part of the
/// loss.
TrialPass trial_pass(nn::TorchNetwork& network, Loss& loss, const at::Tensor& images,
                     std::span<const Target> targets, double scale = 1,
                     const Distillation* teacher = nullptr);

}  // namespace yolov7::training
