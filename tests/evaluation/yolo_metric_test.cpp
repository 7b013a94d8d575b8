#include "evaluation/metrics/yolo_metric.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/evaluation/spec_data.hpp"

using namespace yolov7;
using namespace yolov7::evaluation;
using namespace yolov7::evaluation::testing;

namespace {

MatchedPredictions spec_matches() {
  MatchedPredictions all;
  for (const std::int64_t image : {1, 2, 3}) {
    const SpecPicture picture = spec_picture(image);
    match_picture(picture.detections, picture.targets, all);
  }
  return all;
}

/// How many of the ten thresholds a detection of `width` × 10 px passes against a target of 20 × 10
/// px: IoU width / 20.
int passed(double width) {
  MatchedPredictions all;
  match_picture(std::vector<Detection>{{{0, 0, width, 10}, 0.9f, 0}},
                std::vector<Target>{{{0, 0, 20, 10}, 0}}, all);
  return static_cast<int>(std::count(all.correct.at(0).begin(), all.correct.at(0).end(), true));
}

}  // namespace

// Evaluation 1.17; 8 decimals there.
TEST(YoloMetric, SpecificationExample) {
  const YoloMetric m = yolo_metric(spec_matches());
  ASSERT_EQ(m.classes, (std::vector<int>{0, 1}));
  EXPECT_EQ(m.targets, (std::vector<std::size_t>{6, 4}));
  const double tolerance = 5.1e-9;
  EXPECT_NEAR(m.ap50[0], 0.57699495, tolerance);
  EXPECT_NEAR(m.ap50[1], 0.31928571, tolerance);
  EXPECT_NEAR(m.map50, 0.44814033, tolerance);
  EXPECT_NEAR(m.ap[0], 0.32946212, tolerance);
  EXPECT_NEAR(m.ap[1], 0.25092857, tolerance);
  EXPECT_NEAR(m.map, 0.29019535, tolerance);
  EXPECT_EQ(m.best_index, 650u);
  EXPECT_NEAR(m.confidence, 650.0 / 999, 1e-15);
  EXPECT_NEAR(m.p[0], 0.66623288, tolerance);
  EXPECT_NEAR(m.p[1], 0.41775107, tolerance);
  EXPECT_NEAR(m.r[0], 0.66558221, tolerance);
  EXPECT_NEAR(m.r[1], 0.25, tolerance);
  EXPECT_NEAR(m.f1[0], 0.66590739, tolerance);
  EXPECT_NEAR(m.f1[1], 0.31280449, tolerance);
  EXPECT_NEAR(m.mean_p, 0.54199198, tolerance);
  EXPECT_NEAR(m.mean_r, 0.45779110, tolerance);
  const double by_threshold[2][10] = {{0.57699495, 0.57699495, 0.57699495, 0.39404040, 0.39404040,
                                       0.22222222, 0.22222222, 0.16555556, 0.16555556, 0},
                                      {0.31928571, 0.31928571, 0.31928571, 0.31928571, 0.24642857,
                                       0.24642857, 0.24642857, 0.24642857, 0.24642857, 0}};
  for (std::size_t c = 0; c < 2; ++c)
    for (std::size_t k = 0; k < 10; ++k)
      EXPECT_NEAR(m.ap_per_threshold[c][k], by_threshold[c][k], tolerance) << c << ' ' << k;
}

TEST(YoloMetric, SpecificationExampleWithOtherEnd) {
  const YoloMetric m = yolo_metric(spec_matches(), {true, false});
  const double tolerance = 5.1e-9;
  EXPECT_NEAR(m.map50, 0.49944589, tolerance);
  EXPECT_NEAR(m.map, 0.33659147, tolerance);
  const double by_threshold[2][10] = {{0.60960606, 0.60960606, 0.60960606, 0.44791818, 0.44791818,
                                       0.27694167, 0.27694167, 0.19986, 0.19986, 0},
                                      {0.38928571, 0.38928571, 0.38928571, 0.38928571, 0.29928571,
                                       0.29928571, 0.29928571, 0.29928571, 0.29928571, 0}};
  for (std::size_t c = 0; c < 2; ++c)
    for (std::size_t k = 0; k < 10; ++k)
      EXPECT_NEAR(m.ap_per_threshold[c][k], by_threshold[c][k], tolerance) << c << ' ' << k;
}

// Strict, and with both sides in 32 bits: an IoU of n / 20 equals the float next to it and does not
// exceed it.
TEST(YoloMetric, ThresholdsAreStrictIn32Bits) {
  for (int n = 10; n <= 19; ++n) EXPECT_EQ(passed(n), n - 10) << n;
  EXPECT_EQ(passed(10.001), 1);
  EXPECT_EQ(passed(20), 10);
}

// A target is given once, to the most confident candidate; a better one later gets nothing,
// whatever else is free.
TEST(YoloMetric, TargetIsGivenOnce) {
  MatchedPredictions all;
  const std::vector<Detection> found = {
      {{0, 0, 12, 10}, 0.9f, 0}, {{0, 0, 20, 10}, 0.8f, 0}, {{0, 0, 20, 10}, 0.7f, 1}};
  match_picture(found, std::vector<Target>{{{0, 0, 20, 10}, 0}, {{6, 0, 26, 10}, 0}}, all);
  EXPECT_TRUE(all.correct[0][0]);  // IoU 0.6
  EXPECT_FALSE(all.correct[0][2]);
  EXPECT_FALSE(
      all.correct[1][0]);  // its best target is gone; the other one (IoU 14/26) is no substitute
  EXPECT_FALSE(all.correct[2][0]);  // another class
}

TEST(YoloMetric, PicturesWithoutPredictionsCountTheirTargets) {
  MatchedPredictions all;
  match_picture({}, std::vector<Target>{{{0, 0, 20, 10}, 0}}, all);
  match_picture(std::vector<Detection>{{{0, 0, 20, 10}, 0.9f, 0}},
                std::vector<Target>{{{0, 0, 20, 10}, 0}}, all);
  const YoloMetric m = yolo_metric(all);
  // Recall 1/2 with precision 1: 1 up to 0.5, then a line to 0 at 0.51, sampled at hundredths: 0.5
  // + 0.005.
  EXPECT_NEAR(m.map50, 0.505, 1e-12);
  // With 1.0 as the end the line falls over half of the range: 0.5 + 0.25.
  EXPECT_NEAR(yolo_metric(all, {true, false}).map50, 0.75, 1e-12);
  // The exact area under the envelope: to 0.5 it is 1, behind it 0.
  EXPECT_NEAR(yolo_metric(all, {false, true}).map50, 0.5, 1e-12);
}

TEST(YoloMetric, ClassesWithoutPredictionsAndWithoutTargets) {
  MatchedPredictions all;
  match_picture(std::vector<Detection>{{{0, 0, 20, 10}, 0.5f, 3}, {{0, 0, 20, 10}, 0.4f, 8}},
                std::vector<Target>{{{0, 0, 20, 10}, 3}, {{50, 0, 70, 10}, 5}}, all);
  const YoloMetric m = yolo_metric(all);
  ASSERT_EQ(m.classes, (std::vector<int>{3, 5}));  // 8 has no target
  EXPECT_EQ(m.ap50[1], 0);
  EXPECT_EQ(m.p[1], 0);
  EXPECT_EQ(m.r[1], 0);
  // Class 3: recall 1 reached, precision 1; the last recall knot 1.01 lies beyond the grid.
  EXPECT_NEAR(m.ap50[0], 1, 1e-12);
  EXPECT_NEAR(m.map50, 0.5, 1e-12);
}

TEST(YoloMetric, NothingRightIsZeroEverywhere) {
  MatchedPredictions all;
  match_picture(std::vector<Detection>{{{100, 100, 120, 110}, 0.5f, 0}},
                std::vector<Target>{{{0, 0, 20, 10}, 0}}, all);
  const YoloMetric m = yolo_metric(all);
  EXPECT_EQ(m.map50, 0);
  EXPECT_EQ(m.map, 0);
  EXPECT_EQ(m.mean_p, 0);
  EXPECT_EQ(m.mean_r, 0);
  EXPECT_EQ(m.targets, std::vector<std::size_t>{1});  // the targets are still counted
  EXPECT_TRUE(yolo_metric({}).classes.empty());
}

// Above the highest confidence: recall 0, precision 1. Below the lowest: the last values.
TEST(YoloMetric, CurvesOverConfidence) {
  MatchedPredictions all;
  match_picture(std::vector<Detection>{{{0, 0, 20, 10}, 0.75f, 0}, {{90, 0, 110, 10}, 0.25f, 0}},
                std::vector<Target>{{{0, 0, 20, 10}, 0}}, all);
  const YoloMetric m = yolo_metric(all);
  EXPECT_EQ(m.r_curve[0][999], 0);
  EXPECT_EQ(m.p_curve[0][999], 1);
  EXPECT_EQ(m.r_curve[0][0], 1);
  EXPECT_EQ(m.p_curve[0][0], 0.5);
  // Confidence 0.5 is half way between the knots: precision between 1 and 1/2. Grid points lie
  // 0.001 apart.
  EXPECT_NEAR(m.p_curve[0][500], 0.75, 0.001);
  EXPECT_EQ(m.precision_curve[0][0], 1);
}

// Equal confidences keep their order, so the wrong one in front costs the same on every platform.
TEST(YoloMetric, TiesKeepTheirOrder) {
  const std::vector<Target> targets = {{{0, 0, 20, 10}, 0}};
  MatchedPredictions right_first, wrong_first;
  const Detection right{{0, 0, 20, 10}, 0.5f, 0}, wrong{{90, 0, 110, 10}, 0.5f, 0};
  match_picture(std::vector<Detection>{right, wrong}, targets, right_first);
  match_picture(std::vector<Detection>{wrong, right}, targets, wrong_first);
  // Precision 1 up to recall 0.99; of the knots at recall 1 the last one, 1/2, counts: 0.99 + 0.01
  // · 3/4.
  EXPECT_NEAR(yolo_metric(right_first).map50, 0.9975, 1e-12);
  // Two knots at recall 0, of which the last one counts; the envelope lifts it to 1/2.
  EXPECT_NEAR(yolo_metric(wrong_first).map50, 0.5, 1e-12);
}
