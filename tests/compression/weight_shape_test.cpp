#include "compression/plan/weight_shape.hpp"

#include <gtest/gtest.h>

using namespace yolov7;
using namespace yolov7::compression;

// Ranges 1, 8, 2 and none: the one in the middle is 2. Kurtosis of ±1: 1; of 8, −8, 0, 0: fourth
// powers 2 · 4096 / 4 ÷ (2 · 64 / 4)² = 2; of 2, 0, 0, 0: mean 1/2, (81 + 3) / 16 / 4 ÷ (3/4)² =
// 7/3.
TEST(WeightShape, RangesAndKurtosisByHand) {
  const network::Tensor weight = network::Tensor::from(
      std::vector<float>{1, -1, 1, -1, 8, -8, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0}, {4, 4});
  const WeightShape found = weight_shape(weight, 4);
  EXPECT_EQ(found.largest, 8);
  EXPECT_EQ(found.spread, 4);
  EXPECT_NEAR(found.kurtosis, (1.0 + 2 + 7.0 / 3) / 3, 1e-12);
}

TEST(WeightShape, ZerosHaveNone) {
  const WeightShape found =
      weight_shape(network::Tensor::from(std::vector<float>{0, 0}, {2, 1}), 2);
  EXPECT_EQ(found.largest, 0);
  EXPECT_EQ(found.spread, 0);
  EXPECT_EQ(found.kurtosis, 0);
}
