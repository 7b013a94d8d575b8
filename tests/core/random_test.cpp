#include "core/random.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace yolov7 {
namespace {

// Known answers published with Random123 (kat_vectors, philox4x32 10).
TEST(Philox, KnownAnswers) {
  using W = std::array<std::uint32_t, 4>;
  EXPECT_EQ(philox4x32_10({0, 0, 0, 0}, {0, 0}),
            (W{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox4x32_10({~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}),
            (W{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(
      philox4x32_10({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
      (W{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Random, StreamIsAFunctionOfItsFourNumbers) {
  Random a(7, 1, 2, 3), b(7, 1, 2, 3);
  for (int i = 0; i < 9; ++i) EXPECT_EQ(a.next(), b.next());
  std::set<std::uint32_t> firsts{Random(7, 1, 2, 3).next(), Random(8, 1, 2, 3).next(),
                                 Random(7, 2, 2, 3).next(), Random(7, 1, 3, 3).next(),
                                 Random(7, 1, 2, 4).next()};
  EXPECT_EQ(firsts.size(), 5u);
}

TEST(Random, IntegersCoverBothEnds) {
  Random random(1, 0, 0, 0);
  std::array<int, 5> counts{};
  for (int i = 0; i < 5000; ++i) ++counts[static_cast<std::size_t>(random.integer(-2, 2) + 2)];
  // 1,000 expected per value, standard deviation 28: 5 deviations.
  for (const int count : counts) EXPECT_NEAR(count, 1000, 145);
  EXPECT_EQ(random.integer(3, 2), 3);
}

// Moments over n draws; the bounds are five standard errors of the mean.
TEST(Random, MomentsMatchTheDistributions) {
  constexpr int n = 40'000;
  Random random(3, 0, 0, 0);
  double uniform = 0, normal = 0, normal_squares = 0, beta = 0, beta_squares = 0;
  for (int i = 0; i < n; ++i) {
    const double u = random.uniform(), z = random.normal(), b = random.beta(8, 8);
    ASSERT_GE(u, 0);
    ASSERT_LT(u, 1);
    uniform += u;
    normal += z;
    normal_squares += z * z;
    beta += b;
    beta_squares += (b - 0.5) * (b - 0.5);
  }
  EXPECT_NEAR(uniform / n, 0.5, 5 * std::sqrt(1.0 / 12 / n));
  EXPECT_NEAR(normal / n, 0, 5 / std::sqrt(n));
  EXPECT_NEAR(normal_squares / n, 1, 5 * std::sqrt(2.0 / n));
  EXPECT_NEAR(beta / n, 0.5, 5 * std::sqrt(1.0 / 68 / n));
  EXPECT_NEAR(beta_squares / n, 1.0 / 68, 0.0006);  // Beta(8, 8): variance 64 / (256 · 17)
}

// Nearly all draws of both gammas are below the smallest double; Beta(a, b) is 1 with probability
// a / (a + b) in that limit.
TEST(Random, BetaOfSmallShapesIsANumber) {
  Random random(3, 0, 0, 0);
  constexpr int n = 10'000;
  double sum = 0;
  for (int i = 0; i < n; ++i) {
    const double b = random.beta(3e-6, 1e-6);
    ASSERT_TRUE(b >= 0 && b <= 1) << b;
    sum += b;
  }
  EXPECT_NEAR(sum / n, 0.75, 5 * std::sqrt(0.1875 / n));
}

TEST(Random, PermutationHoldsEveryIndexOnce) {
  auto order = Random(1, 0, 0, 0).permutation(100);
  EXPECT_FALSE(std::is_sorted(order.begin(), order.end()));
  std::sort(order.begin(), order.end());
  for (std::size_t i = 0; i < 100; ++i) EXPECT_EQ(order[i], i);
}

}  // namespace
}  // namespace yolov7
