// yolov7 dataset split, merge, rename and subset, as a user calls them.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/cli/program.hpp"

namespace yolov7::test {
namespace {

namespace fs = std::filesystem;

class DatasetArrange : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(run({"dataset", "synth", "--out", set("a"), "--train", "30", "--val", "10", "--test",
                   "0", "--img-size", "64", "--level", "easy", "--seed", "1"})
                  .code,
              0);
    ASSERT_EQ(run({"dataset", "synth", "--out", set("b"), "--train", "5", "--val", "5", "--test",
                   "0", "--img-size", "64", "--level", "easy", "--seed", "2"})
                  .code,
              0);
  }
  std::string set(const std::string& name) const { return (scratch / name).string(); }
  std::string data(const std::string& name) const {
    return (scratch / name / "data.yaml").string();
  }
  nlohmann::json json(std::vector<std::string> arguments) {
    arguments.emplace_back("--json");
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return outcome.code == 0 ? nlohmann::json::parse(outcome.out) : nlohmann::json();
  }
  test::ScratchFolder scratch;
};

TEST_F(DatasetArrange, SplitsAndTheResultIsReadByCheck) {
  const auto result = json({"dataset", "split", "--data", data("a"), "--out", set("out"),
                            "--shares", "70,20,10", "--by", "stratified", "--seed", "3"});
  EXPECT_EQ(result["splits"]["train"]["pictures"], 28);
  EXPECT_EQ(result["splits"]["val"]["pictures"], 8);
  EXPECT_EQ(result["splits"]["test"]["pictures"], 4);
  EXPECT_DOUBLE_EQ(result["splits"]["test"]["wanted"].get<double>(), 0.1);
  EXPECT_EQ(result["parted_after"], 0);
  const auto checked = json({"dataset", "check", data("out")});
  EXPECT_EQ(checked["splits"]["test"]["pictures"], 4);
  const Outcome told = run(
      {"dataset", "split", data("a"), "--out", set("told"), "--together", "similarity", "video"});
  EXPECT_TRUE(has(told.out, "in different splits:")) << told.out;
  EXPECT_TRUE(has(told.out, "wanted 70.0 %")) << told.out;
}

TEST_F(DatasetArrange, FoldsAreSetsOfTheirOwn) {
  const auto result = json({"dataset", "split", data("a"), "--out", set("folds"), "--folds", "4"});
  EXPECT_EQ(result["splits"]["fold2"]["pictures"], 10);
  EXPECT_EQ(json({"dataset", "check", data("folds/fold4")})["splits"]["train"]["pictures"], 30);
  for (const char* shares : {"50,50", "70,20,10"}) {  // the default, too
    const Outcome both = run(
        {"dataset", "split", data("a"), "--out", set("both"), "--folds", "4", "--shares", shares});
    EXPECT_EQ(both.code, 2) << both.out;
    EXPECT_TRUE(has(both.err, "--shares: expected none with --folds")) << both.err;
  }
}

TEST_F(DatasetArrange, MergesAndRenames) {
  const auto merged =
      json({"dataset", "merge", "--data", data("a"), data("b"), "--out", set("both"), "--link"});
  EXPECT_EQ(merged["pictures"]["out"], 50);
  const std::string first = merged["names"][0], second = merged["names"][1];
  const auto renamed = json({"dataset", "remap", data("both"), "--out", set("new"), "--map",
                             first + "=thing", second + "=thing"});
  EXPECT_EQ(renamed["names"][0], "thing");
  EXPECT_EQ(renamed["names"].size(), merged["names"].size() - 1);
  EXPECT_EQ(renamed["boxes"]["in"], merged["boxes"]["out"]);
  EXPECT_EQ(renamed["boxes"]["in"].get<int>(),
            renamed["boxes"]["out"].get<int>() + renamed["boxes"]["dropped"].get<int>());
}

TEST_F(DatasetArrange, TakesAPart) {
  const auto part = json(
      {"dataset", "subset", data("a"), "--out", set("part"), "--count", "6", "--split", "train"});
  EXPECT_EQ(part["pictures"]["out"], 6);
  EXPECT_EQ(part["splits"].size(), 1u);
  EXPECT_EQ(part["dropped"].size(), 24u);
}

TEST_F(DatasetArrange, WrongCallsSayWhatIsExpected) {
  const auto wrong = [&](std::vector<std::string> arguments, int code, const std::string& part) {
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.code, code) << part;
    EXPECT_TRUE(has(outcome.err, part)) << outcome.err;
  };
  wrong({"dataset", "split", "--out", set("x")}, 2, "expected --data with a data.yaml");
  wrong({"dataset", "split", data("a")}, 2, "expected --out with the folder to write");
  wrong({"dataset", "split", data("a"), "--out", set("x"), "--shares", "70,20"}, 2,
        "--shares: expected the shares of train, val and test in percent");
  wrong({"dataset", "split", data("a"), "--out", set("x"), "--copy", "--link"}, 2, "found both");
  wrong({"dataset", "split", data("a"), "--out", set("x"), "--together-pattern", "abc"}, 2,
        "--together-pattern: expected a regular expression with the group in brackets");
  wrong({"dataset", "split", data("a"), "--out", set("a")}, 1, "expected a new or empty folder");
  wrong({"dataset", "merge", data("a"), "--out", set("x")}, 2, "two data sets and more, found 1");
  wrong({"dataset", "rename", data("a"), "--out", set("x")}, 2, "expected --map OLD=NEW");
  wrong({"dataset", "rename", data("a"), "--out", set("x"), "--map", "nothing=a"}, 1,
        "expected a class of");
  wrong({"dataset", "subset", data("a"), "--out", set("x"), "--count", "3", "--percent", "5"}, 2,
        "found both");
  wrong({"dataset", "subset", data("a"), "--out", set("x")}, 2,
        "expected a condition that chooses a part (--split, --list, --with-classes, "
        "--only-classes, --count, --percent), found none");
  wrong({"dataset", "split", data("a"), "--out", set("x"), "--together-pattern", "(a"}, 2,
        "found '(a' with a ( or ) without its other one");
  EXPECT_FALSE(fs::exists(scratch / "x"));
}

TEST_F(DatasetArrange, NoVerbWritesAmongWhatItReads) {
  const std::string inside = set("a/images/train/out");
  const std::vector<std::vector<std::string>> verbs = {
      {"split"}, {"subset", "--count", "3"}, {"check"}, {"stats"}, {"browse"}};
  for (const std::vector<std::string>& verb : verbs) {
    std::vector<std::string> call = {"dataset", verb[0], "--data", data("a"), "--out", inside};
    call.insert(call.end(), verb.begin() + 1, verb.end());
    const Outcome outcome = run(call);
    EXPECT_EQ(outcome.code, 1) << verb[0];
    EXPECT_TRUE(has(outcome.err, "expected a folder for the output outside the data that is read"))
        << outcome.err;
    EXPECT_FALSE(fs::exists(inside));
  }
}

/// What one verb writes as COCO, the others take.
TEST_F(DatasetArrange, TakesAnyFormat) {
  ASSERT_EQ(
      run({"dataset", "convert", "--source", set("a"), "--to", "coco", "--out", set("coco")}).code,
      0);
  const auto split = json({"dataset", "split", "--data", set("coco"), "--out", set("s"), "--shares",
                           "50,50", "--link"});
  EXPECT_EQ(split["pictures"], 40);
  EXPECT_EQ(json({"dataset", "check", data("s")})["splits"]["val"]["pictures"], 20);
  const auto merged =
      json({"dataset", "merge", "--data", set("coco"), data("b"), "--out", set("m")});
  EXPECT_EQ(merged["pictures"]["out"], 50);
  EXPECT_EQ(merged["from"], "coco, yolo");
  const auto part =
      json({"dataset", "subset", "coco:" + set("coco"), "--split", "val", "--out", set("p")});
  EXPECT_EQ(part["pictures"]["out"], 10);
  EXPECT_EQ(part["pictures"]["in"], 40);
  const Outcome told = run({"dataset", "subset", set("coco"), "--count", "4", "--out", set("q")});
  EXPECT_TRUE(has(told.out, "it has no label files that lists of images could lead to"))
      << told.out;
}

}  // namespace
}  // namespace yolov7::test
