// yolov7 dataset convert and check, as a user calls them.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/cli/program.hpp"

namespace yolov7::test {
namespace {

namespace fs = std::filesystem;

/// A BMP of 16 × 16 pixels of one gray level.
std::string bitmap(char shade) {
  std::string bytes("BM\x36\x03\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\x10\0\0\0\x10\0\0\0\1\0\x18\0", 30);
  return bytes + std::string(24, '\0') + std::string(16 * 16 * 3, shade);
}

std::string annotation(const std::string& name, const std::string& filename) {
  return "<annotation><filename>" + filename + "</filename><object><name>" + name +
         "</name><bndbox><xmin>4</xmin><ymin>4</ymin><xmax>12</xmax><ymax>8</ymax></bndbox></"
         "object></annotation>";
}

class DatasetVerb : public testing::Test {
 protected:
  void SetUp() override {
    for (int i = 0; i < 10; ++i) {
      const std::string stem = "bild " + std::to_string(i);
      write_text(scratch / ("voc/JPEGImages/" + stem + ".bmp"), bitmap(static_cast<char>(i)));
      write_text(scratch / ("voc/Annotations/" + stem + ".xml"),
                 annotation(i % 2 == 0 ? "cat" : "a dog", stem + ".bmp"));
    }
  }
  Outcome convert(const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"dataset",  "convert",
                                          "--from",   "voc",
                                          "--source", (scratch / "voc").string(),
                                          "--to",     "yolo",
                                          "--out",    (scratch / "out").string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(arguments);
  }
  test::ScratchFolder scratch;
};

TEST_F(DatasetVerb, ConvertsAndChecks) {
  const Outcome converted = convert({"--split", "70,20,10", "--seed", "1", "--names", "cat,a dog"});
  ASSERT_EQ(converted.code, 0) << converted.err;
  EXPECT_TRUE(has(converted.out, "boxes: 10 in, 10 out, 0 dropped")) << converted.out;
  EXPECT_TRUE(has(converted.out, "train: 7 images, 7 boxes")) << converted.out;
  EXPECT_TRUE(has(converted.out, "classes (2): cat, a dog")) << converted.out;
  // Ten images of one gray level, split so that not each split has both classes.
  const Outcome checked =
      run({"dataset", "check", "--data", (scratch / "out/data.yaml").string(), "--strict", "--json",
           "--skip", "constant-image,dark-image,class-not-in-split"});
  ASSERT_EQ(checked.code, 0) << checked.err;
  const auto result = nlohmann::json::parse(checked.out);
  EXPECT_EQ(result["splits"]["val"]["pictures"], 2);
  EXPECT_EQ(result["splits"]["test"]["boxes"], 1);
  EXPECT_TRUE(result["shared"].empty());
}

TEST_F(DatasetVerb, SaysWhereTheSamePictureIsInTwoSplits) {
  ASSERT_EQ(convert({"--split", "50,50"}).code, 0);
  fs::path first;
  for (const auto& entry : fs::directory_iterator(scratch / "out/images/train"))
    first = entry.path();
  fs::copy_file(first, scratch / "out/images/val/copy.bmp");
  write_text(scratch / "out/labels/val/copy.txt", "");
  const Outcome checked = run({"dataset", "check", (scratch / "out/data.yaml").string()});
  EXPECT_EQ(checked.code, 0) << checked.err;
  EXPECT_TRUE(has(checked.err, "1 images are in train and in val")) << checked.err;
  EXPECT_TRUE(has(checked.err, first.filename().string())) << checked.err;
  EXPECT_TRUE(has(checked.err, "copy.bmp")) << checked.err;
}

TEST_F(DatasetVerb, StrictEndsWithOneIfARowIsDropped) {
  ASSERT_EQ(convert({}).code, 0);
  write_text(scratch / "out/labels/train/bild 0.txt", "0 .5 .5 .1 .1\n0 .5 .5 .1 .1\n");
  const std::string data = (scratch / "out/data.yaml").string();
  EXPECT_EQ(run({"dataset", "check", data}).code, 0);
  const Outcome strict = run({"dataset", "check", data, "--strict"});
  EXPECT_EQ(strict.code, 1);
  EXPECT_TRUE(has(strict.err, "bild 0.txt:2: duplicate labels")) << strict.err;
}

TEST_F(DatasetVerb, EveryClassOutOfRangeIsNamedAndCounted) {
  ASSERT_EQ(convert({}).code, 0);
  write_text(scratch / "out/labels/train/bild 0.txt",
             "8 .5 .5 .1 .1\n0 .5 .5 .2 .2\n9 .5 .5 .1 .1\n");
  write_text(scratch / "out/labels/train/bild 1.txt", "7 .5 .5 .1 .1\n");
  const Outcome checked = run({"dataset", "check", (scratch / "out/data.yaml").string(), "--json"});
  EXPECT_EQ(checked.code, 1);
  for (const char* row :
       {"bild 0.txt:1: class 8", "bild 0.txt:3: class 9", "bild 1.txt:1: class 7"})
    EXPECT_TRUE(has(checked.err, row)) << checked.err;
  const auto train = nlohmann::json::parse(checked.out)["splits"]["train"];
  EXPECT_EQ(train["unknown_classes"], 3);
  EXPECT_EQ(train["corrupt"], 0);
  EXPECT_EQ(train["problems"].size(), 3u);
}

TEST_F(DatasetVerb, LinesOfAListWithoutAnImageAreCounted) {
  ASSERT_EQ(convert({}).code, 0);
  write_text(scratch / "out/train.txt", "images/train/bild 0.bmp\nimages/train/gone.bmp\n");
  write_text(scratch / "out/list.yaml", "train: train.txt\nval: images/train\nnames: [a, b]\n");
  const Outcome checked = run({"dataset", "check", (scratch / "out/list.yaml").string(), "--json"});
  EXPECT_EQ(checked.code, 0) << checked.err;
  EXPECT_TRUE(has(checked.err, "train.txt:2: the image 'images/train/gone.bmp' does not exist"))
      << checked.err;
  const auto train = nlohmann::json::parse(checked.out)["splits"]["train"];
  EXPECT_EQ(train["absent"], 1);
  EXPECT_EQ(train["corrupt"], 0);
}

TEST_F(DatasetVerb, NamesThatNoClassHasEndWithOne) {
  const Outcome nothing = convert({"--names", "nosuch"});
  EXPECT_EQ(nothing.code, 1);
  EXPECT_TRUE(has(nothing.err, "--names: expected classes of the source")) << nothing.err;
  EXPECT_FALSE(fs::exists(scratch / "out"));
}

TEST_F(DatasetVerb, WrongCallsEndWithTwo) {
  EXPECT_EQ(run({"dataset"}).code, 2);
  EXPECT_TRUE(has(run({"dataset", "chek"}).err, "did you mean 'check'"));
  EXPECT_EQ(run({"dataset", "convert"}).code, 2);
  EXPECT_EQ(run({"dataset", "check"}).code, 2);
  EXPECT_EQ(convert({"--split", "70,20"}).code, 2);
  EXPECT_EQ(convert({"--from", "cocoa"}).code, 2);
  EXPECT_EQ(convert({"--to", "cocoa"}).code, 2);
  EXPECT_EQ(convert({"--names", "cat,,dog"}).code, 2);
  EXPECT_EQ(convert({"--voc-orientation", "upright"}).code, 2);
  EXPECT_FALSE(fs::exists(scratch / "out"));
  EXPECT_TRUE(has(run({"dataset", "convert", "--help"}).out, "--split"));
}

TEST_F(DatasetVerb, ChecksAnyFormatDirectly) {
  write_text(scratch / "voc/Annotations/lost.xml", annotation("cat", "lost.bmp"));
  const std::string voc = (scratch / "voc").string();
  const Outcome checked = run({"dataset", "check", voc, "--json"});
  ASSERT_EQ(checked.code, 0) << checked.err;
  const auto result = nlohmann::json::parse(checked.out);
  EXPECT_EQ(result["splits"]["train"]["boxes"], 10);
  EXPECT_EQ(result["splits"]["val"]["boxes"], 10);  // the same images, with a warning
  EXPECT_EQ(result["account"]["from"], "voc");
  EXPECT_EQ(result["account"]["annotations"]["dropped"], 1);
  EXPECT_TRUE(has(checked.err, "there is no val split")) << checked.err;
  EXPECT_TRUE(has(checked.err, "lost.xml")) << checked.err;
  EXPECT_EQ(run({"dataset", "check", "voc:" + voc, "--strict"}).code, 1);
  const Outcome wrong = run({"dataset", "check", "coco:" + voc});
  EXPECT_EQ(wrong.code, 1);
  EXPECT_TRUE(has(wrong.err, "expected annotations of COCO JSON, found none among")) << wrong.err;
}

}  // namespace
}  // namespace yolov7::test
