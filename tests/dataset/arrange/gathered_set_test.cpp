// Splits, joined sets and parts of data in any format, and of folders without a data.yaml.
#include "dataset/arrange/gathered_set.hpp"

#include <gtest/gtest.h>

#include "dataset/arrange/merge_sets.hpp"
#include "dataset/arrange/split_set.hpp"
#include "dataset/arrange/subset.hpp"
#include "tests/dataset/arrange/arrange_fixture.hpp"
#include "tests/dataset/data_fixture.hpp"

namespace yolov7::dataset {
namespace {

namespace fs = std::filesystem;

bool dropped(const Conversion& account, const std::string& reason) {
  for (const ConversionDrop& drop : account.drops)
    if (has(drop.reason, reason)) return true;
  return false;
}

bool noted(const Conversion& account, const std::string& words) {
  for (const Problem& note : account.notes)
    if (has(note.reason, words)) return true;
  return false;
}

/// COCO with images of 32 × 24 px: `train` of them and `val` of them, the box of number n 8 px wide
/// and 6 + n % 2 px high, class "cat" where n is even, else "dog".
class AnyFormat : public testing::Test {
 protected:
  void write_split(const std::string& split, int first, int count, const std::string& more_images,
                   const std::string& more_boxes) {
    std::string images, boxes;
    for (int n = first; n < first + count; ++n) {
      write_numbered(coco() / "images" / split / fmt::format("{}.png", n), n);
      const char* comma = n == first ? "" : ",";
      images += fmt::format(R"({}{{"id": {}, "file_name": "{}.png", "width": 32, "height": 24}})",
                            comma, n, n);
      boxes +=
          fmt::format(R"({}{{"id": {}, "image_id": {}, "category_id": {}, "bbox": [4, 6, 8, {}]}})",
                      comma, n, n, 1 + n % 2, 6 + n % 2);
    }
    test::write_text(coco() / fmt::format("annotations/instances_{}.json", split),
                     fmt::format(R"({{"images": [{}{}], "annotations": [{}{}], "categories":
[{{"id": 1, "name": "cat"}}, {{"id": 2, "name": "dog"}}]}})",
                                 images, more_images, boxes, more_boxes));
  }
  /// 8 images to learn from, 4 for val; a crowd, an image that is missing, one of another split.
  void write_coco() {
    write_split("train", 1, 8, R"(,{"id": 90, "file_name": "gone.png", "width": 32, "height": 24})",
                R"(,{"id": 90, "image_id": 90, "category_id": 1, "bbox": [1, 1, 9, 9]},
{"id": 91, "image_id": 1, "category_id": 1, "bbox": [1, 1, 5, 5], "iscrowd": 1})");
    write_split("val", 11, 4, "", "");
    write_split("holdout", 21, 1, "", "");
  }
  fs::path coco() const { return scratch / "coco"; }
  std::size_t images_below(const fs::path& folder) const {
    std::size_t count = 0;
    for (const auto& one : fs::recursive_directory_iterator(folder))
      count += one.path().extension() == ".png" ? 1 : 0;
    return count;
  }
  test::TemporaryFolder scratch;
};

TEST_F(AnyFormat, GatheredWithTheAccountOfItsReader) {
  write_coco();
  const GatheredSet set = gather_set(coco());
  EXPECT_EQ(set.names, (std::vector<std::string>{"cat", "dog"}));
  EXPECT_FALSE(set.has_label_files);
  ASSERT_EQ(set.images.size(), 12u);
  EXPECT_EQ(set.images.front().split, "train");
  EXPECT_EQ(set.images.back().split, "val");
  EXPECT_EQ(set.images.front().relative, "images/train/1.png");
  const Conversion& account = set.account;
  EXPECT_EQ(account.from, "coco");
  EXPECT_EQ(account.pictures.in, 13u);
  EXPECT_EQ(account.boxes.in, 15u);  // 13 images, a crowd, the box of the missing image
  EXPECT_EQ(account.boxes.dropped, 3u);
  EXPECT_TRUE(dropped(account, "crowd region"));
  EXPECT_TRUE(dropped(account, "its split is 'holdout'"));
  EXPECT_EQ(account.pictures.dropped, 1u);
}

TEST_F(AnyFormat, IsSplitIntoAFolderOfItsOwn) {
  write_coco();
  SplitSetOptions options;
  options.data = coco();
  options.out = scratch / "out";
  options.shares = {75, 25};
  const SplitSetReport report = split_set(options);
  expect_balance(report.account);
  EXPECT_EQ(report.found[0].pictures, 9u);
  EXPECT_EQ(report.found[1].pictures, 3u);
  EXPECT_TRUE(noted(report.account, "it has no label files"));
  fs::remove_all(coco());
  const auto written = contents(options.out / "data.yaml");
  EXPECT_EQ(written.count("train"), 9u);
  EXPECT_EQ(written.count("val"), 3u);
  std::string said;
  for (const std::string& line : summary_lines(report)) said += line + "\n";
  EXPECT_TRUE(has(said, "boxes: 15 in, 12 out, 3 dropped")) << said;
  EXPECT_TRUE(has(said, "crowd region of class 'cat'")) << said;
}

TEST_F(AnyFormat, FoldsShareOneFolder) {
  write_coco();
  SplitSetOptions options;
  options.data = coco();
  options.out = scratch / "out";
  options.folds = 3;
  expect_balance(split_set(options).account);
  EXPECT_EQ(images_below(options.out), 12u);
  std::multiset<std::string> tested;
  for (int fold = 1; fold <= 3; ++fold) {
    const auto found = contents(options.out / fmt::format("fold{}/data.yaml", fold));
    EXPECT_EQ(found.count("val"), 4u);
    EXPECT_EQ(found.count("train"), 8u);
    for (const auto& [split, id] : found)
      if (split == "val") tested.insert(id);
  }
  EXPECT_EQ(std::set<std::string>(tested.begin(), tested.end()).size(), 12u);
  EXPECT_EQ(test::read_text(options.out / "labels/all/1.txt"),
            "1 0.25 0.39583334 0.25 0.29166666\n");  // 9.5/24 and 7/24 as float
}

TEST_F(AnyFormat, IsJoinedWithADataYaml) {
  write_coco();
  add_image(scratch / "yolo", "train", "x", 40, "0 0.5 0.5 0.25 0.5\n");
  add_image(scratch / "yolo", "val", "y", 11, "0 0.25 0.395833333333 0.25 0.291666666667\n");
  MergeOptions options;
  options.data = {coco(), add_description(scratch / "yolo", "[dog, bird]")};
  options.out = scratch / "out";
  const Conversion account = merge_sets(options);
  expect_balance(account);
  EXPECT_EQ(account.from, "coco, yolo");
  EXPECT_EQ(account.names, (std::vector<std::string>{"cat", "dog", "bird"}));
  EXPECT_EQ(account.pictures.out, 13u);  // image 11 is in both, with the same label
  EXPECT_TRUE(dropped(account, "the same image as"));
  EXPECT_EQ(test::read_text(scratch / "out/labels/train/x.txt"), "1 0.5 0.5 0.25 0.5\n");
}

TEST_F(AnyFormat, APartOfANamedFormat) {
  write_numbered(scratch / "voc/a.png", 1);
  write_numbered(scratch / "voc/b.png", 2);
  for (const char* name : {"a", "b"})
    test::write_text(scratch / fmt::format("voc/{}.xml", name),
                     fmt::format("<annotation><filename>{0}.png</filename><object><name>{0}</name>"
                                 "<bndbox><xmin>8</xmin><ymin>6</ymin><xmax>16</xmax><ymax>12"
                                 "</ymax></bndbox></object></annotation>",
                                 name));
  SubsetOptions options;
  options.data = "voc:" + (scratch / "voc").string();
  options.out = scratch / "out";
  options.with_classes = {"b"};
  const Conversion account = subset(options);
  expect_balance(account);
  EXPECT_EQ(account.from, "voc");
  EXPECT_EQ(account.pictures.out, 1u);
  EXPECT_EQ(test::read_text(scratch / "out/labels/train/b.txt"), "1 0.375 0.375 0.25 0.25\n");
}

TEST_F(AnyFormat, AFolderOfImagesAndTexts) {
  for (int n = 0; n < 4; ++n) {
    write_numbered(scratch / fmt::format("plain/{}.png", n), n);
    test::write_text(scratch / fmt::format("plain/{}.txt", n), "0 0.5 0.5 0.25 0.5\n");
  }
  test::write_text(scratch / "plain/classes.txt", "thing\n");
  SplitSetOptions options;
  options.data = scratch / "plain";
  options.out = scratch / "out";
  options.shares = {50, 50};
  const SplitSetReport report = split_set(options);
  expect_balance(report.account);
  EXPECT_EQ(report.names, (std::vector<std::string>{"thing"}));
  EXPECT_EQ(contents(options.out / "data.yaml").count("val"), 2u);
}

TEST_F(AnyFormat, NothingIsWrittenAmongWhatIsRead) {
  write_coco();
  SplitSetOptions options;
  options.data = coco();
  options.out = coco() / "out";
  EXPECT_TRUE(has(test::error_of([&] { split_set(options); }), "outside the data that is read"));
  // Images are looked for in all that lies below an entry.
  for (int n = 0; n < 4; ++n) add_image(scratch / "set", "deep/er", std::to_string(n), n, "");
  test::write_text(scratch / "set/data.yaml", "train: images\nval: images\nnames: [a]\n");
  options.data = scratch / "set/data.yaml";
  for (const char* place : {"set/images/new", "set/labels/new"}) {
    options.out = scratch / place;
    EXPECT_TRUE(has(test::error_of([&] { split_set(options); }), "outside the data that is read"))
        << place;
    EXPECT_FALSE(fs::exists(options.out));
  }
}

TEST_F(AnyFormat, ImagesThatStandInForValAreNoSecondImages) {
  for (int n = 0; n < 4; ++n)
    add_image(scratch / "set", "train", std::to_string(n), n, "0 0.5 0.5 0.25 0.5\n");
  test::write_text(scratch / "set/data.yaml",
                   "train: images/train\nval: images/train\nnames: [a]\n");
  const GatheredSet set = gather_set(scratch / "set/data.yaml");
  EXPECT_EQ(set.account.pictures.in, 4u);
  EXPECT_EQ(set.account.pictures.dropped, 0u);
  EXPECT_EQ(set.images.front().split, "train");
  EXPECT_EQ(gather_set(scratch / "set/data.yaml", {{"val"}, {}, 0, {}}).images.size(), 4u);
}

TEST_F(AnyFormat, BoxesOfDroppedImagesAreCounted) {
  const std::string rows = "0 0.5 0.5 0.25 0.5\n0 0.25 0.5 0.25 0.5\n";
  for (int n = 0; n < 4; ++n) add_image(scratch / "set", "train", std::to_string(n), n, rows);
  test::write_text(scratch / "set/images/train/broken.png", "no image");
  test::write_text(scratch / "set/labels/train/broken.txt", rows + "0 0.1 0.1 0.1 0.1\n");
  add_image(scratch / "set", "train", "bad", 9, rows + "0 0.5\n");
  test::write_text(scratch / "set/list.txt", "./images/train/0.png\n./images/train/gone.png\n");
  test::write_text(scratch / "set/data.yaml", "train: images/train\nval: list.txt\nnames: [a]\n");
  const GatheredSet set = gather_set(scratch / "set/data.yaml");
  EXPECT_EQ(set.account.pictures.in, 8u);       // 6 of train, 1 and an absent one of val
  EXPECT_EQ(set.account.pictures.dropped, 4u);  // broken, bad, gone, and 0.png a second time
  EXPECT_EQ(set.account.boxes.in, 16u);         // 8, broken 3, bad 3, 0.png again 2
  EXPECT_EQ(set.account.boxes.dropped, 8u);
  std::size_t gone = 0;
  for (const ConversionDrop& drop : set.account.drops)
    gone += drop.kind == "image" && has(drop.reason, "does not exist") ? 1 : 0;
  EXPECT_EQ(gone, 1u);
}

TEST_F(AnyFormat, APartNeedsACondition) {
  write_coco();
  SubsetOptions options;
  options.data = coco();
  options.out = scratch / "out";
  try {
    subset(options);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_TRUE(has(error.what(), "expected a condition that chooses a part")) << error.what();
    EXPECT_EQ(error.code(), ExitCode::usage);
  }
  EXPECT_FALSE(fs::exists(options.out));
}

}  // namespace
}  // namespace yolov7::dataset
