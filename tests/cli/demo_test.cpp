// yolov7 demo: the whole way, small.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/cli/program.hpp"

namespace yolov7::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

std::size_t images_in(const fs::path& folder) {
  std::size_t count = 0;
  for (const auto& entry : fs::directory_iterator(folder))
    count += entry.path().extension() == ".jpg" || entry.path().extension() == ".png";
  return count;
}

TEST(Demo, DrawsTrainsMeasuresAndDetects) {
  const ScratchFolder scratch;
  const Outcome outcome = run(
      {"demo", "--images", "12", "--epochs", "1", "--img-size", "64", "--json"}, scratch.path());
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const json result = json::parse(outcome.out);
  EXPECT_EQ(result.at("folder"), "runs/demo");
  for (const char* part : {"data", "train", "val", "detect"})
    EXPECT_TRUE(result.at(part).is_object()) << part;
  EXPECT_EQ(result["train"].at("epochs_done"), 1);
  EXPECT_GT(result.at("training_seconds").get<double>(), 0);
  const fs::path demo = scratch / "runs/demo";
  // A sixth and a quarter of twelve.
  EXPECT_EQ(images_in(demo / "data/images/train"), 12u);
  EXPECT_EQ(images_in(demo / "data/images/val"), 2u);
  EXPECT_EQ(images_in(demo / "data/images/test"), 3u);
  EXPECT_EQ(images_in(demo / "detect"), 3u);
  for (const char* file : {"train/weights/best.pt", "train/report.html", "val/report.html"})
    EXPECT_TRUE(fs::exists(demo / file)) << file;
}

TEST(Demo, TheNextOneHasItsOwnFolder) {
  const ScratchFolder scratch;
  fs::create_directories(scratch / "runs/demo");
  const Outcome outcome =
      run({"demo", "--images", "2", "--epochs", "1", "--img-size", "64"}, scratch.path());
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_TRUE(fs::exists(scratch / "runs/demo2/detect"));
  EXPECT_TRUE(fs::is_empty(scratch / "runs/demo"));
  EXPECT_TRUE(has(outcome.out, "== Drawing")) << outcome.out;
  EXPECT_TRUE(has(outcome.out, "Images with boxes: runs/demo2/detect")) << outcome.out;
  EXPECT_EQ(run({"demo", "--img-size", "16"}, scratch.path()).code, 2);
}

}  // namespace
}  // namespace yolov7::test
