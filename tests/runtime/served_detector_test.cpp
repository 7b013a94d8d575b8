// A server of the test's own, whose answers are written by hand.
#include "runtime/server/served_detector.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>

#include "tests/core/http_server.hpp"
#include "tests/kept_messages.hpp"
#include "tests/scratch_folder.hpp"

using namespace yolov7;
using namespace yolov7::runtime;
using nlohmann::json;

namespace {

/// Answers by the path; a path that is not there is 404. The inference is asked apart.
class Served {
 public:
  explicit Served(std::map<std::string, std::string> answers)
      : answers_(std::move(answers)),
        server([this](const httplib::Request& request, httplib::Response& response) {
          const auto found = answers_.find(request.path);
          if (found == answers_.end()) {
            response.status = 404;
            response.set_content(R"({"error":"unknown model"})", "application/json");
            return;
          }
          if (const std::size_t at = found->second.find('|'); at != std::string::npos)
            response.set_header("Inference-Header-Content-Length", std::to_string(at));
          std::string body = found->second;
          if (const std::size_t at = body.find('|'); at != std::string::npos) body.erase(at, 1);
          response.set_content(body, "application/octet-stream");
        }) {}
  std::string address() const { return server.address() + "/v2/models/m"; }
  ModelFile open(const ServerOptions& options = {}) const {
    return open_served_model(address(), {}, options, {});
  }

 private:
  std::map<std::string, std::string> answers_;

 public:
  test::HttpServer server;
};

const std::string infer = "/v2/models/m/infer";

/// Two rows of one image of 32 x 32 px, two classes.
std::map<std::string, std::string> small_model() {
  return {{"/v2", R"({"name":"test"})"},
          {"/v2/models/m/ready", "{}"},
          {"/v2/models/m", R"({"name":"m","platform":"by hand",
             "parameters":{"names":"{0: 'cat', 1: 'dog'}","layout":"v5","stride":"32"},
             "inputs":[{"name":"images","datatype":"FP32","shape":[-1,3,32,32]}],
             "outputs":[{"name":"rows","datatype":"FP32","shape":[-1,2,7]}]})"},
          {infer, R"({"outputs":[{"name":"rows","datatype":"FP32","shape":[1,2,7],
             "data":[16,8,10,4,0.5,0.25,1,1,2,3,4,5,6,7]}]})"}};
}

std::vector<std::uint8_t> grey(int count) {
  return std::vector<std::uint8_t>(static_cast<std::size_t>(count) * 3 * 32 * 32, 51);
}

std::string refusal(const std::map<std::string, std::string>& answers,
                    const std::string& left_out = "") {
  auto all = answers;
  all.erase(left_out);
  const Served served(all);
  return test::error_of([&] {
    const ModelFile file = served.open();
    Prediction prediction;
    const auto pixels = grey(1);
    file.detector->predict({pixels, 1, 32, 32}, prediction);
  });
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST(ServedDetector, RowsOfAnAnswer) {
  const Served served(small_model());
  const ModelFile file = served.open();
  EXPECT_EQ(file.facts.names, (std::vector<std::string>{"cat", "dog"}));
  EXPECT_EQ(file.facts.layout, "v5");
  EXPECT_TRUE(has(file.detector->description(), "by hand")) << file.detector->description();
  EXPECT_EQ(file.detector->sides().width, 32);
  Prediction prediction;
  const auto pixels = grey(2);
  file.detector->predict({pixels, 2, 32, 32}, prediction);
  EXPECT_EQ(prediction.count, 2);
  EXPECT_EQ(prediction.rows, 2U);
  EXPECT_EQ(prediction.columns, 7);
  const std::vector<float> rows{16, 8, 10, 4, 0.5, 0.25, 1, 1, 2, 3, 4, 5, 6, 7};
  EXPECT_EQ(std::vector<float>(prediction.picture(1), prediction.picture(1) + 14), rows);
  // An open batch gets one image at a time; each sibling has a connection of its own.
  std::size_t asked = 0;
  for (const httplib::Request& one : served.server.seen())
    if (one.path == infer) {
      ++asked;
      const json input = json::parse(one.body)["inputs"][0];
      EXPECT_EQ(input["shape"], json({1, 3, 32, 32}));
      EXPECT_EQ(input["data"].size(), 3072U);
      EXPECT_EQ(input["data"][0].get<float>(), 0.2F);
    }
  EXPECT_EQ(asked, 2U);
  const auto other = file.detector->sibling();
  other->predict({std::span(pixels).first(3072), 1, 32, 32}, prediction);
  EXPECT_EQ(prediction.count, 1);
}

TEST(ServedDetector, BytesWhereTheServerAnnouncesThem) {
  auto answers = small_model();
  answers["/v2"] = R"({"extensions":["binary_tensor_data","model_configuration"]})";
  answers["/v2/models/m"] = R"({"inputs":[{"name":"images","datatype":"UINT8","shape":[1,32,32,3]}],
      "outputs":[{"name":"rows","datatype":"FP32","shape":[1,2,7]}]})";
  answers["/v2/models/m/config"] =
      R"({"parameters":{"names":{"string_value":"['cat', 'dog']"},"layout":{"string_value":"v5"}}})";
  const std::vector<float> rows{16, 8, 10, 4, 0.5, 0.25, 1, 1, 2, 3, 4, 5, 6, 7};
  std::string raw(4 * rows.size(), '\0');
  std::memcpy(raw.data(), rows.data(), raw.size());
  answers[infer] =
      R"({"outputs":[{"name":"rows","datatype":"FP32","shape":[1,2,7],"parameters":{"binary_data_size":56}}]}|)" +
      raw;
  const Served served(answers);
  const ModelFile file = served.open();
  EXPECT_EQ(file.facts.names[1], "dog");
  EXPECT_TRUE(has(file.facts.notes.back(), "0 ... 255")) << "what is assumed is said";
  Prediction prediction;
  const auto pixels = grey(1);
  file.detector->predict({pixels, 1, 32, 32}, prediction);
  EXPECT_EQ(prediction.decoded, rows);
  const httplib::Request last = served.server.seen().back();
  const std::size_t head = std::stoul(last.get_header_value("Inference-Header-Content-Length"));
  EXPECT_EQ(json::parse(last.body.substr(0, head))["inputs"][0]["shape"], json({1, 32, 32, 3}));
  EXPECT_EQ(last.body.substr(head), std::string(pixels.begin(), pixels.end()));
}

TEST(ServedDetector, TheFourOutputsOfTensorRT) {
  auto answers = small_model();
  answers["/v2/models/m"] =
      R"({"parameters":{"names":"['cat', 'dog']"},"inputs":[{"name":"images","datatype":"FP32","shape":[1,3,32,32]}],
      "outputs":[{"name":"det_classes","datatype":"INT32","shape":[1,2]},{"name":"num_dets","datatype":"INT32","shape":[1,1]},
      {"name":"det_boxes","datatype":"FP32","shape":[1,2,4]},{"name":"det_scores","datatype":"FP32","shape":[1,2]}]})";
  answers[infer] =
      R"({"outputs":[{"name":"num_dets","datatype":"INT32","shape":[1,1],"data":[1]},{"name":"det_boxes","datatype":"FP32","shape":[1,2,4],
      "data":[2,4,12,8, 9,9,9,9]},{"name":"det_scores","datatype":"FP32","shape":[1,2],"data":[0.75,0.5]},
      {"name":"det_classes","datatype":"INT32","shape":[1,2],"data":[1,0]}]})";
  const Served served(answers);
  const ModelFile file = served.open();
  EXPECT_EQ(file.facts.layout, "nms6");
  Prediction prediction;
  const auto pixels = grey(1);
  file.detector->predict({pixels, 1, 32, 32}, prediction);
  EXPECT_TRUE(prediction.suppressed);
  ASSERT_EQ(prediction.rows, 1U) << "the second row is behind the number";
  // The box's middle, width and height, the score, and one class that is certain.
  EXPECT_EQ(prediction.decoded, (std::vector<float>{7, 6, 10, 4, 0.75, 0, 1}));
}

TEST(ServedDetector, WhatIsWrongIsSaidInOneLine) {
  const auto good = small_model();
  EXPECT_EQ(refusal(good), "no error");
  EXPECT_TRUE(has(refusal(good, "/v2/models/m"), "404: unknown model"));
  EXPECT_EQ(refusal(good, "/v2"), "no error") << "a server need not tell of itself";
  EXPECT_TRUE(has(refusal(good, infer), "POST /v2/models/m/infer: 404"));
  const auto with = [&](const std::string& path, const std::string& answer) {
    auto all = small_model();
    all[path] = answer;
    const std::string said = refusal(all);
    EXPECT_EQ(said.find('\n'), std::string::npos) << said;
    return said;
  };
  EXPECT_TRUE(has(with("/v2/models/m", "<html>"), "expected JSON"));
  EXPECT_TRUE(has(with(infer, "<html>"), "expected JSON"));
  const std::string outputs = R"("outputs":[{"name":"rows","datatype":"FP32","shape":[1,2,7]}]})";
  EXPECT_TRUE(has(with("/v2/models/m", R"({"inputs":[],)" + outputs), "found 0 inputs"));
  EXPECT_TRUE(
      has(with("/v2/models/m",
               R"({"inputs":[{"name":"text","datatype":"BYTES","shape":[1,3,32,32]}],)" + outputs),
          "expected an input of FP32, FP16 or UINT8, found BYTES"));
  EXPECT_TRUE(
      has(with("/v2/models/m",
               R"({"inputs":[{"name":"i","datatype":"FP16","shape":[1,3,32,32]}],)" + outputs),
          "does not announce binary_tensor_data"));
  EXPECT_TRUE(has(with("/v2/models/m",
                       R"({"inputs":[{"name":"i","datatype":"FP32","shape":[1,3]}],)" + outputs),
                  "[B, 3, H, W] or [B, H, W, 3], found [1, 3]"));
  EXPECT_TRUE(has(with("/v2/models/m",
                       R"({"inputs":[{"name":"i","datatype":"FP32","shape":[1,3,32,32]}],
                       "outputs":[{"name":"logits","datatype":"FP32","shape":[1,1000]}]})"),
                  "expected outputs of a detector"));
  // The answer is of another shape than the server told.
  const std::string narrow =
      with(infer, R"({"outputs":[{"name":"rows","datatype":"FP32","shape":[1,2,6],
                     "data":[1,2,3,4,5,6,7,8,9,10,11,12]}]})");
  EXPECT_TRUE(has(narrow, "the answer has [1, 2, 6]")) << narrow;
  EXPECT_TRUE(has(
      with(infer, R"({"outputs":[{"name":"rows","datatype":"FP32","shape":[1,2,7],"data":[1]}]})"),
      "expected 14 values"));
}

TEST(ServedDetector, AModelThatIsNotReady) {
  test::HttpServer server([](const httplib::Request& request, httplib::Response& response) {
    response.status = request.path.ends_with("/ready") ? 400 : 200;
    response.set_content(R"({"error":"still loading"})", "application/json");
  });
  const std::string said =
      test::error_of([&] { open_served_model(server.address() + "/v2/models/m", {}, {}, {}); });
  EXPECT_TRUE(has(said, "expected a model that is ready")) << said;
  EXPECT_TRUE(has(said, "400: still loading")) << said;
}

TEST(ServedDetector, NobodyAnswersOrTheAnswerEndsEarly) {
  const std::string nobody =
      test::error_of([] { open_served_model("http://127.0.0.1:1/v2/models/m", {}, {}, {}); });
  EXPECT_TRUE(has(nobody, "no connection (3 tries)")) << nobody;
  test::RawServer cut({"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"name\""});
  const std::string early =
      test::error_of([&] { open_served_model(cut.address() + "/v2/models/m", {}, {}, {}); });
  EXPECT_TRUE(has(early, "the connection was lost")) << early;
}

TEST(ServedDetector, ALengthThatIsNotTrueTakesNoMemory) {
  test::RawServer vast({"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999\r\n\r\n{}"});
  const std::string said =
      test::error_of([&] { open_served_model(vast.address() + "/v2/models/m", {}, {}, {}); });
  EXPECT_TRUE(has(said, "(3 tries)")) << said;
}

TEST(ServedDetector, WaitingEndsWhenSomebodyStopsIt) {
  std::stop_source source;
  test::HttpServer server([&](const httplib::Request&, httplib::Response& response) {
    source.request_stop();
    response.status = 503;
    response.set_header("Retry-After", "60");
  });
  ServerOptions options;
  options.stop = source.get_token();
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_EQ(test::error_of(
                [&] { open_served_model(server.address() + "/v2/models/m", {}, options, {}); }),
            "interrupted");
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(30));
}

TEST(ServedDetector, AKeyIsSentAndNeverShown) {
  const test::KeptMessages kept;
  test::HttpServer server([](const httplib::Request& request, httplib::Response& response) {
    response.status = 401;
    response.set_content("no entry for " + request.get_header_value("Authorization"), "text/plain");
  });
  ServerOptions options;
  options.keys[server.address()] = "s3cret";
  const std::string said = test::error_of(
      [&] { open_served_model(server.address() + "/v2/models/m", {}, options, {}); });
  EXPECT_EQ(server.seen().back().get_header_value("Authorization"), "Bearer s3cret");
  EXPECT_TRUE(has(said, "***")) << said;
  EXPECT_FALSE(has(said, "s3cret")) << said;
  // Not without TLS to another machine, and not to another server.
  ServerOptions far;
  far.keys["http://example.org"] = "s3cret";
  EXPECT_TRUE(
      has(test::error_of([&] { open_served_model("http://example.org/v2/models/m", {}, far, {}); }),
          "expected an https address"));
  test::error_of([&] { open_served_model(server.address() + "/v2/models/m", {}, far, {}); });
  EXPECT_FALSE(server.seen().back().has_header("Authorization"));
}
