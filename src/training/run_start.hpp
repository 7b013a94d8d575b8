#pragma once
// The first steps of a run: its folder, its options and what is left from before, its data
// (training 3, 5, 10).
#include <optional>

#include "training/setup.hpp"

namespace yolov7::training {

/// Makes or opens the run folder, locks it, and fills state and options. The checkpoint of a
/// resumed run; nothing for a new one. Errors: another process holds the folder, nothing to resume,
/// options that cannot change.
std::optional<network::Checkpoint> open_run(Setup& s, const TrainRequest& request);

/// Reads train and val. With a resumed checkpoint: Error that names the first difference to the
/// data that the run began with, unless
/// --accept-changed-data.
void read_data(Setup& s, const std::optional<network::Checkpoint>& resumed);

}  // namespace yolov7::training
