#include "dataset/index/index.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <fstream>

#include "core/file.hpp"
#include "dataset/index/read_index.hpp"
#include "image/codec/codec.hpp"
#include "image/codec/truncated.hpp"
#include "tests/dataset/data_fixture.hpp"

namespace yolov7::dataset {
namespace {

namespace fs = std::filesystem;
using test::error_of;
using test::messages_of;
using test::write_gray;
using test::write_text;

class Indexes : public testing::Test {
 protected:
  Index read(const IndexOptions& options = {}, const std::string& split = "train") {
    return read_index(read_description(folder / "data.yaml"), split, options);
  }
  fs::path picture(const std::string& name) const { return folder / "images/train" / name; }
  fs::path label(const std::string& name) const { return folder / "labels/train" / name; }
  IndexOptions training() const {
    IndexOptions options;
    options.training = true;
    return options;
  }
  bool named(const Index& index, const fs::path& file, const std::string& reason) const {
    for (const Problem& problem : index.problems)
      if (problem.file == file && problem.reason.find(reason) != std::string::npos) return true;
    return false;
  }
  test::TemporaryFolder folder;
};

TEST_F(Indexes, CountsPicturesSizesAndClasses) {
  test::write_small_set(folder.path(), 5);
  const Index index = read();
  ASSERT_EQ(index.entries.size(), 5u);
  EXPECT_EQ(index.entries[3].picture, picture("3.png"));
  EXPECT_EQ(index.entries[3].width, 64);
  EXPECT_EQ(index.entries[3].height, 48);
  EXPECT_EQ(index.entries[3].labels[0].class_index, 1);
  EXPECT_EQ(index.entries[3].content_hash, file::content_hash(test::read_text(picture("3.png"))));
  EXPECT_EQ(index.label_count(), 5u);
  EXPECT_EQ(index.class_histogram(), (std::vector<std::size_t>{3, 2}));
  EXPECT_EQ(index.found, 5u);
  EXPECT_EQ(
      index.missing + index.empty + index.corrupt + index.orphan_labels + index.problems.size(),
      0u);
}

TEST_F(Indexes, NothingIsLostSilently) {
  test::write_small_set(folder.path(), 6);
  fs::remove(label("0.txt"));
  write_text(label("1.txt"), "");
  write_text(label("2.txt"), "0 .5 .5 .1\n");
  write_text(label("3.txt"), "0 .5 .5 .1 .1\n0 .5 .5 .1 .1\n");
  write_text(picture("4.png"), "");
  write_text(label("orphan.txt"), "0 .5 .5 .1 .1\n");
  write_text(label("classes.txt"), "a\nb\n");
  write_gray(picture("tiny.png"), 9, 100, 1);
  write_text(picture("._5.png"), "resource fork");
  const Index index = read();
  ASSERT_EQ(index.entries.size(), 4u);
  EXPECT_EQ(index.found, 4u);    // 1, 2, 3, 5
  EXPECT_EQ(index.missing, 1u);  // 0; the labels of corrupt pictures are not looked for
  EXPECT_EQ(index.empty, 1u);    // 1
  EXPECT_EQ(index.corrupt, 3u);  // 2 by its label, 4, tiny
  EXPECT_EQ(index.orphan_labels, 1u);
  EXPECT_EQ(index.problems.size(), 5u);
  EXPECT_TRUE(named(index, label("2.txt"), "expected 5 columns per label"));
  EXPECT_TRUE(named(index, label("3.txt"), "duplicate labels"));
  EXPECT_TRUE(named(index, picture("4.png"), "ignoring corrupted image"));
  EXPECT_TRUE(named(index, picture("tiny.png"), "at least 10 px, found 9 × 100"));
  EXPECT_TRUE(named(index, label("orphan.txt"), "without an image"));
  EXPECT_FALSE(index.entries[0].has_label_file);
  EXPECT_TRUE(index.entries[1].has_label_file);
}

TEST_F(Indexes, WhatIsNotReadIsCountedAndNamed) {
  test::write_small_set(folder.path(), 2);
  // The program gives a decoder for these; here there is none.
  for (const char* name : {"phone", "photo", "drawing", "film"})
    write_text(label(std::string(name) + ".txt"), "0 .5 .5 .1 .1\n");
  write_text(picture("phone.heic"), std::string("\0\0\0\x18"
                                                "ftypheic\0\0\0\0mif1heic",
                                                24));
  write_text(picture("photo.CR2"), std::string("II*\0\x10\0\0\0CR", 10));
  write_text(picture("drawing.svg"), "<svg/>");
  write_text(picture("film.mp4"), "a video");
  // Content goes before extension, here as everywhere.
  fs::copy(picture("0.png"), picture("shared.heic"));
  // No image of its name, whatever else has it.
  write_text(label("table.txt"), "0 .5 .5 .1 .1\n");
  write_text(picture("table.csv"), "a table");
  const Index index = read();
  EXPECT_EQ(index.entries.size(), 3u);
  EXPECT_EQ(index.unread, 4u);
  EXPECT_EQ(index.corrupt, 0u);
  EXPECT_TRUE(named(index, picture("phone.heic"), "not looked at: "));
  EXPECT_TRUE(named(index, picture("phone.heic"), "it is an HEIF, AVIF or video file"));
  EXPECT_TRUE(named(index, picture("photo.CR2"), "it is a raw photograph of a camera"));
  EXPECT_TRUE(named(index, picture("drawing.svg"), "it is a drawing of lines"));
  EXPECT_TRUE(named(index, picture("film.mp4"), "it is a video"));
  // A video is no image, so its label file has none.
  EXPECT_EQ(index.orphan_labels, 2u);
  EXPECT_TRUE(named(index, label("table.txt"), "label file without an image"));
  EXPECT_TRUE(named(index, label("film.txt"), "label file without an image"));
}

TEST_F(Indexes, APipeIsAnErrorOfThatImage) {
  test::write_small_set(folder.path(), 2);
  ASSERT_EQ(mkfifo(picture("pipe.png").c_str(), 0600), 0);
  const Index index = read();
  EXPECT_EQ(index.entries.size(), 2u);
  EXPECT_TRUE(named(index, picture("pipe.png"), "expected a file, found a named pipe"));
}

TEST_F(Indexes, StrictLosesThePictureOfARepeatedRow) {
  test::write_small_set(folder.path(), 2);
  write_text(label("1.txt"), "0 .5 .5 .1 .1\n0 .5 .5 .1 .1\n");
  EXPECT_EQ(read().entries.size(), 2u);
  IndexOptions strict;
  strict.strict = true;
  const Index index = read(strict);
  EXPECT_EQ(index.entries.size(), 1u);
  EXPECT_EQ(index.corrupt, 1u);
}

TEST_F(Indexes, BadPicturesAreNamedAndLeftOut) {
  test::write_small_set(folder.path(), 1);
  cv::Mat noise(64, 64, CV_8UC3);
  for (int i = 0; i < 64 * 64 * 3; ++i)
    noise.data[i] = static_cast<unsigned char>(i * 2654435761u >> 13);
  const std::string jpeg = encode_jpeg(noise), png = encode_png(noise);
  write_text(picture("cut.jpg"), jpeg.substr(0, jpeg.size() / 2));
  write_text(picture("cut.png"), png.substr(0, png.size() / 2));
  write_text(picture("text.jpg"), "this is no image");
  std::string bmp("BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\xA0\x86\x01\0\xA0\x86\x01\0\x01\0\x18\0",
                  30);  // 100,000 × 100,000
  write_text(picture("huge.bmp"), bmp + std::string(24, '\0'));
  write_text(picture("jpeg inside.png"), jpeg);  // goes by content
  fs::create_symlink(folder / "nowhere", picture("dangling.png"));
  const Index index = read();
  EXPECT_EQ(index.corrupt, 5u);
  for (const char* name : {"cut.jpg", "cut.png", "text.jpg", "huge.bmp", "dangling.png"})
    EXPECT_TRUE(named(index, picture(name), "")) << name;
  ASSERT_EQ(index.entries.size(), 2u);
  EXPECT_EQ(index.entries[1].picture, picture("jpeg inside.png"));
}

TEST_F(Indexes, AJpegWithoutItsEndMarkerIsUsedCountedAndNamedAtEveryStart) {
  test::write_small_set(folder.path(), 1);
  const std::string jpeg = encode_jpeg(cv::Mat(48, 64, CV_8UC3, cv::Scalar(10, 90, 200)));
  write_text(picture("camera.jpg"), jpeg.substr(0, jpeg.size() - 2));
  test::age(folder.path());
  for (const std::size_t decoded : {2u, 0u}) {
    Index index;
    const std::string said = messages_of([&] { index = read(); });
    EXPECT_EQ(index.pictures_read, decoded);
    EXPECT_EQ(index.entries.size(), 2u);
    EXPECT_EQ(index.corrupt, 0u);
    EXPECT_EQ(index.truncated, 1u);
    ASSERT_EQ(index.notes.size(), 1u);
    EXPECT_EQ(index.notes[0].reason, "the end of the file is missing: all 48 rows are decoded");
    EXPECT_NE(said.find("camera.jpg: the end of the file is missing"), std::string::npos) << said;
    EXPECT_NE(said.find("1 images lack the end of their file"), std::string::npos) << said;
  }
}

TEST_F(Indexes, AClassOutOfRangeStopsWithFileAndLine) {
  test::write_small_set(folder.path(), 4);
  write_text(label("2.txt"), "0 .5 .5 .1 .1\n2 .5 .5 .1 .1\n");
  EXPECT_EQ(error_of([&] { read(); }),
            label("2.txt").string() + ":2: class 2 is out of range 0..1");
  write_text(label("1.txt"), "7 .5 .5 .1 .1\n");
  EXPECT_EQ(
      error_of([&] { read(); }),
      label("1.txt").string() + ":1: class 7 is out of range 0..1 (and in 1 more label files)");
  IndexOptions single;
  single.single_cls = true;
  const Index index = read(single);
  EXPECT_EQ(index.names, std::vector<std::string>{"item"});
  EXPECT_EQ(index.class_histogram(), std::vector<std::size_t>{5});
}

TEST_F(Indexes, ClassesOutOfRangeAreCountedAndNamedWhereAskedFor) {
  test::write_small_set(folder.path(), 4);
  write_text(label("1.txt"), "7 .5 .5 .1 .1\n");
  write_text(label("2.txt"), "0 .5 .5 .1 .1\n2 .5 .5 .1 .1\n9 .4 .4 .1 .1\n");
  IndexOptions options;
  Examination examination;
  options.examination = &examination;
  const Index index = read(options);
  EXPECT_EQ(index.entries.size(), 2u);
  EXPECT_EQ(index.unknown_classes, 3u);
  EXPECT_EQ(index.unknown_class_files, 2u);
  EXPECT_EQ(index.corrupt, 0u);
  EXPECT_EQ(index.problems.size(), 3u);
  EXPECT_TRUE(named(index, label("2.txt"), "class 9 is out of range 0..1"));
}

// All three label files of the set together tell what rows of 11 columns are.
TEST_F(Indexes, KeyPointsWithoutKptShapeAreKnownByTheirShape) {
  test::write_small_set(folder.path(), 3);
  for (const char* name : {"0.txt", "1.txt", "2.txt"})
    write_text(label(name), "0 .5 .5 .4 .2 .4 .45 1 .6 .55 0\n");
  Index index = read();
  ASSERT_EQ(index.entries.size(), 3u);
  EXPECT_EQ(index.entries[0].labels[0].box, (CxcywhNormalized{.5, .5, .4, .2}));
  EXPECT_TRUE(index.entries[0].labels[0].polygon.empty());
  ASSERT_EQ(index.notes.size(), 1u);
  EXPECT_EQ(index.notes[0].reason,
            "all 3 rows of 11 columns have 0, 1 or 2 as each third number behind a box, like key "
            "points: the key points of 3 labels are not used, their boxes are");
  // One row alone could be a polygon.
  for (const char* name : {"1.txt", "2.txt"}) write_text(label(name), "");
  EXPECT_EQ(error_of([&] { read(); }),
            label("0.txt").string() +
                ":1: found 11 columns, as in 1 rows: polygons, or boxes with key points; expected "
                "kpt_shape: [2, 3] in data.yaml for key points, or kpt_shape: [0, 0] in data.yaml "
                "for polygons");
  const std::string yaml = test::read_text(folder / "data.yaml");
  write_text(folder / "data.yaml", yaml + "kpt_shape: [0, 0]\n");
  EXPECT_EQ(read().entries[0].labels[0].polygon.size(), 5u);
  write_text(folder / "data.yaml", yaml + "kpt_shape: [2, 3]\n");
  EXPECT_EQ(read().entries[0].labels[0].box.w, .4);
}

TEST_F(Indexes, LinesOfListsWithoutAnImageHaveACountOfTheirOwn) {
  test::write_small_set(folder.path(), 2);
  write_text(folder / "train.txt", "./images/train/0.png\n./images/train/gone.png\n");
  write_text(folder / "data.yaml", "train: train.txt\nval: images/train\nnames: [a, b]\n");
  const Index index = read();
  EXPECT_EQ(index.entries.size(), 1u);
  EXPECT_EQ(index.absent, 1u);
  EXPECT_EQ(index.corrupt, 0u);
  ASSERT_EQ(index.problems.size(), 1u);
  EXPECT_EQ(text_of(index.problems[0]), (folder / "train.txt").string() +
                                            ":2: the image './images/train/gone.png' does not "
                                            "exist");
}

// The cache holds how many rows were decoded, so another rule judges them anew.
TEST_F(Indexes, TheCacheFollowsTheRuleForImagesWithoutTheirEnd) {
  test::write_small_set(folder.path(), 1);
  const std::string jpeg = encode_jpeg(cv::Mat(48, 64, CV_8UC3, cv::Scalar(10, 90, 200)));
  write_text(picture("camera.jpg"), jpeg.substr(0, jpeg.size() - 2));
  test::age(folder.path());
  EXPECT_EQ(read().entries.size(), 2u);
  EXPECT_EQ(read().pictures_read, 0u);
  set_truncated_rule({TruncatedRule::Kind::drop, 0.98});
  const Index dropped = read();
  set_truncated_rule({});
  EXPECT_EQ(dropped.entries.size(), 1u);
  EXPECT_EQ(dropped.corrupt, 1u);
  EXPECT_TRUE(named(dropped, picture("camera.jpg"), "truncated drop uses no such file"));
  const Index kept = read();
  EXPECT_EQ(kept.entries.size(), 2u);
  EXPECT_EQ(kept.truncated, 1u);
}

TEST_F(Indexes, MissingLabelsAreLoudFromOneFifthOn) {
  test::write_small_set(folder.path(), 10);
  for (int i = 0; i < 2; ++i) fs::remove(label(fmt::format("{}.txt", i)));
  EXPECT_EQ(messages_of([&] { read(); }).find("have no label file"), std::string::npos);
  fs::remove(label("2.txt"));
  const std::string said = messages_of([&] { read(); });
  EXPECT_NE(said.find("3 of 10 images (30 %) have no label file"), std::string::npos) << said;
  EXPECT_NE(said.find(label("0.txt").string()), std::string::npos) << said;
}

TEST_F(Indexes, TrainingWithoutLabelsIsAnErrorWithThePathLookedUp) {
  test::write_small_set(folder.path(), 3);
  for (int i = 0; i < 3; ++i) write_text(label(fmt::format("{}.txt", i)), "\n");
  EXPECT_NE(messages_of([&] {
              read({}, "val");
            }).find("the val split has no object in any of its 3 images"),
            std::string::npos);
  EXPECT_NE(error_of([&] { read(training()); }).find("hold no object, cannot train without"),
            std::string::npos);
  fs::remove_all(folder / "labels");
  EXPECT_NE(messages_of([&] { read({}, "val"); }).find("no labels found: none of the 3 images"),
            std::string::npos);
  const std::string message = error_of([&] { read(training()); });
  EXPECT_NE(message.find("no labels found for split 'train'"), std::string::npos) << message;
  EXPECT_NE(message.find(label("0.txt").string()), std::string::npos) << message;
  EXPECT_NE(
      error_of([&] { read({}, "test"); }).find("expected a key 'test' with images, found none"),
      std::string::npos);
}

TEST_F(Indexes, ClassesWithoutBoxAndLongListsOfProblems) {
  test::write_small_set(folder.path(), 13);
  for (int i = 0; i < 13; ++i)
    write_text(label(fmt::format("{}.txt", i)), "0 .5 .5 .1 .1\n0 .5 .5 0 .1\n");
  std::size_t problems = 0;
  const std::string said = messages_of([&] { problems = read().problems.size(); });
  EXPECT_EQ(problems, 13u);
  EXPECT_NE(said.find("1 of 2 classes have no box: b"), std::string::npos) << said;
  EXPECT_NE(said.find("and 3 more problems like these"), std::string::npos) << said;
  EXPECT_NE(said.find("12.txt:2: "), said.find("9.txt:2: "));
}

TEST_F(Indexes, AllPicturesCorruptIsAnError) {
  test::write_small_set(folder.path(), 1);
  write_text(picture("0.png"), "x");
  EXPECT_NE(error_of([&] { read(); }).find("no usable image in split 'train': all 1 are corrupt"),
            std::string::npos);
}

TEST_F(Indexes, AListOfSomePicturesMakesNoOrphansOfTheRest) {
  test::write_small_set(folder.path(), 4);
  write_text(folder / "some.txt", "./images/train/1.png\r\n./images/train/2.png\r\n");
  write_text(folder / "data.yaml", "val: some.txt\nnames: [a, b]\n");
  const Index index = read({}, "val");
  EXPECT_EQ(index.entries.size(), 2u);
  EXPECT_EQ(index.orphan_labels, 0u);
}

TEST_F(Indexes, TheLayoutWithSplitsOutside) {
  write_gray(folder / "train/images/a b.png", 64, 48, 1);
  write_text(folder / "train/labels/a b.txt", "0 .5 .5 .1 .1\n");
  write_text(folder / "data.yaml", "train: ../train/images\nval: ../train/images\nnames: [a]\n");
  EXPECT_EQ(read().label_count(), 1u);
}

TEST_F(Indexes, IdentityIsThatOfTheContent) {
  test::write_small_set(folder / "one", 3);
  test::write_small_set(folder / "two", 3);
  const auto identity = [&](const std::string& set) {
    return read_index(read_description(folder / set / "data.yaml"), "train", {}).identity;
  };
  const std::string first = identity("one");
  EXPECT_EQ(first, identity("two"));  // another place
  write_text(folder / "two/labels/train/1.txt", "1 0.5 0.5 0.25 0.25\n");
  const std::string label = identity("two");
  EXPECT_NE(first, label);
  write_gray(folder / "two/images/train/1.png", 64, 48, 99);
  const std::string pixels = identity("two");
  EXPECT_NE(label, pixels);
  write_text(folder / "two/data.yaml", "train: images/train\nval: images/train\nnames: [b, a]\n");
  EXPECT_NE(pixels, identity("two"));
}

TEST_F(Indexes, TheSameForAnyNumberOfThreads) {
  test::write_small_set(folder.path(), 9);
  write_text(label("4.txt"), "0 .5 .5 .1\n");
  std::vector<std::string> identities;
  for (const int threads : {1, 2, 7}) {
    IndexOptions options;
    options.threads = threads;
    options.recheck = true;
    const Index index = read(options);
    identities.push_back(index.identity + text_of(index.problems.at(0)));
  }
  EXPECT_EQ(identities[0], identities[1]);
  EXPECT_EQ(identities[0], identities[2]);
}

TEST_F(Indexes, SharedPicturesAreFoundByContent) {
  test::write_small_set(folder / "a", 3);
  test::write_small_set(folder / "b", 1);  // the same as a's first
  write_gray(folder / "b/images/train/other.png", 64, 48, 200);
  const Index a = read_index(read_description(folder / "a/data.yaml"), "train", {});
  const Index b = read_index(read_description(folder / "b/data.yaml"), "train", {});
  const auto shared = shared_pictures(a, b);
  ASSERT_EQ(shared.size(), 1u);
  EXPECT_EQ(shared[0].first, folder / "a/images/train/0.png");
  EXPECT_EQ(shared[0].second, folder / "b/images/train/0.png");
}

}  // namespace
}  // namespace yolov7::dataset
