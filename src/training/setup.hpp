#pragma once
// The set-up phase of a run, in the order of training 5: folder, data, network, weights, memory,
// optimizer, schedule.
#include <functional>
#include <memory>
#include <optional>

#include "core/load.hpp"
#include "run/run_state.hpp"
#include "run/schedule.hpp"
#include "training/data.hpp"
#include "training/memory_model.hpp"
#include "training/model.hpp"
#include "training/request.hpp"
#include "training/run_context.hpp"

namespace yolov7::training {

/// What a run consists of. Its parts know nothing of each other's owner: every function takes those
/// that it needs.
struct PreparedRun {
  RunContext context;
  run::RunState state;
  Data data;
  Model model;
  MemoryPlan memory;
  std::unique_ptr<run::Schedule> schedule;
  std::optional<LoadMeter> load;  ///< where the number of threads follows what others leave
  std::function<void()> started;  ///< to be called after the first batch; may be empty
};

/// Collective where there are several processes, as everything that trains.
std::unique_ptr<PreparedRun> prepare(const TrainRequest& request, Communicator& group);

}  // namespace yolov7::training
