// yolov7 evolve: hyper-parameters by many trainings.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

#include "cli/verb.hpp"
#include "cli/verbs/child_training.hpp"
#include "core/file.hpp"
#include "core/interrupt.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "core/threads.hpp"
#include "core/value.hpp"
#include "process/program_run.hpp"
#include "run/used_folder.hpp"
#include "run/world.hpp"
#include "search/hyperparameter_search.hpp"
#include "versions/store_data.hpp"

namespace yolov7::cli {
namespace {

namespace fs = std::filesystem;

struct EvolveOptions {
  std::string method = "evolution", parents = "single", project = "runs/train", name = "evolve",
              resume;
  int generations = 300, population = 0, eta = 3, parallel = 1;
  double time = 0;
  std::vector<std::string> genes;
  bool exist_ok = false;
  std::vector<std::string> train;  ///< what is handed on to every training
};

/// What a search is, kept in evolve.yaml.
std::vector<Setting> kept_settings(EvolveOptions& o) {
  return group(
      "Search",
      {
          setting("method", o.method,
                  "evolution: each generation trains mutants of the best to the end; halving: many "
                  "candidates train a little, and the better ones on")
              .choices({"evolution", "halving"})
              .basic(),
          setting("generations", o.generations, "generations, the start being the first")
              .range(1, 1'000'000)
              .basic(),
          setting("population", o.population,
                  "candidates of a generation; 0 = 1 for evolution (official), eta² for halving")
              .range(0, 100),
          setting("eta", o.eta,
                  "halving: one of so many candidates goes on, for so many times the epochs")
              .range(2, 16),
          setting("parents", o.parents,
                  "single: a mutant descends from one of the best five; weighted: from their mean, "
                  "weighted by fitness")
              .choices({"single", "weighted"}),
          setting("genes", o.genes,
                  "hyper-parameters to search; none = all of the file that have limits "
                  "(docs/training.md)")
              .basic(),
      });
}

/// The same options that trainings have, without those that the search decides.
Settings handed_on(run::TrainOptions& train) {
  return child_training_settings(train, {"hyp", "epochs", "patience", "device"});
}

std::vector<Setting> run_settings(EvolveOptions& o, run::TrainOptions& train) {
  return group(
      "Search",
      {setting("hyp", train.hyp, "the start: a hyper-parameter file, or the name of a built-in one")
           .basic(),
       setting("epochs", train.epochs, "epochs of a whole training").range(1, 1'000'000).basic(),
       setting("parallel", o.parallel,
               "trainings at a time, at most --population; they share the cores")
           .range(1, 256),
       setting("device", train.device, "cpu; 0 or 0,1: GPUs, which the trainings take in turn")
           .basic(),
       setting("time", o.time, "hours after which no further training begins; 0 = no limit")
           .range(0, 1e6),
       setting("resume", o.resume,
               "go on with the search of this folder; --generations, --parallel, --time and "
               "--device may change")
           .basic(),
       setting("project", o.project, "folder of the searches"),
       setting("name", o.name, "name of the search"),
       setting("exist-ok", o.exist_ok, "use the folder again instead of a new number")});
}

Settings settings(EvolveOptions& o, run::TrainOptions& train) {
  return {"evolve", joined({kept_settings(o), run_settings(o, train), handed_on(train).entries})};
}

Settings evolve_yaml(EvolveOptions& o, run::TrainOptions& train) {
  Settings table{"evolve.yaml", kept_settings(o)};
  table.entries.push_back(setting("epochs", train.epochs, ""));
  table.entries.push_back(setting("seed", train.seed, ""));
  table.entries.push_back(setting("device", train.device, ""));
  table.entries.push_back(setting("train", o.train, ""));
  return table;
}

void make_absolute(std::string& path) {
  if (!path.empty() && fs::exists(path)) path = fs::absolute(path).lexically_normal().string();
}

void require_parallel(const EvolveOptions& o) {
  if (o.parallel > o.population)
    throw usage_error(
        fmt::format("evolve: --parallel {}: expected at most --population, {}: the next generation "
                    "descends from this one",
                    o.parallel, o.population));
}

void check(EvolveOptions& o, const run::TrainOptions& train) {
  if (o.population == 0) o.population = o.method == "halving" ? o.eta * o.eta : 1;
  run::TrainOptions each = train;
  each.notest = true;  // a trial is validated at its end alone
  run::require_possible(each, "evolve");
  require_parallel(o);
}

/// A search replaces its own files and the folders of its trials alone.
void guard_inputs(const EvolveOptions& o, const run::TrainOptions& train) {
  const fs::path folder = fs::path(o.project) / o.name;
  if (!o.exist_ok || !fs::exists(folder)) return;
  const std::vector<run::NamedInput> inputs{{train.weights, "--weights"},
                                            {train.cfg, "--cfg"},
                                            {train.data, "--data"},
                                            {train.hyp, "--hyp"},
                                            {train.distill.teacher, "--teacher"},
                                            {train.semi.unlabelled, "--unlabelled"}};
  run::require_inputs_elsewhere(folder, inputs);
  const fs::path trials = fs::weakly_canonical(folder / "trials");
  for (const auto& [file, what] : inputs) {
    if (file.empty() || !fs::exists(file)) continue;
    const fs::path inside = fs::weakly_canonical(file).lexically_relative(trials);
    if (!inside.empty() && *inside.begin() != "..")
      throw usage_error(
          fmt::format("evolve: {} {}: expected a file outside the search's folder {}, whose trials "
                      "are replaced",
                      what, file.string(), folder.string()));
  }
}

/// The folder of a search, in which no other process searches meanwhile.
struct OpenSearch {
  fs::path folder;
  std::optional<file::Lock> lock;
};

OpenSearch claimed(const fs::path& folder) {
  OpenSearch open{folder, file::Lock::try_acquire(folder / ".lock")};
  if (!open.lock)
    throw Error(fmt::format("{}: another process is searching in this folder", folder.string()));
  return open;
}

/// "g000-c00", "g000-c00.log": a training of a search, and what stands beside it.
bool is_of_a_trial(std::string_view name) {
  name = name.substr(0, name.find('.'));
  const std::size_t at = name.find("-c");
  const auto whole = [](std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
  };
  return name.starts_with('g') && at != std::string_view::npos && whole(name.substr(1, at - 1)) &&
         whole(name.substr(at + 2));
}

/// What an earlier search left: its trainings have the names of this one's, and would be taken for
/// them.
void remove_earlier(const fs::path& folder) {
  std::vector<fs::path> found{folder / "hyp_evolved.yaml", folder / "evolve.png"};
  std::error_code error;
  for (fs::directory_iterator entry(folder / "trials", error), end; !error && entry != end;
       entry.increment(error))
    if (is_of_a_trial(entry->path().filename().string())) found.push_back(entry->path());
  for (const fs::path& one : found) {
    if (fs::is_directory(one))
      process::wait_for_earlier(one, fmt::format("the training {}", one.filename().string()),
                                interrupt::token());
    fs::remove_all(one);
  }
}

/// A new search: its folder with the start and all that is handed on.
OpenSearch begin(EvolveOptions& o, run::TrainOptions& train, std::vector<std::string> given) {
  check(o, train);
  run::Hyperparameters start =
      run::read_hyperparameters(train.hyp);  // a bad file is refused before there is a folder
  const std::vector<std::string> keys = run::hyperparameter_keys(train.hyp);
  search::searched_genes(keys, o.genes);
  guard_inputs(o, train);
  for (std::string* path :
       {&train.data, &train.cfg, &train.weights, &train.distill.teacher, &train.semi.unlabelled})
    make_absolute(*path);
  // All trainings have the same version, whatever is the newest one later.
  if (versions::is_store_name(train.data)) train.data = versions::full_store_name(train.data);
  // Results depend on the number of compute threads, so a search keeps it.
  if (train.threads == 0) train.threads = std::max(1, usable_cores() / o.parallel);
  given.emplace_back("threads");
  given.emplace_back("data");
  o.train = command_line(handed_on(train), given);
  OpenSearch open = claimed(fs::absolute(make_run_folder(o.project, o.name, o.exist_ok)));
  const fs::path& folder = open.folder;
  if (fs::exists(folder / "evolve.csv"))
    throw Error(fmt::format(
        "{}: expected a folder without a search, found evolve.csv (--resume goes on with it)",
        folder.string()));
  remove_earlier(folder);
  Settings table = run::settings(start);
  std::erase_if(table.entries, [&](const Setting& one) { return !text::contains(keys, one.name); });
  file::write_atomically(folder / "hyp.yaml", to_yaml(table));
  file::write_atomically(folder / "evolve.yaml", to_yaml(evolve_yaml(o, train)));
  return open;
}

/// The options of the search that goes on, with those of the command line that may change.
OpenSearch reopen(EvolveOptions& o, run::TrainOptions& train,
                  const std::vector<std::string>& given) {
  static const std::vector<std::string> changeable{"resume", "generations", "parallel", "time",
                                                   "device", "json",        "quiet",    "verbose"};
  for (const std::string& name : given)
    if (!text::contains(changeable, name))
      throw usage_error(
          fmt::format("evolve: --{} cannot change when a search is resumed (these can: {})", name,
                      text::join(changeable, ", ")));
  const fs::path folder = fs::absolute(o.resume).lexically_normal();
  if (!fs::exists(folder / "evolve.yaml"))
    throw Error(fmt::format(
        "--resume: expected the folder of a search with evolve.yaml, found none at {}", o.resume));
  OpenSearch open = claimed(folder);
  const int generations = o.generations;
  const std::string device = train.device;
  assign(evolve_yaml(o, train), read_yaml(folder / "evolve.yaml"));
  if (text::contains(given, "generations")) o.generations = generations;
  if (text::contains(given, "device")) train.device = device;
  require_parallel(o);
  return open;
}

search::SearchSetup search_setup(const fs::path& folder, const EvolveOptions& o,
                                 const run::TrainOptions& train) {
  search::SearchSetup setup;
  setup.folder = folder;
  const std::string hyp = (folder / "hyp.yaml").string();
  setup.start = run::read_hyperparameters(hyp);
  setup.search.genes = search::searched_genes(run::hyperparameter_keys(hyp), o.genes);
  setup.search.start = search::start_values(setup.search.genes, setup.start);
  setup.search.options = {o.method == "halving",
                          o.generations,
                          o.population,
                          o.eta,
                          train.epochs,
                          o.parents == "weighted",
                          static_cast<std::uint64_t>(train.seed)};
  setup.train_arguments = o.train;
  for (const int gpu : run::gpus_of(train.device)) setup.devices.push_back(std::to_string(gpu));
  if (setup.devices.empty() && !train.device.empty()) setup.devices.push_back(train.device);
  setup.parallel = o.parallel;
  setup.hours = o.time;
  setup.stop = interrupt::token();
  return setup;
}

nlohmann::json to_json(const search::SearchSetup& setup, const search::SearchOutcome& outcome) {
  nlohmann::json result{{"run_folder", setup.folder.string()},
                        {"trainings", outcome.trials.size()},
                        {"failed", std::count_if(outcome.trials.begin(), outcome.trials.end(),
                                                 [](const auto& t) { return t.failed; })},
                        {"interrupted", outcome.interrupted},
                        {"out_of_time", outcome.out_of_time}};
  for (const search::Trial& trial : outcome.trials)
    if (trial.generation == 0)
      result["start"] = {{"fitness", trial.result.fitness},
                         {"coco_map50", trial.result.coco_map50},
                         {"coco_map", trial.result.coco_map}};
  const search::Trial* best = best_trial(setup.search, outcome.trials);
  if (best == nullptr) return result;
  nlohmann::json values;
  for (std::size_t i = 0; i < setup.search.genes.size(); ++i)
    values[setup.search.genes[i].name] = best->values[i];
  result["best"] = {{"generation", best->generation},
                    {"candidate", best->candidate},
                    {"fitness", best->result.fitness},
                    {"coco_map50", best->result.coco_map50},
                    {"coco_map", best->result.coco_map},
                    {"values", values},
                    {"hyp", (setup.folder / "hyp_evolved.yaml").string()},
                    {"run_folder", search::trial_folder(setup.folder, *best).string()}};
  return result;
}

}  // namespace

nlohmann::json run_evolve(const std::vector<std::string>& arguments, Output& output) {
  EvolveOptions options;
  run::TrainOptions train;
  const Settings table = settings(options, train);
  if (!parse_arguments(table, arguments, output)) return {};
  const std::vector<std::string> given = given_names(table, arguments);
  const OpenSearch open =
      options.resume.empty() ? begin(options, train, given) : reopen(options, train, given);
  const fs::path& folder = open.folder;
  const search::SearchSetup setup = search_setup(folder, options, train);
  std::vector<std::string> names;
  for (const search::Gene& gene : setup.search.genes) names.push_back(gene.name);
  log::info(fmt::format("search of {} hyper-parameters ({}), {} generations; in {}", names.size(),
                        text::join(names, ", "), options.generations, folder.string()));
  for (const search::Rung& rung : search::rungs(setup.search.options))
    log::info(fmt::format("a generation: {} candidates to {} of {} epochs", rung.candidates,
                          rung.epochs, train.epochs));
  const search::SearchOutcome outcome = search::run_search(setup);
  const nlohmann::json result = to_json(setup, outcome);
  if (result.contains("best")) {
    const auto& best = result["best"];
    output.line(fmt::format(
        "{} trainings. Best fitness {:.4f} (the start: {:.4f}), candidate {} of generation {}",
        outcome.trials.size(), best["fitness"].get<double>(),
        result["start"]["fitness"].get<double>(), best["candidate"].get<int>(),
        best["generation"].get<int>()));
    output.line(fmt::format("Hyper-parameters: {}", best["hyp"].get<std::string>()));
  }
  if (outcome.interrupted) output.code = ExitCode::interrupted;
  if (outcome.interrupted || outcome.out_of_time)
    output.line(fmt::format("{}; go on with: yolov7 evolve --resume {}",
                            outcome.interrupted ? "Interrupted" : "The time is over",
                            text::shell_word(folder.string())));
  return result;
}

}  // namespace yolov7::cli
