// A report whose figures are worked by hand. Costs are powers of e: a start at 1, a round at 3.
#include "active/simulation_report.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "core/error.hpp"

namespace yolov7::active {
namespace {

SimulationRow row(int seed, const std::string& strategy, int round, double map) {
  SimulationRow one;
  one.seed = seed, one.strategy = strategy, one.round = round;
  one.cost = std::exp(round == 0 ? 1.0 : 3.0);
  one.map = map, one.map50 = 2 * map;
  return one;
}

/// Areas over the logarithm: random .3 and .2, auto .4 and .2.
std::vector<SimulationRow> two_seeds() {
  return {row(0, "start", 0, 0.2), row(0, "full", 0, 0.5),  row(0, "random", 1, 0.4),
          row(0, "auto", 1, 0.6),  row(1, "start", 0, 0.1), row(1, "random", 1, 0.3),
          row(1, "auto", 1, 0.3)};
}

ReportOptions options() {
  ReportOptions o;
  o.strategies = {"auto", "random"};
  o.rounds = 1;
  o.target = 0.8;
  return o;
}

double as_it_is(const SimulationRow& run, const std::vector<std::uint32_t>&) { return run.map; }

TEST(SimulationReport, AreasDifferencesAndCosts) {
  const SimulationReport report = simulation_report(two_seeds(), 4, as_it_is, options());
  ASSERT_EQ(report.strategies.size(), 2u);
  const StrategyResult &automatic = report.strategies[0], &random = report.strategies[1];
  EXPECT_NEAR(automatic.area.value, 0.3, 1e-12);
  EXPECT_NEAR(random.area.value, 0.25, 1e-12);
  EXPECT_FALSE(random.difference);
  ASSERT_TRUE(automatic.difference);
  EXPECT_NEAR(automatic.difference->value, 0.05, 1e-12);
  ASSERT_EQ(automatic.by_seed.size(), 2u);
  EXPECT_NEAR(automatic.by_seed[0], 0.1, 1e-12);
  EXPECT_NEAR(automatic.by_seed[1], 0, 1e-12);
  // Two seeds drawn again: 0, .05 or .1, each end with a quarter of the draws; the distance from
  // .05 is widened by √2 · 12.706 / 1.96 = 9.168, to .4584. The mean of the draws is off .05 by at
  // most 4 standard errors of 1,000 of them: 4 · 9.168 · .0354 / √1000 = .041.
  EXPECT_NEAR(automatic.difference->low, 0.05 - 0.4584, 0.041);
  EXPECT_NEAR(automatic.difference->high, 0.05 + 0.4584, 0.041);
  // The mean curve of auto goes from .15 to .45, and .4 is 5/6 of the way; random ends at .35.
  EXPECT_NEAR(*report.full, 0.5, 1e-12);
  EXPECT_NEAR(*report.target, 0.4, 1e-12);
  EXPECT_NEAR(*automatic.cost_to_target, std::exp(1 + 2 * 5.0 / 6), 1e-9);
  EXPECT_FALSE(random.cost_to_target);
  EXPECT_NEAR(random.last_cost, std::exp(3.0), 1e-9);
}

TEST(SimulationReport, ImagesAreDrawnAlikeForBoth) {
  // One seed, and every run gains or loses alike when an image is drawn more often.
  std::vector<SimulationRow> rows = two_seeds();
  rows.resize(4);
  const auto value = [](const SimulationRow& run, const std::vector<std::uint32_t>& weights) {
    return run.map + 0.1 * (weights[0] - 1.0);
  };
  const SimulationReport report = simulation_report(rows, 10, value, options());
  const StrategyResult& automatic = report.strategies[0];
  EXPECT_GT(automatic.area.high - automatic.area.low, 0.1);
  EXPECT_NEAR(automatic.difference->low, 0.1, 1e-9);
  EXPECT_NEAR(automatic.difference->high, 0.1, 1e-9);
}

TEST(SimulationReport, WeightsAreThoseOfImagesDrawnWithReplacement) {
  std::vector<SimulationRow> rows = two_seeds();
  rows.resize(4);
  std::size_t wrong = 0;
  ReportOptions o = options();
  o.threads = 1;
  simulation_report(
      rows, 7,
      [&](const SimulationRow&, const std::vector<std::uint32_t>& weights) {
        std::uint32_t sum = 0;
        for (const std::uint32_t one : weights) sum += one;
        wrong += weights.size() != 7 || sum != 7 ? 1 : 0;
        return 0.0;
      },
      o);
  EXPECT_EQ(wrong, 0u);
}

TEST(SimulationReport, IncompleteSeedsAreNamedAndLeftOut) {
  std::vector<SimulationRow> rows = two_seeds();
  rows.push_back(row(2, "start", 0, 0.9));
  rows.push_back(row(2, "random", 1, 0.9));
  const SimulationReport report = simulation_report(rows, 4, as_it_is, options());
  EXPECT_EQ(report.strategies[0].seeds, (std::vector<int>{0, 1}));
  EXPECT_EQ(report.strategies[0].missing, (std::vector<std::string>{"seed 2: round 1"}));
  EXPECT_EQ(report.strategies[1].seeds, (std::vector<int>{0, 1, 2}));
  EXPECT_EQ(report.strategies[0].paired_seeds, (std::vector<int>{0, 1}));
  EXPECT_NEAR(report.strategies[0].difference->value, 0.05, 1e-12);
  EXPECT_THROW(simulation_report({row(0, "start", 0, 0.1)}, 4, as_it_is, options()), Error);
}

TEST(SimulationReport, AStrategyThatHasEndedSetsNoLimit) {
  // Both go to e³, then random goes on to e⁵ and auto has nothing left to buy. auto is level there:
  // (.4 · 2 + .6 · 2) / 4 = .5; random: (.3 · 2 + .5 · 2) / 4 = .4.
  std::vector<SimulationRow> rows = two_seeds();
  rows.resize(4);
  rows[3].ended = true;
  SimulationRow last = row(0, "random", 2, 0.6);
  last.cost = std::exp(5.0);
  rows.push_back(last);
  ReportOptions o = options();
  o.rounds = 2;
  const SimulationReport report = simulation_report(rows, 4, as_it_is, o);
  EXPECT_NEAR(report.strategies[0].area.value, 0.5, 1e-12);
  EXPECT_NEAR(report.strategies[1].area.value, 0.4, 1e-12);
}

TEST(SimulationReport, AStrategyThatBoughtLittleDoesNotShortenTheComparison) {
  // The tutorials' rule stands at e² after a round and has not ended: the areas of all go to e²,
  // the difference of auto to random to e³, as without it.
  std::vector<SimulationRow> rows = two_seeds();
  rows.resize(4);
  SimulationRow little = row(0, "tutorial", 1, 0.2);
  little.cost = std::exp(2.0);
  rows.push_back(little);
  ReportOptions o = options();
  o.strategies.emplace_back("tutorial");
  const SimulationReport report = simulation_report(rows, 4, as_it_is, o);
  EXPECT_NEAR(report.strategies[0].area.value, 0.3, 1e-12) << "from .2 to .4, half of the way";
  EXPECT_NEAR(report.strategies[0].difference->value, 0.1, 1e-12);
  EXPECT_NEAR(report.strategies[2].difference->value, 0.2 - 0.25, 1e-12);
}

TEST(SimulationReport, OfASingleSeedImagesAloneMakeTheInterval) {
  std::vector<SimulationRow> rows = two_seeds();
  rows.resize(4);
  const SimulationReport report = simulation_report(rows, 4, as_it_is, options());
  EXPECT_NEAR(report.strategies[0].area.low, report.strategies[0].area.value, 1e-12);
  EXPECT_NEAR(report.strategies[0].area.high, report.strategies[0].area.value, 1e-12);
}

TEST(SimulationReport, TablesTellTheSame) {
  std::vector<SimulationRow> rows = two_seeds();
  rows.push_back(row(0, "random-unfiltered", 1, 0.35));
  ReportOptions o = options();
  o.strategies.emplace_back("random-unfiltered");
  o.metric = "map50";
  const SimulationReport report = simulation_report(
      rows, 4, [](const SimulationRow& run, const auto&) { return run.map50; }, o);
  EXPECT_NEAR(report.strategies[0].area.value, 0.6, 1e-12) << "twice the mAP";
  const std::string table = summary_table(report);
  // auto reaches .8 at e^(8/3) = 14.392; unfiltered random ends at e³ = 20.086: below .7165.
  EXPECT_NE(table.find("| 14.392 | < 0.72 |"), std::string::npos) << table;
  EXPECT_NE(table.find("| random | 2 | 0.5000"), std::string::npos) << table;
  EXPECT_NE(table.find("not by 20.086"), std::string::npos) << table;
  const std::string csv = curves_csv(report);
  EXPECT_NE(csv.find("auto,0,2,2.71828,0.300000,"), std::string::npos) << csv;
  EXPECT_NE(csv.find("random-unfiltered,1,1,20.0855,0.700000,"), std::string::npos) << csv;
  EXPECT_EQ(to_json(report)["strategies"][0]["difference_by_seed"].size(), 2u);
  EXPECT_NEAR(to_json(report)["strategies"][0]["share_of_unfiltered_random"], 0.7165, 1e-4);
  EXPECT_TRUE(to_json(report)["strategies"][0]["share_is_smaller"]);
}

}  // namespace
}  // namespace yolov7::active
