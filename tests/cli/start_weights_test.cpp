// train --weights synth, auto and ''.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/cli/program.hpp"

namespace yolov7::test {
namespace {

namespace fs = std::filesystem;

class StartOfOurOwn : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    scratch = new test::ScratchFolder;
    ASSERT_EQ(run({"dataset", "synth", "--out", (*scratch / "data").string(), "--level", "easy",
                   "--train", "8", "--val", "4", "--test", "0", "--img-size", "64"})
                  .code,
              0);
    std::string narrow =
        read_text(fs::path(YOLOV7_SOURCE_DIR) / "configs/training/yolov7-tiny.yaml");
    const std::size_t at = narrow.find("width_multiple: 1.0");
    ASSERT_NE(at, std::string::npos);
    write_text(*scratch / "narrow.yaml", narrow.replace(at, 19, "width_multiple: 0.25"));
  }
  static void TearDownTestSuite() { delete scratch; }
  /// From the scratch folder, where "synth" is a folder: the name means the start all the same.
  static Outcome train(const std::string& name, const std::vector<std::string>& more,
                       const std::vector<std::string>& environment = {}) {
    fs::create_directories(*scratch / "synth");
    std::vector<std::string> arguments{"train",
                                       "--data",
                                       (*scratch / "data/data.yaml").string(),
                                       "--hyp",
                                       "hyp.scratch.tiny.yaml",
                                       "--img",
                                       "64",
                                       "--batch",
                                       "4",
                                       "--epochs",
                                       "1",
                                       "--project",
                                       (*scratch / "runs").string(),
                                       "--name",
                                       name};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return Process(arguments, scratch->path(), environment).wait();
  }
  static std::string option(const std::string& name) {
    const std::string text = "\n" + read_text(*scratch / ("runs/" + name + "/opt.yaml"));
    const std::size_t at = text.find("\nweights:");
    return at == std::string::npos ? "none" : text.substr(at + 1, text.find('\n', at + 1) - at - 1);
  }
  static test::ScratchFolder* scratch;
};
test::ScratchFolder* StartOfOurOwn::scratch = nullptr;

TEST_F(StartOfOurOwn, TheDefaultForTiny) {
  const Outcome outcome = train("default", {"--cfg", "yolov7-tiny.yaml"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_TRUE(has(outcome.err, "weights: synth, the start for yolov7-tiny")) << outcome.err;
  EXPECT_TRUE(has(outcome.err, "transferred ")) << outcome.err;
  EXPECT_TRUE(has(option("default"), "synth")) << option("default");
}

TEST_F(StartOfOurOwn, ByNameWithoutAConfig) {
  const Outcome outcome = train("named", {"--weights", "synth"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_TRUE(has(outcome.err, "transferred ")) << outcome.err;
}

TEST_F(StartOfOurOwn, EmptyMeansFromScratch) {
  const Outcome outcome = train("scratch", {"--cfg", "yolov7-tiny.yaml", "--weights", ""});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_FALSE(has(outcome.err, "synth,")) << outcome.err;
  EXPECT_FALSE(has(outcome.err, "transferred")) << outcome.err;
}

TEST_F(StartOfOurOwn, OtherNetworksStartFromScratchByDefaultAndRefuseTheName) {
  const std::string difference = "its model.0.conv.weight is [32, 3, 3, 3], and [8, 3, 3, 3] here";
  const Outcome outcome = train("narrow", {"--cfg", "narrow.yaml"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_TRUE(has(outcome.err, "weights: none, from scratch (" + difference + ")")) << outcome.err;
  const Outcome refused = train("refused", {"--cfg", "narrow.yaml", "--weights", "synth"});
  EXPECT_EQ(refused.code, 2);
  EXPECT_TRUE(has(refused.err, "--weights synth: expected yolov7-tiny")) << refused.err;
  EXPECT_TRUE(has(refused.err, difference)) << refused.err;
}

// A program that was moved without its share/ folder: the library is found elsewhere, and nothing
// lies beside it.
TEST_F(StartOfOurOwn, AMissingFileIsNamed) {
  const test::ScratchFolder elsewhere("yolov7 tëst");  // a colon ends a path in LD_LIBRARY_PATH
  const fs::path lib = elsewhere / "moved/lib";
  fs::create_directories(lib);
  fs::copy_file(fs::path(YOLOV7_BINARY_DIR) / "lib/libyolov7.so", lib / "libyolov7.so");
  const Outcome outcome =
      train("moved", {"--cfg", "yolov7-tiny.yaml"}, {"LD_LIBRARY_PATH=" + lib.string()});
  EXPECT_EQ(outcome.code, 1) << outcome.err;
  EXPECT_TRUE(has(outcome.err,
                  "moved/share/yolov7/weights/yolov7-tiny-synth.pt: expected the start weights of "
                  "yolov7-tiny, found no such file"))
      << outcome.err;
}

}  // namespace
}  // namespace yolov7::test
