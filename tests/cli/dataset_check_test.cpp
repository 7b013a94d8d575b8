// yolov7 dataset check, stats and browse, as a user calls them.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/cli/program.hpp"

namespace yolov7::test {
namespace {

namespace fs = std::filesystem;

class DatasetCheck : public testing::Test {
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
  /// The first label file, by name, with a box and an image that is 320 px wide; its height.
  std::pair<fs::path, int> some_label() {
    std::vector<fs::path> labels;
    for (const auto& entry : fs::directory_iterator(scratch / "set/labels/train"))
      if (entry.file_size() > 0) labels.push_back(entry.path());
    std::sort(labels.begin(), labels.end());
    for (const fs::path& label : labels) {
      const fs::path image =
          scratch / "set/images/train" / label.filename().replace_extension(".jpg");
      const std::string bytes = read_text(image);
      // Start of a baseline frame: marker, length (2 bytes), depth, height, width (2 bytes each).
      const std::size_t frame = bytes.find("\xff\xc0");
      const auto number = [&](std::size_t at) {
        return static_cast<unsigned char>(bytes.at(at)) * 256 +
               static_cast<unsigned char>(bytes.at(at + 1));
      };
      if (frame != std::string::npos && number(frame + 7) == 320) return {label, number(frame + 5)};
    }
    ADD_FAILURE() << "expected an image that is 320 px wide, found none";
    return {};
  }
  ScratchFolder scratch;
};

TEST_F(DatasetCheck, ACleanSetPassesStrictAndTheTableOfChecksIsShown) {
  const Outcome clean = check({"--strict"});
  EXPECT_EQ(clean.code, 0) << clean.out << clean.err;
  EXPECT_TRUE(has(clean.out, "0 errors, 0 warnings")) << clean.out;
  const Outcome list = run({"dataset", "check", "--list"});
  EXPECT_EQ(list.code, 0) << list.err;
  EXPECT_TRUE(has(list.out, "| `other-layout` | error |")) << list.out;
}

TEST_F(DatasetCheck, ACheckThatIsSkippedDecidesNothing) {
  write_text(scratch / "set/labels/train/orphan.txt", "0 0.5 0.5 0.1 0.1\n");
  EXPECT_EQ(check({"--strict"}).code, 1);
  const Outcome skipped = check({"--strict", "--skip", "orphan-label"});
  EXPECT_EQ(skipped.code, 0) << skipped.out << skipped.err;
  EXPECT_EQ(check({"--strict", "--skip", "near-leak"}).code, 1);
  fs::remove(scratch / "set/labels/train/orphan.txt");
  write_text(some_label().first, "99 0.5 0.5 0.2 0.2\n");
  EXPECT_EQ(check({}).code, 1);
  EXPECT_EQ(check({"--skip", "unknown-class"}).code, 0);
}

TEST_F(DatasetCheck, FixesPixelsForFractionsAndTheFixedSetPasses) {
  const auto [label, height] = some_label();
  write_text(label, "0 120 80 60 40\n0 200 150 70 44\n");
  const Outcome found = check({"--strict", "--json", "--out", (scratch / "report").string(),
                               "--fix", (scratch / "mended").string()});
  EXPECT_EQ(found.code, 1) << found.err;
  const auto result = nlohmann::json::parse(found.out);
  ASSERT_EQ(result["errors"], 1) << result["findings"].dump(1);
  EXPECT_EQ(result["findings"][0]["cause"], "pixels for fractions") << found.out;
  EXPECT_EQ(result["fixed"]["changed_rows"], 2);
  EXPECT_TRUE(has(read_text(scratch / "report/report.html"), "pixels for fractions"));
  // The fixed rows: each value divided by the image's width or height.
  std::istringstream rows(read_text(scratch / "mended/labels/train" / label.filename()));
  for (const auto& [x, y, w, h] : {std::array{120, 80, 60, 40}, std::array{200, 150, 70, 44}}) {
    double values[5] = {};
    for (double& value : values) rows >> value;
    const double expected[5] = {0, x / 320.0, y / double(height), w / 320.0, h / double(height)};
    for (int i = 0; i < 5; ++i) EXPECT_NEAR(values[i], expected[i], 1e-6) << i;  // six decimals
  }
  const Outcome again =
      run({"dataset", "check", (scratch / "mended/data.yaml").string(), "--strict", "--json"});
  EXPECT_EQ(again.code, 0) << again.out;
  EXPECT_EQ(read_text(label), "0 120 80 60 40\n0 200 150 70 44\n");
}

TEST_F(DatasetCheck, WrongCallsAreRefused) {
  EXPECT_EQ(check({"--skip", "blured-image"}).code, 2);
  EXPECT_TRUE(has(check({"--skip", "blured-image"}).err, "did you mean 'blurred-image'?"));
  EXPECT_EQ(check({"--leave", "1"}).code, 2);
  for (const char* fix : {"one", "one/", "one/new", "other/../one"}) {
    const Outcome one =
        check({"--out", (scratch / "one").string(), "--fix", (scratch / fix).string()});
    EXPECT_EQ(one.code, 2) << fix;
    EXPECT_TRUE(has(one.err, "--fix: expected a folder outside that of --out")) << one.err;
    EXPECT_EQ(one.out, "") << "before anything is checked";
    EXPECT_FALSE(fs::exists(scratch / "one"));
  }
  EXPECT_EQ(check({"--fix", (scratch / "set").string()}).code, 1);
  EXPECT_EQ(check({"--predictions", (scratch / "none.json").string()}).code, 1);
}

TEST_F(DatasetCheck, PredictionsThatFitTwoSplitsAreRefused) {
  write_text(scratch / "p.json",
             R"([{"image_id":0,"category_id":0,"bbox":[0,0,300,20],"score":0.99}])");
  // train and val have images with the same id, so the result fits two images.
  const Outcome both = check({"--predictions", (scratch / "p.json").string()});
  EXPECT_EQ(both.code, 1);
  EXPECT_TRUE(has(both.err, "as well as")) << both.err;
}

// Of 24 training and 8 validation images only train has a number 20.
TEST_F(DatasetCheck, PredictionsRankTheLabelsThatTheyContradict) {
  write_text(scratch / "p.json",
             R"([{"image_id":20,"category_id":0,"bbox":[0,0,300,20],"score":0.99}])");
  const Outcome ranked = check({"--predictions", (scratch / "p.json").string(), "--json"});
  ASSERT_EQ(ranked.code, 0) << ranked.err;
  const auto mistakes = nlohmann::json::parse(ranked.out)["mistakes"];
  ASSERT_FALSE(mistakes.empty()) << ranked.out;
  EXPECT_TRUE(has(mistakes[0]["image"].get<std::string>(), "000020")) << mistakes.dump(1);
  for (std::size_t i = 1; i < mistakes.size(); ++i)
    EXPECT_GE(mistakes[i - 1]["score"], mistakes[i]["score"]);
}

// 120 times the width of the image is far out of it.
TEST_F(DatasetCheck, MistakesOutsideTheImageAreShown) {
  write_text(scratch / "set/labels/train/000020.txt", "0 120 80 60 40\n");
  write_text(scratch / "p.json",
             R"([{"image_id":20,"category_id":0,"bbox":[900,900,30,20],"score":0.99}])");
  const Outcome ranked = check({"--predictions", (scratch / "p.json").string(), "--json", "--out",
                                (scratch / "report").string()});
  ASSERT_EQ(ranked.code, 0) << ranked.err;
  EXPECT_EQ(nlohmann::json::parse(ranked.out)["mistakes"].size(), 2U) << ranked.out;
  EXPECT_TRUE(has(read_text(scratch / "report/report.html"), "<figure>"));
}

// val writes the last of COCO's 80 classes as 90.
TEST_F(DatasetCheck, PredictionsForCocoHaveItsCategoryIds) {
  std::string names;
  for (int c = 0; c < 80; ++c) names += (c > 0 ? ", c" : "c") + std::to_string(c);
  write_text(scratch / "set/coco.yaml",
             "train: images/train\nval: images/val\nnames: [" + names + "]\n");
  write_text(scratch / "p.json",
             R"([{"image_id":20,"category_id":90,"bbox":[0,0,300,20],"score":0.99}])");
  const Outcome ranked = run({"dataset", "check", (scratch / "set/coco.yaml").string(),
                              "--predictions", (scratch / "p.json").string(), "--json"});
  ASSERT_EQ(ranked.code, 0) << ranked.err;
  const auto mistakes = nlohmann::json::parse(ranked.out)["mistakes"];
  EXPECT_TRUE(std::any_of(mistakes.begin(), mistakes.end(), [](const auto& one) {
    return one["suggested"] == "c79";
  })) << mistakes.dump(1);
}

TEST_F(DatasetCheck, StatsAndBrowseWriteTheirPages) {
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
