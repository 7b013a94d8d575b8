// Tests the queue and how answers of a server are handled. tests/cli/mlflow_peer.py tests a real
// server.
#include "monitoring/mlflow.hpp"

#include <gtest/gtest.h>
#include <httplib.h>

#include <nlohmann/json.hpp>

#include "core/database.hpp"
#include "core/error.hpp"
#include "core/file.hpp"
#include "tests/kept_messages.hpp"
#include "tests/scratch_folder.hpp"

namespace yolov7::monitoring {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

TEST(MlflowQueue, KeepsItsOrderOverProcesses) {
  const test::ScratchFolder folder;
  {
    MlflowQueue queue(folder.path());
    queue.add("batch", "1");
    queue.add("artifact", "a");
    queue.add("batch", "2");
    queue.add("artifact", "a");  // the same artifact again: only the later record is kept
    queue.set_fact("run_id", "x");
    queue.set_fact("run_id", "y'; DROP TABLE record; --");
  }
  MlflowQueue queue(folder.path());
  EXPECT_EQ(queue.fact("run_id"), "y'; DROP TABLE record; --");
  EXPECT_EQ(queue.fact("other"), "");
  EXPECT_EQ(queue.waiting(), 3u);
  std::vector<std::string> contents;
  while (const auto record = queue.first_waiting()) {
    contents.push_back(record->content);
    if (record->content == "2")
      queue.refused(record->id, "no");
    else
      queue.sent(record->id);
  }
  EXPECT_EQ(contents, (std::vector<std::string>{"1", "2", "a"}));
  ASSERT_EQ(queue.all_refused().size(), 1u);
  EXPECT_EQ(queue.all_refused()[0].refusal, "no");
  queue.add("batch", "2");  // a refused record does not prevent an equal new one
  EXPECT_EQ(queue.waiting(), 1u);
}

TEST(MlflowQueue, ADamagedFileIsNamed) {
  const test::ScratchFolder folder;
  file::write_atomically(folder.path() / "mlflow.sqlite", std::string(5000, 'x'));
  try {
    MlflowQueue queue(folder.path());
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("mlflow.sqlite"), std::string::npos) << error.what();
  }
}

TEST(MlflowAddress, IsHttpWithoutAPassword) {
  EXPECT_EQ(mlflow_address("https://host/prefix"), "https://host/prefix");
  ::setenv("MLFLOW_TRACKING_URI", "http://other:5000", 1);
  EXPECT_EQ(mlflow_address("env"), "http://other:5000");
  ::unsetenv("MLFLOW_TRACKING_URI");
  for (const char* bad : {"env", "", "host:5000", "file:///tmp/x", "sqlite:///x.db",
                          "http://u:p@host", "http://u@host/a"})
    EXPECT_NE(test::error_of([&] { mlflow_address(bad); }).find("expected"), std::string::npos)
        << bad;
  EXPECT_EQ(mlflow_address("http://host/a@b"), "http://host/a@b");
  for (const char* bad : {"postgresql://u:s3cret@host/db", "http://u:s3cret/x@host"}) {
    const std::string said = test::error_of([&] { mlflow_address(bad); });
    EXPECT_NE(said.find("expected"), std::string::npos) << bad;
    EXPECT_EQ(said.find("s3cret"), std::string::npos) << said;
  }
}

TEST(MlflowAddress, ATokenOverPlainHttpToAnotherMachineIsWarnedOf) {
  const test::KeptMessages said;
  EXPECT_EQ(mlflow_address("http://host:5000"), "http://host:5000");
  ::setenv("MLFLOW_TRACKING_TOKEN", "s3cret", 1);
  for (const char* good : {"https://host:5000", "http://127.0.0.1:5000", "http://localhost"})
    EXPECT_EQ(mlflow_address(good), good);
  EXPECT_EQ(said.text(), "");
  EXPECT_EQ(mlflow_address("http://host:5000"), "http://host:5000");
  EXPECT_NE(said.text().find("http does not hide it"), std::string::npos) << said.text();
  EXPECT_EQ(said.text().find("s3cret"), std::string::npos) << said.text();
  ::unsetenv("MLFLOW_TRACKING_TOKEN");
}

TEST(MlflowName, OnlyWhatTheServerTakes) {
  EXPECT_EQ(mlflow_name("coco/mAP_0.5:0.95"), "coco/mAP_0.5-0.95");
  EXPECT_EQ(mlflow_name("a b\n<c>"), "a b--c-");
}

/// A server that answers what a test wants, in a thread of its own.
class Answers {
 public:
  Answers() {
    const auto handle = [this](const httplib::Request& request, httplib::Response& response) {
      const std::string path = request.path.substr(request.path.find("/api/2.0/") + 9);
      calls.push_back(path);
      bodies.push_back(request.body);
      headers.push_back(request.get_header_value("Authorization"));
      const auto [status, body] = answer(path, request.body);
      response.status = status;
      response.set_content(body, "application/json");
    };
    server.Get(".*", handle);
    server.Post(".*", handle);
    server.Put(".*", handle);
    port = server.bind_to_any_port("127.0.0.1");
    if (port < 0) throw std::runtime_error("cannot listen on 127.0.0.1");
    thread = std::thread([this] { server.listen_after_bind(); });
    while (!server.is_running()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  ~Answers() {
    server.stop();
    thread.join();
  }
  std::string address() const { return "http://127.0.0.1:" + std::to_string(port) + "/prefix/"; }

  std::function<std::pair<int, std::string>(const std::string& path, const std::string& body)>
      answer =
          [](const std::string&, const std::string&) { return std::pair(200, std::string("{}")); };
  std::vector<std::string> calls, bodies, headers;
  httplib::Server server;
  int port = 0;
  std::thread thread;
};

DeliveryResult send(MlflowQueue& queue, MlflowServer& server) {
  return send_waiting(queue, server, [] { return false; });
}

TEST(MlflowServer, FindsItsRunAgainAfterALostAnswer) {
  const test::ScratchFolder folder;
  MlflowQueue queue(folder.path());
  Answers answers;
  int made = 0;
  bool lose = true;
  const std::string run =
      R"({"info": {"run_id": "r1", "artifact_uri": "mlflow-artifacts:/7/r1/artifacts"}})";
  answers.answer = [&](const std::string& path,
                       const std::string& body) -> std::pair<int, std::string> {
    if (path == "mlflow/experiments/get-by-name")
      return {404, R"({"error_code": "RESOURCE_DOES_NOT_EXIST"})"};
    if (path == "mlflow/experiments/create") return {200, R"({"experiment_id": "7"})"};
    if (path == "mlflow/runs/search") return {200, made > 0 ? R"({"runs": [)" + run + "]}" : "{}"};
    if (path == "mlflow/runs/create") {
      ++made;
      if (std::exchange(lose, false)) return {500, "made, and then something broke"};
      return {200, R"({"run": )" + run + "}"};
    }
    if (path == "mlflow/runs/log-batch") {
      EXPECT_EQ(json::parse(body)["run_id"], "r1");
    }
    return {200, "{}"};
  };
  queue.add("start", R"({"experiment": "e", "name": "n", "key": "k", "time": 1})");
  queue.add("batch", R"({"metrics": []})");
  MlflowServer server(answers.address());
  const DeliveryResult first = send(queue, server);
  EXPECT_EQ(first.what, Delivery::later);
  EXPECT_NE(first.why.find("answers 500: made, and then something broke"), std::string::npos)
      << first.why;
  EXPECT_EQ(queue.waiting(), 2u);
  EXPECT_EQ(send(queue, server).what, Delivery::done);
  EXPECT_EQ(queue.waiting(), 0u);
  EXPECT_EQ(made, 1);
  EXPECT_EQ(queue.fact("artifact_uri"), "mlflow-artifacts:/7/r1/artifacts");
}

TEST(MlflowServer, RefusalsAreKeptAndPassedOver) {
  const test::ScratchFolder folder;
  file::write_atomically(folder.path() / "results.csv", "a,b\n");
  MlflowQueue queue(folder.path());
  queue.set_fact("run_id", "r1");
  queue.set_fact("artifact_uri", "mlflow-artifacts:/7/r1/artifacts");
  queue.add("batch", R"({"params": [{"key": "a", "value": "changed"}]})");
  queue.add("artifact", R"({"file": "results.csv", "path": "sub/results.csv"})");
  queue.add("artifact", R"({"file": "gone.csv", "path": "gone.csv"})");
  Answers answers;
  answers.answer = [](const std::string& path, const std::string&) -> std::pair<int, std::string> {
    if (path == "mlflow/runs/log-batch")
      return {
          400,
          R"({"error_code": "INVALID_PARAMETER_VALUE", "message": "Changing param values is not allowed"})"};
    return {200, "{}"};
  };
  ::setenv("MLFLOW_TRACKING_USERNAME", "me", 1);
  ::setenv("MLFLOW_TRACKING_PASSWORD", "secret", 1);
  MlflowServer server(answers.address());
  ::unsetenv("MLFLOW_TRACKING_USERNAME");
  ::unsetenv("MLFLOW_TRACKING_PASSWORD");
  EXPECT_EQ(send(queue, server).what, Delivery::done);
  EXPECT_EQ(answers.calls, (std::vector<std::string>{
                               "mlflow/runs/get", "mlflow/runs/log-batch",
                               "mlflow-artifacts/artifacts/7/r1/artifacts/sub/results.csv"}));
  EXPECT_EQ(answers.bodies[2], "a,b\n");
  EXPECT_EQ(answers.headers[0], "Basic bWU6c2VjcmV0");  // "me:secret", base 64
  const auto refused = queue.all_refused();
  ASSERT_EQ(refused.size(), 2u);
  EXPECT_NE(refused[0].refusal.find("answers 400: Changing param values is not allowed"),
            std::string::npos)
      << refused[0].refusal;
  EXPECT_NE(refused[1].refusal.find("gone.csv is gone"), std::string::npos) << refused[1].refusal;
}

TEST(MlflowServer, OneThatLacksTheRunRefusesNothing) {
  const test::ScratchFolder folder;
  file::write_atomically(folder.path() / "results.csv", "a,b\n");
  MlflowQueue queue(folder.path());
  queue.set_fact("run_id", "r1");
  queue.set_fact("made_at", "http://first:5000");
  queue.set_fact("artifact_uri", "mlflow-artifacts:/7/r1/artifacts");
  queue.add("artifact", R"({"file": "results.csv", "path": "results.csv"})");
  queue.add("batch", R"({"metrics": []})");
  Answers answers;
  std::string absent = "mlflow/runs/get";
  answers.answer = [&](const std::string& path, const std::string&) -> std::pair<int, std::string> {
    if (path == absent) return {404, R"({"error_code": "RESOURCE_DOES_NOT_EXIST"})"};
    return {200, "{}"};
  };
  MlflowServer server(answers.address());
  const std::string why = "the MLflow server at " + answers.address() +
                          " has no run r1; expected the address of the server on which it was "
                          "made: http://first:5000";
  DeliveryResult result = send(queue, server);
  EXPECT_EQ(result.what, Delivery::later);
  EXPECT_EQ(result.why, why);
  EXPECT_EQ(queue.waiting(), 2u);
  EXPECT_EQ(answers.calls, std::vector<std::string>{"mlflow/runs/get"});
  // A run that goes away in between.
  absent = "mlflow/runs/log-batch";
  result = send(queue, server);
  EXPECT_EQ(result.what, Delivery::later);
  EXPECT_EQ(result.why, why);
  EXPECT_EQ(queue.waiting(), 1u);
  EXPECT_TRUE(queue.all_refused().empty());
}

TEST(MlflowServer, KeepsRecordsOnTemporaryFailures) {
  const test::ScratchFolder folder;
  MlflowQueue queue(folder.path());
  queue.set_fact("run_id", "r1");
  queue.add("batch", "{}");
  Answers answers;
  MlflowServer server(answers.address());
  for (const auto& [status, body] :
       std::vector<std::pair<int, std::string>>{{401, "who are you"},
                                                {403, "no"},
                                                {429, "slowly"},
                                                {503, ""},
                                                {200, "<html>a page</html>"}}) {
    answers.answer = [status = status, body = body](const std::string&, const std::string&) {
      return std::pair(status, body);
    };
    const DeliveryResult result = send(queue, server);
    EXPECT_EQ(result.what, Delivery::later) << status;
    const std::string part = status == 200 ? "JSON" : "answers " + std::to_string(status);
    EXPECT_NE(result.why.find(part), std::string::npos) << result.why;
    EXPECT_EQ(queue.waiting(), 1u);
  }
  MlflowServer nobody("http://127.0.0.1:1");
  EXPECT_EQ(send(queue, nobody).what, Delivery::later);
  // Another kind of artifact store: refused without a request.
  queue.set_fact("artifact_uri", "s3://bucket/x");
  queue.add("artifact", R"({"file": "mlflow.sqlite", "path": "x"})");
  answers.answer = [](const std::string&, const std::string&) {
    return std::pair(200, std::string("{}"));
  };
  EXPECT_EQ(send(queue, server).what, Delivery::done);
  EXPECT_NE(queue.all_refused().at(0).refusal.find("found the artifact store s3://bucket/x"),
            std::string::npos);
}

TEST(MlflowRun, CutsLongValuesAndLeavesOutNonFiniteMetrics) {
  const test::ScratchFolder folder;
  {
    MlflowRun run(folder.path(), {"http://127.0.0.1:1", "e", ""},
                  {{"long", std::string(495, 'x') + "ä" + std::string(100, 'y')}, {"short", "1"}});
    run.metrics(3, {{"a", 1.5}, {"b", std::nan("")}});
  }
  MlflowQueue queue(folder.path());
  std::vector<json> contents;
  while (const auto record = queue.first_waiting()) {
    contents.push_back(json::parse(record->content));
    queue.sent(record->id);
  }
  ASSERT_EQ(contents.size(), 4u);  // start, parameters, metrics, status
  // The server takes 500 bytes; "ä" has two, of which one would not fit.
  EXPECT_EQ(contents[1]["params"][0]["value"], std::string(495, 'x') + " …");
  EXPECT_EQ(contents[1]["params"][1]["value"], "1");
  EXPECT_EQ(contents[2]["metrics"].size(), 1u);
  EXPECT_EQ(contents[2]["metrics"][0]["key"], "a");
  EXPECT_EQ(contents[2]["metrics"][0]["step"], 3);
  EXPECT_EQ(contents[3]["status"], "FAILED");  // finish() was not called; FAILED is the default
}

// The sender looks once a second whether something waits.
TEST(MlflowRun, AnErrorOfTheQueueIsAWarningOfTheSender) {
  const test::ScratchFolder folder;
  const test::KeptMessages messages;
  Answers answers;
  answers.answer = [](const std::string& path, const std::string&) -> std::pair<int, std::string> {
    if (path == "mlflow/experiments/get-by-name")
      return {200, R"({"experiment": {"experiment_id": "7"}})"};
    if (path == "mlflow/runs/create")
      return {
          200,
          R"({"run": {"info": {"run_id": "r1", "artifact_uri": "mlflow-artifacts:/7/r1/artifacts"}}})"};
    return {200, "{}"};
  };
  const auto told = [&] {
    return messages.text(log::Level::warning).find("the training goes on") != std::string::npos;
  };
  MlflowRun run(folder.path(), {answers.address(), "e", ""}, {});
  MlflowQueue queue(folder.path());
  const auto pause = std::chrono::milliseconds(10);
  for (int i = 0; i < 3000 && queue.waiting() > 0; ++i) std::this_thread::sleep_for(pause);
  ASSERT_EQ(queue.waiting(), 0u);
  EXPECT_FALSE(told());
  Database(folder.path() / MlflowQueue::file_name, {"a test", std::chrono::seconds(5)})
      .run("DROP TABLE record");
  for (int i = 0; i < 3000 && !told(); ++i) std::this_thread::sleep_for(pause);
  EXPECT_TRUE(told());
}

}  // namespace
}  // namespace yolov7::monitoring
