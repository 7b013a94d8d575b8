// Measures that are kept: the same as were measured, and never those of another state.
#include "dataset/doctor/measure_cache.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <tuple>

#include "dataset/doctor/read_subject.hpp"
#include "image/codec/codec.hpp"
#include "tests/dataset/data_fixture.hpp"

namespace yolov7::dataset::doctor {
namespace {

namespace fs = std::filesystem;

cv::Mat discs(int seed) {
  cv::Mat image(120, 160, CV_8UC3, cv::Scalar(110, 120, 130));
  cv::RNG random(static_cast<std::uint64_t>(seed) + 1);
  for (int i = 0; i < 40; ++i)
    cv::circle(image, {random.uniform(0, 160), random.uniform(0, 120)}, random.uniform(3, 20),
               cv::Scalar(random.uniform(0, 255), random.uniform(0, 255), random.uniform(0, 255)),
               cv::FILLED);
  return image;
}

std::vector<RawRow> rows_of(const std::string& text) { return read_rows(text, {}, 0); }

TEST(MeasureKey, FollowsImageAndBoxes) {
  const std::string key = measure_key("a", rows_of("0 .5 .5 .2 .2\n1 .2 .2 .1 .1\n"));
  EXPECT_EQ(key.size(), 32u);
  EXPECT_NE(key, measure_key("b", rows_of("0 .5 .5 .2 .2\n1 .2 .2 .1 .1\n")));
  EXPECT_NE(key, measure_key("a", rows_of("0 .5 .5 .2 .2\n1 .2 .2 .1 .1000001\n")));
  EXPECT_NE(key, measure_key("a", rows_of("0 .5 .5 .2 .2\n")));
  // How far boxes stand out does not depend on their classes.
  EXPECT_EQ(key, measure_key("a", rows_of("7 .5 .5 .2 .2\n\n1 .20 .2 .1 .1\n")));
}

struct Kept : testing::Test {
  test::TemporaryFolder folder;
  test::KeptMessages messages;
  fs::path file = folder / "train.yolov7-looks";
  std::vector<Measures> measured;
  void save() {
    std::vector<KeptMeasures> kept;
    for (int i = 0; i < 3; ++i) {
      const auto rows = rows_of("0 .5 .5 .2 .3\n");
      measured.push_back({look_at("", planes_of(discs(i)), rows), similarity::sketch_of(discs(i))});
    }
    for (std::size_t i = 0; i < 3; ++i)
      kept.push_back(
          {std::string(31, '0') + std::to_string(i), &measured[i].look, &measured[i].sketch});
    save_measures(file, kept);
  }
};

TEST_F(Kept, EveryFieldComesBack) {
  save();
  MeasureCache cache;
  cache.load(file);
  EXPECT_EQ(cache.keys().size(), 3u);
  Measures found;
  EXPECT_FALSE(cache.find(std::string(32, '7'), found.look, found.sketch));
  ASSERT_TRUE(cache.find(std::string(31, '0') + "1", found.look, found.sketch));
  const Look &a = measured[1].look, &b = found.look;
  EXPECT_TRUE(b.taken);
  EXPECT_EQ(std::tie(a.stored.format, a.stored.channels, a.stored.bits, a.stored.cmyk, a.gray),
            std::tie(b.stored.format, b.stored.channels, b.stored.bits, b.stored.cmyk, b.gray));
  EXPECT_EQ(std::tie(a.mean, a.spread, a.low, a.middle, a.high),
            std::tie(b.mean, b.spread, b.low, b.middle, b.high));
  EXPECT_EQ(std::tie(a.fine_octave, a.fine_octaves, a.contrast, a.boxes, a.votes),
            std::tie(b.fine_octave, b.fine_octaves, b.contrast, b.boxes, b.votes));
  const similarity::Sketch &s = measured[1].sketch, &t = found.sketch;
  EXPECT_EQ(std::tie(s.width, s.height, s.plain, s.darkest, s.step),
            std::tie(t.width, t.height, t.plain, t.darkest, t.step));
  EXPECT_EQ(std::tie(s.gray, s.colour, s.directions), std::tie(t.gray, t.colour, t.directions));
}

TEST_F(Kept, ADamagedFileIsUsedUpToTheDamageAndSaid) {
  save();
  std::string bytes = test::read_text(file);
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);  // the second of three
  test::write_text(file, bytes);
  MeasureCache changed;
  changed.load(file);
  EXPECT_EQ(changed.keys(), std::unordered_set<std::string>{std::string(32, '0')});
  EXPECT_NE(messages.text(log::Level::warning).find("was cut or changed"), std::string::npos);
  test::write_text(file, bytes.substr(0, 3));
  MeasureCache cut;
  cut.load(file);
  EXPECT_TRUE(cut.keys().empty());
  cut.load(folder / "absent");
  EXPECT_TRUE(cut.keys().empty());
}

TEST_F(Kept, AFileThatCannotBeWrittenIsAWarning) {
  fs::create_directories(file);
  save();
  EXPECT_NE(messages.text(log::Level::warning).find("going on without"), std::string::npos);
}

// A set of three images whose boxes are known, read in every state.
struct SubjectOnceRead : testing::Test {
  test::TemporaryFolder folder;
  test::KeptMessages messages;
  SubjectOnceRead() {
    for (int i = 0; i < 3; ++i) {
      const fs::path image = folder / "images/train" / (std::to_string(i) + ".png");
      fs::create_directories(image.parent_path());
      write_picture(image, discs(i));
      folder.write("labels/train/" + std::to_string(i) + ".txt", "0 0.5 0.5 0.25 0.25\n");
    }
    folder.write("data.yaml", "train: images/train\nval: images/train\nnames: [a]\n");
    test::age(folder.path());
  }
  Subject read(const std::string& data = "data.yaml", bool recheck = false) {
    SubjectOptions options;
    options.recheck = recheck;
    return read_subject((folder / data).string(), options);
  }
  static void expect_same(const Subject& a, const Subject& b) {
    ASSERT_EQ(a.splits.size(), b.splits.size());
    for (std::size_t s = 0; s < a.splits.size(); ++s)
      for (std::size_t i = 0; i < a.splits[s].pictures.size(); ++i) {
        const Picture &one = a.splits[s].pictures[i], &two = b.splits[s].pictures[i];
        EXPECT_TRUE(two.look.taken);
        EXPECT_EQ(one.look.mean, two.look.mean);
        EXPECT_EQ(one.look.contrast, two.look.contrast);
        EXPECT_EQ(one.sketch.gray, two.sketch.gray);
      }
  }
};

TEST_F(SubjectOnceRead, ASecondReadingDecodesNothingAndIsTheSame) {
  const Subject first = read(), second = read();
  EXPECT_EQ(first.splits[0].index.pictures_read, 3u);
  EXPECT_EQ(second.splits[0].index.pictures_read, 0u);
  EXPECT_TRUE(fs::exists(folder / "labels/train.yolov7-looks"));
  expect_same(first, second);
  EXPECT_EQ(read("data.yaml", true).splits[0].index.pictures_read, 3u);
}

TEST_F(SubjectOnceRead, AChangedImageAndAChangedBoxAreMeasuredAgain) {
  const Subject before = read();
  write_picture(folder / "images/train/1.png", discs(7));
  folder.write("labels/train/2.txt", "0 0.25 0.25 0.5 0.5\n");
  fs::last_write_time(folder / "images/train/1.png",
                      fs::file_time_type::clock::now() - std::chrono::minutes(5));
  const Subject after = read();
  EXPECT_EQ(after.splits[0].index.pictures_read, 2u);
  const auto &was = before.splits[0].pictures, &is = after.splits[0].pictures;
  EXPECT_EQ(was[0].look.contrast, is[0].look.contrast);
  EXPECT_EQ(is[1].look.mean, look_at("", planes_of(discs(7)), is[1].rows).mean);
  EXPECT_NE(was[2].look.contrast[0], is[2].look.contrast[0]);
  EXPECT_EQ(is[2].look.contrast, look_at("", planes_of(discs(2)), is[2].rows).contrast);
}

TEST_F(SubjectOnceRead, AnotherFormatIsDecodedOnceToo) {
  // The same images and boxes as COCO JSON: 0.25 of 160 × 120 px is 40 × 30 px.
  std::string images, boxes;
  for (int i = 0; i < 3; ++i) {
    const std::string n = std::to_string(i), comma = i > 0 ? "," : "";
    images +=
        comma + R"({"id":)" + n + R"(,"file_name":")" + n + R"(.png","width":160,"height":120})";
    boxes += comma + R"({"id":)" + n + R"(,"image_id":)" + n +
             R"(,"category_id":1,"bbox":[60,45,40,30],"area":1200,"iscrowd":0})";
  }
  folder.write("coco/annotations/instances_train.json",
               R"({"images":[)" + images + R"(],"annotations":[)" + boxes +
                   R"(],"categories":[{"id":1,"name":"a"}]})");
  fs::create_directories(folder / "coco/train");
  for (int i = 0; i < 3; ++i)
    fs::copy(folder / "images/train" / (std::to_string(i) + ".png"),
             folder / "coco/train" / (std::to_string(i) + ".png"));
  test::age(folder.path());
  const Subject plain = read(), first = read("coco"), second = read("coco");
  ASSERT_EQ(first.splits.size(), 2u);  // val is train
  for (const Split& split : first.splits) EXPECT_EQ(split.index.pictures_read, 3u);
  for (const Split& split : second.splits) EXPECT_EQ(split.index.pictures_read, 0u);
  EXPECT_TRUE(fs::exists(folder / "coco/annotations.yolov7-looks"));
  expect_same(plain, first);
  expect_same(plain, second);
}

}  // namespace
}  // namespace yolov7::dataset::doctor
