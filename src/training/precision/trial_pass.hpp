#pragma once
// One forward and backward pass that does not train: for comparing types and for measuring memory.
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

/// One pass over images [B, 3, H, W] in 0 … 1. The network must be in training mode and must have
/// no gradients. The loss is multiplied by `scale` before the backward pass, and the gradients are
/// divided by it (for float16). `loss` is not scaled. Afterwards no gradients are left and the loss
/// balance is as before. The running statistics of the batch-norms change; BatchNormSnapshot
/// restores them. With a teacher its term is part of the loss. Errors: gradients that are there
/// already; those of forward().
TrialPass trial_pass(nn::TorchNetwork& network, Loss& loss, const at::Tensor& images,
                     std::span<const Target> targets, double scale = 1,
                     const Distillation* teacher = nullptr);

}  // namespace yolov7::training
