// A data set in other splits: counts, groups, folds, stability, the source untouched.
#include "dataset/arrange/split_set.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "dataset/synth/synth_scene.hpp"
#include "tests/dataset/arrange/arrange_fixture.hpp"
#include "tests/dataset/data_fixture.hpp"
#include "tests/stopping.hpp"

namespace yolov7::dataset {
namespace {

namespace fs = std::filesystem;

class SplitSet : public testing::Test {
 protected:
  void SetUp() override {
    for (int i = 0; i < 40; ++i)
      add_image(root(), i < 30 ? "train" : "val", fmt::format("clip{}_{:03}", i / 4, i), i,
                fmt::format("{} 0.5 0.5 0.25 0.5\n", i % 4 == 0 ? 1 : 0));
    options.data = add_description(root(), "[many, few]");
    options.out = scratch / "out";
  }
  fs::path root() const { return scratch / "set"; }
  /// Splits by content, from the record.
  std::map<std::string, std::string> record() const {
    std::map<std::string, std::string> result;
    const auto json = nlohmann::json::parse(test::read_text(options.out / "split.json"));
    for (const auto& one : json["images"]) result[one["content"]] = one["split"];
    return result;
  }
  test::ScratchFolder scratch;
  SplitSetOptions options;
};

TEST_F(SplitSet, ListsNameEveryImageOnceAndTheSourceStaysAsItIs) {
  const auto before = snapshot(root());
  const SplitSetReport report = split_set(options);
  EXPECT_EQ(snapshot(root()), before);
  EXPECT_EQ(report.found[0].pictures, 28u);
  EXPECT_EQ(report.found[1].pictures, 8u);
  EXPECT_EQ(report.found[2].pictures, 4u);
  EXPECT_EQ(report.account.boxes.out, 40u);
  // The new set has the same images with the same labels.
  std::multiset<std::string> source, result;
  for (const auto& [split, id] : contents(options.data)) source.insert(id);
  for (const auto& [split, id] : contents(options.out / "data.yaml")) result.insert(id);
  EXPECT_EQ(result, source);
  EXPECT_FALSE(fs::exists(options.out / "images"));
}

TEST_F(SplitSet, CopiesAreASetOfTheirOwn) {
  options.placement = Placement::copy;
  split_set(options);
  const auto moved = contents(options.out / "data.yaml");
  EXPECT_EQ(moved.count("train"), 28u);
  EXPECT_EQ(moved.count("test"), 4u);
  fs::remove_all(root());
  EXPECT_EQ(contents(options.out / "data.yaml"), moved);
}

/// 10 of 40 images have the class 'few': 7, 2 and 1 of them.
TEST_F(SplitSet, StratifiedSharesAreMetAndTold) {
  options.method = SplitMethod::stratified;
  const SplitSetReport report = split_set(options);
  EXPECT_EQ(report.found[0].boxes_per_class, (std::vector<std::size_t>{21, 7}));
  EXPECT_EQ(report.found[1].boxes_per_class, (std::vector<std::size_t>{6, 2}));
  EXPECT_EQ(report.found[2].boxes_per_class, (std::vector<std::size_t>{3, 1}));
  const auto json = to_json(report);
  EXPECT_DOUBLE_EQ(json["splits"]["val"]["wanted"].get<double>(), 0.2);
  EXPECT_DOUBLE_EQ(json["splits"]["val"]["found"].get<double>(), 0.2);
  EXPECT_DOUBLE_EQ(json["splits"]["val"]["classes"][1]["share"].get<double>(), 0.2);
  EXPECT_TRUE(has(summary_lines(report)[1], "train: 28 images, 70.0 % (wanted 70.0 %)"));
}

TEST_F(SplitSet, FramesOfOneVideoStayTogether) {
  options.together.video = true;
  const SplitSetReport report = split_set(options);
  EXPECT_EQ(report.groups, 10u);  // clip0 … clip9
  EXPECT_EQ(report.largest_group, 4u);
  EXPECT_GT(report.parted_before, 0u);  // clip7 is in train and val
  EXPECT_EQ(report.parted_after, 0u);
  EXPECT_EQ(report.found[0].pictures, 28u);  // 7 clips of 4
}

TEST_F(SplitSet, APatternSaysTheGroup) {
  options.together.pattern = "clip[0-9]_0([0-9])";  // tens: 0, 1, 2, 3
  options.shares = {50, 25, 25};
  const SplitSetReport report = split_set(options);
  EXPECT_EQ(report.groups, 4u);
  EXPECT_EQ(report.found[0].pictures, 20u);
}

TEST_F(SplitSet, EqualFilesAreNeverParted) {
  for (int i = 0; i < 10; ++i)
    add_image(root(), "val", fmt::format("again_{}", i), i, "0 0.5 0.5 0.25 0.5\n");
  for (const std::uint64_t seed : {1, 2, 3}) {
    options.seed = seed;
    options.out = scratch / fmt::format("out{}", seed);
    const SplitSetReport report = split_set(options);
    EXPECT_EQ(report.together.equal, 10u);
    EXPECT_EQ(report.parted_before, 10u);
    EXPECT_EQ(report.parted_after, 0u);
  }
}

TEST_F(SplitSet, StableSplitsDoNotMoveWhenImagesCome) {
  options.method = SplitMethod::stable;
  options.shares = {60, 40};
  split_set(options);
  const auto before = record();
  for (int i = 0; i < 25; ++i)
    add_image(root(), "train", fmt::format("aa_new_{}", i), 1000 + i, "0 0.5 0.5 0.25 0.5\n");
  options.out = scratch / "later";
  split_set(options);
  const auto after = record();
  EXPECT_EQ(after.size(), 65u);
  for (const auto& [content, split] : before) EXPECT_EQ(after.at(content), split);
}

TEST_F(SplitSet, AnEarlierSplitIsKept) {
  split_set(options);
  const auto before = record();
  for (int i = 0; i < 20; ++i)
    add_image(root(), "train", fmt::format("new_{}", i), 1000 + i, "0 0.5 0.5 0.25 0.5\n");
  options.previous = options.out;
  options.out = scratch / "later";
  options.seed = 99;
  const SplitSetReport report = split_set(options);
  EXPECT_EQ(report.kept, 40u);
  for (const auto& [content, split] : before) EXPECT_EQ(record().at(content), split);
  EXPECT_EQ(report.found[0].pictures, 42u);  // 70 % of 60
}

TEST_F(SplitSet, TestMayStay) {
  for (int i = 0; i < 6; ++i)
    add_image(root(), "test", fmt::format("t_{}", i), 500 + i, "0 0.5 0.5 0.25 0.5\n");
  add_image(root(), "train", "copy_of_a_test_image", 503, "0 0.5 0.5 0.25 0.5\n");
  options.data = add_description(root(), "[many, few]");
  options.keep_test = true;
  const SplitSetReport report = split_set(options);
  EXPECT_EQ(report.kept, 6u);
  EXPECT_EQ(report.found[2].pictures, 7u);  // and what is the same
  EXPECT_EQ(report.parted_after, 0u);
}

TEST_F(SplitSet, FoldsTakeTurns) {
  options.folds = 4;
  const SplitSetReport report = split_set(options);
  std::multiset<std::string> tested;
  for (int fold = 1; fold <= 4; ++fold) {
    const auto found = contents(options.out / fmt::format("fold{}/data.yaml", fold));
    EXPECT_EQ(found.count("val"), 10u);
    EXPECT_EQ(found.count("train"), 30u);
    for (const auto& [split, id] : found)
      if (split == "val") tested.insert(id);
  }
  EXPECT_EQ(tested.size(), 40u);  // each image is in val once
  EXPECT_EQ(std::set<std::string>(tested.begin(), tested.end()).size(), 40u);
  EXPECT_EQ(report.parts, (std::vector<std::string>{"fold1", "fold2", "fold3", "fold4"}));
}

TEST_F(SplitSet, WhatCannotBeIsRefusedAndNothingIsWritten) {
  options.shares = {50, 50};
  options.together.pattern = "(clip)";
  EXPECT_TRUE(has(test::error_of([&] { split_set(options); }),
                  "expected images for every split, found none for val: 40 images in 1 groups"));
  EXPECT_FALSE(fs::exists(options.out));
  options.together.pattern = "";
  options.out = root() / "images/train/new";
  EXPECT_TRUE(has(test::error_of([&] { split_set(options); }), "outside the data"));
  options.out = scratch / "out";
  options.folds = 3;
  options.placement = Placement::copy;
  EXPECT_TRUE(has(test::error_of([&] { split_set(options); }), "folds are lists alone"));
}

/// Rows of key points would be polygons for who does not know of them.
TEST_F(SplitSet, KeyPointsStayKnown) {
  const fs::path pose = scratch / "pose";
  for (int i = 0; i < 10; ++i)
    add_image(pose, "train", fmt::format("p{}", i), 700 + i,
              "0 0.5 0.5 0.25 0.5 0.1 0.1 2 0.2 0.2 2\n");
  add_image(pose, "val", "v", 720, "0 0.5 0.5 0.25 0.5\n");
  options.data = add_description(pose, "[a]\nkpt_shape: [2, 3]");
  split_set(options);
  const Description description = read_description(options.out / "data.yaml");
  EXPECT_EQ(description.key_point_columns, 6);
  EXPECT_TRUE(read_index(description, "train", {}).entries.front().labels.front().polygon.empty());
}

TEST_F(SplitSet, WhatStaysNeedsAShare) {
  add_image(root(), "test", "t", 500, "0 0.5 0.5 0.25 0.5\n");
  options.data = add_description(root(), "[many, few]");
  options.keep_test = true;
  options.shares = {80, 20};
  EXPECT_TRUE(has(test::error_of([&] { split_set(options); }),
                  "expected a share for every split that stays, found none for 'test'"));
  options.keep_test = false;
  options.previous = scratch.write("none.json", "{\"images\": [{\"content\": 1}]}");
  EXPECT_TRUE(has(test::error_of([&] { split_set(options); }),
                  "none.json: expected the record of an earlier split"));
}

TEST_F(SplitSet, StopsWhenAskedAndWritesNothing) {
  options.stop = test::stopped();
  EXPECT_TRUE(test::is_stopped([&] { split_set(options); }));
  EXPECT_FALSE(fs::exists(options.out));
}

/// The same drawn scene in three crops, in two splits of the source.
TEST_F(SplitSet, NearDuplicatesAreNotParted) {
  for (std::size_t i = 0; i < 12; ++i) {
    const cv::Mat scene = draw_synth_picture(standard_level(), 320, 8, 0, i, false).picture;
    for (int crop = 0; crop < 3; ++crop) {
      const cv::Rect cut(4 * crop, 3 * crop, scene.cols - 12, scene.rows - 12);
      const fs::path folder = scratch / "scenes" / "images" / (crop == 2 ? "val" : "train");
      fs::create_directories(folder);
      write_picture(folder / fmt::format("{}{}.jpg", i * 7 % 12, static_cast<char>('a' + crop)),
                    scene(cut).clone());
    }
  }
  options.data = add_description(scratch / "scenes", "[a]");
  options.together.similarity = true;
  options.shares = {50, 25, 25};
  const SplitSetReport report = split_set(options);
  EXPECT_EQ(report.groups, 12u);
  EXPECT_EQ(report.parted_before, 24u);  // each third crop from the two others
  EXPECT_EQ(report.parted_after, 0u);
  EXPECT_EQ(report.found[0].pictures, 18u);
}

/// data-services D2: of the seven pairs of BCCD five lie in different splits of its own.
TEST(SplitSetReal, OfBccdIsFreeOfLeaks) {
  const fs::path bccd = test::shared_folder() / "datasets/bccd";
  if (!fs::is_directory(bccd)) GTEST_SKIP() << "the data set BCCD is missing";
  const test::ScratchFolder scratch;
  for (const char* split : {"train", "val", "test"}) {
    fs::create_directories(scratch / "images" / split);
    std::istringstream list(test::read_text(bccd / fmt::format("ImageSets/Main/{}.txt", split)));
    for (std::string stem; list >> stem;)
      fs::create_symlink(fs::canonical(bccd / "JPEGImages" / (stem + ".jpg")),
                         scratch / "images" / split / (stem + ".jpg"));
  }
  SplitSetOptions options;
  options.data = add_description(scratch.path(), "[a]");
  options.out = scratch / "out";
  options.together.similarity = true;
  const SplitSetReport report = split_set(options);
  EXPECT_EQ(report.together.near, 7u);
  EXPECT_EQ(report.parted_before, 5u);
  EXPECT_EQ(report.groups, 357u);
  EXPECT_EQ(report.parted_after, 0u);
}

}  // namespace
}  // namespace yolov7::dataset
