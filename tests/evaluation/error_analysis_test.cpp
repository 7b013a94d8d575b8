// Error analysis: the golden numbers of evaluation 6.1, and cases of which each has one error.
#include "evaluation/analyses/error_analysis.hpp"

#include <gtest/gtest.h>

#include <set>

#include "core/error.hpp"
#include "tests/evaluation/spec_data.hpp"

namespace yolov7::evaluation {
namespace {

TEST(ErrorAnalysis, GoldenNumbersOfTheSpecification) {
  const ErrorAnalysis a = analyse_errors(testing::spec_truth(), testing::spec_detections());
  EXPECT_NEAR(a.ap, 46.56465647, 5e-9);
  const std::array<double, error_types> dap{13.63886389, 7.26260126, 1.23762376,
                                            5.83358336,  1.62016202, 5.54455446};
  for (std::size_t i = 0; i < error_types; ++i)
    EXPECT_NEAR(a.dap[i], dap[i], 5e-9) << error_name(static_cast<ErrorType>(i));
  EXPECT_NEAR(a.false_positives, 20.26702670, 5e-9);
  EXPECT_NEAR(a.false_negatives, 23.28232823, 5e-9);
  const auto numbers = [&](ErrorType type) {  // as the specification counts, from 1
    std::set<std::ptrdiff_t> found;
    for (const DetectionError& e : a.errors)
      if (e.type == type)
        found.insert((type == ErrorType::missed ? e.annotation : e.detection) + 1);
    return found;
  };
  using Numbers = std::set<std::ptrdiff_t>;
  EXPECT_EQ(numbers(ErrorType::classification), (Numbers{4, 17}));
  EXPECT_EQ(numbers(ErrorType::localization), (Numbers{5, 16, 19}));
  EXPECT_EQ(numbers(ErrorType::both), (Numbers{18}));
  EXPECT_EQ(numbers(ErrorType::duplicate), (Numbers{2, 11}));
  EXPECT_EQ(numbers(ErrorType::background), (Numbers{8, 9, 12, 13}));
  EXPECT_EQ(numbers(ErrorType::missed), (Numbers{9}));
}

// One object, one detection with one fault: half of all points are lost to it, or all.
TEST(ErrorAnalysis, OneErrorAtATime) {
  CocoGroundTruth truth;
  truth.images = {1};
  truth.categories = {{1, "a"}, {2, "b"}};
  truth.annotations = {{1, 1, 1, {0, 0, 100, 100}, 10'000, false}};
  const auto of = [&](const std::vector<CocoDetection>& detections) {
    return analyse_errors(truth, detections);
  };
  const ErrorAnalysis perfect = of({{1, 1, {0, 0, 100, 100}, 0.9}});
  EXPECT_EQ(perfect.ap, 100);
  EXPECT_TRUE(perfect.errors.empty());
  // IoU of 40 / 100: repaired it is the object's.
  const ErrorAnalysis shifted = of({{1, 1, {0, 0, 100, 40}, 0.9}});
  EXPECT_EQ(shifted.ap, 0);
  EXPECT_EQ(shifted.count(ErrorType::localization), 1u);
  EXPECT_EQ(shifted.count(ErrorType::missed), 0u);  // it is claimed
  EXPECT_EQ(shifted.dap[1], 100);
  // The wrong class: two classes before, of AP 0; one after, of 100.
  const ErrorAnalysis wrong = of({{1, 2, {0, 0, 100, 100}, 0.9}});
  EXPECT_EQ(wrong.count(ErrorType::classification), 1u);
  EXPECT_EQ(wrong.dap[0], 100);
  const ErrorAnalysis nothing = of({});
  EXPECT_EQ(nothing.count(ErrorType::missed), 1u);
  EXPECT_EQ(nothing.ap, 0);
  // A duplicate with the higher score halves the precision: it takes the object, the other is the
  // duplicate.
  const ErrorAnalysis twice = of({{1, 1, {0, 0, 100, 90}, 0.8}, {1, 1, {0, 0, 100, 100}, 0.9}});
  EXPECT_EQ(twice.count(ErrorType::duplicate), 1u);
  EXPECT_EQ(twice.errors[0].detection, 0);
  EXPECT_THROW(of({{7, 1, {0, 0, 1, 1}, 0.5}}), Error);
}

// An overlap of 0.2 would fit an object and nothing at once.
TEST(ErrorAnalysis, ABackgroundAboveTheForegroundIsRefused) {
  ErrorAnalysisOptions options;
  options.foreground = 0.1;
  options.background = 0.3;
  EXPECT_THROW(analyse_errors(testing::spec_truth(), testing::spec_detections(), options), Error);
  options.background = 0.1;
  EXPECT_NO_THROW(analyse_errors(testing::spec_truth(), testing::spec_detections(), options));
}

}  // namespace
}  // namespace yolov7::evaluation
