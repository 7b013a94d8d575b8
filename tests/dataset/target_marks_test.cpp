// Marks of the samples of a batch together, and apart again.
#include "dataset/target_marks.hpp"

#include <gtest/gtest.h>

namespace yolov7::dataset {
namespace {

using Targets = std::vector<std::array<float, 6>>;

TEST(TargetMarks, OfSamplesBecomeThoseOfABatch) {
  TargetMarks all;
  append(all, 0, {}, 2, 0);
  EXPECT_TRUE(all.empty());
  append(all, 2, {{0.5f}, {{0, 0.1f, 0.2f, 0.3f, 0.4f}}}, 1, 1);
  EXPECT_EQ(all.weights, (std::vector<float>{1, 1, 0.5f}));
  append(all, 3, {}, 1, 2);
  append(all, 4, {{}, {{0, 0.5f, 0.5f, 1, 1}}}, 0, 3);
  EXPECT_EQ(all.weights, (std::vector<float>{1, 1, 0.5f, 1}));
  EXPECT_EQ(all.ignored,
            (std::vector<IgnoredBox>{{1, 0.1f, 0.2f, 0.3f, 0.4f}, {3, 0.5f, 0.5f, 1, 1}}));
}

TEST(TargetMarks, OfTheFirstSampleAreKept) {
  TargetMarks all;
  append(all, 0, {{0.5f}, {}}, 1, 0);
  append(all, 1, {}, 1, 1);
  EXPECT_EQ(all.weights, (std::vector<float>{0.5f, 1}));
}

TEST(TargetMarks, OfAPartAreRenumbered) {
  const Targets targets{
      {0, 5, 0, 0, 0, 0}, {1, 5, 0, 0, 0, 0}, {1, 5, 0, 0, 0, 0}, {2, 5, 0, 0, 0, 0}};
  const TargetMarks all{{0.5f, 0.25f, 1, 1}, {{1, 0, 0, 1, 1}, {2, 0, 0, 1, 1}}};
  const TargetMarks part = part_of(all, targets, 1, 1);
  EXPECT_EQ(part.weights, (std::vector<float>{0.25f, 1}));
  EXPECT_EQ(part.ignored, (std::vector<IgnoredBox>{{0, 0, 0, 1, 1}}));
  const TargetMarks last = part_of(all, targets, 2, 1);
  EXPECT_TRUE(last.weights.empty()) << "all of them are 1";
  EXPECT_EQ(last.ignored, (std::vector<IgnoredBox>{{0, 0, 0, 1, 1}}));
  EXPECT_TRUE(part_of({}, targets, 0, 3).empty());
}

}  // namespace
}  // namespace yolov7::dataset
