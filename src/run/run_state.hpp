#pragma once
// What a checkpoint of a run holds besides weights, and how a run is continued from it (training
// 10, 17).
#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "network/checkpoint/checkpoint.hpp"
#include "run/options.hpp"
#include "run/records.hpp"

namespace yolov7::run {

/// Where a run stands. Taken at optimizer-step boundaries only, so that no gradient is pending;
/// every random draw is a function of (seed, epoch, sample), so no random state is needed.
struct RunState {
  int epoch = 0;                     ///< the epoch to go on with
  std::int64_t batch = 0;            ///< the batch of that epoch to go on with
  std::array<double, 4> loss_sum{};  ///< of the batches of that epoch so far
  double distill_sum = 0;            ///< the same of the teacher's term
  std::array<int, 2> last_batch{};   ///< the last of them: targets, and width in pixels
  std::string teacher_hash;          ///< of the teacher's tensors and classes; "" = no teacher
  std::string marks_hash;            ///< of the marks that the training uses; "" = none
  std::string unlabelled_hash;       ///< of the images without labels; "" = none
  std::array<double, 4> unlabelled_sums{};  ///< of the epoch so far: loss, images, labels, regions
  std::int64_t ema_updates = 0;
  double best_fitness = -1;  ///< −1: nothing validated yet
  int best_epoch = -1;
  double seconds = 0;  ///< training time so far
  /// Of the epoch so far: seconds, those of them that waited for data, images.
  std::array<double, 3> epoch_sums{};
  std::vector<double>
      class_ap;  ///< of the last validation, by class (--image-weights); empty before it
  std::vector<double> loss_balance;  ///< of the levels (--autobalance); empty = as at the start
  int skipped = 0,
      skipped_in_row = 0;       ///< batches that were not finite, in all and since the last step
  int skipped_in_epoch = 0;     ///< those of the epoch so far, which are in none of its means
  int micro_batch = 0;          ///< images at once after an "out of memory"; 0 = none so far
  double loss_scale = 0;        ///< of float16; 0 = as at the start
  std::int64_t good_steps = 0;  ///< in a row, of float16's scale
  bool float32_first =
      false;  ///< float32 so far, until options.precision gives gradients of the same direction
  int rollbacks = 0;   ///< how often the weights went back to the last good ones
  bool ended = false;  ///< by --patience or --time, before the last epoch
  std::vector<EpochRecord> records;
  TrainOptions options;
  Hyperparameters hyp;
};

/// As the JSON text of network::Checkpoint::state, and back. Error names `source`.
std::string to_text(const RunState& state);
RunState run_state(const std::string& text, const std::string& source);

/// The checkpoint that `--resume` means: a file in a run's folder weights, the last.pt of a run
/// folder, or ("latest") the most recently written weights/last.pt below `project`. Error lists
/// where was looked.
std::filesystem::path find_resume_checkpoint(const std::string& resume, const std::string& project);

/// The stored options with those that may change on resume taken from the command line; Error
/// (usage) for others.
TrainOptions resumed_options(TrainOptions stored, TrainOptions wanted,
                             const std::vector<std::string>& given);

}  // namespace yolov7::run
