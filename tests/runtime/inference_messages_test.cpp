// Expected texts and bytes by hand, after the protocol's own document (serving 1.3).
#include "runtime/server/inference_messages.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <nlohmann/json.hpp>

#include "tests/scratch_folder.hpp"

using namespace yolov7;
using namespace yolov7::runtime;
using nlohmann::json;

namespace {

const std::vector<std::uint8_t> pixels{0, 255, 51, 102, 10, 20};  // 1 x 3 x 1 x 2
const ImageTensor images{pixels, 1, 1, 2, false};
const std::vector<ServerTensor> one_output{{"rows", "FP32", {1, 2, 2}}};

std::string bytes_of(const std::vector<float>& values) {
  return {reinterpret_cast<const char*>(values.data()), 4 * values.size()};
}

std::vector<AnswerTensor> answer(const std::string& body, const std::string& length = "") {
  return inference_answer(body, length, one_output, "x");
}

std::string fault(const std::string& body, const std::string& length = "") {
  return test::error_of([&] { answer(body, length); });
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST(InferenceMessages, AModelAndItsServer) {
  const ServerModel model = server_model(
      R"({"name":"m","versions":["1"],"platform":"onnxruntime_onnx","parameters":{"stride":"32","n":1},
          "inputs":[{"name":"images","datatype":"FP32","shape":[-1,3,640,640]}],
          "outputs":[{"name":"output","datatype":"FP32","shape":[-1,25200,85]}]})",
      "x");
  EXPECT_EQ(model.platform, "onnxruntime_onnx");
  EXPECT_EQ(model.inputs[0].name, "images");
  EXPECT_EQ(model.inputs[0].sides, (std::vector<std::int64_t>{-1, 3, 640, 640}));
  EXPECT_EQ(model.outputs[0].type, "FP32");
  EXPECT_EQ(model.parameters, (ModelMetadata{{"stride", "32"}}));
  EXPECT_EQ(server_extensions(R"({"name":"s","extensions":["a","binary_tensor_data"]})", "x"),
            (std::vector<std::string>{"a", "binary_tensor_data"}));
  EXPECT_TRUE(server_extensions("{}", "x").empty());
  EXPECT_EQ(server_parameters(
                R"({"max_batch_size":8,"parameters":{"names":{"string_value":"{0: 'a'}"}}})", "x"),
            (ModelMetadata{{"names", "{0: 'a'}"}}));
  for (const char* bad :
       {"", "not json", "[]", "{}", R"({"inputs":[]})", R"({"inputs":[{}],"outputs":[]})",
        R"({"inputs":[{"name":"a","datatype":"FP32","shape":["x"]}],"outputs":[]})",
        R"({"inputs":[{"name":"a","datatype":"FP32","shape":[1,1,1,1,1,1,1,1,1]}],"outputs":[]})"})
    EXPECT_TRUE(test::error_of([&] { server_model(bad, "the server"); }).starts_with("the server"))
        << bad;
}

TEST(InferenceMessages, ImagesAsText) {
  const InferenceRequest request =
      inference_request({"images", "FP32", {}}, images, one_output, false);
  EXPECT_EQ(request.json_bytes, 0U);
  const json tree = json::parse(request.body);
  const json& input = tree["inputs"][0];
  EXPECT_EQ(input["name"], "images");
  EXPECT_EQ(input["datatype"], "FP32");
  EXPECT_EQ(input["shape"], json({1, 3, 1, 2}));
  ASSERT_EQ(input["data"].size(), 6U);
  for (std::size_t i = 0; i < 6; ++i)  // the shortest text of a float is that float again
    EXPECT_EQ(input["data"][i].get<float>(), static_cast<float>(pixels[i]) / 255.0F);
  EXPECT_EQ(tree["outputs"], json::parse(R"([{"name":"rows"}])"));
  const json whole =
      json::parse(inference_request({"i", "UINT8", {}}, images, one_output, false).body);
  EXPECT_EQ(whole["inputs"][0]["data"], json(pixels));
  // The other order of the axes: pixel by pixel.
  ImageTensor last = images;
  last.channels_last = true;
  const json turned =
      json::parse(inference_request({"i", "UINT8", {}}, last, one_output, false).body);
  EXPECT_EQ(turned["inputs"][0]["shape"], json({1, 1, 2, 3}));
  EXPECT_EQ(turned["inputs"][0]["data"], json({0, 51, 10, 255, 102, 20}));
}

TEST(InferenceMessages, ImagesInBytes) {
  const InferenceRequest request =
      inference_request({"images", "FP32", {}}, images, one_output, true);
  const json tree = json::parse(request.body.substr(0, request.json_bytes));
  EXPECT_EQ(tree["inputs"][0]["parameters"]["binary_data_size"], 24);
  EXPECT_FALSE(tree["inputs"][0].contains("data"));
  EXPECT_EQ(tree["outputs"][0]["parameters"]["binary_data"], true);
  EXPECT_EQ(request.body.substr(request.json_bytes),
            bytes_of({0, 1, 51 / 255.0F, 102 / 255.0F, 10 / 255.0F, 20 / 255.0F}));
  const InferenceRequest half = inference_request({"i", "FP16", {}}, images, one_output, true);
  const std::string raw = half.body.substr(half.json_bytes);
  ASSERT_EQ(raw.size(), 12U);
  EXPECT_EQ(raw.substr(0, 4), std::string("\x00\x00\x00\x3C", 4)) << "0 and 1 as float16";
  const InferenceRequest byte = inference_request({"i", "UINT8", {}}, images, one_output, true);
  EXPECT_EQ(byte.body.substr(byte.json_bytes), std::string(pixels.begin(), pixels.end()));
  EXPECT_TRUE(has(test::error_of([] {
                    inference_request({"i", "FP16", {}}, images, one_output, false);
                  }),
                  "binary_tensor_data"));
}

TEST(InferenceMessages, AnswersAsText) {
  const std::string head = R"({"outputs":[{"name":"rows","datatype":"FP32","shape":[1,2,2],)";
  for (const char* data : {"[1,2.5,3,4]", "[[[1,2.5],[3,4]]]"}) {
    const auto found = answer(head + "\"data\":" + data + "}]}");
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].sides, (std::vector<std::size_t>{1, 2, 2}));
    EXPECT_EQ(found[0].values, (std::vector<float>{1, 2.5, 3, 4}));
  }
  EXPECT_TRUE(has(fault("<html>"), "JSON"));
  EXPECT_TRUE(has(fault(head + "\"data\":[1,2"), "JSON"));
  EXPECT_TRUE(has(fault(std::string(100'000, '[')), "x")) << "no depth without a bound";
  EXPECT_TRUE(
      has(fault(head + "\"data\":[1,2,3]}]}"), "expected 4 values for the shape 1 x 2 x 2"));
  EXPECT_TRUE(has(fault(head + "\"data\":[1,2,3,\"4\"]}]}"), "expected numbers, found string"));
  EXPECT_TRUE(has(fault(head + "\"data\":[1,2,3,NaN]}]}"), "JSON"));
  EXPECT_TRUE(has(fault(head + "\"n\":0}]}"), "expected its data, found none"));
  EXPECT_TRUE(has(fault(R"({"outputs":[]})"), "expected the output 'rows', found 0 others"));
  EXPECT_TRUE(has(fault(R"({"error":"no"})"), "expected the list 'outputs'"));
  EXPECT_TRUE(
      has(fault(R"({"outputs":[{"name":"rows","datatype":"BYTES","shape":[1],"data":["a"]}]})"),
          "expected numbers, found the datatype BYTES"));
  EXPECT_TRUE(has(
      fault(
          R"({"outputs":[{"name":"rows","datatype":"FP32","shape":[4294967296,4294967296],"data":[]}]})"),
      "with at most"));
}

TEST(InferenceMessages, AnswersInBytes) {
  const std::string raw = bytes_of({1, 2, 3, 4});
  const auto head = [](const std::string& size) {
    return R"({"outputs":[{"name":"rows","datatype":"FP32","shape":[1,2,2],"parameters":{"binary_data_size":)" +
           size + "}}]}";
  };
  const std::string good = head("16");
  const std::string length = std::to_string(good.size());
  EXPECT_EQ(answer(good + raw, length)[0].values, (std::vector<float>{1, 2, 3, 4}));
  EXPECT_TRUE(has(fault(good + raw.substr(1), length), "the answer is cut off"));
  EXPECT_TRUE(has(fault(good + raw + "x", length), "found 1 more bytes"));
  EXPECT_TRUE(has(fault(head("15") + raw, length), "expected 16 bytes for the shape"));
  EXPECT_TRUE(has(fault(head("-1") + raw, length), "cut off"));
  EXPECT_TRUE(has(fault(good, "99999999999"), "Inference-Header-Content-Length of 0 to"));
  EXPECT_TRUE(has(fault(good + raw, "x"), "Inference-Header-Content-Length"));
  EXPECT_TRUE(has(fault(good + raw, "-5"), "Inference-Header-Content-Length"));
  EXPECT_TRUE(fault(good + raw).starts_with("x")) << "without the header all of it is JSON";
  // Whole numbers, and two outputs of which one is wanted.
  const std::string two =
      R"({"outputs":[{"name":"other","datatype":"INT64","shape":[1],"parameters":{"binary_data_size":8}},)"
      R"({"name":"rows","datatype":"INT32","shape":[2],"parameters":{"binary_data_size":8}}]})";
  const std::int64_t other = 7;
  const std::int32_t rows[] = {-1, 5};
  std::string tail(16, '\0');
  std::memcpy(tail.data(), &other, 8), std::memcpy(tail.data() + 8, rows, 8);
  EXPECT_EQ(answer(two + tail, std::to_string(two.size()))[0].values, (std::vector<float>{-1, 5}));
  const std::string half =
      R"({"outputs":[{"name":"rows","datatype":"FP16","shape":[2],"parameters":{"binary_data_size":4}}]})";
  EXPECT_EQ(
      answer(half + std::string("\x00\x3C\x00\xC0", 4), std::to_string(half.size()))[0].values,
      (std::vector<float>{1, -2}));
}
