#include "compression/plan/fallback.hpp"

#include <gtest/gtest.h>

#include <cmath>

using namespace yolov7::compression;

namespace {

const std::vector<std::string> order{"a", "b", "c", "d", "e", "f", "g", "h"};

/// What is lost falls by 1 with each layer in float32, from 8.
double by_count(const std::set<std::string>& real) { return 8 - static_cast<double>(real.size()); }

std::vector<std::size_t> tried(const Fallback& fallback) {
  std::vector<std::size_t> counts;
  for (const FallbackTrial& one : fallback.trials) counts.push_back(one.real_layers);
  return counts;
}

}  // namespace

TEST(Fallback, NothingGoesBackWhereTheBudgetHolds) {
  const Fallback found = least_fallback(order, 8, by_count, 8);
  EXPECT_TRUE(found.kept);
  EXPECT_TRUE(found.real.empty());
  EXPECT_EQ(tried(found), (std::vector<std::size_t>{0}));
}

TEST(Fallback, TheFewestLayersInOrder) {
  const Fallback found = least_fallback(order, 8, by_count, 3);
  EXPECT_TRUE(found.kept);
  EXPECT_EQ(found.real, (std::set<std::string>{"a", "b", "c", "d", "e"}));
  EXPECT_EQ(tried(found), (std::vector<std::size_t>{0, 1, 2, 4, 8, 6, 5}));
  EXPECT_EQ(found.trials.back().lost, 3);
}

TEST(Fallback, NotMoreThanAllowed) {
  const Fallback found = least_fallback(order, 5, by_count, 2);
  EXPECT_FALSE(found.kept);
  EXPECT_EQ(tried(found), (std::vector<std::size_t>{0, 1, 2, 4, 5}));
  EXPECT_FALSE(least_fallback(order, 0, by_count, 2).kept);
}

TEST(Fallback, ALossThatIsNoNumberHoldsNoBudget) {
  const auto lost = [](const std::set<std::string>&) { return std::nan(""); };
  EXPECT_FALSE(least_fallback(order, 8, lost, 1).kept);
}
