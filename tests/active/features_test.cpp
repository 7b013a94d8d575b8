// Features, coverage and typical order on vectors whose answer is known.
#include "active/features.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace yolov7::active {
namespace {

/// A direction in the plane of the first two components.
Feature at_degrees(double degrees) {
  Feature feature{};
  feature[0] = static_cast<std::int8_t>(std::lround(127 * std::cos(degrees * M_PI / 180)));
  feature[1] = static_cast<std::int8_t>(std::lround(127 * std::sin(degrees * M_PI / 180)));
  return feature;
}

// Components are rounded to 1/127: the cosine is right to two such steps.
constexpr double tolerance = 2.0 / 127;

TEST(Feature, CosineIsThatOfTheAngle) {
  EXPECT_NEAR(cosine(at_degrees(0), at_degrees(60)), 0.5, tolerance);
  EXPECT_NEAR(cosine(at_degrees(10), at_degrees(100)), 0, tolerance);
  EXPECT_NEAR(cosine(at_degrees(30), at_degrees(30)), 1, tolerance);
}

TEST(Feature, ContentAndStructureHaveHalfTheWeightEach) {
  dataset::similarity::Direction structure{}, other{};
  structure[0] = 100, other[1] = 100;
  const Detection cat{{10, 10, 30, 30}, 0.9F, 0}, dog{{10, 10, 30, 30}, 0.9F, 1};
  const Feature one = feature_of(std::vector{cat}, 100, 100, structure);
  EXPECT_NEAR(cosine(one, one), 1, tolerance);
  // The same content and another structure, and the other way round with nothing in common.
  EXPECT_NEAR(cosine(one, feature_of(std::vector{cat}, 100, 100, other)), 0.5, tolerance);
  EXPECT_NEAR(cosine(one, feature_of({}, 100, 100, structure)), 0.5, tolerance);
  // Class differs, size and place are the same: two of three equal parts of the content.
  EXPECT_NEAR(cosine(one, feature_of(std::vector{dog}, 100, 100, structure)), 0.5 + 0.5 * 2 / 3,
              tolerance);
  // What is below 0.05 is not there.
  const Detection faint{{50, 50, 90, 90}, 0.04F, 5};
  EXPECT_EQ(feature_of(std::vector{cat, faint}, 100, 100, structure), one);
}

// 0° is covered. Of 10°, 80°, 45°, 90° the farthest is 90°; then 45° (both ends 45° away), then 10°
// and 80°, which are 10° from their neighbours.
TEST(Coverage, TheFarthestComesNext) {
  const std::vector<Feature> pool = {at_degrees(12), at_degrees(80), at_degrees(45),
                                     at_degrees(90)};
  const std::vector<Feature> covered = {at_degrees(0)};
  Coverage coverage(pool, covered, 0, 1);
  std::vector<std::size_t> order;
  for (Coverage::Pick pick; coverage.next(pick);) order.push_back(pick.index);
  EXPECT_EQ(order, (std::vector<std::size_t>{3, 2, 0, 1}));
}

TEST(Coverage, WithoutAnythingCoveredTheGivenOneIsFirst) {
  const std::vector<Feature> pool = {at_degrees(0), at_degrees(50), at_degrees(90)};
  Coverage coverage(pool, {}, 1, 1);
  Coverage::Pick pick;
  ASSERT_TRUE(coverage.next(pick));
  EXPECT_EQ(pick.index, 1u);
  coverage.leave_out(0);
  ASSERT_TRUE(coverage.next(pick));
  EXPECT_EQ(pick.index, 2u);
  EXPECT_NEAR(pick.distance, 1 - std::cos(40 * M_PI / 180), tolerance);
  EXPECT_FALSE(coverage.next(pick));
}

// A greedy choice covers within twice the radius of the best choice (Gonzalez 1985). Here the best
// three of six are one in each of three pairs.
TEST(Coverage, ThreePairsGetOneEach) {
  const std::vector<Feature> pool = {at_degrees(0),  at_degrees(4),   at_degrees(60),
                                     at_degrees(64), at_degrees(120), at_degrees(124)};
  for (const int threads : {1, 3}) {
    Coverage coverage(pool, {}, 0, threads);
    std::vector<std::size_t> pairs;
    for (int i = 0; i < 3; ++i) {
      Coverage::Pick pick;
      ASSERT_TRUE(coverage.next(pick));
      pairs.push_back(pick.index / 2);
    }
    std::sort(pairs.begin(), pairs.end());
    EXPECT_EQ(pairs, (std::vector<std::size_t>{0, 1, 2}));
  }
}

// Two heaps at 0° (five images) and at 90° (three): the middle of each is the most typical.
TEST(TypicalOrder, TheMiddleOfTheLargestGroupIsFirst) {
  std::vector<Feature> pool;
  for (const double degrees : {-16.0, -8.0, 0.0, 8.0, 16.0, 82.0, 90.0, 98.0})
    pool.push_back(at_degrees(degrees));
  const auto order = typical_order(pool, {}, 2, 1, 1);
  ASSERT_EQ(order.size(), pool.size());
  EXPECT_EQ(order[0], 2u);
  EXPECT_EQ(order[1], 6u);
  std::vector<std::size_t> sorted = order, all(pool.size());
  std::sort(sorted.begin(), sorted.end());
  std::iota(all.begin(), all.end(), std::size_t{0});
  EXPECT_EQ(sorted, all);
  // A labelled image at 5° makes the smaller group the first one.
  const std::vector<Feature> covered = {at_degrees(5)};
  EXPECT_EQ(typical_order(pool, covered, 2, 1, 1)[0], 6u);
  EXPECT_EQ(typical_order(pool, covered, 2, 1, 3), typical_order(pool, covered, 2, 1, 1));
  EXPECT_TRUE(typical_order({}, covered, 2, 1, 1).empty());
}

}  // namespace
}  // namespace yolov7::active
