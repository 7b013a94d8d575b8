// yolov7 quantize, and export --int8: what is written, and what is refused before anything is.
#include <filesystem>

#include "tests/cli/export_fixture.hpp"

namespace yolov7::test {
namespace {

namespace fs = std::filesystem;

class Quantize : public Export {
 protected:
  const std::string out = (scratch / "out").string();

  /// So many images with one object each; `names`: of the classes.
  std::string data(int train, const std::string& names = "[a, b]", bool labels = true) {
    const auto split = [&](const std::string& name, int count) {
      fs::create_directories(scratch / ("data/images/" + name));
      for (int i = 0; i < count; ++i) {
        const std::string stem = name + "/" + std::to_string(i);
        scratch.write("data/images/" + stem + ".bmp", noise_bmp(64 + 4 * i));
        if (labels) scratch.write("data/labels/" + stem + ".txt", "0 0.5 0.5 0.4 0.4\n");
      }
    };
    split("train", train);
    split("val", 4);
    return scratch
        .write("data/data.yaml", "path: " + (scratch / "data").string() +
                                     "\ntrain: images/train\nval: images/val\nnames: " + names +
                                     "\n")
        .string();
  }
  Outcome quantized(std::vector<std::string> more) {
    std::vector<std::string> arguments{"quantize", "--weights", in, "--img", "64", "--out", out};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(arguments);
  }
  /// One line of error, and nothing at the place of the results.
  void expect_refused(const Outcome& outcome, const std::string& why, int code = 1) {
    EXPECT_EQ(outcome.code, code) << outcome.err;
    EXPECT_TRUE(has(outcome.err, why)) << outcome.err;
    EXPECT_FALSE(fs::exists(out)) << outcome.err;
  }
};

}  // namespace

TEST_F(Quantize, ThreeFormatsFromOneCalibration) {
  const Outcome outcome =
      quantized({"--data", data(12), "--include", "onnx", "openvino", "tflite", "--grid",
                 "--accuracy-budget", "1", "--sensitivity", "--json"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const json said = json::parse(outcome.out);
  ASSERT_EQ(said.at("files").size(), 3U);
  for (const json& file : said.at("files")) {
    const json& c = file.at("certificate");
    EXPECT_EQ(c.at("precision"), "int8");
    EXPECT_EQ(c.at("verdict"), "within the accuracy budget");
    EXPECT_TRUE(has(c.at("quantization").at("calibration").get<std::string>(),
                    "12 images of the train split of data.yaml"));
    EXPECT_EQ(c.at("options").at("int8"), "true");
    EXPECT_GE(c.at("accuracy").at("weights").at("map"), 0);
    EXPECT_EQ(run({"verify", file.at("path")}).code, 0);
  }
  EXPECT_TRUE(fs::exists(out + "/official-int8.onnx"));
  EXPECT_TRUE(fs::exists(out + "/official-int8_openvino_model"));
  EXPECT_TRUE(fs::exists(out + "/official-int8.tflite"));
  const json& report = said.at("int8");
  // The convolution whose result is decoded stays in float32. Multiply-adds of an output pixel: the
  // first 3 · 8 · 9, the folded RepConv 8 · 8 · 9, that one 16 · 7.
  EXPECT_DOUBLE_EQ(report.at("integer_share"), (216.0 + 576) / (216 + 576 + 112));
  EXPECT_EQ(report.at("float32_layers").size(), 1U);
  EXPECT_EQ(report.at("layers").size(), report.at("integer_convolutions"));
  EXPECT_EQ(report.at("convolutions"), 1 + report.at("integer_convolutions").get<int>());
  EXPECT_GT(report.at("speed").at("int8_ms"), 0);
  EXPECT_TRUE(has(read_text(out + "/official-int8.sensitivity.csv"),
                  "layer,tensor,multiply_adds,box_change,score_change,kept,largest_weight,"
                  "channel_spread,kurtosis\n"));
  EXPECT_TRUE(fs::exists(out + "/official-int8.sensitivity.png"));
}

// Calibration, search and files have no chance in them.
TEST_F(Quantize, ARepeatGivesTheSameBytes) {
  const std::string images = data(12);
  ASSERT_EQ(quantized({"--data", images, "--accuracy-budget", "1", "--include", "tflite"}).code, 0);
  const std::string first = read_text(out + "/official-int8.tflite");
  ASSERT_EQ(quantized({"--data", images, "--accuracy-budget", "1", "--include", "tflite"}).code, 0);
  EXPECT_EQ(read_text(out + "/official-int8.tflite"), first);
}

TEST_F(Quantize, WithoutLabelsTheAccuracyIsNotMeasured) {
  data(12);
  for (const std::vector<std::string>& source :
       std::vector<std::vector<std::string>>{{"--images", (scratch / "data/images/train").string()},
                                             {"--data", data(12, "[a, b]", false)}}) {
    fs::remove_all(out);
    fs::remove_all(scratch / "data/labels");
    std::vector<std::string> arguments = source;
    arguments.push_back("--json");
    const Outcome outcome = quantized(arguments);
    ASSERT_EQ(outcome.code, 0) << outcome.err;
    const json file = json::parse(outcome.out).at("files").at(0);
    EXPECT_EQ(file.at("verdict"), "accuracy not measured");
    const Outcome again = run({"verify", file.at("path")});
    EXPECT_EQ(again.code, 0) << again.out << again.err;
  }
}

// What needs no labels is still checked.
TEST_F(Quantize, VerifyGoesOnWithoutTheData) {
  ASSERT_EQ(quantized({"--data", data(12), "--accuracy-budget", "1", "--include", "tflite"}).code,
            0);
  fs::rename(scratch / "data", scratch / "elsewhere");
  const Outcome outcome = run({"verify", out + "/official-int8.tflite"});
  EXPECT_EQ(outcome.code, 0) << outcome.out << outcome.err;
  EXPECT_TRUE(has(outcome.out, "the mAP is not measured again")) << outcome.out;
}

TEST_F(Quantize, BadCalibrationIsRefused) {
  expect_refused(quantized({}), "expected --data or --images for the calibration, found neither",
                 2);
  expect_refused(
      quantized({"--data", data(1)}),
      "calibration: expected at least 10 images, found 1 in the train split of data.yaml");
  fs::create_directories(scratch / "empty");
  expect_refused(quantized({"--images", (scratch / "empty").string()}), "--images");
  expect_refused(quantized({"--data", data(12, "[a, c]")}), "class");
  expect_refused(quantized({"--data", data(12, "[a, b, c]")}), "classes");
}

TEST_F(Quantize, ABudgetThatTheLabelsCannotShowIsRefused) {
  expect_refused(quantized({"--data", data(12), "--accuracy-budget", "0.00001"}),
                 "--accuracy-budget 1e-05: expected at least");
}

TEST_F(Quantize, WhatIsQuantizedAlreadyIsRefused) {
  const std::string images = data(12);
  ASSERT_EQ(
      quantized({"--data", images, "--accuracy-budget", "1", "--include", "onnx", "--grid"}).code,
      0);
  const std::string other = (scratch / "other").string();
  const Outcome again = run({"quantize", "--weights", out + "/official-int8.onnx", "--data", images,
                             "--img", "64", "--out", other});
  EXPECT_EQ(again.code, 1);
  EXPECT_TRUE(has(again.err, "it is quantized already")) << again.err;
  EXPECT_FALSE(fs::exists(other));
}

TEST_F(Quantize, FormatsWithoutIntegersAreNamed) {
  expect_refused(quantized({"--data", data(12), "--include", "ncnn"}),
                 "quantize: --include: expected onnx, openvino, tflite, coreml, engine, found ncnn",
                 2);
}

// Its certificate tells of the weights that are in the file, and of nothing that was calibrated.
TEST_F(Quantize, CoreMlHoldsPalettes) {
  const Outcome outcome = quantized(
      {"--data", data(12), "--include", "coreml", "--grid", "--accuracy-budget", "1", "--json"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const json said = json::parse(outcome.out);
  EXPECT_FALSE(said.contains("int8"));
  ASSERT_EQ(said.at("files").size(), 1U);
  const json& c = said.at("files").at(0).at("certificate");
  EXPECT_EQ(c.at("verdict"), "structure only");
  EXPECT_EQ(c.at("precision"), "int8");
  EXPECT_TRUE(has(c.at("detail"), "its weights, read back and run by OpenVINO"));
  EXPECT_EQ(c.at("quantization").size(), 1U);
  EXPECT_GT(c.at("differences").at("rows"), 0);
  EXPECT_GE(c.at("accuracy").at("file").at("map"), 0);
  EXPECT_TRUE(fs::exists(out + "/official-int8.mlpackage/Manifest.json"));
  EXPECT_EQ(run({"verify", out + "/official-int8.mlpackage"}).code, 0);
  const Outcome older = run({"export", "--weights", in, "--img", "64", "--include", "coreml",
                             "--mlmodel", "--int8", "--data", data(12)});
  EXPECT_EQ(older.code, 2);
  EXPECT_TRUE(has(older.err, "expected --mlmodel or --int8, found both")) << older.err;
}

// Weights are fitted where images that took no part gain; the report says which.
TEST_F(Quantize, EffortHighIsReported) {
  const Outcome outcome = quantized({"--data", data(12), "--effort", "high", "--accuracy-budget",
                                     "1", "--include", "openvino", "engine", "--json"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const json said = json::parse(outcome.out);
  const json& refits = said.at("int8").at("refits");
  ASSERT_EQ(refits.size(), 2U);  // with a zero point, and around zero
  for (const json& one : refits) {
    const auto sum = [&](const char* key) {
      return one.at(key).at("box").get<double>() + one.at(key).at("score").get<double>();
    };
    EXPECT_EQ(one.at("kept").get<bool>(), sum("change_after") < sum("change_before"));
    EXPECT_EQ(one.at("convolutions").size(), said.at("int8").at("integer_convolutions"));
    EXPECT_EQ(one.at("images"), 3);  // of 12, each fourth judges
  }
  const json& told = said.at("files").at(0).at("certificate").at("quantization");
  EXPECT_TRUE(has(told.at("effort high"), "convolutions fitted better"));
}

}  // namespace yolov7::test
