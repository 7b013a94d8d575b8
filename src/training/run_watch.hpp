#pragma once
// What is shown of a run while it goes on: TensorBoard events, results.png, labels.png and
// report.html in its folder, and an MLflow server where one was named.
#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "monitoring/mlflow.hpp"
#include "monitoring/tensorboard.hpp"
#include "network/graph/graph.hpp"
#include "run/records.hpp"
#include "run/run_state.hpp"
#include "training/data.hpp"
#include "training/run_context.hpp"

namespace yolov7::training {

/// Of the process that writes; the others' does nothing. A training never fails for it: the first
/// error is a warning and the end of watching.
class RunWatch {
 public:
  /// Begins the event file with the hyper-parameters and the network's layers.
  RunWatch(const RunContext& context, const Data& data, const network::Network& network,
           const run::RunState& state);

  /// A picture that the run has written into its folder.
  void picture(std::int64_t step, const std::filesystem::path& file);
  /// After an epoch: the columns of results.csv as scalars; results.png no oftener than every half
  /// minute.
  void epoch(const std::vector<run::EpochRecord>& records);
  /// The last results.png, the plots of the final validation, and report.html.
  void finished(const std::vector<run::EpochRecord>& records);
  /// Ended by the user, and can go on.
  void interrupted();

 private:
  template <class Action>
  void guarded(Action action);
  void plot_training_labels(const dataset::Index& train);
  void plot(const std::vector<run::EpochRecord>& records);
  void begin_mlflow(const run::RunState& state);
  void finish_mlflow();

  std::filesystem::path folder_;
  std::unique_ptr<monitoring::TensorBoardWriter> events_;
  std::unique_ptr<monitoring::MlflowRun> mlflow_;
  bool active_ = false;
  std::chrono::steady_clock::time_point last_plot_{};
};

}  // namespace yolov7::training
