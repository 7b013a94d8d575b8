#include "dataset/index/row_shape.hpp"

#include <gtest/gtest.h>

#include "core/text.hpp"
#include "tests/dataset/data_fixture.hpp"

namespace yolov7::dataset {
namespace {

LongRows rows_of(const std::vector<std::string>& rows, const std::string& file = "a.txt") {
  LongRows result;
  int line = 0;
  for (const std::string& row : rows) result.add(text::split_blank(row), file, ++line);
  return result;
}
std::string refusal(const std::vector<std::string>& rows) {
  return test::error_of([&] { hold_key_points(rows_of(rows)); });
}

const std::string box = "0 0.5 0.5 0.2 0.2";
// (0.5, 0.5) (0.3, 0.3) (0.38, 0.45) (0.45, 0.38): the third edge crosses the first at (0.415,
// 0.415). As box and points: 0.35 … 0.65, both points inside.
const std::string crossing = "0 0.5 0.5 0.3 0.3 0.38 0.45 0.45 0.38";
// Both points lie above the line of the first edge, y = x: no edge crosses another.
const std::string simple = "0 0.5 0.5 0.4 0.4 0.35 0.4 0.6 0.65";
// As a box it would reach from 0.25 to 1.15.
const std::string outline = "0 0.7 0.2 0.9 0.2 0.8 0.4 0.75 0.3";

TEST(RowShape, PolygonsOfSeveralLengthsAndOnesThatNoBoxFits) {
  EXPECT_FALSE(hold_key_points(rows_of({})));
  EXPECT_FALSE(hold_key_points(rows_of({box, box})));
  EXPECT_FALSE(hold_key_points(rows_of({outline, box})));
  EXPECT_FALSE(hold_key_points(rows_of({simple, "0 0.1 0.1 0.2 0.1 0.2 0.2"})));
}

TEST(RowShape, MarksOfVisibilityTell) {
  EXPECT_TRUE(hold_key_points(rows_of({"0 0.5 0.5 0.4 0.4 0.4 0.4 2 0.6 0.6 1"})));
  // A point that was not labelled is 0 0 0; six marks of 0 and 1 are no chance.
  const std::string zeros = "0 0.5 0.5 0.4 0.4 0.4 0.4 1 0 0 0";
  EXPECT_TRUE(hold_key_points(rows_of({zeros, zeros, zeros, box})));
  // 8 numbers are no polygon.
  EXPECT_TRUE(hold_key_points(rows_of({"0 0.5 0.5 0.4 0.4 0.4 0.4 1"})));
  EXPECT_EQ(key_point_reason(rows_of({zeros, zeros, zeros})),
            "all 3 rows of 11 columns have 0, 1 or 2 as each third number behind a box, like key "
            "points");
}

TEST(RowShape, FewMarksAreRefusedWithTheCure) {
  EXPECT_EQ(refusal({box, "0 0.5 0.5 0.4 0.4 0.4 0.4 1 0 0 0"}),
            "a.txt:2: found 11 columns, as in 1 rows: polygons, or boxes with key points; expected "
            "kpt_shape: [2, 3] in data.yaml for key points, or kpt_shape: [0, 0] in data.yaml for "
            "polygons");
}

TEST(RowShape, PointsInTheirBoxesTellWhereTheyAreNoOutline) {
  EXPECT_TRUE(hold_key_points(rows_of({crossing, crossing, simple})));
  EXPECT_EQ(key_point_reason(rows_of({crossing, crossing})),
            "all 2 rows of 9 columns are points inside the box before them, like key points");
  EXPECT_EQ(refusal({simple, crossing, simple}),
            "a.txt:1: found 9 columns, as in 3 rows: polygons, or boxes with key points; expected "
            "kpt_shape: [2, 2] in data.yaml for key points, or kpt_shape: [0, 0] in data.yaml for "
            "polygons");
}

TEST(RowShape, AFewBadRowsMakeNoPolygonsOfTheRest) {
  EXPECT_NE(refusal({crossing, crossing, crossing, crossing, outline}), "no error");  // 80 %
  EXPECT_FALSE(hold_key_points(rows_of({crossing, crossing, crossing, outline, outline})));
}

TEST(RowShape, TracksAreNoLabels) {
  EXPECT_EQ(refusal({"0 0.5 0.5 0.2 0.2 0.87 1", "0 0.5 0.5 0.2 0.2 0.9 37"}),
            "a.txt:1: found 7 columns, as in 2 rows: boxes with confidence and track number, which "
            "are predictions; expected labels of 5 columns");
  // A number of 1 could be a coordinate as well.
  EXPECT_EQ(refusal({"0 0.5 0.5 0.2 0.2 0.87 1"}),
            "a.txt:1: found 7 columns, as in 1 rows: polygons, or boxes with confidence and track "
            "number; expected kpt_shape: [0, 0] in data.yaml for polygons, or rows of 5 columns");
}

TEST(RowShape, FilesAreJoined) {
  LongRows all;
  all.join(rows_of({box}, "none.txt"));
  all.join(rows_of({box, crossing}, "first.txt"));
  all.join(rows_of({crossing}, "second.txt"));
  EXPECT_EQ(all.rows, 2u);
  EXPECT_EQ(all.file, "first.txt");
  EXPECT_EQ(all.line, 2);
  EXPECT_TRUE(hold_key_points(all));
  all.join(rows_of({"0 0.1 0.1 0.2 0.1 0.2 0.2"}));
  EXPECT_TRUE(all.mixed);
  EXPECT_FALSE(hold_key_points(all));
}

TEST(RowShape, WhatIsNoNumberIsPassedOver) {
  EXPECT_EQ(rows_of({"0 a 0.5 0.4 0.4 0.4 0.4 1", "0 nan 0.5 0.4 0.4 0.4 0.4 1"}).rows, 0u);
}

}  // namespace
}  // namespace yolov7::dataset
