#pragma once
// The first steps of a run: its folder, its options and what is left from before (training 3, 10).
#include <optional>

#include "network/checkpoint/checkpoint.hpp"
#include "run/run_state.hpp"
#include "training/request.hpp"
#include "training/run_context.hpp"

namespace yolov7::training {

struct OpenedRun {
  std::optional<network::Checkpoint> resumed;  ///< nothing: a new run
  int epochs_before = 0;                       ///< resumed: what the run was planned for
};

/// Makes or opens the run folder, locks it, and fills state and options. Errors: another process
/// holds the folder, nothing to resume, options that cannot change.
OpenedRun open_run(RunContext& context, run::RunState& state, const TrainRequest& request);

}  // namespace yolov7::training
