// yolov7 doctor: the machine, and with a data set what an epoch takes.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/cli/program.hpp"

namespace yolov7::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

const json* part(const json& result, const std::string& name) {
  for (const json& one : result.at("parts"))
    if (one.at("name") == name) return &one;
  return nullptr;
}

TEST(Doctor, TellsWhatTheKernelTells) {
  const Outcome outcome = run({"doctor", "--json"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const json result = json::parse(outcome.out);
  const std::string info = read_text("/proc/cpuinfo");
  const json& processor = result.at("processor");
  EXPECT_TRUE(has(info, ": " + processor.at("name").get<std::string>() + "\n"));
  EXPECT_EQ(processor["fast"].at("avx2").get<bool>(), has(info, " avx2 "));
  EXPECT_EQ(processor["fast"].at("bfloat16").get<bool>(), has(info, " avx512_bf16 "));
  EXPECT_GE(processor.at("usable_cores").get<int>(), 1);
  EXPECT_GT(result["memory"].at("available_bytes").get<std::uint64_t>(), 1u << 20);
  ASSERT_NE(part(result, "OpenVINO"), nullptr);
  EXPECT_EQ(result["gpu"].at("gpus").empty(), result["gpu"].at("why_none") != "");
}

TEST(Doctor, NamesWhatIsMissingAndTheLineThatInstallsIt) {
  const std::vector<std::string> nowhere{"YOLOV7_ONNXRUNTIME=/no/such/library.so"};
  const Outcome outcome = run({"doctor"}, fs::temp_directory_path(), nowhere);
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_TRUE(has(outcome.out, "processor: ")) << outcome.out;
  EXPECT_TRUE(has(outcome.out, "missing: --backend onnxruntime")) << outcome.out;
  EXPECT_TRUE(has(outcome.out, "/no/such/library.so")) << outcome.out;
  EXPECT_TRUE(has(outcome.out, "install: pip install")) << outcome.out;
  const json missing =
      *part(json::parse(run({"doctor", "--json"}, fs::temp_directory_path(), nowhere).out),
            "ONNX Runtime");
  EXPECT_FALSE(missing.at("found").get<bool>());
  EXPECT_NE(missing.at("remedy"), "");
}

TEST(Doctor, QuestionsAboutATrainingNeedData) {
  const Outcome outcome = run({"doctor", "--epochs", "3"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_TRUE(has(outcome.err, "--epochs: expected --data beside it, found none")) << outcome.err;
}

class DoctorOfData : public testing::Test {
 protected:
  void SetUp() override {
    if (!part(json::parse(run({"doctor", "--json"}).out), "training")->at("found").get<bool>())
      GTEST_SKIP() << "skipped: this build has no training";
    const Outcome drawn =
        run({"dataset", "synth", "--out", (scratch / "data").string(), "--level", "easy", "--train",
             "32", "--val", "8", "--test", "0", "--img-size", "96", "--seed", "3"});
    ASSERT_EQ(drawn.code, 0) << drawn.err;
    fs::create_directory(scratch / "tmp");
  }
  json asked(std::vector<std::string> more) {
    std::vector<std::string> arguments{
        "doctor",     "--json", "--data",       (scratch / "data/data.yaml").string(),
        "--img-size", "96",     "--batch-size", "8",
        "--epochs",   "10",     "--seconds",    "3",
        "--threads",  "2"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Outcome outcome =
        run(arguments, scratch.path(), {"TMPDIR=" + (scratch / "tmp").string()});
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_TRUE(fs::is_empty(scratch / "tmp"));  // nothing of the trials stays
    return json::parse(outcome.out).at("training");
  }
  const ScratchFolder scratch;
};

TEST_F(DoctorOfData, AnEpochIsItsImagesAndItsValidation) {
  const json training = asked({});
  EXPECT_EQ(training.at("images"), 32);
  EXPECT_EQ(training.at("classes"), 3);
  ASSERT_EQ(training.at("networks").size(), 9u);  // the seven, and two with pre-trained backbones
  int measured = 0;
  for (const json& one : training["networks"]) {
    const std::string name = one.at("network");
    measured += one.at("measured").get<bool>();
    const double image = std::max(one.at("seconds_per_image").get<double>(),
                                  one.at("load_seconds_per_image").get<double>()),
                 train = one.at("train_seconds"), val = one.at("val_seconds"),
                 epoch = one.at("epoch_seconds");
    EXPECT_GT(image, 0) << name;
    EXPECT_NEAR(train, 32 * image, 1e-9 * train) << name;
    EXPECT_NEAR(epoch, train + val, 1e-9 * epoch) << name;
    EXPECT_NEAR(one.at("hours").get<double>(), epoch * 10 / 3600, 1e-9 * epoch) << name;
    EXPECT_EQ(one.at("estimated_from") == "", one["measured"].get<bool>()) << name;
    EXPECT_GE(one.at("largest_batch").get<int>(), 0) << name;
  }
  EXPECT_GE(measured, 1);
  EXPECT_TRUE(training["networks"][0].at("measured").get<bool>());
  EXPECT_EQ(training["networks"][0].at("network"), "yolov7-tiny");
  EXPECT_FALSE(training.at("advice").empty());
}

TEST_F(DoctorOfData, WhatDoesNotFitIntoMemoryIsSaid) {
  const json training = asked({"--cfg", "yolov7-tiny", "--memory-limit", "0.1"});
  ASSERT_EQ(training.at("networks").size(), 1u);
  const json& one = training["networks"][0];
  EXPECT_FALSE(one.at("measured").get<bool>());
  EXPECT_TRUE(has(one.at("reason").get<std::string>(), "memory")) << one;
  EXPECT_FALSE(one.contains("epoch_seconds"));
}

// With an anchor_t of nearly 1 an anchor takes boxes of its own size alone.
TEST_F(DoctorOfData, TheAdviceIsForTheHyperParametersThatAreGiven) {
  const auto on_anchors = [&](const std::vector<std::string>& more) {
    const json training = asked(more);
    for (const json& line : training.at("advice"))
      if (line.get<std::string>().starts_with("anchors:")) return line.get<std::string>();
    return std::string();
  };
  write_text(scratch / "tight.yaml", "anchor_t: 1.01\nscale: 0\n");
  const std::string own = on_anchors({"--cfg", "yolov7-tiny"}),
                    given = on_anchors(
                        {"--cfg", "yolov7-tiny", "--hyp", (scratch / "tight.yaml").string()});
  EXPECT_FALSE(own.empty());
  EXPECT_NE(given, own);
}

}  // namespace
}  // namespace yolov7::test
