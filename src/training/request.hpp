#pragma once
// What a training is asked for and what comes out of it, in plain types.
#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "run/options.hpp"
#include "run/world.hpp"

namespace yolov7::training {

struct TrainRequest {
  run::TrainOptions options;
  std::vector<std::string> given;  ///< names of the options that stood on the command line
  std::string run_folder;  ///< made by the caller where world.writes(); empty when a run is resumed
  run::World world;        ///< this process among those that train together
  /// Called when the run is prepared, before the first batch; may be empty. Until then every
  /// process says what all of them find, so whoever starts several lets one speak.
  std::function<void()> prepared;
  /// Only to see how it would go (trial.hpp): the precision is taken without a comparison.
  bool trial = false;
  std::function<void()> started;  ///< called after the first batch; may be empty
  std::stop_token stop = {};  ///< leaves a resumable last.pt at the next optimizer step; before the
                              ///< first batch an error
};

struct TrainSummary {
  std::string run_folder;
  int epochs_done = 0, best_epoch = -1;
  double best_fitness = 0;
  double map50 = 0, map = 0;  ///< COCO, of the best epoch, on the validation split
  double seconds = 0;
  int skipped_batches = 0;  ///< whose loss or gradients were not finite
  std::uint64_t predicted_peak_bytes = 0, peak_bytes = 0;  ///< resident memory of this process
  bool interrupted = false;                                ///< stopped: last.pt can be resumed
  std::string best, last;                                  ///< checkpoints; empty if not written
};

}  // namespace yolov7::training
