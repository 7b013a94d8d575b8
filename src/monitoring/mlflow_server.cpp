#include "monitoring/mlflow_server.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/http_client.hpp"
#include "core/json.hpp"
#include "core/log.hpp"
#include "core/setting_name.hpp"
#include "core/text.hpp"

namespace yolov7::monitoring {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : value;
}

/// A token or a password travels with each request. Told once.
void warn_of_plain_http(const http::Address& server) {
  static std::atomic<bool> told{false};
  const bool secret =
      !variable("MLFLOW_TRACKING_TOKEN").empty() || !variable("MLFLOW_TRACKING_USERNAME").empty();
  if (secret && server.scheme != "https" && !server.is_loopback() && !told.exchange(true))
    log::warning(
        fmt::format("MLflow {}: a token or a password travels with each request "
                    "(MLFLOW_TRACKING_TOKEN, MLFLOW_TRACKING_USERNAME), and http does not hide it",
                    server.text()));
}

constexpr int missing = 404, bad_request = 400, conflict = 409;
constexpr std::chrono::seconds limit_of_wait{30}, limit_of_connection{5};

bool may_work_later(int status) {
  return status == 401 || status == 403 || status == 408 || status == 429 || status >= 500;
}

/// Thrown inside, caught in send().
struct Undelivered {
  DeliveryResult result;
};

}  // namespace

class MlflowServer::Connection {
 public:
  explicit Connection(const std::string& address)
      : address_(address),
        client_(http::parse_address(address, "MLflow"), {limit_of_connection, limit_of_wait}) {
    warn_of_plain_http(client_.address());
    if (const std::string token = variable("MLFLOW_TRACKING_TOKEN"); !token.empty()) {
      client_.hide(token);
      client_.set_header("Authorization", "Bearer " + token);
    } else if (const std::string user = variable("MLFLOW_TRACKING_USERNAME"); !user.empty()) {
      client_.set_basic_auth(user, variable("MLFLOW_TRACKING_PASSWORD"));
    }
  }

  /// The answer as JSON; nothing where the status is one of `expected`.
  std::optional<json> post(const std::string& call, const json& body,
                           std::initializer_list<int> expected = {}) {
    return answer(call,
                  {.method = "POST",
                   .path = "/api/2.0/mlflow/" + call,
                   .body = json_text(body),
                   .media_type = "application/json"},
                  expected);
  }
  std::optional<json> get(const std::string& call, http::Fields query,
                          std::initializer_list<int> expected) {
    return answer(call, {.path = "/api/2.0/mlflow/" + call, .query = std::move(query)}, expected);
  }

  void put(const fs::path& path, const std::string& target) {
    answer("mlflow-artifacts",
           {.method = "PUT",
            .path = "/api/2.0/mlflow-artifacts/artifacts/" + http::escaped(target, true),
            .body = file::read(path),
            .media_type = "application/octet-stream"},
           {});
  }

  void stop() { client_.stop(); }
  const std::string& address() const { return address_; }

  std::string known_run;  ///< the server is known to have it

 private:
  std::optional<json> answer(const std::string& call, const http::Request& request,
                             std::initializer_list<int> expected) {
    const http::Outcome outcome = client_.try_once(request);
    if (!outcome.answer) throw Undelivered{{Delivery::later, outcome.why}};
    const int status = outcome.answer->status;
    if (std::find(expected.begin(), expected.end(), status) != expected.end()) return std::nullopt;
    if (!outcome.answer->good()) {
      const std::string why = fmt::format("{}: {} answers {}: {}", address_, call, status,
                                          client_.shown(http::complaint(outcome.answer->body)));
      throw Undelivered{{may_work_later(status) ? Delivery::later : Delivery::refused, why}};
    }
    if (outcome.answer->body.empty()) return json::object();
    json value = json::parse(outcome.answer->body, nullptr, false);
    if (!value.is_object())
      throw Undelivered{
          {Delivery::later,
           fmt::format("{}: expected an MLflow server, found one that does not answer with JSON",
                       address_)}};
    return value;
  }

  std::string address_;
  http::Client client_;
};

namespace {

/// For a server that does not have the run. Where it was made on another one, nothing is refused
/// for good.
template <class Connection>
Undelivered without_run(const Connection& connection, MlflowQueue& queue) {
  const std::string made = queue.fact("made_at");
  if (made == connection.address())
    return {{Delivery::refused, fmt::format("the MLflow server at {} has no run {} any more", made,
                                            queue.fact("run_id"))}};
  return {
      {Delivery::later,
       fmt::format("the MLflow server at {} has no run {}; expected the address of the server "
                   "on which it was made{}",
                   connection.address(), queue.fact("run_id"), made.empty() ? "" : ": " + made)}};
}

/// Throws where the server's answer lacks it.
std::string member(const json& value, std::initializer_list<const char*> path) {
  const json* at = &value;
  for (const char* name : path) {
    if (!at->is_object() || !at->contains(name))
      throw Undelivered{
          {Delivery::refused,
           fmt::format("expected '{}' in the MLflow server's answer, found none", name)}};
    at = &(*at)[name];
  }
  return at->is_string() ? at->get<std::string>() : json_text(*at);
}

template <class Connection>
std::string experiment_id(Connection& connection, const std::string& name) {
  const std::string call = "experiments/get-by-name";
  const http::Fields query{{"experiment_name", name}};
  if (const auto found = connection.get(call, query, {missing}))
    return member(*found, {"experiment", "experiment_id"});
  if (const auto made =
          connection.post("experiments/create", {{"name", name}}, {bad_request, conflict}))
    return member(*made, {"experiment_id"});
  return member(connection.get(call, query, {}).value_or(json()),
                {"experiment", "experiment_id"});  // another process made it in between
}

template <class Connection>
void start(Connection& connection, MlflowQueue& queue, const json& content) {
  const std::string experiment =
                        experiment_id(connection, content.at("experiment").get<std::string>()),
                    key = content.at("key").get<std::string>();
  const auto known =
      connection.post("runs/search", {{"experiment_ids", {experiment}},
                                      {"filter", fmt::format("tags.`yolov7.key` = '{}'", key)},
                                      {"max_results", 1}});
  json info;
  if (known && known->contains("runs") && !(*known)["runs"].empty()) {
    info = (*known)["runs"][0];
  } else {
    const json tags = json::array({{{"key", "yolov7.key"}, {"value", key}},
                                   {{"key", "mlflow.runName"}, {"value", content.at("name")}},
                                   {{"key", "mlflow.source.name"}, {"value", "yolov7 train"}}});
    info = connection
               .post("runs/create", {{"experiment_id", experiment},
                                     {"run_name", content.at("name")},
                                     {"start_time", content.at("time")},
                                     {"tags", tags}})
               ->at("run");
  }
  queue.set_fact("experiment_id", experiment);
  queue.set_fact("artifact_uri", member(info, {"info", "artifact_uri"}));
  queue.set_fact("made_at", connection.address());
  connection.known_run = member(info, {"info", "run_id"});
  queue.set_fact("run_id", connection.known_run);
}

template <class Connection>
void send_artifact(Connection& connection, MlflowQueue& queue, const json& content) {
  const std::string uri = queue.fact("artifact_uri"),
                    scheme = "mlflow-artifacts:", name = content.at("file").get<std::string>();
  if (!uri.starts_with(scheme))
    throw Undelivered{{Delivery::refused,
                       fmt::format("expected a server that takes artifacts itself (mlflow server "
                                   "--artifacts-destination …), found the artifact store {}",
                                   uri)}};
  const fs::path file = queue.run_folder() / name;
  if (!fs::exists(file))
    throw Undelivered{{Delivery::refused, fmt::format("{} is gone", file.string())}};
  // mlflow-artifacts:/experiment/run/artifacts or mlflow-artifacts://host/…: the path alone counts,
  // the server being known.
  std::string root = uri.substr(scheme.size());
  if (root.starts_with("//")) root = root.substr(std::min(root.find('/', 2), root.size()));
  connection.put(
      file, root.substr(root.find_first_not_of('/')) + "/" + content.at("path").get<std::string>());
}

template <class Connection>
void register_model(Connection& connection, MlflowQueue& queue, const json& content) {
  connection.post("registered-models/create", {{"name", content.at("name")}},
                  {bad_request, conflict});  // it may exist
  const auto version = connection.post(
      "model-versions/create",
      {{"name", content.at("name")},
       {"source", queue.fact("artifact_uri") + "/" + content.at("path").get<std::string>()},
       {"run_id", queue.fact("run_id")}});
  queue.set_fact("model_version", member(*version, {"model_version", "version"}));
}

template <class Connection>
void deliver(Connection& connection, MlflowQueue& queue, const QueuedRecord& record) {
  json content = parse_json(record.content, record.kind);
  if (record.kind == "start") {
    if (queue.fact("run_id").empty()) start(connection, queue, content);
    return;
  }
  const std::string run = queue.fact("run_id");
  if (run.empty()) throw Undelivered{{Delivery::refused, "the run was never begun on the server"}};
  // Artifacts would be taken by any server.
  if (connection.known_run != run) {
    if (!connection.get("runs/get", {{"run_id", run}}, {missing}))
      throw without_run(connection, queue);
    connection.known_run = run;
  }
  if (record.kind == "batch") {
    content["run_id"] = run;
    if (!connection.post("runs/log-batch", content, {missing}))
      throw without_run(connection, queue);
  } else if (record.kind == "artifact") {
    send_artifact(connection, queue, content);
  } else if (record.kind == "model") {
    register_model(connection, queue, content);
  } else if (record.kind == "status") {
    json update{{"run_id", run}, {"status", content.at("status")}};
    if (content.at("status") != "RUNNING") update["end_time"] = content.at("time");
    if (!connection.post("runs/update", update, {missing})) throw without_run(connection, queue);
  }
}

}  // namespace

std::string mlflow_address(const std::string& option) {
  const std::string address = option == "env" ? variable("MLFLOW_TRACKING_URI") : option;
  const std::string from = option == "env" ? "MLFLOW_TRACKING_URI" : setting_name("mlflow");
  if (!address.starts_with("http://") && !address.starts_with("https://"))
    throw usage_error(fmt::format(
        "{}: expected the http or https address of an MLflow server, found '{}'", from,
        address.find_first_of("@?") == std::string::npos ? text::printable(address) : "***"));
  const std::string host = address.substr(address.find("://") + 3);
  if (host.substr(0, host.find('/')).find('@') != std::string::npos)
    throw usage_error(
        fmt::format("{}: expected an address without user and password (MLFLOW_TRACKING_USERNAME "
                    "and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN, hold them)",
                    from));
  warn_of_plain_http(http::parse_address(address, from));
  return address;
}

MlflowServer::MlflowServer(std::string address)
    : connection_(std::make_unique<Connection>(address)) {}
MlflowServer::~MlflowServer() = default;
void MlflowServer::stop() { connection_->stop(); }

DeliveryResult MlflowServer::send(MlflowQueue& queue, const QueuedRecord& record) {
  DeliveryResult result;
  try {
    deliver(*connection_, queue, record);
  } catch (const Undelivered& undelivered) {
    result = undelivered.result;
  } catch (const json::exception& error) {
    result = {Delivery::refused,
              fmt::format("expected other things in the MLflow server's answer: {}", error.what())};
  }
  // Without a run on the server nothing else has a place, so its making waits until what is wrong
  // there has been put right.
  if (record.kind == "start" && result.what == Delivery::refused) result.what = Delivery::later;
  return result;
}

DeliveryResult send_waiting(MlflowQueue& queue, MlflowServer& server,
                            const std::function<bool()>& stops) {
  while (!stops()) {
    const auto record = queue.first_waiting();
    if (!record) break;
    const DeliveryResult result = server.send(queue, *record);
    if (result.what == Delivery::later) return result;
    if (result.what == Delivery::done)
      queue.sent(record->id);
    else
      queue.refused(record->id, result.why);
  }
  return {};
}

}  // namespace yolov7::monitoring
