#include "compression/plan/histogram.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "tests/scratch_folder.hpp"

using namespace yolov7;
using namespace yolov7::compression;
using network::ActivationNumbers;

namespace {

double total(const Histogram& histogram) {
  double sum = 0;
  for (const Histogram::Mass& one : histogram.masses()) sum += one.count;
  return sum;
}

std::vector<float> normal(std::size_t count, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<float> values(count);
  for (float& value : values)
    value = static_cast<float>(static_cast<int>(random() % 4001) - 2000 +
                               static_cast<int>(random() % 4001) - 2000) /
            1000;
  return values;
}

double error_of(const std::vector<float>& values, const network::ValueScale& scale,
                ActivationNumbers numbers) {
  double sum = 0;
  for (const float value : values) {
    const double gap = static_cast<double>(network::quantized(value, scale, numbers) - value);
    sum += gap * gap;
  }
  return sum;
}

}  // namespace

TEST(Histogram, EveryNumberIsCountedOnceInItsBin) {
  Histogram histogram;
  histogram.add(std::vector<float>{-1, 0, 0, 3});
  EXPECT_EQ(histogram.count(), 4U);
  EXPECT_EQ(histogram.low(), -1);
  EXPECT_EQ(histogram.high(), 3);
  const auto masses = histogram.masses();
  ASSERT_EQ(masses.size(), 3U);
  const double half = histogram.width() / 2;
  EXPECT_EQ(masses[0].centre, -1 + half);
  EXPECT_EQ(masses[1].centre, half);
  EXPECT_EQ(masses[1].count, 2);
  EXPECT_EQ(masses[2].centre, 3 + half);
  // 3 lies below 8192 bins, and half of them would not hold it.
  EXPECT_GT(histogram.width() * Histogram::half, 3);
  EXPECT_LE(histogram.width() * Histogram::half / 2, 3);
}

TEST(Histogram, OrderAndPartsDoNotMatter) {
  std::vector<float> values = normal(5000, 1);
  values.push_back(900);  // widens the bins late
  Histogram whole, parts, first, second;
  whole.add(values);
  for (const float value : values) parts.add(std::vector<float>{value});
  first.add(std::span(values).first(2000));
  second.add(std::span(values).subspan(2000));
  first.add(second);
  std::reverse(values.begin(), values.end());
  Histogram reversed;
  reversed.add(values);
  const auto wanted = whole.masses();
  for (const Histogram* one : {&parts, &first, &reversed}) {
    const auto found = one->masses();
    ASSERT_EQ(found.size(), wanted.size());
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      EXPECT_EQ(found[i].centre, wanted[i].centre);
      EXPECT_EQ(found[i].count, wanted[i].count);
    }
    EXPECT_EQ(one->high(), 900);
  }
  EXPECT_EQ(total(whole), 5001);
}

TEST(Histogram, WhatIsNotFiniteIsRefused) {
  for (const float bad :
       {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
    Histogram histogram;
    EXPECT_NE(test::error_of([&] { histogram.add(std::vector<float>{1, bad}); }), "no error");
  }
}

TEST(BestScale, ExtremesHoldEverythingAndZeroIsExact) {
  Histogram histogram;
  histogram.add(std::vector<float>{-2, 0.3F, 3.1F});
  const network::ValueScale scale = best_scale(histogram, RangeMethod::extremes);
  EXPECT_FLOAT_EQ(scale.scale, 5.1F / 255);
  EXPECT_EQ(scale.zero_point, 100);  // 2 ÷ 0.02
  EXPECT_FLOAT_EQ(scale.symmetric, 3.1F / 127);
  EXPECT_EQ(network::quantized(0, scale, ActivationNumbers::asymmetric), 0);
}

TEST(BestScale, OneLargeNumberAmongThousandsIsCutOff) {
  std::vector<float> values = normal(100000, 2);
  values.push_back(12);
  Histogram histogram;
  histogram.add(values);
  const network::ValueScale best = best_scale(histogram, RangeMethod::squared_error);
  EXPECT_LT(best.high(), 11);
  // Beside all ends in steps of a hundredth of the range.
  for (const auto numbers : {ActivationNumbers::asymmetric, ActivationNumbers::symmetric}) {
    double least = std::numeric_limits<double>::infinity();
    for (int i = 30; i <= 100; ++i) {
      const float high = 0.12F * static_cast<float>(i), low = histogram.low();
      const float step = (high - low) / 255;
      const network::ValueScale one{step, static_cast<int>(std::lround(-low / step)), high / 127};
      least = std::min(least, error_of(values, one, numbers));
    }
    EXPECT_LT(error_of(values, best, numbers), 1.03 * least);
  }
}

TEST(BestScale, PercentileLeavesATenThousandthOnEachSide) {
  std::vector<float> values;
  for (int i = 1; i <= 100000; ++i) values.push_back(static_cast<float>(i) / 100000);
  values.push_back(50);
  Histogram histogram;
  histogram.add(values);
  EXPECT_NEAR(best_scale(histogram, RangeMethod::percentile).high(), 0.9999, 0.01);
}

// Behind a leaky ReLU with slope 0.1, errors of negative numbers count a hundredth.
TEST(BestScale, TheErrorBehindTheActivationCounts) {
  std::vector<float> values;
  for (int i = -1000; i <= 10000; ++i) values.push_back(static_cast<float>(i) / 1000);
  values.push_back(-10);
  Histogram histogram;
  histogram.add(values);
  const auto leaky = [](double x) { return x < 0 ? 0.1 * x : x; };
  const network::ValueScale plain = best_scale(histogram, RangeMethod::squared_error),
                            behind = best_scale(histogram, RangeMethod::squared_error,
                                                {.activation = leaky});
  EXPECT_GT(behind.low(), plain.low());
  const auto error = [&](const network::ValueScale& scale) {
    double sum = 0;
    for (const float value : values) {
      const float stored = network::quantized(value, scale, ActivationNumbers::asymmetric);
      const double gap = leaky(static_cast<double>(stored)) - leaky(static_cast<double>(value));
      sum += gap * gap;
    }
    return sum;
  };
  EXPECT_LT(error(behind), error(plain));
}

// Results are numbers of step 1/200. With steps of 1/255, which the values alone would have, each
// is rounded twice: variance (1/255² + 1/200²) / 12. With steps of 1/200 it is rounded once.
TEST(BestScale, StepsOfTheResultAreRoundedOnce) {
  std::vector<float> values;
  for (int i = 0; i <= 100000; ++i) values.push_back(static_cast<float>(i) / 100000);
  Histogram histogram;
  histogram.add(values);
  const AfterQuantization after{.activation = {}, .result = network::ValueScale{1.0F / 200, 20}};
  EXPECT_NEAR(after.given(0.0074), 0.005, 1e-7);  // 1.48 steps
  EXPECT_NEAR(after.given(-1), -0.1, 1e-7);       // number 0
  EXPECT_NEAR(best_scale(histogram, RangeMethod::squared_error).scale, 1.0 / 255, 1e-6);
  const network::ValueScale found = best_scale(histogram, RangeMethod::squared_error, after);
  EXPECT_NEAR(found.scale, 1.0 / 200, 1e-6);
  EXPECT_GE(found.high(), 1 - 1.0F / 400);
}

TEST(BestScale, NumbersWithoutSpreadHaveAScale) {
  Histogram histogram;
  histogram.add(std::vector<float>{0, 0});
  EXPECT_EQ(best_scale(histogram, RangeMethod::squared_error),
            (network::ValueScale{1.0F / 255, 0, 1.0F / 127}));
}
