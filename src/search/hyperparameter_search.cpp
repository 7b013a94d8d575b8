#include "search/hyperparameter_search.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <optional>
#include <thread>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/log.hpp"
#include "core/progress.hpp"
#include "core/text.hpp"
#include "image/codec/codec.hpp"
#include "monitoring/search_plot.hpp"
#include "process/child_process.hpp"
#include "process/program_run.hpp"

namespace yolov7::search {
namespace {

namespace fs = std::filesystem;
using search::Trial;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

std::string trial_name(const Trial& trial) {
  return fmt::format("g{:03}-c{:02}", trial.generation, trial.candidate);
}

fs::path trial_log(const fs::path& folder, const Trial& trial) {
  return folder / "trials" / (trial_name(trial) + ".log");
}

class SearchRun {
 public:
  explicit SearchRun(const SearchSetup& setup)
      : s_(setup), slots_(static_cast<std::size_t>(setup.parallel)) {
    file::make_folder(s_.folder / "trials");
    if (fs::exists(table()))
      outcome_.trials = parse_trials_csv(s_.search.genes, file::read(table()), table().string());
    if (!outcome_.trials.empty())
      log::info(fmt::format("{}: {} trainings are done; going on", table().string(),
                            outcome_.trials.size()));
    trials_before_ = outcome_.trials.size();
  }

  SearchOutcome run() {
    for (std::vector<Trial> open = begin_rung(); !open.empty() && !stops(); open = begin_rung())
      train_all(open);
    write_best();
    write_plot();
    return outcome_;
  }

 private:
  struct Slot {
    std::optional<process::ChildProcess> process;
    Trial trial;
  };

  fs::path table() const { return s_.folder / "evolve.csv"; }
  bool stops() const { return outcome_.interrupted || outcome_.out_of_time; }

  /// What is to be trained next. Where a generation begins, what the one before it left is cleared
  /// away.
  std::vector<Trial> begin_rung() {
    std::vector<Trial> open = open_trials(s_.search, outcome_.trials);
    if (!open.empty() && open.front().generation != generation_) {
      generation_ = open.front().generation;
      remove_beaten();
      write_plot();
    }
    return open;
  }

  void train_all(const std::vector<Trial>& open) {
    std::size_t next = 0;
    for (bool busy = true; busy;) {
      busy = false;
      look_around();
      for (std::size_t i = 0; i < slots_.size(); ++i) {
        Slot& slot = slots_[i];
        if (slot.process && !slot.process->running()) finish(slot);
        if (!slot.process && next < open.size() && !stops()) begin(slot, i, open[next++]);
        busy = busy || slot.process;
      }
      busy = busy || (next < open.size() && !stops());
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }

  void look_around() {
    if (s_.stop.stop_requested() && !std::exchange(outcome_.interrupted, true))
      for (const Slot& slot : slots_)
        if (slot.process) slot.process->send(SIGTERM);
    outcome_.out_of_time =
        outcome_.out_of_time || (s_.hours > 0 && seconds_since(start_) >= 3600 * s_.hours);
  }

  /// What its run folder has; of a promoted trial, what came before it was promoted, too.
  std::vector<run::EpochRecord> records(const Trial& trial) const {
    const fs::path results = trial_folder(s_.folder, trial) / "results.csv";
    if (!fs::exists(results)) return {};
    return run::parse_results_csv(file::read(results), results.string());
  }

  /// The result of the trial's last epoch, where its training got there.
  std::optional<run::EpochRecord> result(const Trial& trial) const {
    for (const run::EpochRecord& record : records(trial))
      if (record.epoch == trial.epochs - 1 && record.validated) return record;
    return std::nullopt;
  }

  std::vector<std::string> arguments(const Trial& trial, std::size_t slot) const {
    const fs::path folder = trial_folder(s_.folder, trial);
    std::vector<std::string> words{"train"};
    const auto add = [&](std::initializer_list<std::string> more) {
      words.insert(words.end(), more);
    };
    if (fs::exists(folder / "weights" / "last.pt")) {
      add({"--resume", folder.string()});
    } else {
      fs::remove_all(folder);  // killed before there was anything to go on with
      const fs::path hyp = s_.folder / "trials" / (trial_name(trial) + ".yaml");
      run::Hyperparameters values = with_values(s_.start, s_.search.genes, trial.values);
      file::write_atomically(hyp, to_yaml(run::settings(values)));
      words.insert(words.end(), s_.train_arguments.begin(), s_.train_arguments.end());
      add({"--hyp", hyp.string(), "--epochs", std::to_string(s_.search.options.epochs), "--project",
           folder.parent_path().string(), "--name", folder.filename().string(), "--exist-ok",
           "--notest"});
    }
    if (trial.epochs < s_.search.options.epochs)
      add({"--stop-after", std::to_string(trial.epochs)});
    if (!s_.devices.empty()) add({"--device", s_.devices[slot % s_.devices.size()]});
    return words;
  }

  void begin(Slot& slot, std::size_t index, const Trial& trial) {
    slot.trial = trial;
    process::wait_for_earlier(trial_folder(s_.folder, trial),
                              fmt::format("the training {}", trial_name(trial)), {});
    if (const auto known = result(trial))
      return record(slot, *known);  // killed between the training's end and this search's line
    slot.process = process::ChildProcess::start(
        {arguments(trial, index), {}, "/dev/null", trial_log(s_.folder, trial).string()},
        fmt::format("evolve: the training {}", trial_name(trial)));
  }

  void finish(Slot& slot) {
    const process::ChildProcess process = *slot.process;
    slot.process.reset();
    if (const auto known = result(slot.trial); known && !process.failed())
      return record(slot, *known);
    if (outcome_.interrupted || process.exit_code() == static_cast<int>(ExitCode::interrupted)) {
      outcome_.interrupted = true;
      return;
    }
    const std::string what =
        fmt::format("the training {} ended by {}: {} ({})", trial_name(slot.trial),
                    process.end_text(), process::last_line(trial_log(s_.folder, slot.trial)),
                    trial_log(s_.folder, slot.trial).string());
    if (slot.trial.generation == 0)
      end_all(fmt::format("evolve: expected the start to be trainable: {}", what));
    // A wrong call says nothing about the values.
    if (process.exit_code() == static_cast<int>(ExitCode::usage)) end_all("evolve: " + what);
    if (++failures_in_row_ >= most_failures_in_row)
      end_all(fmt::format("evolve: {} trainings in a row failed; {}", failures_in_row_, what));
    log::warning(what + "; it counts as failed");
    slot.trial.failed = true;
    add_row(slot);
  }

  [[noreturn]] void end_all(const std::string& why) {
    for (Slot& slot : slots_)
      if (slot.process) slot.process->send(SIGTERM);
    for (Slot& slot : slots_)
      while (slot.process && slot.process->running())
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    throw Error(why);
  }

  void record(Slot& slot, const run::EpochRecord& result) {
    failures_in_row_ = 0;
    slot.trial.result = result;
    const Trial* before = best_trial(s_.search, outcome_.trials);
    const double best = before == nullptr ? -1 : before->result.fitness;
    add_row(slot);
    const bool is_new_best = slot.trial.epochs == s_.search.options.epochs && result.fitness > best;
    if (is_new_best) write_best();
    log::info(
        fmt::format("generation {}/{}, candidate {}, {} of {} epochs: fitness {:.4f} (mAP50 "
                    "{:.4f}, mAP {:.4f}){}{}",
                    slot.trial.generation, s_.search.options.generations - 1, slot.trial.candidate,
                    slot.trial.epochs, s_.search.options.epochs, result.fitness, result.coco_map50,
                    result.coco_map,
                    is_new_best ? ", the best so far"
                    : best >= 0 ? fmt::format(", best {:.4f}", best)
                                : "",
                    time_left()));
  }

  void add_row(Slot& slot) {
    slot.trial.seconds = seconds_of(slot.trial, outcome_.trials, records(slot.trial));
    outcome_.trials.push_back(slot.trial);
    file::write_atomically(table(), trials_csv(s_.search.genes, outcome_.trials));
  }

  /// By the epochs that are left, halving counted, and the rate of this call so far.
  std::string time_left() const {
    std::size_t trainings = 1;
    for (const search::Rung& rung : search::rungs(s_.search.options))
      trainings += static_cast<std::size_t>(rung.candidates) *
                   static_cast<std::size_t>(s_.search.options.generations - 1);
    const std::size_t done = outcome_.trials.size(), here = done - trials_before_;
    if (here == 0 || done >= trainings) return {};
    return fmt::format("; {} left", clock_text(seconds_since(start_) / static_cast<double>(here) *
                                               static_cast<double>(trainings - done)));
  }

  /// Folders of trainings of earlier generations, except the best's.
  void remove_beaten() const {
    const Trial* best = best_trial(s_.search, outcome_.trials);
    for (const Trial& trial : outcome_.trials)
      if (trial.generation < generation_ &&
          (best == nullptr || trial_name(trial) != trial_name(*best)))
        fs::remove_all(trial_folder(s_.folder, trial));
  }

  void write_best() const {
    const Trial* best = best_trial(s_.search, outcome_.trials);
    if (best == nullptr) return;
    const run::EpochRecord& r = best->result;
    std::string content = fmt::format(
        "# Found by yolov7 evolve: candidate {} of generation {}, {} trainings, {} epochs each.\n# "
        "COCO mAP50 {}, mAP {}, fitness {}; official precision {}, recall {}; validation losses: "
        "box {}, obj {}, cls {}.\n",
        best->candidate, best->generation, outcome_.trials.size(), best->epochs, r.coco_map50,
        r.coco_map, r.fitness, r.precision, r.recall, r.val_loss[0], r.val_loss[1], r.val_loss[2]);
    run::Hyperparameters values = with_values(s_.start, s_.search.genes, best->values);
    file::write_atomically(s_.folder / "hyp_evolved.yaml",
                           content + to_yaml(run::settings(values)));
  }

  void write_plot() const {
    std::vector<double> fitness;
    std::vector<monitoring::SearchedValues> searched;
    for (const search::Gene& gene : s_.search.genes) searched.push_back({gene.name, {}});
    for (const Trial& trial : outcome_.trials) {
      if (trial.failed || trial.epochs != s_.search.options.epochs) continue;
      fitness.push_back(trial.result.fitness);
      for (std::size_t g = 0; g < searched.size(); ++g)
        searched[g].values.push_back(trial.values[g]);
    }
    // One that stands at 0 never leaves it, and a panel would show a single column.
    if (searched.front().values.size() > 1)
      std::erase_if(searched, [](const monitoring::SearchedValues& one) {
        return std::all_of(one.values.begin(), one.values.end(), [&](double v) { return v == 0; });
      });
    if (!fitness.empty() && !searched.empty())
      write_picture(s_.folder / "evolve.png", monitoring::plot_search(searched, fitness));
  }

  static constexpr int most_failures_in_row = 5;
  const SearchSetup& s_;
  SearchOutcome outcome_;
  std::vector<Slot> slots_;
  std::size_t trials_before_ = 0;
  int generation_ = 0, failures_in_row_ = 0;
  Clock::time_point start_ = Clock::now();
};

}  // namespace

fs::path trial_folder(const fs::path& search_folder, const Trial& trial) {
  return search_folder / "trials" / trial_name(trial);
}

SearchOutcome run_search(const SearchSetup& setup) { return SearchRun(setup).run(); }

}  // namespace yolov7::search
