#include "training/loss/loss_terms.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace yolov7::training {
namespace {

const std::vector<Positive> repeated{
    {0, 0, 1, 1, 0}, {0, 1, 0, 1, 0}, {0, 0, 1, 1, 1}, {0, 0, 0, 1, 1}};

TEST(LastOfEachCell, LaterWriterWins) {
  EXPECT_EQ(last_of_each_cell(repeated), (std::vector<std::int64_t>{1, 2, 3}));
}

TEST(ReadMap, ValuesAndSummedGradient) {
  at::Tensor map =
      at::arange(1 * 2 * 2 * 2 * 6, at::kDouble).view({1, 2, 2, 2, 6}).requires_grad_(true);
  const MapTerms terms = read_map(map, cell_index(repeated, at::kCPU));
  EXPECT_EQ(terms.objectness.sizes(), (std::vector<std::int64_t>{1, 2, 2, 2}));
  EXPECT_EQ(terms.objectness[0][1][0][1].item<double>(),
            (4 + 1) * 6 + 4);                         // cell number 5, column 4
  EXPECT_EQ(terms.rows[0][0].item<double>(), 3 * 6);  // anchor 0, row 1, column 1: cell number 3
  EXPECT_EQ(terms.rows[1][5].item<double>(), 5 * 6 + 5);
  (terms.objectness.sum() + terms.rows.slice(1, 0, 1).sum() * 10).backward();
  EXPECT_EQ(map.grad()[0][0][1][1][0].item<double>(), 20);  // two positives on one cell
  EXPECT_EQ(map.grad()[0][1][0][1][0].item<double>(), 10);
  EXPECT_EQ(map.grad()[0][1][1][1][0].item<double>(), 0);
  EXPECT_EQ(map.grad().select(-1, 4).sum().item<double>(), 8);
  EXPECT_EQ(map.grad().sum().item<double>(), 8 + 40);
}

double reference(double x, double t, double weight, double gamma) {
  const double p = 1 / (1 + std::exp(-x));
  const double loss = -(weight * t * std::log(p) + (1 - t) * std::log(1 - p));
  const double of_truth = t * p + (1 - t) * (1 - p);
  return gamma > 0 ? loss * (0.25 * t + 0.75 * (1 - t)) * std::pow(1 - of_truth, gamma) : loss;
}

TEST(BinaryCrossEntropy, EqualsItsFormula) {
  const std::vector<double> x{-3, -0.5, 0, 1.25, 4}, t{0, 1, 0.3, 0.95, 1};
  for (const double weight : {1.0, 1.7})
    for (const double gamma : {0.0, 1.5}) {
      double expected = 0;
      for (std::size_t i = 0; i < x.size(); ++i)
        expected += reference(x[i], t[i], weight, gamma) / static_cast<double>(x.size());
      const double found = binary_cross_entropy(at::tensor(x, at::kDouble),
                                                at::tensor(t, at::kDouble), weight, gamma)
                               .item<double>();
      EXPECT_NEAR(found, expected, 1e-14);  // a few roundings of doubles near 1
    }
}

// The slope of -ln(1 - p) p^0.5 is about 1.5 p^1.5, with p = 9e-14 and less.
TEST(BinaryCrossEntropy, HasASlopeWhereTheLogitIsSureAndGammaBelowOne) {
  for (const auto& [x, t] : {std::pair(-30.0, 0.0), std::pair(30.0, 1.0), std::pair(-200.0, 0.0)}) {
    const at::Tensor logit = at::full({1}, x, at::kFloat).requires_grad_(true);
    binary_cross_entropy(logit, at::full({1}, t, at::kFloat), 1, 0.5).backward();
    EXPECT_LT(std::abs(logit.grad().item<double>()), 1e-15) << x;
  }
}

}  // namespace
}  // namespace yolov7::training
