#pragma once
// What is trained: the network with its losses, averages and optimizer, and the plan by which its
// layers train.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "network/checkpoint/checkpoint.hpp"
#include "nn/fake_quantizers.hpp"
#include "nn/torch_network.hpp"
#include "run/run_state.hpp"
#include "run/transfer_plan.hpp"
#include "training/data.hpp"
#include "training/distillation/distillation.hpp"
#include "training/distributed/gradient_sums.hpp"
#include "training/loss/loss.hpp"
#include "training/optim/ema.hpp"
#include "training/optim/optimizer.hpp"
#include "training/run_context.hpp"

namespace yolov7::training {

/// Members are built in this order.
struct Model {
  std::string config, config_source;
  std::unique_ptr<nn::TorchNetwork> network;
  std::unique_ptr<run::TransferPlan> plan;
  std::unique_ptr<nn::FakeQuantizers> quantizers;  ///< null: float32 throughout
  std::unique_ptr<Distillation> distillation;      ///< null: no teacher, or its weight is 0
  std::unique_ptr<Loss> loss, validation_loss;
  std::unique_ptr<Loss> pseudo_loss;  ///< of images without labels; null: there are none
  std::unique_ptr<Ema> ema;
  std::unique_ptr<Optimizer> optimizer;
  std::unique_ptr<GradientSums> gradient_sums;  ///< null: one process
};

/// The configuration. Returns the checkpoint that a new run begins with, where the options name
/// one. Needs no data, so that a wrong configuration or transfer plan is refused before they are
/// read.
std::optional<network::Checkpoint> choose_config(Model& model, const run::RunState& state,
                                                 const std::optional<network::Checkpoint>& resumed);

/// Network, first weights (those of `resumed` or `initial`, the start's, or random ones) and
/// transfer plan; --weights auto becomes what it means. The plan is drawn into the run folder.
void build_network(Model& model, const RunContext& context, run::RunState& state,
                   const std::vector<std::string>& names,
                   const std::optional<network::Checkpoint>& resumed,
                   std::optional<network::Checkpoint> initial);

/// The losses of training and validation. Needs the network and, in Data, the training size.
void make_losses(Model& model, const run::RunState& state, int train_size);

/// Averages and optimizer, as a resumed run left them. Needs the final batch size in the options.
void make_optimizer(Model& model, const run::RunState& state,
                    const std::optional<network::Checkpoint>& resumed);

/// What makes several processes one training. Error: they are not equal before they begin.
void join_processes(Model& model, const RunContext& context, const Data& data,
                    const run::RunState& state);

/// Freezes the layers that the plan wants frozen in the state's epoch, and says so.
void freeze_for_epoch(const Model& model, const run::RunState& state);

}  // namespace yolov7::training
