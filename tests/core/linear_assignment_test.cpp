#include "core/linear_assignment.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "core/random.hpp"

using namespace yolov7;

namespace {

double total(const std::vector<int>& pairs, const std::vector<double>& costs, std::size_t columns,
             double limit) {
  double sum = 0;
  std::size_t alone_columns = columns;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    if (pairs[i] < 0)
      sum += limit / 2;
    else
      sum += costs[i * columns + static_cast<std::size_t>(pairs[i])], --alone_columns;
  }
  return sum + limit / 2 * static_cast<double>(alone_columns);
}

// Every way to give rows different columns or none.
double least(const std::vector<double>& costs, std::size_t rows, std::size_t columns, double limit,
             std::vector<int>& pairs, std::size_t row) {
  if (row == rows) return total(pairs, costs, columns, limit);
  pairs[row] = -1;
  double best = least(costs, rows, columns, limit, pairs, row + 1);
  for (std::size_t j = 0; j < columns; ++j) {
    if (costs[row * columns + j] > limit ||
        std::find(pairs.begin(), pairs.begin() + static_cast<std::ptrdiff_t>(row),
                  static_cast<int>(j)) != pairs.begin() + static_cast<std::ptrdiff_t>(row))
      continue;
    pairs[row] = static_cast<int>(j);
    best = std::min(best, least(costs, rows, columns, limit, pairs, row + 1));
  }
  pairs[row] = -1;
  return best;
}

}  // namespace

TEST(Assignment, IsTheLeastOfAllWays) {
  for (std::uint32_t sample = 0; sample < 300; ++sample) {
    Random random(1, 0, sample, 0);
    const std::size_t rows = static_cast<std::size_t>(random.integer(1, 5)),
                      columns = static_cast<std::size_t>(random.integer(1, 5));
    const double limit = random.uniform(0.2, 1.2);
    std::vector<double> costs;
    for (std::size_t i = 0; i < rows * columns; ++i) costs.push_back(random.uniform(0, 1));
    const std::vector<int> pairs = assign(costs, rows, columns, limit);
    std::vector<int> scratch(rows, -1), used;
    EXPECT_NEAR(total(pairs, costs, columns, limit), least(costs, rows, columns, limit, scratch, 0),
                1e-12)
        << sample;
    for (std::size_t i = 0; i < rows; ++i) {
      if (pairs[i] < 0) continue;
      EXPECT_LE(costs[i * columns + static_cast<std::size_t>(pairs[i])], limit);
      EXPECT_EQ(std::count(used.begin(), used.end(), pairs[i]), 0) << "a column for two rows";
      used.push_back(pairs[i]);
    }
  }
}

TEST(Assignment, GivesUpAGoodPairForTwo) {
  // Greedy would take .1 and leave the second row alone.
  EXPECT_EQ(assign({0.1, 0.2, 0.2, 9}, 2, 2, 1), (std::vector<int>{1, 0}));
  EXPECT_EQ(assign({0.9, 0.9}, 2, 1, 0.5), (std::vector<int>{-1, -1}));
  EXPECT_EQ(assign({}, 0, 3, 1), (std::vector<int>{}));
  EXPECT_EQ(assign({}, 2, 0, 1), (std::vector<int>{-1, -1}));
}
