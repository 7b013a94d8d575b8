// yolov7 active simulate DATA --start 400 --budget 400 --rounds 5 --out DIR
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>

#include "active/simulation_report.hpp"
#include "cli/verb.hpp"
#include "cli/verbs/simulate_training.hpp"
#include "compression/budget/journal.hpp"
#include "core/file.hpp"
#include "core/interrupt.hpp"
#include "core/json.hpp"
#include "core/log.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "core/threads.hpp"
#include "dataset/formats/output_folder.hpp"
#include "evaluation/analyses/bootstrap.hpp"
#include "evaluation/analyses/matches_text.hpp"
#include "monitoring/chart_svg.hpp"

namespace yolov7::cli {
namespace {

namespace fs = std::filesystem;
using active::SimulationRow;
using nlohmann::json;

class Simulation {
 public:
  Simulation(const SimulateOptions& options, const SimulatedPool& pool)
      : o_(options), pool_(pool), training_(options, pool), table_(fs::path(o_.out) / "runs.csv") {
    for (std::size_t i = 0; i < pool_.index().entries.size(); ++i)
      by_path_[pool_.index().entries[i].picture.string()] = i;
    rows_ = active::read_rows(table_);
    if (!rows_.empty())
      log::info(fmt::format("active simulate: {} trainings are done; going on in {}", rows_.size(),
                            o_.out));
  }

  void run() {
    for (int seed = o_.first_seed; seed < o_.first_seed + o_.seeds; ++seed) {
      const SimulatedRun start{seed, "start", 0};
      begin(start, [&] { return pool_.start(seed); });
      // What depends on the start alone. The whole pool is one training, so it comes last.
      const std::size_t strategies = o_.strategies.size(), all = strategies + (o_.no_full ? 0 : 1);
      parallel_for(all, o_.parallel, [&](std::size_t i) {
        try {
          if (i < strategies)
            all_rounds(active::arm_named(o_.strategies[i]), seed);
          else
            begin({seed, "full", 0}, [&] { return whole_pool(); });
        } catch (const Error& error) {
          if (!failed_.exchange(true) && o_.parallel > 1 && error.code() != ExitCode::interrupted)
            log::error(fmt::format("{}; the trainings at work are finished first", error.what()));
          throw;
        } catch (...) {
          failed_ = true;
          throw;
        }
      });
      drop_weights(seed);
    }
    sort_table();
    std::error_code none;
    fs::remove(fs::path(o_.out) / "work", none);  // where nothing is in it
  }

  std::vector<SimulationRow> rows() const { return rows_; }

  evaluation::CocoMatches matches(const SimulatedRun& run) const {
    const fs::path path = matches_file(run);
    return evaluation::parse_matches(file::read(path), path.string());
  }

 private:
  fs::path matches_file(const SimulatedRun& run) const {
    return training_.folder(run) / "matches.txt";
  }
  fs::path labelled_file(const SimulatedRun& run) const {
    return training_.folder(run) / "labelled.txt";
  }

  Bought whole_pool() const {
    Bought all;
    for (std::size_t i = 0; i < pool_.index().entries.size(); ++i) all.images.push_back(i);
    return all;
  }

  /// Images by path, one a line, in the order of labelling, those of the rounds before first.
  void write_labelled(const SimulatedRun& run, const Bought& all) const {
    std::string text = all.ended ? "# nothing was left to buy\n" : "";
    for (const std::size_t i : all.images) text += pool_.index().entries[i].picture.string() + "\n";
    file::make_folder(training_.folder(run));
    file::write_atomically(labelled_file(run), text);
  }

  Bought read_labelled(const SimulatedRun& run) const {
    const fs::path path = labelled_file(run);
    const std::string content = file::read(path);
    Bought all;
    for (const std::string_view line : text::lines(content)) {
      if (line.starts_with("# ")) {
        all.ended = true;
        continue;
      }
      const auto known = by_path_.find(std::string(line));
      if (known == by_path_.end())
        throw Error(fmt::format("{}: expected images of the pool, found {}", path.string(),
                                text::printable(line)));
      all.images.push_back(known->second);
    }
    return all;
  }

  SimulationRow row_of(const SimulatedRun& run, const Bought& all) const {
    SimulationRow row;
    row.seed = run.seed, row.strategy = run.strategy, row.round = run.round;
    row.ended = all.ended;
    row.images = all.images.size();
    for (const std::size_t i : all.images) {
      row.boxes += pool_.boxes(i);
      row.empty += pool_.boxes(i) == 0 ? 1 : 0;
      row.cost += o_.select.cost.of(static_cast<double>(pool_.boxes(i)));
    }
    return row;
  }

  /// In the unit of the budget.
  double spent(const std::vector<std::size_t>& images) const {
    double sum = 0;
    for (const std::size_t i : images)
      sum += o_.budget_of(0).share_of(static_cast<double>(pool_.boxes(i)), o_.select.cost);
    return sum;
  }

  std::optional<SimulationRow> known_row(const SimulatedRun& run) const {
    std::lock_guard lock(rows_mutex_);
    const SimulationRow* found = active::find_row(rows_, run.seed, run.strategy, run.round);
    return found == nullptr ? std::nullopt : std::optional(*found);
  }

  /// Trainings that run at the same time end in any order.
  void sort_table() {
    const auto before = [](const SimulationRow& a, const SimulationRow& b) {
      return active::stands_before(a, b);
    };
    if (std::is_sorted(rows_.begin(), rows_.end(), before)) return;
    std::sort(rows_.begin(), rows_.end(), before);
    active::write_rows(table_, rows_);
  }

  void add(const SimulationRow& row) {
    std::lock_guard lock(rows_mutex_);
    active::append_row(table_, row);
    rows_.push_back(row);
    log::info(fmt::format(
        "active simulate: seed {}, {}, round {}: {} images, {} boxes, cost {}: mAP50 {:.4f}, mAP "
        "{:.4f}{}",
        row.seed, row.strategy, row.round, row.images, row.boxes, text::general(row.cost),
        row.map50, row.map, row.ended ? "; nothing was left to buy" : ""));
  }

  void train_and_measure(const SimulatedRun& run, const Bought& all) {
    if (!fs::exists(matches_file(run))) {
      training_.train(run, all.images);
      std::lock_guard lock(looking_mutex_);
      file::write_atomically(matches_file(run), evaluation::matches_text(training_.measure(run)));
    }
    const evaluation::CocoMatches found = matches(run);
    const evaluation::Headline headline =
        evaluation::weighted_headline(found, std::vector<std::uint32_t>(found.pictures, 1));
    SimulationRow row = row_of(run, all);
    row.map50 = std::max(0.0, headline.map50), row.map = std::max(0.0, headline.map);
    add(row);
  }

  /// A run that depends on no other.
  void begin(const SimulatedRun& run, const std::function<Bought()>& choose) {
    if (known_row(run)) return;
    if (!fs::exists(labelled_file(run))) {
      const Bought first = choose();
      if (first.images.empty())
        throw Error(fmt::format(
            "active simulate: the first image drawn costs more than --start {} {}, or the pool "
            "shows nothing",
            text::general(o_.start), o_.unit));
      write_labelled(run, first);
    }
    train_and_measure(run, read_labelled(run));
    if (run.strategy != "start") fs::remove(training_.weights(run));
  }

  void all_rounds(const active::Arm& arm, int seed) {
    for (int round = 1; round <= o_.rounds && !failed_; ++round)
      if (further_round(arm, seed, round)) return;
  }

  /// Trains again where the weights are gone. All strategies go on from those of the start.
  void require_weights(const SimulatedRun& run, const Bought& all) {
    std::unique_lock lock(start_mutex_, std::defer_lock);
    if (run.strategy == "start") lock.lock();
    training_.train(run, all.images);
  }

  /// Whether the strategy has nothing left to buy.
  bool further_round(const active::Arm& arm, int seed, int round) {
    const SimulatedRun run{seed, arm.name, round};
    const SimulatedRun before =
        round == 1 ? SimulatedRun{seed, "start", 0} : SimulatedRun{seed, arm.name, round - 1};
    if (const auto known = known_row(run)) return known->ended;
    const Bought had = read_labelled(before);
    if (!fs::exists(labelled_file(run))) {
      require_weights(source_of_weights(before), had);
      std::lock_guard lock(looking_mutex_);
      Bought all = pool_.buy(arm, seed, round, training_.weights(source_of_weights(before)),
                             had.images, o_.start + round * o_.budget - spent(had.images));
      all.images.insert(all.images.begin(), had.images.begin(), had.images.end());
      write_labelled(run, all);
    }
    const Bought all = read_labelled(run);
    if (all.images.size() > had.images.size()) {
      train_and_measure(run, all);
      const SimulatedRun source = source_of_weights(before);
      if (source.strategy != "start") fs::remove(training_.weights(source));
    } else {
      SimulationRow row = *known_row(before);
      row.strategy = arm.name, row.round = round, row.ended = all.ended;
      file::write_atomically(matches_file(run), file::read(matches_file(before)));
      add(row);
    }
    return all.ended;
  }

  /// Nothing comes after them; further rounds of a later call train the last one again.
  void drop_weights(int seed) const {
    fs::remove(training_.weights({seed, "start", 0}));
    for (const std::string& name : o_.strategies)
      for (int round = 1; round <= o_.rounds; ++round)
        fs::remove(training_.weights({seed, name, round}));
  }

  /// A round that bought nothing trained nothing: the one before it did.
  SimulatedRun source_of_weights(SimulatedRun run) const {
    while (run.round > 0) {
      const SimulatedRun before = run.round == 1
                                      ? SimulatedRun{run.seed, "start", 0}
                                      : SimulatedRun{run.seed, run.strategy, run.round - 1};
      if (read_labelled(run).images.size() > read_labelled(before).images.size()) return run;
      run = before;
    }
    return run;
  }

  const SimulateOptions& o_;
  const SimulatedPool& pool_;
  SimulatedTraining training_;
  fs::path table_;
  std::map<std::string, std::size_t> by_path_;
  std::vector<SimulationRow> rows_;
  mutable std::mutex rows_mutex_;
  std::mutex start_mutex_;
  std::mutex looking_mutex_;         ///< choosing and measuring take all cores
  std::atomic<bool> failed_{false};  ///< a training: no further round begins
};

active::SimulationReport report_of(const SimulateOptions& o, const SimulatedPool& pool,
                                   const Simulation& simulation) {
  std::vector<SimulationRow> rows;
  for (const SimulationRow& row : simulation.rows())
    if (row.seed >= o.first_seed && row.seed < o.first_seed + o.seeds) rows.push_back(row);
  std::map<std::string, evaluation::CocoMatches> matches;
  for (const SimulationRow& row : rows) {
    const SimulatedRun run{row.seed, row.strategy, row.round};
    matches.emplace(run.name(), simulation.matches(run));
  }
  active::ReportOptions options;
  options.strategies = o.strategies;
  options.rounds = o.rounds;
  options.target = o.target;
  options.draws = o.draws;
  options.metric = o.metric;
  options.stop = interrupt::token();
  const auto value = [&](const SimulationRow& row, const std::vector<std::uint32_t>& weights) {
    const evaluation::Headline found = evaluation::weighted_headline(
        matches.at(SimulatedRun{row.seed, row.strategy, row.round}.name()), weights);
    return std::max(0.0, o.metric == "map50" ? found.map50 : found.map);
  };
  return active::simulation_report(rows, pool.measured().entries.size(), value, options);
}

monitoring::SvgChart chart_of(const SimulateOptions& o, const SimulatedPool& pool,
                              const active::SimulationReport& report) {
  monitoring::SvgChart svg;
  svg.chart.title =
      fmt::format("{} images in the pool, {} of {} measured", pool.index().entries.size(),
                  pool.measured().entries.size(), pool.split());
  svg.chart.x = fmt::format("cost: {} an image, {} a box", text::general(o.select.cost.image),
                            text::general(o.select.cost.box));
  svg.y = o.metric == "map50" ? "mAP50 (COCO)" : "mAP (COCO)";
  svg.logarithmic = true;
  for (const active::StrategyResult& one : report.strategies) {
    ChartLine line{fmt::format("{} ({} seeds)", one.name, one.seeds.size()), {}};
    std::vector<std::array<double, 2>> intervals;
    for (const active::PointEstimate& point : one.curve) {
      line.points.emplace_back(point.cost, point.value.value);
      intervals.push_back({point.value.low, point.value.high});
    }
    svg.chart.lines.push_back(std::move(line));
    svg.intervals.push_back(std::move(intervals));
  }
  if (report.target) {
    svg.level = *report.target;
    svg.level_name = fmt::format("{:.0f} % of the whole pool's", 100 * o.target);
  }
  return svg;
}

/// What a killed process left of a file that it was writing.
void remove_temporaries_of(const fs::path& out) {
  file::remove_temporaries(out);
  std::error_code none;
  for (const auto& run : fs::directory_iterator(out / "runs", none))
    if (run.is_directory()) file::remove_temporaries(run.path());
}

}  // namespace

json run_active_simulate(const std::vector<std::string>& arguments, Output& output) {
  SimulateOptions o;
  const Settings table = settings(o);
  if (!parse_arguments(table, arguments, output)) return {};
  complete(o, given_names(table, arguments));
  if (!fs::exists(fs::path(o.out) / "state.json")) dataset::require_empty(o.out);
  const SimulatedPool pool(o);
  compression::Beginning beginning;
  for (const auto& [name, value] : beginning_of(o)) beginning[name] = value;
  beginning["images and labels of the pool"] = pool.index().identity;
  beginning["images and labels that are measured"] = pool.measured().identity;
  file::make_folder(o.out);
  const fs::path out(o.out);
  const auto lock = file::Lock::try_acquire(out / ".lock");
  if (!lock) throw Error(fmt::format("{}: another process is at work in this folder", o.out));
  remove_temporaries_of(out);
  const compression::Journal journal(out / "state.json", beginning, interrupt::token());
  Simulation simulation(o, pool);
  simulation.run();
  const active::SimulationReport report = report_of(o, pool, simulation);
  json result = active::to_json(report);
  result["metric"] = o.metric;
  result["draws"] = o.draws;
  result["images_in_pool"] = pool.index().entries.size();
  result["images_measured"] = pool.measured().entries.size();
  result["split"] = pool.split();
  result["out"] = o.out;
  file::write_atomically(out / "curves.csv", active::curves_csv(report));
  file::write_atomically(out / "summary.txt", active::summary_table(report));
  file::write_atomically(out / "curves.svg", monitoring::chart_svg(chart_of(o, pool, report)));
  file::write_atomically(out / "simulation.json", json_text(result, 1) + "\n");
  const std::string summary = active::summary_table(report);
  for (const std::string_view line : text::lines(summary)) output.line(line);
  for (const active::StrategyResult& one : report.strategies)
    if (!one.missing.empty())
      output.line(fmt::format("{}: not done: {}", one.name, text::join(one.missing, ", ")));
  if (report.full)
    output.line(
        fmt::format("the whole pool: {:.4f}; target: {:.4f}", *report.full, *report.target));
  output.line(fmt::format("written: {}", (out / "curves.svg").string()));
  return result;
}

}  // namespace yolov7::cli
