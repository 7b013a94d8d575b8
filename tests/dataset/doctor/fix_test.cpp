// A set with planted faults, fixed: the new set has them repaired, the source is as it was.
#include "dataset/doctor/fix.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <opencv2/core.hpp>

#include "core/file.hpp"
#include "dataset/doctor/corrected_row.hpp"
#include "dataset/doctor/read_subject.hpp"
#include "image/codec/codec.hpp"
#include "tests/dataset/data_fixture.hpp"

namespace yolov7::dataset::doctor {
namespace {

namespace fs = std::filesystem;

/// Every file below a folder with its bytes.
std::map<std::string, std::string> content_of(const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file() && entry.path().extension() != ".yolov7-index" &&
        entry.path().extension() != ".yolov7-looks" && entry.path().extension() != ".lock")
      files[fs::relative(entry.path(), folder).string()] = file::read(entry.path());
  return files;
}

class Fix : public testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(folder / "set/images/train");
    for (int i = 0; i < 4; ++i)
      write_picture(folder / "set/images/train" / (std::to_string(i) + ".png"), test_image(i));
    folder.write("set/labels/train/0.txt", "0 0.5 0.5 0.25 0.5\n0 0.5 0.5 0.25 0.5\n");
    folder.write("set/labels/train/1.txt", "# 1\n");
    folder.write("set/labels/train/2.txt", "1 0.95 0.5 0.25 0.5\n1 0.3 0.3 0.2 0.2\n");
    folder.write("set/labels/train/3.txt", "0 0.4 0.4 0.2 0.2\n1 0.6 0.6 0 0.2\n");
    folder.write("set/labels/train/orphan.txt", "0 0.5 0.5 0.1 0.1\n");
    fs::create_directories(folder / "set/images/val");
    write_picture(folder / "set/images/val/v.png", test_image(9));
    folder.write("set/labels/val/v.txt", "0 0.5 0.5 0.3 0.3\n1 0.2 0.2 0.1 0.1\n");
    folder.write("set/data.yaml", "train: images/train\nval: images/val\nnames: [a, 'b: c']\n");
    test::age(folder / "set");
  }
  Diagnosis diagnosis() {
    return diagnose(read_subject(read_description(folder / "set/data.yaml"), {}), {});
  }
  static cv::Mat test_image(int seed) {
    cv::Mat noise(48, 64, CV_8UC3);
    cv::RNG random(static_cast<std::uint64_t>(seed) + 1);
    random.fill(noise, cv::RNG::UNIFORM, 0, 255);
    return noise;
  }
  test::KeptMessages messages;
  test::TemporaryFolder folder;
};

TEST_F(Fix, RepairsIntoANewSetAndListsEveryChange) {
  const Diagnosis found = diagnosis();
  const auto before = content_of(folder / "set");
  const FixCounts counts = write_fixed(found, folder / "new", {});
  EXPECT_EQ(content_of(folder / "set"), before);
  EXPECT_EQ(counts.images, 4U);
  EXPECT_EQ(counts.dropped_images, 1U);
  EXPECT_EQ(counts.dropped_rows, 2U);
  EXPECT_EQ(counts.changed_rows, 1U);
  EXPECT_EQ(folder.read("new/labels/train/0.txt"), "0 0.5 0.5 0.25 0.5\n");
  EXPECT_FALSE(fs::exists(folder / "new/images/train/1.png"));
  // Cut at the border: from 0.825 to 1, so centre 0.9125 and width 0.175.
  EXPECT_EQ(folder.read("new/labels/train/2.txt"), "1 0.9125 0.5 0.175 0.5\n1 0.3 0.3 0.2 0.2\n");
  EXPECT_EQ(folder.read("new/labels/train/3.txt"), "0 0.4 0.4 0.2 0.2\n");
  EXPECT_FALSE(fs::exists(folder / "new/labels/train/orphan.txt"));
  const auto list = nlohmann::json::parse(folder.read("new/changes.json"));
  EXPECT_EQ(list["changes"].size(), 5U) << list.dump(1);
  EXPECT_EQ(list["left"].size(), 0U);
  const Description description = read_description(folder / "new/data.yaml");
  EXPECT_EQ(description.names, (std::vector<std::string>{"a", "b: c"}));
}

// Read as pixels, the rows of fractions would be boxes of less than a pixel.
TEST_F(Fix, OneRowOfPixelsLeavesTheRowsOfFractions) {
  std::string good;
  for (int i = 0; i < 25; ++i) good += fmt::format("{} 0.{} 0.5 0.25 0.5\n", i % 2, 30 + i);
  folder.write("set/labels/train/0.txt", good + "0 32 24 20 20\n");
  test::age(folder / "set");
  write_fixed(diagnosis(), folder / "new", {});
  const std::string fixed = folder.read("new/labels/train/0.txt");
  EXPECT_EQ(fixed.substr(0, good.size()), good);
}

TEST_F(Fix, AChangeCanBeLeftOut) {
  const Diagnosis found = diagnosis();
  int wanted = 0;
  for (const NumberedChange& one : changes_of(found))
    if (one.check == "outside-image") {
      wanted = one.number;
      EXPECT_EQ(one.before, "1 0.95 0.5 0.25 0.5");
    }
  ASSERT_GT(wanted, 0);
  FixOptions options;
  options.leave = {wanted};
  const FixCounts counts = write_fixed(found, folder / "new", options);
  EXPECT_EQ(counts.changed_rows, 0U);
  EXPECT_EQ(folder.read("new/labels/train/2.txt"), folder.read("set/labels/train/2.txt"));
  EXPECT_EQ(nlohmann::json::parse(folder.read("new/changes.json"))["left"].size(), 1U);
  options.leave = {99};
  EXPECT_NE(test::error_of([&] { write_fixed(found, folder / "other", options); }).find("found 99"),
            std::string::npos);
  EXPECT_FALSE(fs::exists(folder / "other"));
}

// Two points of two numbers: four columns behind each box.
TEST_F(Fix, KeepsTheShapeOfKeyPoints) {
  folder.write("set/labels/train/0.txt", "0 0.5 0.5 0.25 0.5 0.4 0.4 0.6 0.6\n");
  folder.write("set/data.yaml",
               "train: images/train\nval: images/val\nkpt_shape: [2, 2]\nnames: [a, b]\n");
  test::age(folder / "set");
  write_fixed(diagnosis(), folder / "new", {});
  EXPECT_EQ(folder.read("new/labels/train/0.txt"), "0 0.5 0.5 0.25 0.5 0.4 0.4 0.6 0.6\n");
  EXPECT_EQ(read_description(folder / "new/data.yaml").key_point_columns, 4);
}

// Cut at the border, as above; the points are inside and stay.
TEST_F(Fix, ARowThatIsCutKeepsItsKeyPoints) {
  folder.write("set/labels/train/2.txt",
               "1 0.95 0.5 0.25 0.5 0.90 0.4 .8 0.6\n1 0.3 0.3 0.2 0.2\n");
  folder.write("set/data.yaml",
               "train: images/train\nval: images/val\nkpt_shape: [2, 2]\nnames: [a, b]\n");
  test::age(folder / "set");
  EXPECT_EQ(write_fixed(diagnosis(), folder / "new", {}).lost_key_points, 0U);
  EXPECT_EQ(folder.read("new/labels/train/2.txt"),
            "1 0.9125 0.5 0.175 0.5 0.90 0.4 .8 0.6\n1 0.3 0.3 0.2 0.2\n");
}

// In pixels of 64 x 40: 32 / 64, 20 / 40, 16 / 64, 10 / 40. The points may be pixels or fractions.
TEST(CorrectedRow, KeyPointsOfAnotherLayoutAreLeftOutAndSaid) {
  Picture picture;
  picture.facts.width = 64, picture.facts.height = 40;
  picture.rows = read_rows("0 32 20 16 10 30 20 34 22\n0 32 20 16 10\n", {}, 4);
  Causes causes;
  FileVerdict& verdict = causes.files[&picture];
  verdict.layout = {Form::centre, Unit::pixel};
  verdict.named = true;
  verdict.affected = {0, 1};
  const auto with = corrected_row(causes, picture, 0), without = corrected_row(causes, picture, 1);
  ASSERT_TRUE(with && without);
  EXPECT_EQ(with->text, "0 0.5 0.5 0.25 0.25");
  EXPECT_TRUE(with->loses_key_points);
  EXPECT_EQ(without->text, "0 0.5 0.5 0.25 0.25");
  EXPECT_FALSE(without->loses_key_points);
}

TEST_F(Fix, AChangedFileOfUtf16IsUtf8Afterwards) {
  const std::string text = "1 0.95 0.5 0.25 0.5\n1 0.3 0.3 0.2 0.2\n";
  std::string wide = "\xFF\xFE";
  for (const char c : text) wide += std::string{c, '\0'};
  folder.write("set/labels/train/2.txt", wide);
  test::age(folder / "set");
  const Diagnosis found = diagnosis();
  for (const NumberedChange& one : changes_of(found))
    if (one.check == "outside-image") {
      EXPECT_EQ(one.before, "1 0.95 0.5 0.25 0.5");
    }
  EXPECT_EQ(write_fixed(found, folder / "new", {}).changed_rows, 1U);
  EXPECT_EQ(folder.read("new/labels/train/2.txt"), "1 0.9125 0.5 0.175 0.5\n1 0.3 0.3 0.2 0.2\n");
}

// Every row has its class changed, and the second one is the first one again.
TEST_F(Fix, ARepeatedRowIsDroppedWhereClassesCountFromOne) {
  folder.write("set/labels/train/0.txt", "1 0.5 0.5 0.25 0.5\n1 0.5 0.5 0.25 0.5\n");
  folder.write("set/labels/train/1.txt", "2 0.4 0.4 0.2 0.2\n");
  folder.write("set/labels/train/2.txt", "1 0.3 0.3 0.2 0.2\n");
  folder.write("set/labels/train/3.txt", "2 0.85 0.6 0.2 0.2\n");
  folder.write("set/labels/val/v.txt", "1 0.5 0.5 0.3 0.3\n");
  test::age(folder / "set");
  const Diagnosis found = diagnosis();
  ASSERT_TRUE(found.causes.one_based);
  EXPECT_EQ(write_fixed(found, folder / "new", {}).dropped_rows, 1U);
  EXPECT_EQ(folder.read("new/labels/train/0.txt"), "0 0.5 0.5 0.25 0.5\n");
  FixOptions options;
  for (const NumberedChange& one : changes_of(found))
    if (one.check == "equal-rows") options.leave = {one.number};
  ASSERT_EQ(options.leave.size(), 1U);
  write_fixed(found, folder / "left", options);
  EXPECT_EQ(folder.read("left/labels/train/0.txt"), "0 0.5 0.5 0.25 0.5\n0 0.5 0.5 0.25 0.5\n");
}

TEST_F(Fix, ALabelFileWithoutAnImageCanBeLeft) {
  const Diagnosis found = diagnosis();
  EXPECT_EQ(write_fixed(found, folder / "new", {}).dropped_label_files, 1U);
  FixOptions options;
  for (const NumberedChange& one : changes_of(found))
    if (one.check == "orphan-label") options.leave = {one.number};
  ASSERT_EQ(options.leave.size(), 1U);
  EXPECT_EQ(write_fixed(found, folder / "left", options).dropped_label_files, 0U);
  EXPECT_EQ(folder.read("left/labels/train/orphan.txt"), "0 0.5 0.5 0.1 0.1\n");
}

// Two lists of one folder: both splits look for label files there.
TEST_F(Fix, ALabelFileWithoutAnImageIsToldOnce) {
  folder.write("set/train.txt", "./images/train/0.png\n");
  folder.write("set/val.txt", "./images/train/3.png\n");
  folder.write("set/data.yaml", "train: train.txt\nval: val.txt\nnames: [a, b]\n");
  test::age(folder / "set");
  int told = 0;
  for (const Finding& one : diagnosis().findings) told += one.check == "orphan-label" ? 1 : 0;
  EXPECT_EQ(told, 1);
}

// Cut, the first would be a row of class 1, and the second one of whatever an overflow gives.
TEST(CorrectedRow, AClassThatIsNoWholeNumberOfAnIntIsNotRepaired) {
  Picture picture;
  picture.facts.width = 64, picture.facts.height = 48;
  picture.rows =
      read_rows("1.5 0.95 0.5 0.25 0.5\n1e12 0.95 0.5 0.25 0.5\n1 0.95 0.5 0.25 0.5\n", {}, 0);
  EXPECT_FALSE(corrected_row({}, picture, 0).has_value());
  EXPECT_FALSE(corrected_row({}, picture, 1).has_value());
  EXPECT_TRUE(corrected_row({}, picture, 2).has_value());
}

TEST_F(Fix, APolygonIsCutAtTheBorderOfItsImage) {
  folder.write("set/labels/train/0.txt", "0 0.2 0.2 1.01 0.2 0.6 0.8\n");
  folder.write("set/labels/train/3.txt", "0 0.2 0.2 1.3 0.2 0.6 0.8\n");
  test::age(folder / "set");
  const FixCounts counts = write_fixed(diagnosis(), folder / "new", {});
  EXPECT_EQ(folder.read("new/labels/train/0.txt"), "0 0.2 0.2 1 0.2 0.6 0.8\n");
  EXPECT_FALSE(fs::exists(folder / "new/images/train/3.png"));  // by 30 %: no slip of the hand
  EXPECT_EQ(counts.dropped_images, 2U);                         // with 1.png
}

TEST_F(Fix, NeverWritesIntoTheSourceOrOverAnything) {
  const Diagnosis found = diagnosis();
  EXPECT_NE(test::error_of([&] { write_fixed(found, folder / "set", {}); }), "no error");
  EXPECT_NE(test::error_of([&] { write_fixed(found, folder / "set/images/train/new", {}); }),
            "no error");
}

}  // namespace
}  // namespace yolov7::dataset::doctor
