// One image for each kind of mistake, with predictions that see what is there.
#include "dataset/doctor/label_errors.hpp"

#include <gtest/gtest.h>

#include "tests/scratch_folder.hpp"

namespace yolov7::dataset::doctor {
namespace {

RawRow row_of(int line, int class_index, const Xyxy& box) {
  const CxcywhNormalized b = to_normalized(box, 100, 100);
  RawRow row;
  row.line = line;
  row.class_number = class_index;
  row.values = {b.cx, b.cy, b.w, b.h};
  return row;
}

Picture picture_of(const std::string& name, std::vector<RawRow> rows) {
  Picture picture;
  picture.file = name + ".jpg";
  picture.label = name + ".txt";
  picture.facts.width = picture.facts.height = 100;
  picture.rows = std::move(rows);
  return picture;
}

const Xyxy left{10, 10, 40, 40}, right{60, 60, 90, 90};

class LabelErrors : public testing::Test {
 protected:
  void SetUp() override {
    Split& val = subject.splits.emplace_back();
    val.name = "val";
    subject.description.names = {"a", "b"};
    subject.description.class_count = 2;
    val.pictures = {
        picture_of("1", {row_of(1, 0, left), row_of(2, 1, right)}),
        picture_of("2", {row_of(1, 0, left)}),                       // right is missing
        picture_of("3", {row_of(1, 1, left), row_of(2, 1, right)}),  // left has the wrong class
        picture_of("4", {row_of(1, 0, {22, 10, 52, 40}), row_of(2, 1, right)}),  // moved by 12 px
        picture_of("5", {row_of(1, 0, left), row_of(2, 0, {12, 10, 42, 40}),
                         row_of(3, 1, right)})};  // left twice
    for (const Picture& picture : val.pictures)
      predictions[picture.file.string()] = {{left, 0.9F, 0}, {right, 0.9F, 1}};
  }
  /// The best mistake of an image.
  const Mistake* best(const std::vector<Mistake>& all, const std::string& image) {
    for (const Mistake& one : all)
      if (one.image == image) return &one;
    return nullptr;
  }
  Subject subject;
  Predictions predictions;
};

TEST_F(LabelErrors, EachKindIsTheBestOfItsImage) {
  const auto all = find_mistakes(subject, predictions, Ranking::joint, 0.2);
  EXPECT_EQ(best(all, "1.jpg"), nullptr);
  ASSERT_NE(best(all, "2.jpg"), nullptr);
  EXPECT_EQ(best(all, "2.jpg")->kind, Mistake::Kind::missing);
  EXPECT_EQ(best(all, "2.jpg")->box, right);
  EXPECT_FLOAT_EQ(static_cast<float>(best(all, "2.jpg")->score), 0.9F);
  ASSERT_NE(best(all, "3.jpg"), nullptr);
  EXPECT_EQ(best(all, "3.jpg")->kind, Mistake::Kind::wrong_class);
  EXPECT_EQ(best(all, "3.jpg")->suggested, 0);
  ASSERT_NE(best(all, "5.jpg"), nullptr);
  EXPECT_EQ(best(all, "5.jpg")->kind, Mistake::Kind::doubled);
  EXPECT_EQ(best(all, "5.jpg")->line, 2);
  // IoU of the moved box: 18 · 30 of 42 · 30, so 3/7, and the score 0.9 · 4/7.
  bool found = false;
  for (const Mistake& one : all)
    if (one.image == "4.jpg" && one.kind == Mistake::Kind::bad_place) {
      found = true;
      EXPECT_NEAR(one.score, 0.9 * 4 / 7, 1e-6);
    }
  EXPECT_TRUE(found);
}

TEST_F(LabelErrors, ThePlainRule) {
  const auto all = find_mistakes(subject, predictions, Ranking::plain, 0);
  for (const Mistake& one : all)
    if (one.image == "4.jpg" && one.line == 1) {
      EXPECT_NEAR(one.score, 1 - 0.9 * 3 / 7, 1e-6);
    }
}

TEST_F(LabelErrors, ResultsAreReadByTheNamesOfImages) {
  test::ScratchFolder folder;
  const auto read = [&](const char* text) {
    return read_predictions(folder.write("r.json", text), subject);
  };
  const auto good = read(R"([{"image_id":1,"category_id":1,"bbox":[1,2,3,4],"score":0.5},
               {"image_id":"002","category_id":0,"bbox":[1,2,3,4],"score":0.5}])");
  EXPECT_EQ(good.at("1.jpg").front().box, (Xyxy{1, 2, 4, 6}));
  EXPECT_EQ(good.at("2.jpg").size(), 1U);
  const auto error = [&](const char* text) { return test::error_of([&] { read(text); }); };
  EXPECT_NE(error("{}").find("expected a list"), std::string::npos);
  EXPECT_NE(error(R"([{"image_id":9,"category_id":1,"bbox":[1,2,3,4],"score":0.5}])")
                .find("has no image '9'"),
            std::string::npos);
  EXPECT_NE(error(R"([{"image_id":1,"category_id":2,"bbox":[1,2,3,4],"score":0.5}])")
                .find("category_id in 0..1, found 2"),
            std::string::npos);
  EXPECT_NE(
      error(R"([{"image_id":1,"category_id":1,"bbox":[1,2,3],"score":0.5}])").find("four numbers"),
      std::string::npos);
  EXPECT_NE(error(R"([{"image_id":1,"category_id":0.5,"bbox":[1,2,3,4],"score":0.5}])")
                .find("category_id in 0..1, found 0.5"),
            std::string::npos);
  EXPECT_NE(error(R"([{"image_id":1,"category_id":1,"bbox":[1,2,3,4],"score":50}])")
                .find("score in 0..1, found 50"),
            std::string::npos);
  EXPECT_NE(error(R"([{"image_id":1,"category_id":1,"bbox":[1,2,-3,4],"score":0.5}])")
                .find("width and height of 0 or more"),
            std::string::npos);
}

TEST_F(LabelErrors, CategoriesMayHaveIdsOfTheirOwn) {
  test::ScratchFolder folder;
  const auto file =
      folder.write("r.json", R"([{"image_id":1,"category_id":3,"bbox":[1,2,3,4],"score":0.5}])");
  EXPECT_EQ(read_predictions(file, subject, {1, 3}).at("1.jpg").front().class_index, 1);
  EXPECT_NE(test::error_of([&] {
              read_predictions(file, subject, {1, 2});
            }).find("COCO's category_ids, found 3"),
            std::string::npos);
  // detect writes class numbers, and names beside them.
  const auto named = folder.write(
      "n.json",
      R"([{"image_id":1,"category_id":0,"category_name":"b","bbox":[1,2,3,4],"score":0.5}])");
  EXPECT_EQ(read_predictions(named, subject, {1, 3}).at("1.jpg").front().class_index, 1);
  EXPECT_NE(test::error_of([&] {
              subject.description.names = {"a", "c"};
              read_predictions(named, subject);
            }).find("the data set has no class 'b'"),
            std::string::npos);
}

TEST_F(LabelErrors, WhereAllClassesCountAsOneNoneIsWrong) {
  subject.single_cls = true;
  for (auto& [image, detections] : predictions)
    for (Detection& one : detections) one.class_index = 0;
  for (const Mistake& one : find_mistakes(subject, predictions, Ranking::joint, 0.2))
    EXPECT_NE(one.kind, Mistake::Kind::wrong_class) << one.image;
}

// A leak: what is told of the file holds in both splits.
TEST_F(LabelErrors, OneFileMayBeInTwoSplits) {
  Split& further = subject.splits.emplace_back();
  further.name = "test";
  further.pictures = {picture_of("2", {row_of(1, 0, left)})};
  test::ScratchFolder folder;
  const auto file = folder.write(
      "r.json", R"([{"image_id":2,"category_id":1,"bbox":[60,60,30,30],"score":0.9}])");
  const auto all = find_mistakes(subject, read_predictions(file, subject));
  std::size_t missing = 0;
  for (const Mistake& one : all) missing += one.kind == Mistake::Kind::missing ? 1 : 0;
  EXPECT_EQ(missing, 2U);
}

}  // namespace
}  // namespace yolov7::dataset::doctor
