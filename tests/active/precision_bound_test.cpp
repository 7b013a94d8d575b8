#include "active/precision_bound.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "core/error.hpp"

namespace yolov7::active {
namespace {

/// P(X ≥ k), term by term, in the plain form of the definition.
double tail(int k, int n, double p) {
  double sum = 0;
  for (int j = k; j <= n; ++j) {
    double ways = 1;
    for (int i = 0; i < j; ++i) ways = ways * (n - i) / (i + 1);
    sum += ways * std::pow(p, j) * std::pow(1 - p, n - j);
  }
  return sum;
}

TEST(PrecisionBound, IsThatOfPrintedTables) {
  // One-sided 95 % (two-sided 90 %) limits of Clopper and Pearson: 8 of 10, 9 of 10, 5 of 10, 1 of
  // 10, in tables of binomial limits to four places.
  EXPECT_NEAR(lower_bound(8, 10), 0.4931, 5e-5);
  EXPECT_NEAR(lower_bound(9, 10), 0.6058, 5e-5);
  EXPECT_NEAR(lower_bound(5, 10), 0.2224, 5e-5);
  EXPECT_NEAR(lower_bound(1, 10), 0.0051, 5e-5);
  EXPECT_NEAR(lower_bound(15, 20), 0.5444, 5e-5);
}

TEST(PrecisionBound, AtTheEndsItHasAClosedForm) {
  EXPECT_EQ(lower_bound(0, 10), 0);
  EXPECT_EQ(lower_bound(0, 0), 0);
  EXPECT_NEAR(lower_bound(10, 10), std::pow(0.05, 0.1), 1e-15);
  // One correct of n: 1 − (1 − p)^n = .05.
  EXPECT_NEAR(lower_bound(1, 40), 1 - std::pow(0.95, 1.0 / 40), 1e-14);
  // 59 without a fault are the fewest that promise .95.
  EXPECT_LT(lower_bound(58, 58), 0.95);
  EXPECT_GE(lower_bound(59, 59), 0.95);
}

TEST(PrecisionBound, LeavesTheProbabilityThatItSays) {
  for (const double confidence : {0.9, 0.95, 0.99})
    for (const int n : {7, 30, 60})
      for (int k = 1; k < n; k += 3)
        EXPECT_NEAR(
            tail(k, n,
                 lower_bound(static_cast<std::size_t>(k), static_cast<std::size_t>(n), confidence)),
            1 - confidence, 1e-9)
            << k << " of " << n;
  // Large samples: the normal approximation with its continuity correction is near.
  const double n = 1e6, p = 0.95;
  EXPECT_NEAR(lower_bound(950'000, 1'000'000), p - 1.6449 * std::sqrt(p * (1 - p) / n), 2e-6);
}

TEST(PrecisionBound, OneLookNeedsNoHigherConfidence) {
  const std::size_t one[] = {100};
  EXPECT_EQ(confidence_of_each(one, 0.95), 0.95);
  EXPECT_EQ(confidence_of_each({}, 0.95), 0.95);
}

/// All 2^8 sequences of right and wrong ones at a precision of one half, looked at after 5 and 8.
TEST(PrecisionBound, SeveralLooksAreCountedThroughAllSequences) {
  const std::size_t counts[] = {5, 8};
  const double each = confidence_of_each(counts, 0.5, 0.93);
  const auto promises = [&](double confidence) {
    int promised = 0;
    for (int sequence = 0; sequence < 256; ++sequence) {
      bool any = false;
      for (const int n : {5, 8}) {
        int right = 0;
        for (int i = 0; i < n; ++i) right += sequence >> i & 1;
        any |= tail(right, n, 0.5) <= 1 - confidence + 1e-12;
      }
      promised += any ? 1 : 0;
    }
    return promised / 256.0;
  };
  // Alone, 5 of 5 (8/256) and 7 of 8 (9/256) promise at .93; four sequences have both, so 13 of 256
  // promise, which is below .07: the confidence stays. At .95 they are too many (.0508), and 7 of 8
  // must not promise.
  EXPECT_DOUBLE_EQ(promises(0.93), 13 / 256.0);
  EXPECT_NEAR(each, 0.93, 1e-6);
  const double strict = confidence_of_each(counts, 0.5, 0.95);
  EXPECT_DOUBLE_EQ(promises(strict), 8 / 256.0);
  EXPECT_NEAR(1 - strict, 9 / 256.0, 1e-6);  // the level at which 7 of 8 would promise
}

TEST(PrecisionBound, LooksAtManyBoxesAreCheap) {
  const std::size_t counts[] = {50'000, 100'000, 150'000, 200'000};
  const double each = confidence_of_each(counts, 0.95);
  EXPECT_GT(each, 0.95);
  EXPECT_LT(each, 1 - 0.05 / 4);
}

TEST(PrecisionBound, WrongCountsAreRefused) {
  EXPECT_THROW(lower_bound(3, 2), Error);
  EXPECT_THROW(lower_bound(1, 2, 1), Error);
  EXPECT_THROW(lower_bound(1, 2, 0), Error);
  const std::size_t counts[] = {10, 20};
  EXPECT_THROW(confidence_of_each(counts, 1), Error);
  EXPECT_THROW(confidence_of_each(counts, 0.95, 0.4), Error);
}

}  // namespace
}  // namespace yolov7::active
