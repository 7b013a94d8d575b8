// The rules of splits, by hand and by their definitions.
#include "dataset/split/assignment.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

namespace yolov7::dataset {
namespace {

std::vector<std::size_t> counts(const std::vector<int>& parts, const std::vector<SplitUnit>& units,
                                std::size_t part_count) {
  std::vector<std::size_t> result(part_count);
  for (std::size_t i = 0; i < parts.size(); ++i)
    result[static_cast<std::size_t>(parts[i])] += units[i].images;
  return result;
}

TEST(SplitAssignment, BordersAreRoundedCumulativeShares) {
  EXPECT_EQ(part_sizes(10, {70, 20, 10}), (std::vector<std::size_t>{7, 2, 1}));
  // 7 · 0.5 = 3.5 and 7 · 0.75 = 5.25: borders 4 and 5.
  EXPECT_EQ(part_sizes(7, {50, 25, 25}), (std::vector<std::size_t>{4, 1, 2}));
  EXPECT_EQ(part_sizes(10, {1, 1, 1}), (std::vector<std::size_t>{3, 4, 3}));  // 3.33, 6.67
}

TEST(SplitAssignment, RandomIsExactAndBySeed) {
  const std::vector<SplitUnit> units(100);
  const auto one = assign_parts(units, {70, 20, 10}, SplitMethod::random, 1);
  EXPECT_EQ(counts(one, units, 3), (std::vector<std::size_t>{70, 20, 10}));
  EXPECT_EQ(assign_parts(units, {70, 20, 10}, SplitMethod::random, 1), one);
  EXPECT_NE(assign_parts(units, {70, 20, 10}, SplitMethod::random, 2), one);
}

/// 100 images: 50 with class 0 alone, 30 with 0 and 1, 10 with 2 alone, 10 with none. Shares of 70,
/// 20 and 10 % of each are whole numbers, so iterative stratification reaches them.
TEST(SplitAssignment, StratifiedGivesEveryClassItsShare) {
  std::vector<SplitUnit> units;
  const auto add = [&](int count, std::vector<std::size_t> classes) {
    for (int i = 0; i < count; ++i) units.push_back({1, classes, "", -1});
  };
  add(50, {1, 0, 0}), add(30, {1, 1, 0}), add(10, {0, 0, 1}), add(10, {0, 0, 0});
  for (const std::uint64_t seed : {1, 2, 3}) {
    const auto parts = assign_parts(units, {70, 20, 10}, SplitMethod::stratified, seed);
    EXPECT_EQ(counts(parts, units, 3), (std::vector<std::size_t>{70, 20, 10}));
    std::vector<std::vector<int>> found(3, std::vector<int>(4));
    for (std::size_t i = 0; i < units.size(); ++i) {
      bool none = true;
      for (std::size_t c = 0; c < 3; ++c)
        if (units[i].classes[c] > 0) ++found[static_cast<std::size_t>(parts[i])][c], none = false;
      found[static_cast<std::size_t>(parts[i])][3] += none ? 1 : 0;
    }
    EXPECT_EQ(found[0], (std::vector<int>{56, 21, 7, 7}));
    EXPECT_EQ(found[1], (std::vector<int>{16, 6, 2, 2}));
    EXPECT_EQ(found[2], (std::vector<int>{8, 3, 1, 1}));
  }
}

/// Images of 1 … 40 boxes of one class, all in every part's images alike: exchanges bring the boxes
/// to their shares too. 820 boxes: 574, 164 and 82, and one box is the finest step.
TEST(SplitAssignment, StratifiedEvensOutBoxes) {
  std::vector<SplitUnit> units;
  for (std::size_t i = 1; i <= 40; ++i) units.push_back({1, {1}, "", -1, {i}});
  const auto parts = assign_parts(units, {70, 20, 10}, SplitMethod::stratified, 2);
  EXPECT_EQ(counts(parts, units, 3), (std::vector<std::size_t>{28, 8, 4}));
  std::vector<double> boxes(3);
  for (std::size_t i = 0; i < units.size(); ++i)
    boxes[static_cast<std::size_t>(parts[i])] += static_cast<double>(units[i].boxes[0]);
  EXPECT_NEAR(boxes[0], 574, 3);
  EXPECT_NEAR(boxes[1], 164, 3);
  EXPECT_NEAR(boxes[2], 82, 3);
}

/// A class of three images over three parts: one each, which a draw by chance misses mostly.
TEST(SplitAssignment, ARareClassIsInEveryPart) {
  std::vector<SplitUnit> units(60, {1, {1, 0}, "", -1});
  for (const std::size_t i : {5u, 6u, 7u}) units[i].classes = {1, 1};
  const auto parts = assign_parts(units, {1, 1, 1}, SplitMethod::stratified, 4);
  std::vector<int> rare = {parts[5], parts[6], parts[7]};
  std::sort(rare.begin(), rare.end());
  EXPECT_EQ(rare, (std::vector<int>{0, 1, 2}));
}

TEST(SplitAssignment, LargeUnitsStayWholeAndCountsHold) {
  std::vector<SplitUnit> units(60);
  units.push_back({20, {}, "", -1});
  units.push_back({12, {}, "", -1});
  units.push_back({8, {}, "", -1});  // 100 images
  for (const SplitMethod method : {SplitMethod::random, SplitMethod::stratified})
    EXPECT_EQ(counts(assign_parts(units, {70, 20, 10}, method, 3), units, 3),
              (std::vector<std::size_t>{70, 20, 10}));
}

TEST(SplitAssignment, FixedUnitsStayAndCount) {
  std::vector<SplitUnit> units(10);
  for (std::size_t i = 0; i < 4; ++i) units[i].fixed = 2;
  const auto parts = assign_parts(units, {40, 20, 40}, SplitMethod::random, 3);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(parts[i], 2);
  EXPECT_EQ(counts(parts, units, 3), (std::vector<std::size_t>{4, 2, 4}));
}

/// What comes later moves nothing, whatever its order; and the shares are met to 4 σ of a binomial
/// count.
TEST(SplitAssignment, StableMovesNothing) {
  std::vector<SplitUnit> few, many;
  for (int i = 0; i < 2000; ++i) {
    if (i % 2 == 0) few.push_back({1, {}, fmt::format("content {}", i), -1});
    many.insert(many.begin(), {1, {}, fmt::format("content {}", i), -1});
  }
  std::map<std::string, int> before;
  const auto small = assign_parts(few, {70, 20, 10}, SplitMethod::stable, 5);
  for (std::size_t i = 0; i < few.size(); ++i) before[few[i].key] = small[i];
  const auto large = assign_parts(many, {70, 20, 10}, SplitMethod::stable, 5);
  std::size_t moved = 0;
  for (std::size_t i = 0; i < many.size(); ++i)
    if (before.contains(many[i].key)) moved += before[many[i].key] != large[i] ? 1 : 0;
  EXPECT_EQ(moved, 0u);
  const auto found = counts(large, many, 3);
  EXPECT_NEAR(static_cast<double>(found[0]), 1400, 4 * std::sqrt(2000 * 0.7 * 0.3));
  EXPECT_NEAR(static_cast<double>(found[2]), 200, 4 * std::sqrt(2000 * 0.1 * 0.9));
  EXPECT_NE(assign_parts(many, {70, 20, 10}, SplitMethod::stable, 6), large);
}

TEST(SplitAssignment, MoreTestTakesFromTheEndOfTheOthers) {
  // The place of a key does not depend on the shares.
  EXPECT_EQ(stable_place("a", 1), stable_place("a", 1));
  EXPECT_NE(stable_place("a", 1), stable_place("a", 2));
  EXPECT_GE(stable_place("b", 1), 0);
  EXPECT_LT(stable_place("b", 1), 1);
}

}  // namespace
}  // namespace yolov7::dataset
