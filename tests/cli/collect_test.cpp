// yolov7 detect --collect, as a user calls it, with the start that the program brings.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/cli/program.hpp"

namespace yolov7::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

class Collect : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(run({"dataset", "synth", "--out", (scratch / "set").string(), "--train", "8", "--val",
                   "1", "--test", "0", "--img-size", "320", "--seed", "9"})
                  .code,
              0);
    fs::create_directories(scratch / "pool");
    for (const auto& entry : fs::directory_iterator(scratch / "set/images/train"))
      for (const char* name : {"a_", "b_"})  // each image twice
        fs::copy_file(entry.path(), scratch / "pool" / (name + entry.path().filename().string()));
  }
  Outcome detect(const std::string& folder, std::vector<std::string> more) {
    std::vector<std::string> arguments = {
        "detect",   "--weights", std::string(YOLOV7_SOURCE_DIR) + "/weights/yolov7-tiny-synth.pt",
        "--source", "pool",      "--img-size",
        "320",      "--nosave",  "--collect",
        folder};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(arguments, scratch.path());
  }
  json collected(const std::string& folder, std::vector<std::string> more) {
    more.push_back("--json");
    const Outcome done = detect(folder, more);
    EXPECT_EQ(done.code, 0) << done.err;
    return json::parse(done.out)["collected"];
  }
  std::size_t files(const fs::path& folder) {
    std::size_t count = 0;
    for (const auto& entry : fs::directory_iterator(folder)) count += entry.is_regular_file();
    return count;
  }
  ScratchFolder scratch;
};

TEST_F(Collect, KeepsDoubtfulImagesOnceAndWithinItsLimits) {
  const json first = collected("kept", {"--below", "0.99"});
  EXPECT_EQ(first["looked_at"], 16);
  const auto doubtful = first["doubtful"].get<std::size_t>(),
             kept = first["kept"].get<std::size_t>();
  ASSERT_GE(kept, 2u) << first;
  EXPECT_EQ(doubtful % 2, 0u);
  EXPECT_LE(kept, doubtful / 2);  // of each image one of two
  EXPECT_EQ(first["similar"].get<std::size_t>(), doubtful - kept);
  EXPECT_EQ(files(scratch / "kept/images"), kept);
  const json coco = json::parse(read_text(scratch / "kept/predictions.json"));
  EXPECT_EQ(coco["images"].size(), kept);
  for (const json& one : coco["annotations"]) EXPECT_GE(one["score"].get<double>(), 0.25);
  // The folder is a data set with scores.
  EXPECT_EQ(run({"dataset", "convert", "--from", "coco", "--source",
                 (scratch / "kept/predictions.json").string(), "--to", "yolo", "--out",
                 (scratch / "read").string()})
                .code,
            0);
  // Another run adds nothing, and both limits stop what is new.
  EXPECT_EQ(collected("kept", {"--below", "0.99"})["kept"], 0);
  const json slow = collected("slow", {"--below", "0.99", "--limit-per-hour", "1"});
  EXPECT_EQ(slow["kept"], 1);
  EXPECT_EQ(slow["over_rate"].get<std::size_t>(), doubtful - 1);
  const Outcome full = detect("full", {"--below", "0.99", "--collect-limit-mb", "0.001"});
  EXPECT_EQ(full.code, 0);
  EXPECT_TRUE(has(full.err, "the limit of 0.001 MB is reached")) << full.err;
  EXPECT_TRUE(has(full.out, "collected in full: 0 of ")) << full.out;
  EXPECT_EQ(collected("all", {"--below", "0.99", "--collect-similar"})["kept"], doubtful);
}

TEST_F(Collect, LimitsWithoutAFolderAreSaidToDoNothing) {
  const Outcome done =
      run({"detect", "--weights", std::string(YOLOV7_SOURCE_DIR) + "/weights/yolov7-tiny-synth.pt",
           "--source", "pool", "--img-size", "320", "--nosave", "--limit-per-hour", "5"},
          scratch.path());
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_TRUE(has(done.err, "have no effect without --collect")) << done.err;
}

TEST_F(Collect, WrongCallsAreRefused) {
  const Outcome below = detect("kept", {"--below", "0.2"});
  EXPECT_EQ(below.code, 2);
  EXPECT_TRUE(has(below.err, "expected more than --conf-thres 0.25, found 0.2")) << below.err;
  EXPECT_EQ(detect("pool/kept", {}).code, 1);
  EXPECT_FALSE(fs::exists(scratch / "pool/kept"));
  write_text(scratch / "mine/notes.txt", "kept");
  const Outcome strange = detect("mine", {});
  EXPECT_EQ(strange.code, 1);
  EXPECT_TRUE(has(strange.err, "expected a new or empty folder")) << strange.err;
  EXPECT_EQ(files(scratch / "mine"), 1u);
  EXPECT_FALSE(fs::exists(scratch / "runs"));
}

}  // namespace
}  // namespace yolov7::test
