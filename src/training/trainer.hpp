#pragma once
// The training loop (training 18).
#include "training/api.hpp"

namespace yolov7::training {

/// Trains as asked and returns what came out. Ctrl-C ends at the next optimizer step with a
/// resumable last.pt.
TrainSummary train(const TrainRequest& request);

}  // namespace yolov7::training
