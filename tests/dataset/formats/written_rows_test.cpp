#include "dataset/formats/written_rows.hpp"

#include <gtest/gtest.h>

namespace yolov7::dataset {
namespace {

// A square in the middle of an image could be a box with two points, too.
TEST(WrittenRows, PolygonsThatCouldBeSomethingElseAreDeclared) {
  LongRows square;
  add_rows(square, "0 0.4 0.4 0.6 0.4 0.6 0.6 0.4 0.6\n\n0 0.5 0.5 0.1 0.1\n");
  EXPECT_EQ(square.rows, 1u);
  EXPECT_TRUE(need_declaration(square));
  add_rows(square, "0 0.1 0.1 0.2 0.1 0.2 0.2\n");
  EXPECT_FALSE(need_declaration(square));
  EXPECT_FALSE(need_declaration({}));
}

// These would be taken for key points without a word of doubt: see RowShape.
TEST(WrittenRows, PolygonsThatCrossThemselvesAreDeclared) {
  LongRows rows;
  for (int i = 0; i < 2; ++i) add_rows(rows, "0 0.5 0.5 0.3 0.3 0.38 0.45 0.45 0.38\n");
  EXPECT_TRUE(need_declaration(rows));
}

}  // namespace
}  // namespace yolov7::dataset
