#pragma once
// What a run still has to tell an MLflow server: an SQLite file in the run folder, so that nothing
// is lost where the server is down, the training is killed, or there is no network at all.
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/database.hpp"

namespace yolov7::monitoring {

/// One thing to tell, in the order of `id`.
struct QueuedRecord {
  std::int64_t id = 0;
  std::string kind;     ///< start, batch, artifact, model, status (mlflow_server.hpp)
  std::string content;  ///< JSON
  std::string refusal;  ///< what the server said when it refused it for good; "" = still to be sent
};

/// All members may be called from several threads, and by one process at a time. Errors name the
/// file and what SQLite says.
class MlflowQueue {
 public:
  static constexpr const char* file_name = "mlflow.sqlite";

  /// Opens <run_folder>/mlflow.sqlite, or makes it.
  explicit MlflowQueue(const std::filesystem::path& run_folder);

  const std::filesystem::path& run_folder() const { return folder_; }
  /// A record of the same kind and content that still waits is not doubled: it goes to the end.
  void add(const std::string& kind, const std::string& content);
  std::optional<QueuedRecord> first_waiting();
  void sent(std::int64_t id);
  void refused(std::int64_t id, const std::string& why);
  std::size_t waiting();
  std::vector<QueuedRecord> all_refused();

  /// What is known of the run: address, experiment, run id and the like; "" = nothing.
  std::string fact(const std::string& name);
  void set_fact(const std::string& name, const std::string& value);

 private:
  std::filesystem::path folder_;
  Database database_;
  std::mutex mutex_;
};

}  // namespace yolov7::monitoring
