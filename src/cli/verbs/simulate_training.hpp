#pragma once
// The trainings of a simulation: each is this program with `train`, as a process of its own.
#include <filesystem>
#include <string>
#include <vector>

#include "cli/verbs/simulate_options.hpp"
#include "cli/verbs/simulate_pool.hpp"
#include "evaluation/metrics/coco.hpp"

namespace yolov7::cli {

/// One training: a strategy, a seed and a round.
struct SimulatedRun {
  int seed = 0;
  std::string strategy;
  int round = 0;
  std::string name() const;  ///< "seed0-auto-round3"
};

class SimulatedTraining {
 public:
  SimulatedTraining(const SimulateOptions& options, const SimulatedPool& pool);

  std::filesystem::path folder(const SimulatedRun& run) const;
  std::filesystem::path weights(const SimulatedRun& run) const;
  /// Trains with these images of the pool and leaves the weights; goes on with a training that was
  /// interrupted. Nothing where the weights are there. Errors: the training failed, with its last
  /// line and its log; stopped_error(), the training being resumable then.
  void train(const SimulatedRun& run, const std::vector<std::size_t>& labelled) const;
  /// Of the weights of the run, on the measured split.
  evaluation::CocoMatches measure(const SimulatedRun& run) const;

 private:
  /// Strategies train at the same time, each in a folder of its own.
  std::filesystem::path work_folder(const SimulatedRun& run) const;
  std::filesystem::path write_set(const SimulatedRun& run, const active::EqualSteps& steps,
                                  const std::vector<std::size_t>& labelled) const;
  std::vector<std::string> words(const SimulatedRun& run, const std::filesystem::path& data,
                                 const active::EqualSteps& steps) const;

  SimulateOptions o_;
  const SimulatedPool& pool_;
};

}  // namespace yolov7::cli
