#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "api/training_library.hpp"
#include "cli/terminal.hpp"
#include "cli/verb.hpp"
#include "cli/verbs/checkpoint_data.hpp"
#include "cli/verbs/export_files.hpp"
#include "core/file.hpp"
#include "core/interrupt.hpp"
#include "core/json.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "exporting/format_table.hpp"
#include "monitoring/mlflow_server.hpp"
#include "monitoring/report.hpp"
#include "network/checkpoint/checkpoint_file.hpp"
#include "process/launcher.hpp"
#include "run/new_folder.hpp"
#include "run/qat_recipe.hpp"
#include "run/used_folder.hpp"
#include "versions/lineage.hpp"
#include "versions/store_data.hpp"

namespace yolov7::cli {
namespace {

namespace fs = std::filesystem;

void check(const run::TrainOptions& o) {
  if (o.resume.empty()) run::require_possible(o, "train");
  if (o.resume.empty() && o.exist_ok)
    run::require_inputs_elsewhere(fs::path(o.project) / o.name,
                                  {{o.weights, "--weights"},
                                   {o.cfg, "--cfg"},
                                   {o.data, "--data"},
                                   {o.hyp, "--hyp"},
                                   {o.distill.teacher, "--teacher"},
                                   {o.semi.unlabelled, "--unlabelled"}});
  const auto gpus = run::gpus_of(o.device);
  if (o.nproc > 1 && !gpus.empty() && static_cast<std::size_t>(o.nproc) != gpus.size())
    throw usage_error(fmt::format(
        "train: --nproc {} and --device {}: expected a GPU for each process", o.nproc, o.device));
  if (!o.mlflow.empty()) monitoring::mlflow_address(o.mlflow);
  if (o.img_size.empty() || o.img_size.size() > 2)
    throw usage_error(
        fmt::format("train: --img-size: expected one or two sizes, found {}", o.img_size.size()));
}

run::World world(run::TrainOptions& o) {
  run::World world = run::world_of([](const char* name) { return std::getenv(name); });
  if (o.local_rank >= 0) world.local_rank = o.local_rank;
  o.local_rank = -1;  // who it is, not how it trains
  return world;
}

std::vector<std::string> without(std::vector<std::string> names, const std::string& name) {
  std::erase(names, name);
  return names;
}

ExitCode launch_all(int processes, const run::TrainOptions& o, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "train");
  return process::launch(processes, arguments,
                         std::chrono::seconds(static_cast<std::int64_t>(o.peer_timeout) + 15),
                         interrupt::token());
}

/// A process besides the first. What all would say while they prepare, the first one says.
void speak_as(int rank, training::TrainRequest& request) {
  terminal()->set_speaker(fmt::format("rank {}: ", rank));
  terminal()->set_level(log::Level::error);
  request.prepared = [] { terminal()->set_level(log::Level::warning); };
}

/// Of a run from a version store, into the store's lineage.
void record_checkpoints(const training::TrainSummary& summary) {
  const std::string data = data_of_checkpoint(summary.last);  // best.pt may have no state
  if (!versions::is_store_name(data)) return;
  for (const std::string& file : {summary.best, summary.last})
    if (!file.empty() && fs::exists(file)) versions::record_model(file, "checkpoint", {}, data);
}

nlohmann::json to_json(const training::TrainSummary& s) {
  return {{"run_folder", s.run_folder},
          {"epochs_done", s.epochs_done},
          {"best_epoch", s.best_epoch},
          {"best_fitness", s.best_fitness},
          {"coco_map50", s.map50},
          {"coco_map", s.map},
          {"seconds", s.seconds},
          {"skipped_batches", s.skipped_batches},
          {"predicted_peak_bytes", s.predicted_peak_bytes},
          {"peak_bytes", s.peak_bytes},
          {"interrupted", s.interrupted},
          {"best", s.best},
          {"last", s.last}};
}

/// Options of training, and what happens behind it.
Settings settings(run::TrainOptions& o, std::vector<std::string>& formats) {
  Settings table = run::settings(o);
  table.entries =
      joined({table.entries,
              group("After training",
                    {setting("export", formats,
                             "formats in which best.pt is written and compared after training: " +
                                 text::join(exporting::format_names(), ", ") + ", or all")})});
  return table;
}

/// A format that fails is told, and leaves the training as it is.
nlohmann::json export_trained(const training::TrainSummary& summary,
                              const std::vector<std::string>& formats, const std::string& data,
                              Output& output) {
  exporting::ExportOptions options;
  options.weights = summary.best.empty() ? summary.last : summary.best;
  options.include = formats;
  options.data = data;
  nlohmann::json told;
  try {
    options.img_size = {network::read_checkpoint(options.weights).image_size};
    told = export_files(options, {}, output);
  } catch (const Error& error) {
    log::error(fmt::format("--export: {}; the training is complete: yolov7 export --weights {}",
                           error.what(), text::shell_word(options.weights)));
    output.code = error.code();
  }
  const fs::path folder(summary.run_folder);
  if (fs::exists(folder / "report.html"))
    file::write_atomically(folder / "report.html", monitoring::run_report(folder));
  return told;
}

void print(const training::TrainSummary& summary, Output& output) {
  if (summary.interrupted) {
    output.code = ExitCode::interrupted;
    output.line(fmt::format("Interrupted after epoch {}; continue with: yolov7 train --resume {}",
                            summary.epochs_done, text::shell_word(summary.run_folder)));
    return;
  }
  output.line(fmt::format(
      "Trained {} epochs in {:.3f} hours. Best epoch {}: COCO mAP50 {:.4f}, mAP {:.4f}",
      summary.epochs_done, summary.seconds / 3600, summary.best_epoch, summary.map50, summary.map));
  output.line(fmt::format("Results in {}", summary.run_folder));
}

}  // namespace

nlohmann::json run_train(const std::vector<std::string>& arguments, Output& output) {
  training::TrainRequest request;
  std::vector<std::string> formats;
  const Settings table = settings(request.options, formats);
  if (!parse_arguments(table, arguments, output)) return {};
  request.given = without(given_names(table, arguments), "export");
  if (!formats.empty()) exporting::chosen_formats(formats);  // before the training, not after it
  if (request.options.evolve && !formats.empty())
    throw usage_error("train: --export and --evolve exclude each other: export the best one");
  if (request.options.evolve)
    return run_evolve(command_line(table, without(request.given, "evolve")), output);
  if (request.options.resume.empty()) run::settle_qat(request.options, request.given);
  check(request.options);
  if (request.options.resume.empty()) {
    run::require_possible(request.options.distill, request.given, "train");
    run::require_possible(request.options.semi, request.given, "train");
  }
  request.world = world(request.options);
  request.stop = interrupt::token();
  const int processes = std::max(request.options.nproc,
                                 static_cast<int>(run::gpus_of(request.options.device).size()));
  if (request.world.alone() && processes > 1) {
    output.code = launch_all(processes, request.options, arguments);
    return {};
  }
  // What is kept of the run names exactly this version, whatever is the newest one later.
  if (versions::is_store_name(request.options.data))
    request.options.data = versions::full_store_name(request.options.data);
  const training::Api& library = api::training_library();
  std::optional<run::NewFolder> made;
  if (request.options.resume.empty() && request.world.writes()) {
    const run::TrainOptions& o = request.options;
    const bool there = o.exist_ok && fs::exists(fs::path(o.project) / o.name);
    request.run_folder = make_run_folder(o.project, o.name, o.exist_ok);
    if (!there) made.emplace(request.run_folder);
    request.started = [&] {
      if (made) made->keep();
      if (versions::is_store_name(request.options.data))
        versions::record_model(request.run_folder, "run", {}, request.options.data);
    };
  }
  if (!request.world.writes()) speak_as(request.world.rank, request);
  const training::TrainSummary summary = library.train(request);
  if (!request.world.writes()) {
    if (summary.interrupted) output.code = ExitCode::interrupted;
    return {};
  }
  record_checkpoints(summary);
  print(summary, output);
  nlohmann::json json = to_json(summary);
  const fs::path account = fs::path(summary.run_folder) / "data_account.json";
  if (fs::exists(account)) json["data_account"] = read_json(account);
  if (!formats.empty() && !summary.interrupted)
    json["export"] = export_trained(summary, formats, request.options.data, output);
  return json;
}

}  // namespace yolov7::cli
