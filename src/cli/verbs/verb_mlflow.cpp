// yolov7 mlflow: sends what runs could not tell an MLflow server while they went on.
#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "cli/verb.hpp"
#include "core/file.hpp"
#include "core/interrupt.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "monitoring/mlflow_server.hpp"

namespace yolov7::cli {
namespace {

namespace fs = std::filesystem;

struct MlflowVerbOptions {
  std::vector<std::string> runs;
  std::string to;
  bool list = false;
};

Settings settings(MlflowVerbOptions& o) {
  return Settings{"mlflow",
                  {
                      setting("runs", o.runs, "run folders").positional(),
                      setting("to", o.to,
                              "address of the server; '' = the one that the run was meant for; env "
                              "= MLFLOW_TRACKING_URI"),
                      setting("list", o.list, "say what waits, and send nothing"),
                  }};
}

nlohmann::json run_one(const MlflowVerbOptions& o, const fs::path& folder, Output& output) {
  if (!fs::exists(folder / monitoring::MlflowQueue::file_name))
    throw Error(fmt::format("{}: expected a run that was trained with --mlflow, found no {}",
                            folder.string(), monitoring::MlflowQueue::file_name));
  const auto lock = file::Lock::try_acquire(folder / ".lock");
  if (!lock && !o.list)
    throw Error(
        fmt::format("{}: a training runs in this folder, and sends by itself", folder.string()));
  monitoring::MlflowQueue queue(folder);
  const std::size_t before = queue.waiting(), refused_before = queue.all_refused().size();
  monitoring::DeliveryResult result;
  if (!o.list && before > 0) {
    const std::string address = o.to.empty() ? queue.fact("address") : o.to;
    monitoring::MlflowServer server(monitoring::mlflow_address(address));
    result =
        send_waiting(queue, server, [stop = interrupt::token()] { return stop.stop_requested(); });
  }
  const std::size_t left = queue.waiting();
  const auto refused = queue.all_refused();
  const std::size_t refused_now = refused.size() - refused_before;
  // Beside a training, which adds to the queue, nothing is sent.
  const std::size_t sent = o.list ? 0 : before - left - refused_now;
  output.line(fmt::format(
      "{}: {} records sent, {} wait, {} were refused{}", folder.string(), sent, left,
      refused.size(),
      queue.fact("run_id").empty() ? "" : fmt::format("; run {}", queue.fact("run_id"))));
  if (!result.why.empty()) log::error(result.why);
  nlohmann::json reasons = nlohmann::json::array();
  for (const monitoring::QueuedRecord& record : refused) {
    log::warning(fmt::format("refused: {}: {}", record.kind, record.refusal));
    reasons.push_back({{"kind", record.kind}, {"why", record.refusal}});
  }
  if (!o.list && left + refused_now > 0)
    output.code = left > 0 && interrupt::requested() ? ExitCode::interrupted : ExitCode::failure;
  return {{"run_folder", folder.string()},
          {"sent", sent},
          {"waiting", left},
          {"refused", reasons},
          {"run_id", queue.fact("run_id")},
          {"model_version", queue.fact("model_version")}};
}

}  // namespace

nlohmann::json run_mlflow(const std::vector<std::string>& arguments, Output& output) {
  MlflowVerbOptions options;
  if (!parse_arguments(settings(options), arguments, output)) return {};
  if (options.runs.empty())
    throw usage_error("mlflow: expected at least one run folder, found none");
  nlohmann::json results = nlohmann::json::array();
  for (const std::string& run : options.runs) results.push_back(run_one(options, run, output));
  return {{"runs", results}};
}

}  // namespace yolov7::cli
