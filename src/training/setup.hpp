#pragma once
// The set-up phase of a run, in the order of training 5: folder, data, network, weights, optimizer,
// schedule.
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>

#include "core/file.hpp"
#include "dataset/index/description.hpp"
#include "dataset/index/index.hpp"
#include "dataset/loading/loader.hpp"
#include "network/checkpoint/checkpoint.hpp"
#include "nn/torch_network.hpp"
#include "run/run_state.hpp"
#include "run/schedule.hpp"
#include "run/transfer_plan.hpp"
#include "training/api.hpp"
#include "training/distributed/communicator.hpp"
#include "training/distributed/gradient_sums.hpp"
#include "training/loss/loss.hpp"
#include "training/optim/ema.hpp"
#include "training/optim/optimizer.hpp"

namespace yolov7::training {

/// Everything a run consists of. Members are built in this order.
struct Setup {
  Communicator* group = nullptr;  ///< never null after prepare(); outlives the setup
  std::filesystem::path folder;
  std::optional<file::Lock> lock;  ///< one process per run folder
  run::RunState state;
  dataset::Description description;
  dataset::Index train, val;
  std::string config, config_source;
  at::Device device = at::kCPU;
  int train_size = 640, val_size = 640, stride = 32;
  int epochs_before = 0;  ///< resumed: what the run was planned for; 0 = a new run
  int micro_batch = 0;    ///< pictures per forward and backward pass; 0 = the whole batch
  std::uint64_t predicted_peak = 0;  ///< of the process's resident memory, bytes
  std::unique_ptr<nn::TorchNetwork> network;
  std::unique_ptr<run::TransferPlan> plan;
  std::unique_ptr<Ema> ema;
  std::unique_ptr<Optimizer> optimizer;
  std::unique_ptr<dataset::BatchLoader> loader;
  std::unique_ptr<run::Schedule> schedule;
  std::unique_ptr<Loss> loss, validation_loss;
  std::unique_ptr<GradientSums> gradient_sums;  ///< null: one process

  /// Pictures of a batch that are this process's.
  int own_batch() const { return state.options.batch_size / group->size(); }
  /// Compute threads of this process: --threads, or its share of the cores.
  int threads() const;
};

/// Collective where there are several processes, as everything that trains.
Setup prepare(const TrainRequest& request, Communicator& group);

/// Freezes the layers that the plan wants frozen in this epoch, and says so.
void freeze_for(Setup& s, int epoch);

/// How the training split is loaded. Needs options, data and sizes.
dataset::LoaderOptions loader_options(const Setup& s);

}  // namespace yolov7::training
