// Layouts of boxes by hand: a box of 64 x 48 px with its upper left corner at (32, 24) in an image
// of 640 x 480 px.
#include "dataset/doctor/layouts.hpp"

#include <gtest/gtest.h>

namespace yolov7::dataset::doctor {
namespace {

struct Case {
  Layout layout;
  Numbers numbers;
  const char* cause;
};

const std::vector<Case> cases = {
    {{Form::centre, Unit::fraction}, {0.1, 0.1, 0.1, 0.1}, ""},
    {{Form::corners, Unit::fraction}, {0.05, 0.05, 0.15, 0.15}, "corners for centre and size"},
    {{Form::top_left, Unit::pixel},
     {32, 24, 64, 48},
     "pixels for fractions, top left corner for centre"},
    {{Form::corners, Unit::pixel},
     {32, 24, 96, 72},
     "pixels for fractions, corners for centre and size"},
    {{Form::centre, Unit::percent}, {10, 10, 10, 10}, "per cent for fractions"},
    {{Form::corners_exchanged, Unit::pixel},
     {24, 32, 72, 96},
     "pixels for fractions, corners with exchanged axes"},
    {{Form::corner_pairs, Unit::pixel},
     {32, 96, 24, 72},
     "pixels for fractions, corners as pairs of x and of y"},
    {{Form::size_first, Unit::pixel}, {64, 48, 64, 48}, "pixels for fractions, size before centre"},
    {{Form::sides_exchanged, Unit::pixel},
     {64, 48, 48, 64},
     "pixels for fractions, width and height exchanged"},
    {{Form::axes_exchanged, Unit::pixel},
     {48, 64, 48, 64},
     "pixels for fractions, axes exchanged"}};

TEST(Layouts, TheSameBoxInEachOfThem) {
  for (const Case& one : cases) {
    const auto box = box_under(one.layout, one.numbers, 640, 480, 0);
    ASSERT_TRUE(box) << one.cause;
    EXPECT_NEAR(box->cx, 0.1, 1e-12) << one.cause;
    EXPECT_NEAR(box->cy, 0.1, 1e-12) << one.cause;
    EXPECT_NEAR(box->w, 0.1, 1e-12) << one.cause;
    EXPECT_NEAR(box->h, 0.1, 1e-12) << one.cause;
    EXPECT_EQ(cause_of(one.layout), one.cause);
    const Numbers back = numbers_under(one.layout, *box, 640, 480);
    for (std::size_t i = 0; i < back.size(); ++i) EXPECT_NEAR(back[i], one.numbers[i], 1e-9);
  }
}

TEST(Layouts, NoBoxOutsideTheImageOrWithoutArea) {
  EXPECT_FALSE(box_under({}, {0.02, 0.5, 0.1, 0.1}, 640, 480, 0.005));
  EXPECT_TRUE(box_under({}, {0.046, 0.5, 0.1, 0.1}, 640, 480, 0.005));
  EXPECT_FALSE(box_under({}, {0.5, 0.5, 0, 0.1}, 640, 480, 0.005));
  EXPECT_FALSE(box_under({Form::corners, Unit::fraction}, {0.5, 0.5, 0.4, 0.6}, 640, 480, 0));
}

TEST(Layouts, EachIsInTheTableOnce) {
  EXPECT_TRUE(layout_at(0).own());
  for (std::size_t i = 0; i < layout_count; ++i)
    for (std::size_t j = 0; j < i; ++j) EXPECT_FALSE(layout_at(i) == layout_at(j));
}

}  // namespace
}  // namespace yolov7::dataset::doctor
