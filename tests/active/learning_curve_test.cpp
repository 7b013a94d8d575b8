// Areas and costs by hand. Costs are powers of e, so that their logarithms are whole numbers.
#include "active/learning_curve.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "core/error.hpp"

namespace yolov7::active {
namespace {

double e(double power) { return std::exp(power); }

TEST(LearningCurve, TheAreaIsTheMeanOverTheLogarithmOfTheCost) {
  // Logarithms 1, 2, 4 and values 0.2, 0.4, 0.5: (0.2 + 0.4) / 2 · 1 + (0.4 + 0.5) / 2 · 2 = 1.2,
  // over a length of 3.
  const Curve curve{{e(1), 0.2}, {e(2), 0.4}, {e(4), 0.5}};
  EXPECT_NEAR(mean_value(curve, e(1), e(4)), 0.4, 1e-12);
  // To 3 only, where the value is 0.45: 0.3 + 0.425 = 0.725, over 2.
  EXPECT_NEAR(mean_value(curve, e(1), e(3)), 0.3625, 1e-12);
  // Level behind the last point: 1.2 + 0.5 · 2 = 2.2, over 5. And before the first: + 0.2 · 1.
  EXPECT_NEAR(mean_value(curve, e(1), e(6)), 0.44, 1e-12);
  EXPECT_NEAR(mean_value(curve, e(0), e(4)), 0.35, 1e-12);
  EXPECT_NEAR(mean_value({{e(2), 0.3}}, e(1), e(2)), 0.3, 1e-12);
}

TEST(LearningCurve, CostsBetweenPointsAreGeometric) {
  const Curve curve{{100, 0.1}, {400, 0.5}, {900, 0.4}};
  EXPECT_DOUBLE_EQ(*cost_to_reach(curve, 0.05), 100);
  // Half of the way from 0.1 to 0.5: √(100 · 400).
  EXPECT_NEAR(*cost_to_reach(curve, 0.3), 200, 1e-9);
  EXPECT_NEAR(*cost_to_reach(curve, 0.5), 400, 1e-9);
  EXPECT_FALSE(cost_to_reach(curve, 0.51));
  EXPECT_NEAR(value_at(curve, 200), 0.3, 1e-12);
  EXPECT_NEAR(value_at(curve, 600), 0.45, 1e-12);
}

TEST(LearningCurve, AStepHasNoWidth) {
  const Curve curve{{e(1), 0.2}, {e(2), 0.2}, {e(2), 0.6}, {e(3), 0.6}};
  EXPECT_NEAR(mean_value(curve, e(1), e(3)), 0.4, 1e-12);
  EXPECT_NEAR(value_at(curve, e(2.5)), 0.6, 1e-12);
}

TEST(LearningCurve, TheMeanOfCurvesIsTakenRoundByRound) {
  const std::vector<Curve> curves{{{10, 0.1}, {20, 0.3}, {40, 0.5}}, {{14, 0.3}, {30, 0.5}}};
  const Curve mean = mean_curve(curves);
  ASSERT_EQ(mean.size(), 3u);
  EXPECT_DOUBLE_EQ(mean[0].cost, 12);
  EXPECT_DOUBLE_EQ(mean[1].value, 0.4);
  EXPECT_DOUBLE_EQ(mean[2].cost, 35) << "the second stays at its last point";
  EXPECT_DOUBLE_EQ(mean[2].value, 0.5);
}

TEST(LearningCurve, CurvesAreComparedAsFarAsAllGo) {
  const Curve to80{{10, 0.1}, {80, 0.3}}, to90{{10, 0.1}, {90, 0.3}}, to40{{10, 0.1}, {40, 0.3}};
  EXPECT_EQ(common_cost(std::vector<EndedCurve>{{to80, false}, {to90, false}}), 80);
  EXPECT_EQ(common_cost(std::vector<EndedCurve>{{to80, false}, {to40, true}}), 80);
  EXPECT_EQ(common_cost(std::vector<EndedCurve>{{to80, true}, {to90, true}}), 90);
}

TEST(LearningCurve, WrongCurvesAreRefused) {
  EXPECT_THROW(value_at({}, 1), Error);
  EXPECT_THROW(value_at({{0, 0.1}}, 1), Error);
  EXPECT_THROW(value_at({{2, 0.1}, {1, 0.2}}, 1), Error);
  EXPECT_THROW(mean_value({{2, 0.1}}, 3, 3), Error);
  EXPECT_THROW(mean_curve(std::vector<Curve>{}), Error);
}

}  // namespace
}  // namespace yolov7::active
