#include "compression/plan/least_squares.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/exporting/networks.hpp"
#include "tests/scratch_folder.hpp"

using namespace yolov7;
using namespace yolov7::compression;
using namespace yolov7::testing;

namespace {

LinearRows rows(std::size_t inputs, std::vector<double> numbers) {
  return {numbers.size() / (inputs + 1), inputs, std::move(numbers)};
}

}  // namespace

// y = 2 x + 1 at x = 0, 1, 2: the line itself; from 0 with λ = 1 · (0 + 1 + 4): Σ x = 3, Σ y = 9,
// Σ x y = 13, so 3 c + 3 w = 9 and 3 c + 10 w = 13: w = 4/7, c = 17/7.
TEST(LeastSquares, TheLineByHand) {
  SampleSums sums(1, 1);
  sums.add(std::vector<float>{0, 1}, std::vector<float>{1, 3}, 2);
  sums.add(std::vector<float>{2}, std::vector<float>{5}, 1);
  const FittedRows exact(sums, rows(1, {0, 0}), 1e-9);
  EXPECT_NEAR(exact.rows().row(0)[0], 1, 1e-6);
  EXPECT_NEAR(exact.rows().row(0)[1], 2, 1e-6);
  const FittedRows pulled(sums, rows(1, {0, 0}), 1);
  EXPECT_NEAR(pulled.rows().row(0)[0], 17.0 / 7, 1e-6);
  EXPECT_NEAR(pulled.rows().row(0)[1], 4.0 / 7, 1e-6);
  EXPECT_NEAR(sums.error(rows(1, {1, 2})), 0, 1e-9);
  EXPECT_NEAR(sums.error(rows(1, {0, 2})), 1, 1e-9);
  EXPECT_NEAR(sums.error(rows(1, {1, 0})), (0.0 + 4 + 16) / 3, 1e-9);
}

// Two inputs that are always equal: 0.4 and 0.4 rounded by themselves give 0 of 0.8; the second
// is 0, and what it lacks makes the first 1.
TEST(LeastSquares, WhatRoundingChangesIsMadeGood) {
  SampleSums sums(2, 1);
  sums.add(std::vector<float>{1, -1, 2, -2, 1.001F, -1, 2, -2},
           std::vector<float>{0.8F, -0.8F, 1.6F, -1.6F}, 4);
  FittedRows fit(sums, rows(2, {0, 0.4, 0.4}), 1e-3);
  EXPECT_EQ(fit.round(std::vector<float>{1}), (std::vector<std::int8_t>{1, 0}));
}

// 70 inputs, more than one block of the factor, 3 outputs: a fit to exact outputs finds the rows;
// rounded with feedback they lose less than each rounded by itself.
TEST(LeastSquares, ManyInputs) {
  constexpr std::size_t inputs = 70, outputs = 3, count = 400;
  const std::vector<float> x = noise(inputs * count, 1), wanted = noise(outputs * (inputs + 1), 2);
  std::vector<float> mixed = x, y(outputs * count);
  for (std::size_t i = 1; i < inputs; ++i)  // neighbours resemble each other
    for (std::size_t k = 0; k < count; ++k)
      mixed[i * count + k] = 0.9F * mixed[(i - 1) * count + k] + 0.3F * x[i * count + k];
  for (std::size_t o = 0; o < outputs; ++o)
    for (std::size_t k = 0; k < count; ++k) {
      float sum = wanted[o * (inputs + 1)];
      for (std::size_t i = 0; i < inputs; ++i)
        sum += wanted[o * (inputs + 1) + i + 1] * mixed[i * count + k];
      y[o * count + k] = sum;
    }
  SampleSums sums(inputs, outputs);
  sums.add(mixed, y, count);
  FittedRows fit(sums, rows(inputs, std::vector<double>(wanted.size(), 0)), 1e-7);
  for (std::size_t i = 0; i < wanted.size(); ++i)
    EXPECT_NEAR(fit.rows().numbers[i], static_cast<double>(wanted[i]), 1e-2) << i;
  LinearRows nearest = fit.rows();
  for (std::size_t o = 0; o < outputs; ++o)
    for (std::size_t i = 1; i <= inputs; ++i)
      nearest.row(o)[i] = std::nearbyint(nearest.row(o)[i] / 0.125) * 0.125;
  const auto numbers = fit.round(std::vector<float>(outputs, 0.125F));
  for (std::size_t o = 0; o < outputs; ++o)
    for (std::size_t i = 0; i < inputs; ++i)
      EXPECT_EQ(fit.rows().row(o)[i + 1], 0.125 * numbers[o * inputs + i]);
  EXPECT_LT(sums.error(fit.rows()), sums.error(nearest) / 2);
}

TEST(LeastSquares, WithoutSamplesThereIsNoFit) {
  EXPECT_NE(test::error_of([] {
              FittedRows(SampleSums(1, 1), rows(1, {0, 0}), 1);
            }).find("samples"),
            std::string::npos);
}
