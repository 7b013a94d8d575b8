#pragma once
// The teacher of a run, and when it takes part (export 9.5).
#include <optional>
#include <string>
#include <vector>

#include "training/model.hpp"
#include "training/run_context.hpp"

namespace yolov7::training {

/// Opens the teacher that the options name, if any, and says what goes together. One of weight 0 is
/// looked at in the same way and not kept: the run is plain training then. Needs the network.
/// Errors: as Distillation; a resumed run had another teacher.
void open_teacher(Model& model, const RunContext& context, run::RunState& state,
                  const std::vector<std::string>& names,
                  const std::optional<network::Checkpoint>& resumed);

/// Whether the teacher takes part in the state's epoch; says so where that changes.
void distill_for_epoch(const Model& model, const run::RunState& state);

}  // namespace yolov7::training
