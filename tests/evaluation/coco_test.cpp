#include "evaluation/metrics/coco.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "evaluation/metrics/coco_summary.hpp"
#include "tests/evaluation/spec_data.hpp"

using namespace yolov7;
using namespace yolov7::evaluation;
using namespace yolov7::evaluation::testing;

namespace {

CocoGroundTruth one_picture(const std::vector<Ltwh>& boxes) {
  CocoGroundTruth truth;
  truth.images = {1};
  truth.categories = {{1, "thing"}};
  for (const Ltwh& box : boxes)
    truth.annotations.push_back({static_cast<std::int64_t>(truth.annotations.size()) + 1, 1, 1, box,
                                 box.width * box.height, false});
  return truth;
}

/// AP of one category at one IoU threshold, all areas.
double ap_at(const CocoResult& r, std::size_t iou, std::size_t category) {
  double sum = 0;
  for (std::size_t i = 0; i < coco_recalls; ++i) sum += r.precision_at(iou, i, category, 0);
  return sum / 101;
}

}  // namespace

// Evaluation 6.2, printed there with 8 and 6 decimals.
TEST(Coco, SpecificationExample) {
  const CocoResult r = evaluate_coco(spec_truth(), spec_detections());
  const double stats[] = {0.30658137, 0.46564656, 0.24092409, 0.5, 0.09366337, 0.82380363,
                          0.2875,     0.42916667, 0.42916667, 0.5, 0.2,        0.925};
  for (std::size_t i = 0; i < 12; ++i) EXPECT_NEAR(r.stats[i], stats[i], 5.1e-9) << i + 1;
  const double ap[2][10] = {{0.574857, 0.574857, 0.574857, 0.394239, 0.394239, 0.224422, 0.224422,
                             0.216407, 0.216407, 0.024045},
                            {0.356436, 0.356436, 0.356436, 0.356436, 0.257426, 0.257426, 0.257426,
                             0.257426, 0.257426, 0}};
  const double recall[2][10] = {{0.833333, 0.833333, 0.833333, 0.666667, 0.666667, 0.333333,
                                 0.333333, 0.333333, 0.333333, 0.166667},
                                {0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.25, 0.25, 0}};
  for (std::size_t k = 0; k < 2; ++k)
    for (std::size_t t = 0; t < 10; ++t) {
      EXPECT_NEAR(ap_at(r, t, k), ap[k][t], 5.1e-7) << k << ' ' << t;
      EXPECT_NEAR(r.recall_at(t, k, 0, 2), recall[k][t], 5.1e-7) << k << ' ' << t;
    }
}

TEST(Coco, ThreadsChangeNothing) {
  CocoOptions one, four;
  one.threads = 1;
  four.threads = 4;
  const CocoResult a = evaluate_coco(spec_truth(), spec_detections(), one),
                   b = evaluate_coco(spec_truth(), spec_detections(), four);
  EXPECT_EQ(a.stats, b.stats);
  EXPECT_EQ(a.precision, b.precision);
  EXPECT_EQ(a.recall, b.recall);
}

// IoU is exactly 5 / 10: enough at 0.5 and nowhere else, so AP is a tenth.
TEST(Coco, ThresholdIsInclusive) {
  const CocoResult r = evaluate_coco(one_picture({{0, 0, 10, 10}}), {{1, 1, {0, 0, 10, 5}, 0.9}});
  EXPECT_NEAR(r.stats[1], 1, 1e-12);
  EXPECT_NEAR(r.stats[0], 0.1, 1e-12);
  EXPECT_EQ(r.stats[2], 0);
}

// The recall points are i · 0.01, so that point 35 lies above 7/20 by its last bit: 35 of 101
// points are reached, not 36.
TEST(Coco, RecallPointsByMultiplication) {
  std::vector<Ltwh> boxes;
  for (int i = 0; i < 20; ++i) boxes.push_back({i * 50.0, 0, 40, 40});
  std::vector<CocoDetection> found;
  for (std::size_t i = 0; i < 7; ++i)
    found.push_back({1, 1, boxes[i], 0.9 - 0.01 * static_cast<double>(i)});
  EXPECT_NEAR(evaluate_coco(one_picture(boxes), found).stats[1], 35.0 / 101, 1e-12);
}

// The crowd takes both; neither is a false positive. Without the crowd flag one match and one false
// positive stay.
TEST(Coco, CrowdAbsorbs) {
  CocoGroundTruth truth = one_picture({{0, 0, 100, 100}, {300, 0, 50, 50}});
  truth.annotations[0].crowd = true;
  const std::vector<CocoDetection> found = {
      {1, 1, {10, 10, 30, 30}, 0.9}, {1, 1, {50, 50, 30, 30}, 0.8}, {1, 1, {300, 0, 50, 50}, 0.7}};
  EXPECT_NEAR(evaluate_coco(truth, found).stats[0], 1, 1e-12);
  truth.annotations[0].crowd = false;
  // Two false positives before the only match: precision 1/3 up to recall 1/2, that is at the
  // points 0 … 0.50.
  EXPECT_NEAR(evaluate_coco(truth, found).stats[0], 51.0 / 101 / 3, 1e-12);
}

// Both detections lie best on the first object; the second one falls back to the second object (IoU
// 8/12 with it).
TEST(Coco, FallsBackToSecondBestObject) {
  const CocoResult r = evaluate_coco(one_picture({{0, 0, 10, 10}, {2, 0, 10, 10}}),
                                     {{1, 1, {0, 0, 10, 10}, 0.9}, {1, 1, {0, 0, 10, 10}, 0.8}});
  EXPECT_NEAR(r.stats[1], 1, 1e-12);      // 0.5
  EXPECT_NEAR(ap_at(r, 3, 0), 1, 1e-12);  // 0.65
  EXPECT_NEAR(ap_at(r, 4, 0), 51.0 / 101,
              1e-12);  // 0.70: one of two found, precision 1 up to recall 0.5
}

// Equal overlap: the later object wins. The small one is then matched in the range "small" too.
TEST(Coco, TiesGoToTheLaterObject) {
  CocoGroundTruth truth = one_picture({{0, 0, 40, 40}, {0, 0, 40, 40}});
  truth.annotations[1].area = 100;  // the field decides, not the box
  const CocoResult r = evaluate_coco(truth, {{1, 1, {0, 0, 40, 40}, 0.9}});
  EXPECT_NEAR(r.stats[9], 1, 1e-12);  // AR small: object 2 is found
  EXPECT_NEAR(r.stats[10], 1,
              1e-12);  // in "medium" object 2 is ignored, so object 1 comes first and is taken
  EXPECT_NEAR(r.stats[8], 0.5, 1e-12);  // all: one of two
}

// 32² belongs to small and to medium.
TEST(Coco, AreaRangesIncludeBothEnds) {
  const CocoResult r = evaluate_coco(one_picture({{0, 0, 32, 32}}), {{1, 1, {0, 0, 32, 32}, 0.9}});
  EXPECT_NEAR(r.stats[3], 1, 1e-12);
  EXPECT_NEAR(r.stats[4], 1, 1e-12);
  EXPECT_EQ(r.stats[5], -1);
}

TEST(Coco, AbsentIsMinusOne) {
  CocoGroundTruth truth = one_picture({{0, 0, 40, 40}});
  truth.categories.push_back({2, "nothing"});
  const CocoResult r = evaluate_coco(
      truth,
      {{1, 1, {0, 0, 40, 40}, 0.9}, {1, 2, {0, 0, 40, 40}, 0.95}, {1, 77, {0, 0, 40, 40}, 0.99}});
  EXPECT_NEAR(r.stats[0], 1, 1e-12);  // a category without objects takes no part
  EXPECT_NEAR(r.ap_per_category.at(0), 1, 1e-12);
  EXPECT_EQ(r.ap_per_category.at(1), -1);
  truth.annotations.clear();
  for (const double value : evaluate_coco(truth, {}).stats) EXPECT_EQ(value, -1);
  for (const double value : evaluate_coco({}, {}).stats) EXPECT_EQ(value, -1);
}

TEST(Coco, NothingFoundIsZero) {
  const CocoResult r = evaluate_coco(one_picture({{0, 0, 40, 40}}), {});
  EXPECT_EQ(r.stats[0], 0);
  EXPECT_EQ(r.stats[8], 0);
}

TEST(Coco, LimitsAreSortedAndTheLargestCounts) {
  const CocoGroundTruth truth = one_picture({{0, 0, 40, 40}, {100, 0, 40, 40}});
  const std::vector<CocoDetection> found = {{1, 1, {0, 0, 40, 40}, 0.9},
                                            {1, 1, {100, 0, 40, 40}, 0.8}};
  CocoOptions options;
  options.max_detections = {500, 1, 1};
  const CocoResult r = evaluate_coco(truth, found, options);
  EXPECT_NEAR(r.stats[0], 1, 1e-12);
  EXPECT_NEAR(r.stats[6], 0.5, 1e-12);  // one per picture
  EXPECT_NEAR(r.stats[8], 1, 1e-12);
  EXPECT_EQ(summary_lines(r)[8],
            " Average Recall     (AR) @[ IoU=0.50:0.95 | area=   all | maxDets=500 ] = 1.000");
}

TEST(Coco, SummaryLines) {
  const auto lines = summary_lines(evaluate_coco(spec_truth(), spec_detections()));
  ASSERT_EQ(lines.size(), 12u);
  EXPECT_EQ(lines[0],
            " Average Precision  (AP) @[ IoU=0.50:0.95 | area=   all | maxDets=100 ] = 0.307");
  EXPECT_EQ(lines[1],
            " Average Precision  (AP) @[ IoU=0.50      | area=   all | maxDets=100 ] = 0.466");
  EXPECT_EQ(lines[4],
            " Average Precision  (AP) @[ IoU=0.50:0.95 | area=medium | maxDets=100 ] = 0.094");
  EXPECT_EQ(lines[7],
            " Average Recall     (AR) @[ IoU=0.50:0.95 | area=   all | maxDets= 10 ] = 0.429");
  EXPECT_EQ(lines[11],
            " Average Recall     (AR) @[ IoU=0.50:0.95 | area= large | maxDets=100 ] = 0.925");
}

TEST(Coco, UnknownPicture) {
  EXPECT_THROW(evaluate_coco(one_picture({}), {{2, 1, {0, 0, 1, 1}, 0.5}}), Error);
}
