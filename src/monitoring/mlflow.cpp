#include "monitoring/mlflow.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <random>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/json.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "core/value.hpp"

namespace yolov7::monitoring {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

constexpr std::size_t most_params_in_a_batch = 100, longest_value = 500;

std::string cut(const std::string& value) {
  if (value.size() <= longest_value) return value;
  std::size_t end = longest_value - 4;
  while (end > 0 && (static_cast<unsigned char>(value[end]) & 0xC0) == 0x80)
    --end;  // no half character
  return value.substr(0, end) + " …";
}

/// What tells this run from all others, should the answer to its making get lost.
std::string random_key() {
  std::random_device device;
  return fmt::format("{:08x}{:08x}{:08x}{:08x}", device(), device(), device(), device());
}

std::vector<json> parameter_batches(const std::map<std::string, std::string>& parameters) {
  std::vector<json> batches;
  for (const auto& [name, value] : parameters) {
    if (batches.empty() || batches.back()["params"].size() == most_params_in_a_batch)
      batches.push_back({{"params", json::array()}});
    batches.back()["params"].push_back({{"key", mlflow_name(name)}, {"value", cut(value)}});
  }
  return batches;
}

}  // namespace

std::int64_t mlflow_time() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::string mlflow_name(const std::string& name) {
  std::string out = name;
  for (char& c : out)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '_' && c != '-' && c != '.' &&
        c != ' ' && c != '/')
      c = '-';
  return out;
}

MlflowRun::MlflowRun(const fs::path& run_folder, const MlflowOptions& options,
                     const std::map<std::string, std::string>& parameters)
    : queue_(run_folder), options_(options), server_(options.address) {
  queue_.set_fact("address", options.address);
  if (queue_.fact("key").empty()) {
    queue_.set_fact("key", random_key());
    add("start", json_text({{"experiment", options.experiment},
                            {"name", run_folder.filename().string()},
                            {"key", queue_.fact("key")},
                            {"time", mlflow_time()}}));
    for (const json& batch : parameter_batches(parameters)) add("batch", json_text(batch));
  } else {
    add("status", json_text({{"status", "RUNNING"}, {"time", mlflow_time()}}));
  }
  sender_ = std::thread([this] { send_all(); });
}

MlflowRun::~MlflowRun() {
  try {
    if (!finished_) finish();
  } catch (const std::exception& error) {
    log::warning(fmt::format("MLflow: {}", error.what()));
  }
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  server_.stop();
  if (sender_.joinable()) sender_.join();
}

void MlflowRun::add(const std::string& kind, const std::string& content) {
  queue_.add(kind, content);
  changed_.notify_all();
}

void MlflowRun::metrics(std::int64_t step,
                        const std::vector<std::pair<std::string, double>>& values) {
  json list = json::array();
  for (const auto& [name, value] : values)
    if (std::isfinite(value))
      list.push_back({{"key", mlflow_name(name)},
                      {"value", value},
                      {"timestamp", mlflow_time()},
                      {"step", step}});
  add("batch", json_text({{"metrics", list}}));
}

void MlflowRun::artifact(const std::string& file, const std::string& path) {
  add("artifact", json_text({{"file", file}, {"path", path}}));
}

void MlflowRun::model() {
  if (!fs::exists(queue_.run_folder() / "weights" / "best.pt")) return;
  file::write_atomically(queue_.run_folder() / "MLmodel",
                         "artifact_path: model\nflavors:\n  yolov7:\n    data: best.pt\n    "
                         "load_with: yolov7 detect --weights best.pt\n");
  artifact("weights/best.pt", "model/best.pt");
  artifact("MLmodel", "model/MLmodel");
  if (!options_.model.empty())
    add("model", json_text({{"path", "model"}, {"name", options_.model}}));
}

void MlflowRun::finish() {
  finished_ = true;
  add("status", json_text({{"status", end_status_}, {"time", mlflow_time()}}));
  {
    std::unique_lock lock(mutex_);
    ending_ = true;
    changed_.notify_all();
    changed_.wait(lock, [&] {
      return stopping_;
    });  // set by the sender: all is sent, or the server is out of reach
  }
  const std::size_t left = queue_.waiting();
  if (left > 0)
    log::warning(fmt::format("MLflow: {} records wait in {}; send them with: yolov7 mlflow {}",
                             left, (queue_.run_folder() / MlflowQueue::file_name).string(),
                             text::shell_word(queue_.run_folder().string())));
  for (const QueuedRecord& record : queue_.all_refused())
    log::warning(fmt::format("MLflow: refused: {} {}: {}", record.kind, cut(record.content),
                             record.refusal));
}

/// Sends what comes, waiting longer after each failure. While the run ends, one failure is enough.
void MlflowRun::send_all() {
  std::chrono::milliseconds pause(0);
  bool said = false;
  const auto stops = [&] {
    std::lock_guard lock(mutex_);
    return stopping_;
  };
  // An error wakes the loop, which meets it again where it sends, and says it.
  const auto waits = [&] {
    try {
      return queue_.waiting() > 0;
    } catch (const std::exception&) {
      return true;
    }
  };
  for (;;) {
    DeliveryResult result;
    try {
      result = send_waiting(queue_, server_, stops);
    } catch (const std::exception& error) {
      result = {Delivery::later, error.what()};
    }
    const bool failed = result.what == Delivery::later;
    std::unique_lock lock(mutex_);
    if (stopping_) return;
    if (failed && !std::exchange(said, true))
      log::warning(fmt::format("MLflow: {}; the training goes on, and what is to be sent is kept",
                               result.why));
    if (!failed) said = false;
    if (ending_ && (failed || !waits())) {
      stopping_ = true;
      changed_.notify_all();
      return;
    }
    pause = failed ? std::clamp(pause * 2, std::chrono::milliseconds(1000),
                                std::chrono::milliseconds(60'000))
                   : std::chrono::milliseconds(0);
    if (failed)
      changed_.wait_for(lock, pause, [&] { return stopping_ || ending_; });
    else
      changed_.wait_for(lock, std::chrono::seconds(1),
                        [&] { return stopping_ || ending_ || waits(); });
  }
}

}  // namespace yolov7::monitoring
