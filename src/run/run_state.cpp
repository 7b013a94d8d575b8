#include "run/run_state.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/json.hpp"
#include "core/setting_name.hpp"
#include "core/text.hpp"
#include "core/value.hpp"

namespace yolov7::run {
namespace fs = std::filesystem;
namespace {

std::string csv_text(const std::vector<EpochRecord>& records) {
  std::string out = results_csv_header() + "\n";
  for (const EpochRecord& record : records) out += results_csv_line(record) + "\n";
  return out;
}

bool in_weights_folder(const fs::path& file) {
  return fs::absolute(file).lexically_normal().parent_path().filename() == "weights";
}

}  // namespace

std::string to_text(const RunState& s) {
  TrainOptions options = s.options;
  Hyperparameters hyp = s.hyp;
  const nlohmann::json json = {{"epoch", s.epoch},
                               {"batch", s.batch},
                               {"loss_sum", s.loss_sum},
                               {"distill_sum", s.distill_sum},
                               {"last_batch", s.last_batch},
                               {"teacher_hash", s.teacher_hash},
                               {"marks_hash", s.marks_hash},
                               {"unlabelled_hash", s.unlabelled_hash},
                               {"unlabelled_sums", s.unlabelled_sums},
                               {"ema_updates", s.ema_updates},
                               {"best_fitness", s.best_fitness},
                               {"best_epoch", s.best_epoch},
                               {"seconds", s.seconds},
                               {"epoch_sums", s.epoch_sums},
                               {"class_ap", s.class_ap},
                               {"loss_balance", s.loss_balance},
                               {"ended", s.ended},
                               {"skipped", s.skipped},
                               {"skipped_in_row", s.skipped_in_row},
                               {"skipped_in_epoch", s.skipped_in_epoch},
                               {"micro_batch", s.micro_batch},
                               {"rollbacks", s.rollbacks},
                               {"loss_scale", s.loss_scale},
                               {"good_steps", s.good_steps},
                               {"float32_first", s.float32_first},
                               {"results", csv_text(s.records)},
                               {"options", to_yaml(settings(options))},
                               {"hyp", to_yaml(settings(hyp))}};
  return json_text(json, 1);
}

RunState run_state(const std::string& text, const std::string& source) {
  if (text.empty())
    throw Error(
        fmt::format("{}: expected the state of a run, found a stripped checkpoint: nothing to "
                    "resume (use {} to fine-tune)",
                    source, setting_name("weights")));
  RunState s;
  try {
    const nlohmann::json json = parse_json(text, source);
    s.epoch = json.at("epoch").get<int>();
    s.batch = json.at("batch").get<std::int64_t>();
    s.loss_sum = json.at("loss_sum").get<std::array<double, 4>>();
    s.distill_sum = json.value("distill_sum", 0.0);
    s.last_batch = json.value("last_batch", std::array<int, 2>{});
    s.teacher_hash = json.value("teacher_hash", std::string());
    s.marks_hash = json.value("marks_hash", std::string());
    s.unlabelled_hash = json.value("unlabelled_hash", std::string());
    s.unlabelled_sums = json.value("unlabelled_sums", std::array<double, 4>{});
    s.ema_updates = json.at("ema_updates").get<std::int64_t>();
    s.best_fitness = json.at("best_fitness").get<double>();
    s.best_epoch = json.at("best_epoch").get<int>();
    s.seconds = json.at("seconds").get<double>();
    s.epoch_sums = json.value("epoch_sums", std::array<double, 3>{});
    s.class_ap = json.value("class_ap", std::vector<double>());
    s.loss_balance = json.value("loss_balance", std::vector<double>());
    s.ended = json.value("ended", false);
    s.skipped = json.value("skipped", 0);
    s.skipped_in_row = json.value("skipped_in_row", 0);
    s.skipped_in_epoch = json.value("skipped_in_epoch", 0);
    s.micro_batch = json.value("micro_batch", 0);
    s.rollbacks = json.value("rollbacks", 0);
    s.loss_scale = json.value("loss_scale", 0.0);
    s.good_steps = json.value("good_steps", std::int64_t{0});
    s.float32_first = json.value("float32_first", false);
    s.records = parse_results_csv(json.at("results").get<std::string>(), source + ": results");
    assign(settings(s.options),
           parse_yaml(json.at("options").get<std::string>(), source + ": options"));
    assign(settings(s.hyp), parse_yaml(json.at("hyp").get<std::string>(), source + ": hyp"));
  } catch (const nlohmann::json::exception& error) {
    throw Error(fmt::format("{}: expected the state of a run: {}", source, error.what()));
  }
  return s;
}

fs::path find_resume_checkpoint(const std::string& resume, const std::string& project) {
  if (resume != "latest") {
    const fs::path path(resume);
    if (fs::is_regular_file(path)) {
      if (in_weights_folder(path)) return path;
      throw Error(
          fmt::format("{}: expected a checkpoint in the folder weights of its run, where the run "
                      "goes on, found {}",
                      setting_name("resume"), resume));
    }
    if (fs::is_regular_file(path / "weights" / "last.pt")) return path / "weights" / "last.pt";
    throw Error(fmt::format(
        "{}: expected a checkpoint or a run folder with weights/last.pt, found neither at {}",
        setting_name("resume"), resume));
  }
  fs::path newest;
  fs::file_time_type newest_time{};
  std::error_code error;
  for (fs::recursive_directory_iterator it(project, error), end; !error && it != end;
       it.increment(error)) {
    if (!it->is_regular_file() || it->path().filename() != "last.pt" ||
        !in_weights_folder(it->path()))
      continue;
    if (newest.empty() || it->last_write_time() > newest_time) {
      newest = it->path();
      newest_time = it->last_write_time();
    }
  }
  if (newest.empty())
    throw Error(fmt::format("{}: expected a last.pt somewhere below {}, found none",
                            setting_name("resume"), project));
  return newest;
}

TrainOptions resumed_options(TrainOptions stored, TrainOptions wanted,
                             const std::vector<std::string>& given) {
  const std::vector<std::string> changeable = {"resume",
                                               "epochs",
                                               "threads",
                                               "workers",
                                               "cache-budget",
                                               "recheck",
                                               "accept-changed-data",
                                               "data",
                                               "checkpoint-seconds",
                                               "memory-limit",
                                               "device",
                                               "project",
                                               "patience",
                                               "time",
                                               "save_period",
                                               "stop-after",
                                               "mlflow",
                                               "mlflow-experiment",
                                               "mlflow-model",
                                               "nproc",
                                               "peer-timeout",
                                               "local_rank",
                                               "teacher",
                                               "unlabelled"};
  const std::vector<std::string> common = {"json", "quiet", "verbose"};
  stored.stop_after = wanted.stop_after;  // of a call, not of a run
  const Settings from = settings(wanted), to = settings(stored);
  for (const std::string& name : given) {
    if (std::find(common.begin(), common.end(), name) != common.end()) continue;
    if (std::find(changeable.begin(), changeable.end(), name) == changeable.end())
      throw usage_error(
          fmt::format("train: --{} cannot change when a run is resumed (these can: {})", name,
                      text::join(changeable, ", ")));
    for (const Setting& entry : from.entries)
      if (entry.name == name)
        assign(to, parse_yaml(fmt::format("{}: {}\n", entry.name, entry.text()), "command line"));
  }
  return stored;
}

}  // namespace yolov7::run
