#include "dataset/index/label.hpp"

#include <gtest/gtest.h>

#include "tests/dataset/data_fixture.hpp"

namespace yolov7::dataset {
namespace {

using test::error_of;

struct BadRow {
  const char *text, *message;
};
/// For the test's name; the default shows the bytes of the pointers, which change with every start.
void PrintTo(const BadRow& row, std::ostream* out) { *out << row.message; }

class BadRows : public testing::TestWithParam<BadRow> {};

TEST_P(BadRows, AreNamedWithFileLineAndReason) {
  const auto [text, message] = GetParam();
  EXPECT_EQ(error_of([&, t = text] { parse_labels(t, "labels/000123.txt", 5); }), message);
}

INSTANTIATE_TEST_SUITE_P(
    Table, BadRows,
    testing::Values(
        BadRow{"0 .5 .5 .1 .1\n12 .5 .5 .1 .1\n",
               "labels/000123.txt:2: class 12 is out of range 0..4"},
        BadRow{"5 .5 .5 .1 .1", "labels/000123.txt:1: class 5 is out of range 0..4"},
        BadRow{"99999999999 .5 .5 .1 .1",
               "labels/000123.txt:1: class 99999999999 is out of range 0..4"},
        BadRow{"-1 .5 .5 .1 .1", "labels/000123.txt:1: negative label values: '-1' in column 1"},
        BadRow{"1.5 .5 .5 .1 .1",
               "labels/000123.txt:1: expected a whole class number, found '1.5'"},
        BadRow{"cat .5 .5 .1 .1",
               "labels/000123.txt:1: expected a number in column 1, found 'cat'"},
        BadRow{"0 .5 .5 .1",
               "labels/000123.txt:1: expected 5 columns per label (or an odd number from 7 for a "
               "polygon), found 4"},
        BadRow{"0 .5 .5 .1 .1 .9",
               "labels/000123.txt:1: expected 5 columns per label, found 6: the last looks like a "
               "prediction's confidence"},
        BadRow{"0 .5 .5 .1 .1 17",
               "labels/000123.txt:1: expected 5 columns per label, found 6: the last looks like a "
               "prediction's track number"},
        BadRow{"0 .1 .1 .2 .1 .2 .2 .3",
               "labels/000123.txt:1: expected 5 columns per label (or an odd number from 7 for a "
               "polygon), found 8"},
        BadRow{"0 -.5 .5 .1 .1", "labels/000123.txt:1: negative label values: '-.5' in column 2"},
        BadRow{
            "0 .5 1.2 .1 .1",
            "labels/000123.txt:1: coordinates not normalised or out of range: '1.2' in column 3"},
        BadRow{
            "0 320 240 64 48",
            "labels/000123.txt:1: coordinates not normalised or out of range: '320' in column 2"},
        BadRow{"0 nan .5 .1 .1",
               "labels/000123.txt:1: expected a finite number in column 2, found 'nan'"},
        BadRow{"0 .5 .5 inf .1",
               "labels/000123.txt:1: expected a finite number in column 4, found 'inf'"},
        BadRow{"0 0,5 0,5 0,1 0,1",
               "labels/000123.txt:1: expected a number in column 2, found '0,5' (decimals are "
               "written with a point)"},
        BadRow{"\xEF\xBB\xBF"
               "0 .5 .5 .1 .1\r\n\r\n0 .5 .5 .1 x\r\n",
               "labels/000123.txt:3: expected a number in column 5, found 'x'"},
        BadRow{
            "0 .1 .1 .9 .1 .5 1.5",
            "labels/000123.txt:1: coordinates not normalised or out of range: '1.5' in column 7"}));

// kpt_shape [2, 2] and [1, 3]: the box is columns 2 to 5, whatever the key points are.
TEST(Labels, KeyPointsAreNoPolygon) {
  const LabelFile two = parse_labels("0 0.5 0.5 0.4 0.4 0.35 0.4 0.6 0.65\n0 0.2 0.2 0.1 0.1\n",
                                     "a.txt", 1, false, 4);
  ASSERT_EQ(two.labels.size(), 2u);
  EXPECT_EQ(two.labels[0].box.cx, 0.5);
  EXPECT_EQ(two.labels[0].box.w, 0.4);
  EXPECT_TRUE(two.labels[0].polygon.empty());
  EXPECT_EQ(two.with_key_points, 1u);
  const LabelFile visible =
      parse_labels("0 0.5 0.5 0.4 0.4 0.35 0.4 2\n", "a.txt", 1, false, 3);  // visibility 2
  EXPECT_EQ(visible.labels.at(0).box.h, 0.4);
  EXPECT_EQ(
      test::error_of([] { parse_labels("0 0.1 0.1 0.3 0.1 0.2 0.3\n", "a.txt", 1, false, 4); }),
      "a.txt:1: expected 5 columns per label, or 9 with the key points of data.yaml's "
      "kpt_shape, found 7");
  EXPECT_EQ(
      test::error_of([] { parse_labels("0 0.5 0.5 0.4 0.4 a 1 1 1\n", "a.txt", 1, false, 4); }),
      "a.txt:1: expected a key point's number in column 6, found 'a'");
}

TEST(Labels, ByteOrderMarkLineEndsBlanksAndTabsDoNotMatter) {
  const auto plain = parse_labels("0 0.5 0.5 0.25 0.5\n1 0.25 0.75 0.5 0.5\n", "a.txt", 2);
  const auto odd = parse_labels(
      "\xEF\xBB\xBF\n  0\t0.5 0.5   0.25 0.5 \r\n\r\n1.0 .25 .75 5e-1 +0.5", "a.txt", 2);
  ASSERT_EQ(plain.labels.size(), 2u);
  ASSERT_EQ(odd.labels.size(), 2u);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(plain.labels[i].class_index, i);
    EXPECT_EQ(odd.labels[i].class_index, i);
    EXPECT_EQ(plain.labels[i].box, odd.labels[i].box);
  }
  EXPECT_EQ(plain.labels[1].box, (CxcywhNormalized{0.25, 0.75, 0.5, 0.5}));
  EXPECT_TRUE(parse_labels("", "a.txt", 2).labels.empty());
  EXPECT_TRUE(parse_labels(" \r\n\n", "a.txt", 2).labels.empty());
}

TEST(Labels, BoxesAndPolygonsMixInOneFile) {
  // Triangle (0.25, 0.25), (0.75, 0.25), (0.5, 1): extent 0.25…0.75 × 0.25…1.
  const auto file = parse_labels("0 0.25 0.25 0.75 0.25 0.5 1\n1 0.5 0.5 0.5 0.5\n", "a.txt", 2);
  ASSERT_EQ(file.labels.size(), 2u);
  ASSERT_EQ(file.labels[0].polygon.size(), 3u);
  EXPECT_EQ(file.labels[0].polygon[2], cv::Point2d(0.5, 1));
  EXPECT_EQ(file.labels[0].box, (CxcywhNormalized{0.5, 0.625, 0.5, 0.75}));
  EXPECT_TRUE(file.labels[1].polygon.empty());
}

TEST(Labels, BoundsAreThoseOfFloat32) {
  // 1 + 2^-26 rounds to 1 in float32, 1 + 2^-23 does not.
  EXPECT_EQ(parse_labels("0 1.0000000149 .5 .1 .1", "a.txt", 1).labels[0].box.cx, 1.0);
  EXPECT_NE(error_of([] { parse_labels("0 1.00000012 .5 .1 .1", "a.txt", 1); }), "no error");
}

TEST(Labels, RepeatedRowsAndBoxesWithoutAreaAreDroppedAndNamed) {
  const std::string text =
      "0 .5 .5 .1 .1\n1 .5 .5 .1 .1\n0 0.5 0.50 0.1 0.1\n0 .5 .5 0 .1\n0 .5 .5 .1 0\n0 .1 .1 .2 .1 "
      ".3 .1\n";
  const auto file = parse_labels(text, "a.txt", 2);
  ASSERT_EQ(file.labels.size(), 2u);
  EXPECT_EQ(file.labels[1].class_index, 1);
  ASSERT_EQ(file.dropped.size(), 4u);
  EXPECT_EQ(text_of(file.dropped[0]), "a.txt:3: duplicate labels: the same row as line 1");
  EXPECT_EQ(text_of(file.dropped[1]), "a.txt:4: box without area: width or height is 0");
  EXPECT_EQ(file.dropped[2].line, 5);
  EXPECT_EQ(file.dropped[3].line, 6);  // a polygon on one line
  EXPECT_EQ(error_of([&] { parse_labels(text, "a.txt", 2, true); }),
            "a.txt:3: duplicate labels: the same row as line 1");
}

TEST(Labels, PolygonsOfOneExtentButAnotherShapeAreNoDuplicates) {
  const auto file = parse_labels("0 0 0 1 0 1 1\n0 0 0 1 1 0 1\n0 0 0 1 0 1 1\n", "a.txt", 1);
  EXPECT_EQ(file.labels.size(), 2u);
  EXPECT_EQ(file.dropped.size(), 1u);
}

TEST(Labels, WithoutAClassCountAnyClassPasses) {
  EXPECT_EQ(parse_labels("79 .5 .5 .1 .1", "a.txt", 0).labels[0].class_index, 79);
  EXPECT_EQ(try_parse_labels("79 .5 .5 .1 .1", "a.txt", 79).fault, LabelFault::class_out_of_range);
  EXPECT_EQ(try_parse_labels("78 .5 .5 .1", "a.txt", 79).fault, LabelFault::format);
  EXPECT_TRUE(try_parse_labels("0 .5 .5 .1 .1\n78 .5 .5 .1", "a.txt", 79).labels.empty());
  // Every such row, not the first alone.
  const LabelFile all =
      try_parse_labels("9 .5 .5 .1 .1\n0 .5 .5 .1 .1\n7 .5 .5 .1 .1\n", "a.txt", 5);
  ASSERT_EQ(all.unknown_classes.size(), 2u);
  EXPECT_EQ(text_of(all.failure), "a.txt:1: class 9 is out of range 0..4");
  EXPECT_EQ(text_of(all.unknown_classes[1]), "a.txt:3: class 7 is out of range 0..4");
}

TEST(Labels, WrittenTextGivesTheSameFloatsBack) {
  Label box, triangle;
  box.class_index = 3;
  box.box = {1.0 / 3, 0.1, 1e-5, 1};
  triangle.polygon = {{0, 0}, {0.1, 0}, {0.7, 2.0 / 3}};
  const std::string text = format_labels({box, triangle});
  EXPECT_EQ(text, "3 0.33333334 0.1 1e-05 1\n0 0 0 0.1 0 0.7 0.6666667\n");
  const auto file = parse_labels(text, "a.txt", 4);
  ASSERT_EQ(file.labels.size(), 2u);
  EXPECT_EQ(static_cast<float>(file.labels[0].box.cx), 1.0f / 3);
  EXPECT_EQ(static_cast<float>(file.labels[1].polygon[2].y), 2.0f / 3);
  EXPECT_EQ(format_labels({}), "");
}

TEST(LabelPath, ReplacesTheLastImagesComponent) {
  // The first two are examples (data 3.1); the others are mended (data F03).
  EXPECT_EQ(label_path("/d/images/train/a.b.jpg"), "/d/labels/train/a.b.txt");
  EXPECT_EQ(label_path("rel/pic.jpeg"), "rel/pic.txt");
  EXPECT_EQ(label_path("/no such/images/x/images/1.png"), "/no such/images/x/labels/1.txt");
  EXPECT_EQ(label_path("images/a.jpg"), "labels/a.txt");
  EXPECT_EQ(label_path("/d/my images/a.jpg"), "/d/my images/a.txt");
  EXPECT_EQ(label_path("/d/train/images/ä ö.JPG"), "/d/train/labels/ä ö.txt");
  EXPECT_EQ(label_path("/d/x/images"), "/d/x/images.txt");  // a file of that name is no folder
}

TEST(LabelPath, FallsBackToTheOriginalsPathWhereOnlyThatExists) {
  test::TemporaryFolder folder;
  const auto picture = folder / "images/x/images/1.png";
  const auto original = folder / "labels/x/images/1.txt", ours = folder / "images/x/labels/1.txt";
  EXPECT_EQ(label_path(picture), ours);
  test::write_text(original, "");
  EXPECT_EQ(label_path(picture), original);
  test::write_text(ours, "");
  EXPECT_EQ(label_path(picture), ours);
}

}  // namespace
}  // namespace yolov7::dataset
