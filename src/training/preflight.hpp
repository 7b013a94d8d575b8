#pragma once
// Before the first step, on a real batch: in which precision to compute, and whether the run fits
// into memory.
#include "training/data.hpp"
#include "training/memory_model.hpp"
#include "training/model.hpp"
#include "training/run_context.hpp"

namespace yolov7::training {

/// Chooses the compute type (options.precision becomes "float32" or "bfloat16"; a resumed run keeps
/// what it had), the batch size where
/// --autobatch asks, and the micro-batch; predicts the peak of resident memory and says it. Needs
/// data, network, sizes and losses; leaves weights, statistics and gradients as they
/// were. Error: nothing fits, with the batch that does where there is one. A run is float32 at
/// first (state.float32_first) where the chosen type's gradients do not point where float32's do
/// yet (check_precision), if the batch fits into memory that way; the predicted peak is float32's
/// then.
MemoryPlan preflight(const RunContext& context, const Data& data, const Model& model,
                     run::RunState& state, bool resumed);

}  // namespace yolov7::training
