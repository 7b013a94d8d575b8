#include "active/simulation_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numeric>

#include "core/error.hpp"
#include "core/random.hpp"
#include "core/statistics.hpp"
#include "core/stop.hpp"
#include "core/threads.hpp"

namespace yolov7::active {
namespace {

/// Never change it: the intervals of the same rows would be others.
constexpr std::uint32_t draw_stream = 21;
constexpr double level = 0.95;

/// What the part of a draw that comes of the seeds is multiplied by. Drawing n seeds again gives
/// sqrt((n - 1) / n) of their spread, and its ends are those of the normal distribution instead of
/// Student's t of n - 1 degrees of freedom (quantiles at .975): of two seeds such an interval would
/// hold the truth in one case of two. Of a single seed there is no spread, so images alone count.
double widening(std::size_t seeds) {
  constexpr std::array t{12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
                         2.201,  2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086,
                         2.080,  2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042};
  constexpr double normal = 1.960;
  if (seeds < 2) return 1;
  const auto n = static_cast<double>(seeds);
  return std::sqrt(n / (n - 1)) * (seeds - 2 < t.size() ? t[seeds - 2] : normal) / normal;
}

/// Of one seed: its start, then the rounds of a strategy. Rows are places in the table.
struct SeedCurve {
  int seed = 0;
  std::vector<std::size_t> rows;
  bool ended = false;
};

class Reporting {
 public:
  Reporting(const std::vector<SimulationRow>& rows, std::size_t images, const DrawnValue& value,
            const ReportOptions& options)
      : rows_(rows), images_(images), value_(value), o_(options) {
    for (const std::string& name : o_.strategies) find_curves(name);
    measure_draws();
    limit_costs();
  }

  SimulationReport run() {
    SimulationReport report;
    add_full(report);
    for (const std::string& name : o_.strategies)
      if (!curves_[name].empty()) report.strategies.push_back(result_of(name, report));
    if (report.strategies.empty())
      throw Error("active simulate: expected a seed whose rounds are all done, found none");
    return report;
  }

 private:
  void find_curves(const std::string& name) {
    for (const SimulationRow& start : rows_) {
      if (start.strategy != "start") continue;
      SeedCurve curve{start.seed, {place(start)}, false};
      int round = 1;
      for (; round <= o_.rounds && !curve.ended; ++round) {
        const SimulationRow* row = find_row(rows_, start.seed, name, round);
        if (row == nullptr) break;
        curve.rows.push_back(place(*row));
        curve.ended = row->ended;
      }
      if (round > o_.rounds || curve.ended)
        curves_[name].push_back(std::move(curve));
      else
        missing_[name].push_back(fmt::format("seed {}: round {}", start.seed, round));
    }
    std::sort(curves_[name].begin(), curves_[name].end(),
              [](const SeedCurve& a, const SeedCurve& b) { return a.seed < b.seed; });
  }

  std::size_t place(const SimulationRow& row) const {
    return static_cast<std::size_t>(&row - rows_.data());
  }

  /// values_[draw][row]; draw 0 is the images as they are.
  void measure_draws() {
    const auto draws = static_cast<std::size_t>(o_.draws);
    values_.assign(draws + 1, std::vector<double>(rows_.size(), 0));
    std::vector<bool> used(rows_.size(), false);
    for (const auto& [name, curves] : curves_)
      for (const SeedCurve& curve : curves)
        for (const std::size_t row : curve.rows) used[row] = true;
    parallel_for(draws + 1, threads_or_all(o_.threads), [&](std::size_t draw) {
      check_stop(o_.stop);
      std::vector<std::uint32_t> weights(images_, draw == 0 ? 1 : 0);
      if (draw > 0) {
        Random random(0, static_cast<std::uint32_t>(draw), 0, draw_stream);
        for (std::size_t i = 0; i < images_; ++i)
          ++weights[static_cast<std::size_t>(
              random.integer(0, static_cast<std::int64_t>(images_) - 1))];
      }
      for (std::size_t row = 0; row < rows_.size(); ++row)
        if (used[row])
          values_[draw][row] = draw == 0 ? own_value(rows_[row]) : value_(rows_[row], weights);
    });
  }

  double own_value(const SimulationRow& row) const {
    return o_.metric == "map50" ? row.map50 : row.map;
  }

  Curve curve_of(const SeedCurve& curve, std::size_t draw) const {
    Curve points;
    for (const std::size_t row : curve.rows)
      points.push_back({rows_[row].cost, values_[draw][row]});
    return points;
  }

  void limit_costs() {
    std::map<int, std::vector<EndedCurve>> by_seed;
    for (const auto& [name, curves] : curves_)
      for (const SeedCurve& one : curves)
        by_seed[one.seed].push_back({curve_of(one, 0), one.ended});
    for (const auto& [seed, curves] : by_seed) limit_[seed] = common_cost(curves);
  }

  double area(const SeedCurve& curve, double high, std::size_t draw) const {
    const Curve points = curve_of(curve, draw);
    const double low = points.front().cost;
    return high > low ? mean_value(points, low, high) : points.front().value;
  }

  /// Places 0 … count − 1 drawn with replacement; in draw 0 each once. The same draw gives the same
  /// places to every strategy that has as many seeds.
  static std::vector<std::size_t> drawn_seeds(std::size_t count, std::size_t draw) {
    std::vector<std::size_t> places(count);
    std::iota(places.begin(), places.end(), std::size_t{0});
    if (draw == 0) return places;
    Random random(0, static_cast<std::uint32_t>(draw), 1, draw_stream);
    for (std::size_t& one : places)
      one = static_cast<std::size_t>(random.integer(0, static_cast<std::int64_t>(count) - 1));
    return places;
  }

  /// The mean of `figure(place of the seed, draw)` over the drawn seeds, with its interval. A
  /// draw's deviation has a part of the images (all seeds once) and one of the seeds, which is
  /// widened.
  Estimate estimate(std::size_t seeds,
                    const std::function<double(std::size_t, std::size_t)>& figure) const {
    std::vector<double> drawn, figures(seeds);
    const double factor = widening(seeds), count = static_cast<double>(seeds);
    double value = 0;
    for (std::size_t draw = 0; draw < values_.size(); ++draw) {
      for (std::size_t place = 0; place < seeds; ++place) figures[place] = figure(place, draw);
      const double by_images = std::accumulate(figures.begin(), figures.end(), 0.0) / count;
      double sum = 0;
      for (const std::size_t place : drawn_seeds(seeds, draw)) sum += figures[place];
      if (draw == 0)
        value = by_images;
      else
        drawn.push_back(by_images + factor * (sum / count - by_images));
    }
    const DrawnInterval interval = interval_of_draws(value, std::move(drawn), level);
    return {value, interval.low, interval.high};
  }

  void add_full(SimulationReport& report) const {
    double sum = 0;
    for (const SimulationRow& row : rows_)
      if (row.strategy == "full") report.full_seeds.push_back(row.seed), sum += own_value(row);
    if (report.full_seeds.empty()) return;
    report.full = sum / static_cast<double>(report.full_seeds.size());
    report.target = o_.target * *report.full;
  }

  StrategyResult result_of(const std::string& name, const SimulationReport& report) const {
    const std::vector<SeedCurve>& curves = curves_.at(name);
    StrategyResult result;
    result.name = name;
    if (const auto lacking = missing_.find(name); lacking != missing_.end())
      result.missing = lacking->second;
    std::vector<Curve> whole;
    for (const SeedCurve& one : curves) {
      result.seeds.push_back(one.seed);
      whole.push_back(curve_of(one, 0));
    }
    const Curve mean = mean_curve(whole);
    for (std::size_t round = 0; round < mean.size(); ++round)
      result.curve.push_back(
          {mean[round].cost, estimate(curves.size(), [&](std::size_t seed, std::size_t draw) {
             const auto& rows = curves[seed].rows;
             return values_[draw][rows[std::min(round, rows.size() - 1)]];
           })});
    result.last_cost = mean.back().cost;
    result.area = estimate(curves.size(), [&](std::size_t seed, std::size_t draw) {
      return area(curves[seed], limit_.at(curves[seed].seed), draw);
    });
    if (report.target) result.cost_to_target = cost_to_reach(mean, *report.target);
    add_difference(name, result);
    return result;
  }

  void add_difference(const std::string& name, StrategyResult& result) const {
    const auto random = curves_.find("random");
    if (name == "random" || random == curves_.end()) return;
    std::vector<std::pair<const SeedCurve*, const SeedCurve*>> pairs;  // the strategy's, random's
    for (const SeedCurve& one : curves_.at(name))
      for (const SeedCurve& other : random->second)
        if (one.seed == other.seed) pairs.emplace_back(&one, &other);
    if (pairs.empty()) return;
    // As far as these two go: another strategy that bought little sets no limit here.
    std::vector<double> limits;
    for (const auto& [own, other] : pairs)
      limits.push_back(common_cost(std::vector<EndedCurve>{{curve_of(*own, 0), own->ended},
                                                           {curve_of(*other, 0), other->ended}}));
    const auto figure = [&](std::size_t seed, std::size_t draw) {
      return area(*pairs[seed].first, limits[seed], draw) -
             area(*pairs[seed].second, limits[seed], draw);
    };
    for (std::size_t seed = 0; seed < pairs.size(); ++seed) {
      result.paired_seeds.push_back(pairs[seed].first->seed);
      result.by_seed.push_back(figure(seed, 0));
    }
    result.difference = estimate(pairs.size(), figure);
  }

  const std::vector<SimulationRow>& rows_;
  std::size_t images_;
  const DrawnValue& value_;
  const ReportOptions& o_;
  std::map<std::string, std::vector<SeedCurve>> curves_;
  std::map<std::string, std::vector<std::string>> missing_;
  std::map<int, double> limit_;
  std::vector<std::vector<double>> values_;
};

}  // namespace

SimulationReport simulation_report(const std::vector<SimulationRow>& rows, std::size_t images,
                                   const DrawnValue& value, const ReportOptions& options) {
  return Reporting(rows, images, value, options).run();
}

}  // namespace yolov7::active
