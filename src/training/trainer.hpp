#pragma once
// The training loop (training 18).
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "run/epoch_display.hpp"
#include "run/records.hpp"
#include "training/request.hpp"
#include "training/run_watch.hpp"
#include "training/setup.hpp"
#include "training/step.hpp"

namespace yolov7::training {

/// What time it is: where it decides (--checkpoint-seconds, --time) a test has a clock of its own.
using Clock = std::function<std::chrono::steady_clock::time_point()>;

/// The epochs of a prepared run.
class Trainer {
 public:
  /// `run` outlives this object.
  explicit Trainer(PreparedRun& run, Clock now = std::chrono::steady_clock::now);
  /// Until the last epoch, the end that --patience, --time or --stop-after want, or a stop, which
  /// leaves a resumable last.pt at the next optimizer step.
  TrainSummary run();

 private:
  bool train_epoch();
  void begin_epoch();
  void adapt_threads();
  std::optional<dataset::Batch> next_batch();
  void train_batch(const dataset::Batch& batch);
  void checkpoint_in_time();
  void gather_state();
  void take_seconds();
  void write_state();
  std::vector<double> fitness_so_far() const;
  void take_last_batch();
  double counted_batches() const;
  void take_mean_losses();
  void say_unlabelled() const;
  bool pauses_after(int epoch) const;
  bool take_best();
  void finish_epoch(bool last);
  void take_first_processes_values();
  std::string end_reason() const;
  TrainSummary interrupted();
  TrainSummary stopped();
  TrainSummary summary(bool was_interrupted) const;
  std::uint64_t real_peak() const;
  void say_memory() const;
  double seconds_since(std::chrono::steady_clock::time_point start) const;

  Clock now_;
  const RunContext& context_;
  run::RunState& state_;
  const Data& data_;
  const Model& model_;
  run::Schedule& schedule_;
  std::uint64_t predicted_peak_;
  std::optional<LoadMeter>& load_;
  Step step_;
  RunWatch watch_;
  run::EpochDisplay display_;
  run::EpochRecord record_;
  std::function<void()> started_;  ///< empty once it was called
  std::chrono::steady_clock::time_point epoch_start_, last_write_;
  double seconds_before_ = 0;        ///< of training before this epoch began in this process
  double epoch_seconds_before_ = 0;  ///< those of them that are this epoch's
};

/// Trains as asked and returns what came out.
TrainSummary train(const TrainRequest& request);

}  // namespace yolov7::training
