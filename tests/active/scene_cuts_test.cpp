#include "active/scene_cuts.hpp"

#include <gtest/gtest.h>

namespace yolov7::active {
namespace {

TEST(SceneCuts, DifferenceOfImages) {
  const std::vector<std::uint8_t> a{0, 10, 200, 255}, b{10, 0, 100, 255};
  EXPECT_DOUBLE_EQ(scene_difference(a, b), 30);  // (10 + 10 + 100 + 0) / 4
  EXPECT_DOUBLE_EQ(scene_difference(a, a), 0);
  EXPECT_DOUBLE_EQ(scene_difference(a, {}), 255);
}

std::vector<bool> begins(const std::vector<double>& differences) {
  return scene_begins(differences);
}

TEST(SceneCuts, ACutStandsOutAndAMovingCameraDoesNot) {
  using Flags = std::vector<bool>;
  EXPECT_EQ(begins({0, 2, 2, 30, 2, 2}), (Flags{true, false, false, true, false, false}));
  EXPECT_EQ(begins({0, 20, 22, 20, 21, 20}), (Flags{true, false, false, false, false, false}));
  // 3 · (5 + 5 + 5 + 5) / 4 = 15 is just reached; 14.9 is too little whatever stands around.
  EXPECT_TRUE(begins({0, 5, 5, 15, 5, 5})[3]);
  EXPECT_FALSE(begins({0, 6, 6, 15, 6, 6})[3]);
  EXPECT_FALSE(begins({0, 0, 0, 14.9, 0, 0})[3]);
  // Two cuts one after the other hide each other, but for their size.
  EXPECT_EQ(begins({0, 1, 60, 50, 1}), (Flags{true, false, true, true, false}));
  EXPECT_EQ(begins({0, 30}), (Flags{true, true}));
  EXPECT_TRUE(begins({}).empty());
}

}  // namespace
}  // namespace yolov7::active
