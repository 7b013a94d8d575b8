// yolov7 dataset check, stats and browse, as a user calls them.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/cli/program.hpp"

namespace yolov7::test {
namespace {

namespace fs = std::filesystem;

class DatasetDoctor : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(run({"dataset", "synth", "--out", (scratch / "set").string(), "--train", "24",
                   "--val", "8", "--test", "0", "--img-size", "320", "--seed", "5"})
                  .code,
              0);
  }
  Outcome check(const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"dataset", "check", (scratch / "set/data.yaml").string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(arguments);
  }
  fs::path some_label() {
    for (const auto& entry : fs::directory_iterator(scratch / "set/labels/train"))
      if (entry.file_size() > 0) return entry.path();
    return {};
  }
  ScratchFolder scratch;
};

TEST_F(DatasetDoctor, ACleanSetPassesStrictAndTheTableOfChecksIsShown) {
  const Outcome clean = check({"--strict"});
  EXPECT_EQ(clean.code, 0) << clean.out << clean.err;
  EXPECT_TRUE(has(clean.out, "0 errors, 0 warnings")) << clean.out;
  const Outcome list = run({"dataset", "check", "--list"});
  EXPECT_TRUE(has(list.out, "| `other-layout` | error |")) << list.out;
}

TEST_F(DatasetDoctor, NamesTheCauseMendsItAndTheMendedSetIsClean) {
  const fs::path label = some_label();
  const std::string before = read_text(label);
  write_text(label, "0 120 80 60 40\n0 200 150 70 44\n");
  const Outcome found = check({"--strict", "--json", "--out", (scratch / "report").string(),
                               "--fix", (scratch / "mended").string()});
  EXPECT_EQ(found.code, 1) << found.err;
  const auto result = nlohmann::json::parse(found.out);
  ASSERT_EQ(result["errors"], 1) << result["findings"].dump(1);
  EXPECT_EQ(result["findings"][0]["cause"], "pixels for fractions") << found.out;
  EXPECT_EQ(result["fixed"]["changed_rows"], 2);
  EXPECT_TRUE(has(read_text(scratch / "report/report.html"), "pixels for fractions"));
  // 120 / 320, 80 / height and so on: the format's own centre.
  const Outcome again =
      run({"dataset", "check", (scratch / "mended/data.yaml").string(), "--strict", "--json"});
  EXPECT_EQ(again.code, 0) << again.out;
  EXPECT_EQ(read_text(label), "0 120 80 60 40\n0 200 150 70 44\n");
}

TEST_F(DatasetDoctor, WrongCallsAreRefused) {
  EXPECT_EQ(check({"--skip", "blured-image"}).code, 2);
  EXPECT_TRUE(has(check({"--skip", "blured-image"}).err, "did you mean 'blurred-image'?"));
  EXPECT_EQ(check({"--leave", "1"}).code, 2);
  EXPECT_EQ(check({"--fix", (scratch / "set").string()}).code, 1);
  EXPECT_EQ(check({"--predictions", (scratch / "none.json").string()}).code, 1);
}

TEST_F(DatasetDoctor, PredictionsRankWhatTheySpeakAgainst) {
  write_text(scratch / "p.json",
             R"([{"image_id":0,"category_id":0,"bbox":[0,0,300,20],"score":0.99}])");
  // Images of train and val share their numbers, so a result is not told apart.
  const Outcome both = check({"--predictions", (scratch / "p.json").string()});
  EXPECT_EQ(both.code, 1);
  EXPECT_TRUE(has(both.err, "as well as")) << both.err;
}

TEST_F(DatasetDoctor, StatisticsAndThePageToBrowse) {
  const std::string data = (scratch / "set/data.yaml").string();
  const Outcome stats = run(
      {"dataset", "stats", data, "--other", data, "--json", "--out", (scratch / "stats").string()});
  ASSERT_EQ(stats.code, 0) << stats.err;
  const auto tables = nlohmann::json::parse(stats.out);
  EXPECT_EQ(tables["columns"], nlohmann::json({"A train", "A val", "B train", "B val"}));
  EXPECT_EQ(tables["tables"]["totals"]["rows"][0]["values"], nlohmann::json({24, 8, 24, 8}));
  EXPECT_EQ(tables["advice"].size(), 5U);
  EXPECT_TRUE(has(read_text(scratch / "stats/stats.html"), "Boxes by class"));
  const Outcome browse = run({"dataset", "browse", data, "--out", (scratch / "page").string(),
                              "--limit", "20", "--thumbnail", "64", "--json"});
  ASSERT_EQ(browse.code, 0) << browse.err;
  const auto page = nlohmann::json::parse(browse.out);
  EXPECT_EQ(page["shown"], 20);
  EXPECT_EQ(page["sheets"], 2);
  EXPECT_TRUE(has(read_text(scratch / "page/index.html"), "20 of 32 images, evenly chosen"));
  EXPECT_TRUE(fs::exists(scratch / "page/sheets/sheet_0002.jpg"));
  EXPECT_EQ(run({"dataset", "browse", data}).code, 2);
}

}  // namespace
}  // namespace yolov7::test
