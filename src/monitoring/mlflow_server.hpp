#pragma once
// An MLflow tracking server, spoken to over its REST interface
// (https://mlflow.org/docs/latest/rest-api.html, version 2.0).
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "monitoring/mlflow_queue.hpp"

namespace yolov7::monitoring {

/// "http://host:port" or "https://host/prefix" as `--mlflow` has it; "env" = the variable
/// MLFLOW_TRACKING_URI. Errors (usage): another scheme, or a password in the address
/// (MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN, hold it); http
/// to another machine where there is a password or a token.
std::string mlflow_address(const std::string& option);

enum class Delivery {
  done,
  later,
  refused
};  ///< later: the server could not be reached, or has no time, or wants other credentials, or is
    ///< not the one that has the run

struct DeliveryResult {
  Delivery what = Delivery::done;
  std::string why;  ///< for people
};

/// Sends one record after the other. Records:
///   start     {experiment, name, key, time}           makes the run, or finds the one with this
///   key where an answer got lost before batch     {params: [{key, value}], metrics: [{key, value,
///   timestamp, step}], tags: [{key, value}]} artifact  {file, path}                            a
///   file of the run folder model     {path, name}                            registers what lies
///   at this path of the artifacts as a version of a model status    {status, time} RUNNING,
///   FINISHED, FAILED, KILLED
class MlflowServer {
 public:
  explicit MlflowServer(std::string address);
  ~MlflowServer();

  /// Facts that later records need (experiment_id, run_id, artifact_uri, made_at) are kept in the
  /// queue.
  DeliveryResult send(MlflowQueue& queue, const QueuedRecord& record);
  /// From another thread: what is being sent ends soon, as "later".
  void stop();

 private:
  class Connection;
  std::unique_ptr<Connection> connection_;
};

/// Until the queue is empty, the server is out of reach, or `stops` says so. Records that the
/// server refuses are marked and passed over.
DeliveryResult send_waiting(MlflowQueue& queue, MlflowServer& server,
                            const std::function<bool()>& stops);

}  // namespace yolov7::monitoring
