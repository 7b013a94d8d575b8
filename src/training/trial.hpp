#pragma once
// A few steps and a part of a validation, so that somebody can tell how long an epoch will take, in
// plain types.
#include <cstddef>
#include <cstdint>
#include <string>

#include "training/request.hpp"

namespace yolov7::training {

struct TrialRequest {
  /// A new run. Its batch size is that of the trial, and its folder is the caller's to remove.
  TrainRequest train;
  int batch = 16;      ///< of the run that is asked about: its validation takes twice as many
  double seconds = 3;  ///< of steps, and about as many of validation
};

struct TrialResult {
  std::size_t images = 0, val_images = 0;
  std::string precision, device;
  int steps = 0;                      ///< that were measured
  double seconds_per_image = 0;       ///< of a step beside the loader
  double load_seconds_per_image = 0;  ///< of the loader alone
  double val_fixed_seconds = 0, val_seconds_per_image = 0;
  std::uint64_t base_bytes = 0;  ///< of a run, whatever its batch
  double bytes_per_image = 0;    ///< of its batch
  std::uint64_t allowed_bytes = 0;
  std::string limited_by;  ///< "the machine", "the cgroup limit", "the GPU"
  int largest_batch = 0;   ///< that fits at once, at most most_batch
  static constexpr int most_batch = 4096;
};

/// The run is prepared as train() does, without comparing precisions and without a search of
/// anchors where the network has some; nothing of it is kept. Errors: as train(); not one image
/// fits into memory.
TrialResult try_epoch(const TrialRequest& request);

}  // namespace yolov7::training
