#pragma once
// What happens when several batches in a row are not finite (training 10).
#include "run/run_state.hpp"
#include "training/model.hpp"
#include "training/run_context.hpp"

namespace yolov7::training {

inline constexpr int most_skipped_in_row = 3;  ///< batches, before the weights go back
inline constexpr int most_rollbacks = 3;       ///< times in a run

/// Weights, averages and optimizer as last.pt has them; the position in the data stays, or the same
/// batches would come again. Errors: --nosave left nothing, too many times.
void roll_back(const RunContext& context, const Model& model, run::RunState& state);

}  // namespace yolov7::training
