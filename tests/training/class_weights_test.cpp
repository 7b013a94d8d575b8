// Training 21.4 and 11.5.
#include "training/loss/class_weights.hpp"

#include <gtest/gtest.h>

#include <set>

#include "training/multi_scale.hpp"

namespace yolov7::training {
namespace {

constexpr double digits = 1e-6;  // the fixtures have six

TEST(ClassWeights, OfTheSpecification) {
  const std::vector<std::size_t> counts{8, 2, 0};
  const std::vector<double> weights = class_weights(counts), expected{0.230769, 0.923077, 1.846154};
  for (std::size_t c = 0; c < 3; ++c) EXPECT_NEAR(weights[c], expected[c], digits);
}

dataset::Index index_of(const std::vector<std::vector<int>>& pictures) {
  dataset::Index index;
  index.names = {"a", "b", "c"};
  for (const auto& classes : pictures) {
    dataset::Entry entry;
    for (const int c : classes) {
      dataset::Label label;
      label.class_index = c;
      entry.labels.push_back(label);
    }
    index.entries.push_back(entry);
  }
  return index;
}

// The three pictures hold 8, 2 and 0 labels together: (3,0,0), (0,1,0), (5,1,0).
TEST(PictureWeights, OfTheSpecification) {
  const dataset::Index index = index_of({{0, 0, 0}, {1}, {0, 0, 0, 0, 0, 1}});
  const std::vector<double> ap{0.5, 0.2, 0}, weights = picture_weights(index, ap),
                                             expected{0.0576923, 0.196923, 0.293077};
  for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(weights[i], expected[i], digits);
}

TEST(PictureWeights, UniformWhereAllAreZero) {
  EXPECT_EQ(picture_weights(index_of({{}, {}}), {}), (std::vector<double>{1, 1}));
  EXPECT_EQ(picture_weights(index_of({{0}, {}}), std::vector<double>{1, 1, 1}),
            (std::vector<double>{1, 1}));
}

// S = 320, stride 32: 160, 192, … 480, all eleven.
TEST(MultiScale, AllMultiplesFromHalfToOneAndAHalf) {
  std::set<std::int64_t> seen;
  for (std::uint32_t i = 0; i < 500; ++i) {
    Random random(1, 0, i, 0);
    const auto [height, width] = multi_scale_size(320, 320, 320, 32, random);
    EXPECT_EQ(height, width);
    seen.insert(height);
  }
  std::set<std::int64_t> expected;
  for (std::int64_t side = 160; side <= 480; side += 32) expected.insert(side);
  EXPECT_EQ(seen, expected);
  Random random(1, 0, 0, 0), same(1, 0, 0, 0);
  const std::int64_t side = same.integer(160, 511) / 32 * 32;
  const auto [height, width] = multi_scale_size(
      192, 320, 320, 32, random);  // a rectangular batch keeps its shape, rounded up
  EXPECT_EQ(width, side);
  EXPECT_EQ(height, (192 * side + 320 * 32 - 1) / (320 * 32) * 32);
}

}  // namespace
}  // namespace yolov7::training
