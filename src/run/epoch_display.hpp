#pragma once
// How a training shows where it stands: on a terminal a table whose last row lives, elsewhere
// progress lines and one line an epoch.
#include <chrono>
#include <memory>
#include <string>

#include "core/progress.hpp"
#include "run/records.hpp"

namespace yolov7::run {

/// What a row shows.
struct EpochRow {
  int epoch = 0, epochs = 0;
  std::size_t batches_done = 0, batches = 0;
  EpochRecord record;       ///< losses: means so far
  double seconds_left = 0;  ///< of the whole run
};

/// The share of training time above which waiting for data is said to limit the speed.
inline constexpr double noticeable_waiting = 0.1;
/// Measured: the share of the training's time in which no batch was ready.
double waiting_share(const EpochRecord& record);

/// Column heads and one row, as wide as each other: epoch, memory of the process, losses, objects
/// and width of the last batch, batches, COCO mAP50 and mAP
/// ("-" where none was measured), pictures per second, what limits that ("compute", or "data" with
/// the share of time waited), time left.
std::string epoch_table_header();
std::string epoch_table_row(const EpochRow& row);
/// The same as a sentence, for logs.
std::string epoch_sentence(const EpochRow& row);

class EpochDisplay {
 public:
  EpochDisplay();
  /// An epoch of which `first` batches were done before.
  void begin(int epoch, int epochs, std::size_t first, std::size_t batches);
  /// After each batch. `losses` for the progress line.
  void batch(const EpochRecord& so_far, std::size_t done, double pictures_per_second);
  /// After an epoch's validation.
  void end(const EpochRecord& record, bool over);

 private:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

  bool table_, header_ = false;
  EpochRow row_;
  std::size_t first_ = 0;
  double validation_seconds_ = 0;
  std::chrono::steady_clock::time_point start_, shown_;
  std::unique_ptr<Progress> progress_;
};

}  // namespace yolov7::run
