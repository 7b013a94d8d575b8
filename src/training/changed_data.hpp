#pragma once
#include <string>

#include "run/run_state.hpp"

namespace yolov7::training {

/// Throws away what the state knows of the epoch that it is in.
void begin_epoch_anew(run::RunState& state);

/// For a run that goes on with other data than it began with. Error `complaint`, which names the
/// option, unless --accept-changed-data is given; then `warning` is said, and the epoch begins
/// anew: its batches are others now.
void accept_change(run::RunState& state, const std::string& complaint, const std::string& warning);

}  // namespace yolov7::training
