// A simulation's report as JSON, CSV and Markdown; see simulation_report.hpp.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "active/simulation_report.hpp"
#include "core/text.hpp"

namespace yolov7::active {
namespace {

using nlohmann::json;

json to_json(const Estimate& one) {
  return {{"value", one.value}, {"low", one.low}, {"high", one.high}};
}

const StrategyResult* named(const SimulationReport& report, const std::string& name) {
  for (const StrategyResult& one : report.strategies)
    if (one.name == name) return &one;
  return nullptr;
}

/// Its cost to the target as a share of that of unfiltered random; where that does not get there,
/// of the cost up to which it went: the true share is smaller then.
struct CostShare {
  double value = 0;
  bool smaller = false;  ///< than `value`
};
std::optional<CostShare> share_of_unfiltered(const SimulationReport& report,
                                             const StrategyResult& one) {
  const StrategyResult* other = named(report, "random-unfiltered");
  if (other == nullptr || !one.cost_to_target) return std::nullopt;
  if (other->cost_to_target) return CostShare{*one.cost_to_target / *other->cost_to_target, false};
  return CostShare{*one.cost_to_target / other->last_cost, true};
}

std::string share_text(const std::optional<CostShare>& share) {
  return share ? fmt::format("{}{:.2f}", share->smaller ? "< " : "", share->value) : "–";
}

}  // namespace

json to_json(const SimulationReport& report) {
  json strategies = json::array();
  for (const StrategyResult& one : report.strategies) {
    json curve = json::array();
    const std::optional<CostShare> share = share_of_unfiltered(report, one);
    for (const PointEstimate& point : one.curve)
      curve.push_back({{"cost", point.cost}, {"metric", to_json(point.value)}});
    strategies.push_back(
        {{"name", one.name},
         {"seeds", one.seeds},
         {"missing", one.missing},
         {"curve", std::move(curve)},
         {"area", to_json(one.area)},
         {"difference_to_random", one.difference ? to_json(*one.difference) : json(nullptr)},
         {"paired_seeds", one.paired_seeds},
         {"difference_by_seed", one.by_seed},
         {"cost_to_target", one.cost_to_target ? json(*one.cost_to_target) : json(nullptr)},
         {"share_of_unfiltered_random", share ? json(share->value) : json(nullptr)},
         {"share_is_smaller", share && share->smaller},
         {"last_cost", one.last_cost}});
  }
  return {{"strategies", std::move(strategies)},
          {"full", report.full ? json(*report.full) : json(nullptr)},
          {"full_seeds", report.full_seeds},
          {"target", report.target ? json(*report.target) : json(nullptr)}};
}

std::string curves_csv(const SimulationReport& report) {
  std::string out = "strategy,round,seeds,cost,value,low,high\n";
  for (const StrategyResult& one : report.strategies)
    for (std::size_t round = 0; round < one.curve.size(); ++round) {
      const PointEstimate& point = one.curve[round];
      out += fmt::format("{},{},{},{},{:.6f},{:.6f},{:.6f}\n", one.name, round, one.seeds.size(),
                         text::general(point.cost), point.value.value, point.value.low,
                         point.value.high);
    }
  return out;
}

std::string summary_table(const SimulationReport& report) {
  std::string out =
      "| strategy | seeds | area | difference to random | last | cost to target | of unfiltered "
      "random's |\n|---|---|---|---|---|---|---|\n";
  const auto interval = [](const Estimate& one, const char* form) {
    return fmt::format(fmt::runtime(form), one.value, one.low, one.high);
  };
  for (const StrategyResult& one : report.strategies)
    out += fmt::format(
        "| {} | {} | {} | {} | {} | {} | {} |\n", one.name, one.seeds.size(),
        interval(one.area, "{:.4f} ({:.4f} to {:.4f})"),
        one.difference ? interval(*one.difference, "{:+.4f} ({:+.4f} to {:+.4f})") : "–",
        interval(one.curve.back().value, "{:.4f} ({:.4f} to {:.4f})"),
        one.cost_to_target ? text::general(*one.cost_to_target, 5)
        : report.target    ? fmt::format("not by {}", text::general(one.last_cost, 5))
                           : "–",
        share_text(share_of_unfiltered(report, one)));
  return out;
}

}  // namespace yolov7::active
