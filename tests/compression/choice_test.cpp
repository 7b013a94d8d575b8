// Which candidate is taken, by hand-made times and accuracies.
#include "compression/budget/choice.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"

namespace yolov7::compression {
namespace {

constexpr double parent_map = 0.5, budget = 0.125;  // exact in binary, so that the limit is too

Candidate candidate(const std::string& network, const std::string& numbers, double least,
                    double map) {
  Candidate one;
  one.network = network, one.numbers = numbers;
  one.accuracy.parent_map = parent_map, one.accuracy.file_map = map;
  one.accuracy.change = map - parent_map;
  one.accuracy.low = one.accuracy.change - 0.01, one.accuracy.high = one.accuracy.change + 0.01;
  one.accuracy.budget = budget;
  one.speed = {least, least + 1, 1000 / least};
  return one;
}

Candidate missing(const std::string& network, const std::string& numbers, const std::string& why) {
  Candidate one;
  one.network = network, one.numbers = numbers, one.missing = why;
  return one;
}

std::vector<Candidate> of_parent(double half_ms, double half_map, double integer_ms,
                                 double integer_map) {
  return {candidate("parent", "float32", 20, parent_map),
          candidate("parent", "bfloat16", half_ms, half_map),
          candidate("parent", "int8", integer_ms, integer_map)};
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(Choice, TheFastestThatKeepsTheBudget) {
  EXPECT_EQ(choose(of_parent(12, 0.498, 8, 0.49)).chosen, 2U);
  // Integers lose .126.
  EXPECT_EQ(choose(of_parent(12, 0.498, 8, 0.374)).chosen, 1U);
  // .125 is what may be lost.
  EXPECT_EQ(choose(of_parent(12, 0.498, 8, 0.375)).chosen, 2U);
  // Bfloat16 is faster.
  EXPECT_EQ(choose(of_parent(7, 0.498, 8, 0.5)).chosen, 1U);
  std::vector<Candidate> pruned = of_parent(12, 0.498, 8, 0.49);
  pruned.push_back(candidate("time-35", "float32", 13, 0.5));
  pruned.push_back(candidate("time-35", "int8", 5, 0.4));
  EXPECT_EQ(choose(pruned).chosen, 4U);
}

TEST(Choice, OfEqualTimesTheMoreAccurate) {
  EXPECT_EQ(choose(of_parent(8, 0.498, 8, 0.49)).chosen, 1U);
  EXPECT_EQ(choose(of_parent(8, 0.49, 8, 0.498)).chosen, 2U);
}

TEST(Choice, SaysWhatWasWonAndWhatIsNotSure) {
  // 20 / 8 = 2.5. The change is −.01, its interval −.02 to 0: within the budget.
  const std::string sure = choose(of_parent(12, 0.498, 8, 0.49)).reason;
  EXPECT_TRUE(has(sure,
                  "parent in int8: 2.50 times as fast as the parent in float32 (8.000 ms, "
                  "20.000 ms), -0.0100 mAP (budget 0.125)"))
      << sure;
  EXPECT_FALSE(has(sure, "on other images"));
  // −.12 − .01 is below −.125.
  const std::string unsure = choose(of_parent(12, 0.498, 8, 0.38)).reason;
  EXPECT_TRUE(has(unsure,
                  "on other images it may lose more: the interval of the change reaches to "
                  "-0.1300"))
      << unsure;
}

TEST(Choice, NoneWhereNothingIsBothFasterAndWithinTheBudget) {
  std::vector<Candidate> all = of_parent(21, 0.5, 8, 0.3);
  all.push_back(candidate("ratio-0.5", "float32", 11, 0.2));
  all.push_back(missing("ratio-0.5", "int8", "not tried"));
  const Choice choice = choose(all);
  EXPECT_FALSE(choice.chosen);
  EXPECT_TRUE(has(choice.reason,
                  "faster than the parent in float32 (20.000 ms) and loses at most "
                  "0.125 mAP: 2 faster, 1 within the budget; nearest is parent in "
                  "int8: 8.000 ms, -0.2000 mAP"))
      << choice.reason;
  // The parent itself is no answer; the same time is not faster.
  EXPECT_FALSE(choose({candidate("parent", "float32", 20, 0.5)}).chosen);
  EXPECT_FALSE(choose(of_parent(20, 0.5, 20, 0.5)).chosen);
}

TEST(Choice, WhatIsNotMeasuredIsNotTaken) {
  std::vector<Candidate> all = of_parent(12, 0.498, 8, 0.49);
  all[2].missing = "NaN or infinity in the predictions of 1 of 4 images";
  EXPECT_EQ(choose(all).chosen, 1U);
  all[0].missing = "gone";
  EXPECT_THROW(choose(all), Error);
  EXPECT_THROW(choose({}), Error);
}

TEST(Choice, AdviceComparesIntegersWithBfloat16) {
  EXPECT_EQ(number_advice(of_parent(12, 0.498, 8, 0.49), "parent"),
            "parent: int8 is 1.50 times as fast as bfloat16");
  EXPECT_EQ(number_advice(of_parent(6, 0.498, 8, 0.49), "parent"),
            "parent: int8 is no faster than bfloat16 (0.75 times): take bfloat16, which needs no "
            "calibration");
  EXPECT_EQ(number_advice(of_parent(8, 0.3, 8, 0.49), "parent"),
            "parent: int8 is no faster than bfloat16 (1.00 times), which does not keep the budget");
  EXPECT_EQ(number_advice(of_parent(12, 0.498, 8, 0.3), "parent"),
            "parent: int8 does not keep the budget (-0.2000 mAP); bfloat16 does, and needs no "
            "calibration");
  std::vector<Candidate> old = of_parent(12, 0.498, 8, 0.49);
  old[1].missing = "this processor has none";
  EXPECT_EQ(number_advice(old, "parent"),
            "parent: bfloat16 is not there to compare int8 with: this processor has none");
  old[2].missing = "refused";
  EXPECT_EQ(number_advice(old, "parent"), "");
  EXPECT_EQ(number_advice(old, "time-35"), "");
}

}  // namespace
}  // namespace yolov7::compression
