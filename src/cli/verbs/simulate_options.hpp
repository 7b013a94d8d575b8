#pragma once
// The options of active simulate.
#include <string>
#include <vector>

#include "active/selection.hpp"
#include "active/simulation.hpp"
#include "core/settings.hpp"
#include "run/options.hpp"

namespace yolov7::cli {

struct SimulateOptions {
  SimulateOptions();

  std::string data, out, split = "auto", unit = "cost", metric = "map";
  std::vector<std::string> strategies{"auto", "random", "random-unfiltered", "tutorial"};
  int seeds = 5, first_seed = 0, rounds = 5, steps = 240, batch = 16, image_size = 320,
      draws = 1000, parallel = 1;
  double start = 0, budget = 0, target = 0.95;
  bool no_full = false;
  active::SelectOptions select;
  run::TrainOptions train;         ///< network, start weights, hyper-parameters and so on
  std::vector<std::string> given;  ///< names on the command line

  active::Budget budget_of(double amount) const { return {amount, select.budget.unit}; }
};

Settings settings(SimulateOptions& options);
/// The options of a training that are handed on to every one.
Settings handed_on(SimulateOptions& options);
/// Error (usage): something is missing or unknown. Fills what follows from other options.
void complete(SimulateOptions& options, std::vector<std::string> given);
/// What a folder of results was begun with, files by their contents: all that decides a row of
/// runs.csv. Strategies, seeds, rounds and what the report draws may change.
std::vector<std::pair<std::string, std::string>> beginning_of(SimulateOptions& options);

}  // namespace yolov7::cli
