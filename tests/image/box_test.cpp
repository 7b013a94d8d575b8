#include "image/boxes/box.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

using namespace yolov7;

namespace {

// Boxes A … E of evaluation 2.5.
constexpr Xyxy a{0, 0, 10, 10}, b{1, 1, 11, 11}, c{5, 0, 15, 10}, d{20, 20, 30, 30},
    e{0, 0, 10, 12};

}  // namespace

TEST(Box, IouOfTheSpecification) {
  // Six decimals are given there, hence half a unit of the sixth.
  const struct {
    Xyxy first, second;
    double expected;
  } cases[] = {{a, b, 0.680672}, {a, c, 0.333333}, {a, e, 0.833333}, {b, c, 0.369863},
               {b, e, 0.692308}, {c, e, 0.294118}, {a, d, 0},        {b, d, 0},
               {c, d, 0},        {e, d, 0}};
  for (const auto& one : cases) {
    EXPECT_NEAR(iou(one.first, one.second), one.expected, 5e-7);
    EXPECT_EQ(iou(one.first, one.second), iou(one.second, one.first));
  }
}

TEST(Box, IouHasNoEpsilon) {
  EXPECT_EQ(iou(a, a), 1.0);
  const Xyxy point{3, 3, 3, 3};
  EXPECT_TRUE(std::isnan(iou(point, point)));
  EXPECT_EQ(iou(point, a), 0.0);
}

TEST(Box, TouchingBoxesDoNotIntersect) {
  EXPECT_EQ(intersection_area(a, {10, 0, 20, 10}), 0.0);
  EXPECT_EQ(intersection_area(a, {-5, -5, 2, 3}), 6.0);
}

TEST(Box, NormalizedAndPixels) {
  // (0.5, 0.25, 0.2, 0.1) of 200 x 100: centre (100, 25), size 40 x 10.
  EXPECT_EQ(to_pixels({0.5, 0.25, 0.2, 0.1}, 200, 100), (Xyxy{80, 20, 120, 30}));
  EXPECT_EQ(to_normalized({80, 20, 120, 30}, 200, 100), (CxcywhNormalized{0.5, 0.25, 0.2, 0.1}));
}

TEST(Box, WidthHasNoPlusOne) {
  EXPECT_EQ((Xyxy{2, 3, 7, 9}).width(), 5.0);
  EXPECT_EQ((Xyxy{2, 3, 7, 9}).height(), 6.0);
  EXPECT_EQ((Xyxy{2, 3, 7, 9}).area(), 30.0);
}

TEST(Box, ClipsToThePicture) {
  EXPECT_EQ(clip({-5, -1, 700, 50}, 640, 480), (Xyxy{0, 0, 640, 50}));
  EXPECT_EQ(clip({700, 500, 800, 600}, 640, 480), (Xyxy{640, 480, 640, 480}));
}
