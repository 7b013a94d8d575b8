#pragma once
// The labelled set of a simulation as a pool: its labels are known, and are told when they are
// bought.
#include <filesystem>
#include <string>
#include <vector>

#include "cli/verbs/simulate_options.hpp"
#include "dataset/index/index.hpp"
#include "dataset/similarity/sketch.hpp"

namespace yolov7::cli {

/// What a round bought.
struct Bought {
  std::vector<std::size_t> images;  ///< places in the pool, in the order of labelling
  bool ended = false;               ///< nothing could be chosen any more
};

class SimulatedPool {
 public:
  /// Reads the train split and its sketches. Errors: those of open_data() and read_index().
  explicit SimulatedPool(const SimulateOptions& options);

  const dataset::Index& index() const { return index_; }
  const dataset::Index& measured() const { return measured_; }
  const std::string& split() const { return split_; }  ///< that is measured: "test" or "val"
  std::size_t boxes(std::size_t image) const { return index_.entries[image].labels.size(); }

  /// The images that all strategies of a seed begin with: at random, near duplicates left out.
  Bought start(int seed) const;
  /// `weights`: of the detector of the round before; `labelled`: what it was trained with; `left`:
  /// of the budget. As `active select` chooses, labelled in the order of
  /// active::labelling_order().
  Bought buy(const active::Arm& arm, int seed, int round, const std::filesystem::path& weights,
             const std::vector<std::size_t>& labelled, double left) const;

 private:
  std::vector<std::size_t> paid_for(const std::vector<std::size_t>& images, double budget) const;
  std::vector<std::size_t> rest(const std::vector<std::size_t>& labelled) const;

  const SimulateOptions& o_;
  std::string split_;
  dataset::Index index_, measured_;
  std::vector<dataset::similarity::Sketch> sketches_;
};

}  // namespace yolov7::cli
