#include "monitoring/mlflow_server.hpp"

#include <fmt/format.h>
#include <httplib.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/json.hpp"
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

/// What a path or a query may hold as it is (RFC 3986, unreserved, and "/" where it divides).
std::string escaped(std::string_view words, bool keep_slash) {
  std::string out;
  for (const char c : words) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' ||
                       c == '.' || c == '~' || (keep_slash && c == '/');
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

/// What a server's answer says went wrong, short enough for a line.
std::string complaint(const std::string& body) {
  const json answer = json::parse(body, nullptr, false);
  const std::string words =
      answer.is_object() && answer.contains("message") && answer["message"].is_string()
          ? answer["message"].get<std::string>()
          : body;
  constexpr std::size_t longest = 300;
  return words.size() <= longest ? words : words.substr(0, longest) + " …";
}

constexpr int missing = 404, bad_request = 400, conflict = 409, limit_of_wait_s = 30,
              limit_of_connection_s = 5;

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
        client_(address.substr(0, end_of_host(address))),
        prefix_(address.substr(end_of_host(address))) {
    while (prefix_.ends_with('/')) prefix_.pop_back();
    client_.set_connection_timeout(limit_of_connection_s);
    client_.set_read_timeout(limit_of_wait_s);
    client_.set_write_timeout(limit_of_wait_s);
    client_.set_keep_alive(true);
    if (const std::string token = variable("MLFLOW_TRACKING_TOKEN"); !token.empty())
      client_.set_bearer_token_auth(token.c_str());
    else if (const std::string user = variable("MLFLOW_TRACKING_USERNAME"); !user.empty())
      client_.set_basic_auth(user.c_str(), variable("MLFLOW_TRACKING_PASSWORD").c_str());
  }

  /// The answer as JSON; nothing where the status is one of `expected`.
  std::optional<json> post(const std::string& call, const json& body,
                           std::initializer_list<int> expected = {}) {
    return answer(call,
                  client_.Post((prefix_ + "/api/2.0/mlflow/" + call).c_str(), json_text(body),
                               "application/json"),
                  expected);
  }
  std::optional<json> get(const std::string& call, std::initializer_list<int> expected) {
    return answer(call, client_.Get((prefix_ + "/api/2.0/mlflow/" + call).c_str()), expected);
  }

  void put(const fs::path& path, const std::string& target) {
    const std::string content = file::read(path);
    const auto result = client_.Put(
        (prefix_ + "/api/2.0/mlflow-artifacts/artifacts/" + escaped(target, true)).c_str(),
        content.size(),
        [&](std::size_t offset, std::size_t length, httplib::DataSink& sink) {
          constexpr std::size_t piece = 1 << 20;
          return !stopped_ && sink.write(content.data() + offset, std::min(length, piece));
        },
        "application/octet-stream");
    answer("mlflow-artifacts", result, {});
  }

  void stop() {
    stopped_ = true;
    client_.stop();
  }

 private:
  static std::size_t end_of_host(const std::string& address) {
    const std::size_t slash = address.find('/', address.find("://") + 3);
    return slash == std::string::npos ? address.size() : slash;
  }

  std::optional<json> answer(const std::string& call, const httplib::Result& result,
                             std::initializer_list<int> expected) const {
    if (!result)
      throw Undelivered{
          {Delivery::later, fmt::format("{}: {}", address_, to_string(result.error()))}};
    const int status = result->status;
    if (std::find(expected.begin(), expected.end(), status) != expected.end()) return std::nullopt;
    if (status < 200 || status >= 300) {
      const std::string why =
          fmt::format("{}: {} answers {}: {}", address_, call.substr(0, call.find('?')), status,
                      complaint(result->body));
      throw Undelivered{{may_work_later(status) ? Delivery::later : Delivery::refused, why}};
    }
    if (result->body.empty()) return json::object();
    json value = json::parse(result->body, nullptr, false);
    if (!value.is_object())
      throw Undelivered{
          {Delivery::later,
           fmt::format("{}: expected an MLflow server, found one that does not answer with JSON",
                       address_)}};
    return value;
  }

  std::string address_;
  httplib::Client client_;
  std::string prefix_;
  std::atomic<bool> stopped_{false};
};

namespace {

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
  const std::string query = "experiments/get-by-name?experiment_name=" + escaped(name, false);
  if (const auto found = connection.get(query, {missing}))
    return member(*found, {"experiment", "experiment_id"});
  if (const auto made =
          connection.post("experiments/create", {{"name", name}}, {bad_request, conflict}))
    return member(*made, {"experiment_id"});
  return member(connection.get(query, {}).value_or(json()),
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
  queue.set_fact("run_id", member(info, {"info", "run_id"}));
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
  if (record.kind == "batch") {
    content["run_id"] = run;
    connection.post("runs/log-batch", content);
  } else if (record.kind == "artifact") {
    send_artifact(connection, queue, content);
  } else if (record.kind == "model") {
    register_model(connection, queue, content);
  } else if (record.kind == "status") {
    json update{{"run_id", run}, {"status", content.at("status")}};
    if (content.at("status") != "RUNNING") update["end_time"] = content.at("time");
    connection.post("runs/update", update);
  }
}

}  // namespace

std::string mlflow_address(const std::string& option) {
  const std::string address = option == "env" ? variable("MLFLOW_TRACKING_URI") : option;
  const std::string from = option == "env" ? "MLFLOW_TRACKING_URI" : setting_name("mlflow");
  if (!address.starts_with("http://") && !address.starts_with("https://"))
    throw usage_error(
        fmt::format("{}: expected the http or https address of an MLflow server, found '{}'", from,
                    text::printable(address)));
  const std::string host = address.substr(address.find("://") + 3);
  if (host.substr(0, host.find('/')).find('@') != std::string::npos)
    throw usage_error(
        fmt::format("{}: expected an address without user and password (MLFLOW_TRACKING_USERNAME "
                    "and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN, hold them)",
                    from));
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
