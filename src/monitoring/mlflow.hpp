#pragma once
// A run on an MLflow server while it goes on. The training only writes into the queue; a thread
// sends.
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "monitoring/mlflow_queue.hpp"
#include "monitoring/mlflow_server.hpp"

namespace yolov7::monitoring {

struct MlflowOptions {
  std::string address;     ///< of mlflow_address()
  std::string experiment;  ///< its name; made where it is not there
  std::string model;       ///< best.pt becomes a version of this registered model; "" = not
};

class MlflowRun {
 public:
  /// Begins the run on the server, or goes on with the one that this folder's queue knows.
  /// Parameters are sent once; values of more than 500 bytes are cut.
  MlflowRun(const std::filesystem::path& run_folder, const MlflowOptions& options,
            const std::map<std::string, std::string>& parameters);
  /// Without finish(): the run is marked as `end_status` ("FAILED" unless set).
  ~MlflowRun();
  MlflowRun(const MlflowRun&) = delete;
  MlflowRun& operator=(const MlflowRun&) = delete;

  /// Values that are not finite are left out: MLflow stores none.
  void metrics(std::int64_t step, const std::vector<std::pair<std::string, double>>& values);
  /// A file of the run folder under a path of the run's artifacts; the file is read when it is
  /// sent.
  void artifact(const std::string& file, const std::string& path);
  /// weights/best.pt with a description as model/, registered where a name was given.
  void model();
  void end_status(const std::string& status) { end_status_ = status; }
  /// Writes the end, and waits for the rest to be sent as long as the server takes it. What is left
  /// stays in the queue: a warning says how many.
  void finish();

 private:
  void add(const std::string& kind, const std::string& content);
  void send_all();

  MlflowQueue queue_;
  MlflowOptions options_;
  MlflowServer server_;
  std::string end_status_ = "FAILED";
  std::mutex mutex_;
  std::condition_variable changed_;
  bool ending_ = false, stopping_ = false, finished_ = false;
  std::thread sender_;
};

/// The time for MLflow, in ms since 1970.
std::int64_t mlflow_time();
/// A name that MLflow takes: letters, digits and "_-. /"; others become "-".
std::string mlflow_name(const std::string& name);

}  // namespace yolov7::monitoring
