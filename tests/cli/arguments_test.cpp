#include <gtest/gtest.h>

#include <algorithm>

#include "tests/cli/program.hpp"

namespace yolov7::test {
namespace {

TEST(Program, HelpAndVersion) {
  const Outcome help = run({"--help"});
  EXPECT_EQ(help.code, 0);
  for (const char* verb : {"dataset", "info", "train", "val, test", "detect", "metrics"})
    EXPECT_TRUE(has(help.out, verb)) << verb;
  EXPECT_EQ(run({}).code, 2);
  EXPECT_TRUE(has(run({"--version"}).out, "yolov7.cpp"));
  for (const char* verb : {"info", "train", "evolve", "mlflow", "val", "test", "detect",
                           "benchmark", "metrics", "compare", "dataset"}) {
    const Outcome outcome = run({verb, "--help"});
    EXPECT_EQ(outcome.code, 0) << verb;
    EXPECT_FALSE(outcome.out.empty()) << verb;
  }
}

// Every write to /dev/full fails as on a full disk.
TEST(Program, AResultThatCannotBeWrittenIsAFailure) {
  for (const char* what : {"--help", "--version", "completion"}) {
    std::vector<std::string> arguments{what};
    if (arguments[0] == "completion") arguments.emplace_back("bash");
    const Outcome outcome = Process(arguments, std::filesystem::temp_directory_path(), {},
                                    {"sh", "-c", "exec \"$@\" > /dev/full", "sh"})
                                .wait();
    EXPECT_EQ(outcome.code, 1) << what;
    EXPECT_EQ(outcome.err, "error: cannot write the result to stdout\n") << what;
  }
}

TEST(Program, WrongCallsExitWithTwoAndOneLine) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> table = {
      {{"trian"}, "did you mean 'train'?"},
      {{"train", "--epoch", "x", "--cfg", "yolov7.yaml"}, "expected a whole number"},
      {{"train", "--wieghts", "a.pt"}, "unknown option --wieghts, did you mean --weights?"},
      {{"dataset", "convert", "--bogus", "1"},
       "dataset convert: unknown option --bogus; --help all shows all"},
      {{"dataset", "convert", "--sorce", "x"}, "unknown option --sorce, did you mean --source?"},
      {{"train", "--cfg"}, "expected a value, found none"},
      {{"train"}, "found neither"},
      {{"train", "--cfg", "yolov7.yaml", "--bucket", "b"}, "nothing is ever uploaded"},
      {{"train", "--cfg", "yolov7.yaml", "--evolve", "--nproc", "2"}, "unknown option --nproc"},
      {{"train", "--cfg", "yolov7.yaml", "--epochs", "0"}, "1..1e+06"},
      {{"train", "--cfg", "yolov7.yaml", "--epochs", "3", "--epochs", "4"},
       "expected one value for epochs, found two: '--epochs' and '--epochs'"},
      {{"train", "--cfg", "yolov7.yaml", "--nosave", "--nosave=false"},
       "expected one value for nosave, found two: '--nosave' and '--nosave'"},
      {{"info", "--quiet", "--verbose"}, "expected --quiet or --verbose, found both"},
      {{"train", "--s"}, "is ambiguous"},
      {{"train", "extra"}, "expected an option, found 'extra'"},
      {{"detect", "--conf-thres", "1.5"}, "0..1"},
      {{"val", "--task", "studies"}, "expected val, test, train, speed, study, found 'studies'"},
      {{"val", "--study-sizes", "16"}, "32..16384"},
      {{"detect", "-w", "a.pt"}, "two dashes"},
      {{"compare", "--ground-truth", "gt.json", "a.json"}, "with --data FILE, found 1"},
      {{"compare", "--ground-truth", "gt.json", "a.json", "b.json", "c.json"},
       "with --data FILE, found 3"},
      {{"mlflow"}, "expected at least one run folder"},
      {{"train", "--cfg", "yolov7.yaml", "--mlflow", "ftp://host"},
       "expected the http or https address of an MLflow server, found 'ftp://host'"},
      {{"evolve"}, "found neither"},
      {{"train", "--cfg", "yolov7.yaml", "--recipe", "official", "--scaled-decoding"},
       "without --recipe official"},
      {{"evolve", "--cfg", "yolov7.yaml", "--recipe", "official", "--scaled-decoding"},
       "without --recipe official"},
      {{"train", "--cfg", "yolov7.yaml", "--adam", "--optimizer", "sgd"},
       "expected one optimizer, found --optimizer sgd as well"},
  };
  for (const auto& [arguments, expected] : table) {
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.code, 2) << arguments[0] << " " << expected << "\n" << outcome.err;
    EXPECT_TRUE(has(outcome.err, expected)) << expected << "\n" << outcome.err;
    EXPECT_EQ(line_count(outcome.err), 1u) << outcome.err;
    EXPECT_EQ(outcome.out, "");
  }
}

// Command lines as the original's documentation gives them, program name aside. They reach their
// files; on a machine without the GPU that "--device 0" names, that is the one thing refused.
TEST(Program, OfficialCommandLines) {
  const test::ScratchFolder scratch;
  const std::vector<std::vector<std::string>> lines = {
      {"test", "--data", "data/coco.yaml", "--img", "640", "--batch", "32", "--conf", "0.001",
       "--iou", "0.65", "--device", "0", "--weights", "yolov7.pt", "--name", "yolov7_640_val"},
      {"train",
       "--workers",
       "8",
       "--device",
       "0",
       "--batch-size",
       "32",
       "--data",
       "data/coco.yaml",
       "--img",
       "640",
       "640",
       "--cfg",
       "cfg/training/yolov7.yaml",
       "--weights",
       "",
       "--name",
       "yolov7",
       "--hyp",
       "data/hyp.scratch.p5.yaml"},
      {"train",
       "--workers",
       "8",
       "--device",
       "0",
       "--batch-size",
       "32",
       "--data",
       "data/custom.yaml",
       "--img",
       "640",
       "640",
       "--cfg",
       "cfg/training/yolov7-custom.yaml",
       "--weights",
       "yolov7_training.pt",
       "--name",
       "yolov7-custom",
       "--hyp",
       "data/hyp.scratch.custom.yaml"},
      {"detect", "--weights", "yolov7.pt", "--conf", "0.25", "--img-size", "640", "--source",
       "inference/images/horses.jpg"},
  };
  for (auto line : lines) {
    const auto device = std::find(line.begin(), line.end(), "--device");
    if (device != line.end()) {
      const Outcome refused = run(line, scratch.path());
      EXPECT_EQ(refused.code, 2) << refused.err;
      EXPECT_TRUE(has(refused.err, "device")) << refused.err;
      *(device + 1) = "cpu";
    }
    const Outcome outcome = run(line, scratch.path());
    EXPECT_EQ(outcome.code, 1) << outcome.err;  // understood; the files are not here
    EXPECT_TRUE(has(outcome.err, "yolov7.pt") || has(outcome.err, "coco") ||
                has(outcome.err, "custom"))
        << outcome.err;
  }
}

TEST(Program, JsonIsOneObjectOnStdout) {
  const Outcome outcome = run({"info", "--cfg", "cfg/training/yolov7-tiny.yaml", "--json"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.out.front(), '{');
  EXPECT_EQ(line_count(outcome.out), 1u);
  EXPECT_TRUE(has(outcome.out, "6228762")) << outcome.out;  // architecture 4.3
}

}  // namespace
}  // namespace yolov7::test
