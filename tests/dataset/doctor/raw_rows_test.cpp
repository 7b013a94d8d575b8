#include "dataset/doctor/raw_rows.hpp"

#include <gtest/gtest.h>

namespace yolov7::dataset::doctor {
namespace {

const std::vector<std::string> names = {"cat", "dog"};

TEST(RawRows, BoxesAndPolygonsWithTheirLines) {
  const auto rows = read_rows("0 .5 .5 .2 .1\n\n1 .1 .1 .3 .1 .2 .5\r\n", names, 0);
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_TRUE(rows[0].is_box());
  EXPECT_EQ(rows[1].line, 3);
  EXPECT_FALSE(rows[1].is_box());
  const auto box = extent(rows[1]);
  ASSERT_TRUE(box);
  EXPECT_DOUBLE_EQ(box->cx, 0.2);
  EXPECT_DOUBLE_EQ(box->cy, 0.3);
  EXPECT_DOUBLE_EQ(box->w, 0.2);
  EXPECT_DOUBLE_EQ(box->h, 0.4);
}

TEST(RawRows, UnreadableOnesHaveTheirCause) {
  const auto cause = [](const char* text) {
    const auto rows = read_rows(text, names, 0);
    EXPECT_FALSE(rows.front().readable()) << text;
    EXPECT_TRUE(rows.front().values.empty()) << text;
    return rows.front().cause;
  };
  EXPECT_EQ(cause("0 0,5 0,5 0,1 0,1"), "decimal comma");
  EXPECT_EQ(cause("0,0.5,0.5,0.1,0.1"), "commas between columns");
  EXPECT_EQ(cause("dog 0.5 0.5 0.1 0.1"), "class name for class number");
  EXPECT_EQ(cause("0 0.5 0.5 0.1 0.1 0.9"), "a score behind the box: a file of predictions");
  EXPECT_EQ(cause("0.5 0.5 0.1 0.1"), "no class in front of the box");
  EXPECT_EQ(cause("0 inf 0.5 0.1 0.1"), "");
}

// An int ends at 2,147,483,647.
TEST(RawRows, AClassBeyondAnIntIsNone) {
  const auto rows = read_rows(
      "79 0 0 1 1\n2147483646 0 0 1 1\n2147483648 0 0 1 1\n-1e300 0 0 1 1\n1.5 0 0 1 1\n", {}, 0);
  ASSERT_EQ(rows.size(), 5U);
  EXPECT_EQ(rows[0].class_index(), 79);
  EXPECT_EQ(rows[1].class_index(), 2147483646);
  EXPECT_EQ(rows[2].class_index(), -1);
  EXPECT_EQ(rows[3].class_index(), -1);
  EXPECT_EQ(rows[4].class_index(), 1) << "its whole part";
}

TEST(RawRows, KeyPointsAreLeftOut) {
  const auto rows = read_rows("0 .5 .5 .2 .1 1 2 3 4 5 6\n", names, 6);
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_TRUE(rows[0].is_box());
  EXPECT_EQ(rows[0].key_points, " 1 2 3 4 5 6");
}

// Training leaves the image of such a row out.
TEST(RawRows, NoRowIsAPolygonWhereLabelsHaveKeyPoints) {
  const auto rows = read_rows("0 .1 .1 .3 .1 .2 .5\n0 .5 .5 .2 .1\n", names, 6);
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_FALSE(rows[0].readable());
  EXPECT_NE(rows[0].unreadable.find("or 11 with its key points, found 7"), std::string::npos)
      << rows[0].unreadable;
  EXPECT_TRUE(rows[1].is_box());
}

}  // namespace
}  // namespace yolov7::dataset::doctor
