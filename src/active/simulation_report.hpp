#pragma once
// What the rows of a simulation say together: curves, areas, costs, differences to random, with
// intervals over seeds and images (docs/active.md).
#include <cstdint>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "active/learning_curve.hpp"
#include "active/simulation_rows.hpp"

namespace yolov7::active {

struct ReportOptions {
  std::vector<std::string> strategies;  ///< in their order; "random" among them
  int rounds = 0;
  double target = 0.95;
  int draws = 1000;
  std::string metric = "map";  ///< or "map50"
  int threads = 0;             ///< 0 = usable cores; the result does not depend on it
  std::stop_token stop = {};
};

/// The metric of a run with every measured image counted so often.
using DrawnValue =
    std::function<double(const SimulationRow& run, const std::vector<std::uint32_t>& weights)>;

struct Estimate {
  double value = 0, low = 0, high = 0;
};

struct PointEstimate {
  double cost = 0;
  Estimate value;
};

struct StrategyResult {
  std::string name;
  std::vector<int> seeds;              ///< whose rounds are all done
  std::vector<std::string> missing;    ///< "seed 3: round 2" …
  std::vector<PointEstimate> curve;    ///< by round: mean over the seeds
  Estimate area;                       ///< mean of the metric over the logarithm of the cost
  std::optional<Estimate> difference;  ///< area − that of random, over the seeds of both and to
                                       ///< the cost that both of a pair reached
  std::vector<int> paired_seeds;       ///< of the difference
  std::vector<double> by_seed;         ///< difference for each of them
  std::optional<double> cost_to_target;
  double last_cost = 0;  ///< where the curve ends
};

struct SimulationReport {
  std::vector<StrategyResult> strategies;  ///< those with a seed
  std::optional<double> full;              ///< metric with the whole pool, mean over the seeds
  std::vector<int> full_seeds;
  std::optional<double> target;  ///< that a curve has to reach
};

/// Each draw takes seeds and images again, with replacement, both alike for all strategies, so that
/// differences are paired. What a draw owes to its seeds is widened as Student's t asks for. The
/// area of a seed goes from the cost of its start to common_cost() of all its strategies. Error: no
/// strategy has a whole seed; stopped_error().
SimulationReport simulation_report(const std::vector<SimulationRow>& rows, std::size_t images,
                                   const DrawnValue& value, const ReportOptions& options);

nlohmann::json to_json(const SimulationReport& report);
/// strategy,round,seeds,cost,value,low,high
std::string curves_csv(const SimulationReport& report);
/// A Markdown table of the strategies, for people and for documents.
std::string summary_table(const SimulationReport& report);

}  // namespace yolov7::active
