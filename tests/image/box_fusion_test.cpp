#include "image/boxes/box_fusion.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "image/boxes/nms.hpp"

using namespace yolov7;

namespace {

// The two models of evaluation 2.5.
const std::vector<std::vector<Detection>> models{
    {{{0, 0, 0.1, 0.1}, 0.9f, 0}, {{0.2, 0.2, 0.3, 0.3}, 0.6f, 0}},
    {{{0.01, 0.01, 0.11, 0.11}, 0.8f, 0}, {{0.05, 0, 0.15, 0.1}, 0.7f, 1}}};

void expect_box(const Detection& found, double x1, double y1, double x2, double y2, double score,
                int class_index) {
  EXPECT_NEAR(found.box.x1, x1, 5.1e-7);
  EXPECT_NEAR(found.box.y1, y1, 5.1e-7);
  EXPECT_NEAR(found.box.x2, x2, 5.1e-7);
  EXPECT_NEAR(found.box.y2, y2, 5.1e-7);
  EXPECT_NEAR(found.score, score, 5.1e-7);
  EXPECT_EQ(found.class_index, class_index);
}

}  // namespace

TEST(BoxFusion, EqualWeightsOfTheSpecification) {
  const auto found = weighted_boxes_fusion(models, {});
  ASSERT_EQ(found.size(), 3u);
  expect_box(found[0], 0.004706, 0.004706, 0.104706, 0.104706, 0.85, 0);
  expect_box(found[1], 0.05, 0, 0.15, 0.1, 0.35, 1);
  expect_box(found[2], 0.2, 0.2, 0.3, 0.3, 0.3, 0);
}

TEST(BoxFusion, WeightsTwoToOneOfTheSpecification) {
  FusionOptions options;
  options.weights = {2, 1};
  auto found = weighted_boxes_fusion(models, options);
  ASSERT_EQ(found.size(), 3u);
  expect_box(found[0], 0.003077, 0.003077, 0.103077, 0.103077, 0.866667, 0);
  expect_box(found[1], 0.2, 0.2, 0.3, 0.3, 0.4, 0);
  expect_box(found[2], 0.05, 0, 0.15, 0.1, 0.233333, 1);
  options.score = FusedScore::maximum;
  found = weighted_boxes_fusion(models, options);
  ASSERT_EQ(found.size(), 3u);
  EXPECT_NEAR(found[0].score, 0.9, 1e-6);
  EXPECT_NEAR(found[1].score, 0.6, 1e-6);
  EXPECT_NEAR(found[2].score, 0.35, 1e-6);
}

TEST(BoxFusion, ScoresThatKnowTheModels) {
  // By hand, weights 2 and 1. First cluster: weighted scores 1.8 and .8, mean 1.3, n 2, W 3, both
  // models present.
  FusionOptions options;
  options.weights = {2, 1};
  options.score = FusedScore::box_and_model_average;
  auto found = weighted_boxes_fusion(models, options);
  EXPECT_NEAR(found[0].score, 1.3 * 2 / 3 * 3 / 3, 1e-6);
  EXPECT_NEAR(found[1].score, 1.2 * 1 / 2 * 2 / 3,
              1e-6);  // the first model's alone: W 2, present 2 of 3
  options.score = FusedScore::absent_model_aware_average;
  found = weighted_boxes_fusion(models, options);
  EXPECT_NEAR(found[0].score, 1.3 * 2 / 3, 1e-6);
  EXPECT_NEAR(found[1].score, 1.2 * 1 / (2 + 1), 1e-6);  // W 2 and the absent model's 1
}

TEST(BoxFusion, BadBoxesAndWeights) {
  const std::vector<std::vector<Detection>> one{
      {{{9, 9, 5, 5}, 0.5f, 0}, {{1, 1, 1, 5}, 0.9f, 0}, {{20, 20, 30, 30}, 0.05f, 0}}};
  FusionOptions options;
  options.skip_below = 0.1;
  const auto found = weighted_boxes_fusion(one, options);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].box, (Xyxy{5, 5, 9, 9}));
  options.weights = {1, 2};
  EXPECT_THROW(weighted_boxes_fusion(one, options), Error);
  options.weights = {0};
  EXPECT_THROW(weighted_boxes_fusion(one, options), Error);
}

TEST(BoxFusion, SelectionTakesListsApart) {
  // Two models agree on one box: its score is their mean, not that of one model halved; greedy
  // suppression keeps the better box.
  const std::vector<std::vector<Detection>> two{
      {{{0, 0, 10, 10}, 0.9f, 0}, {{0, 0, 10, 9}, 0.6f, 0}}, {{{0, 0, 10, 10}, 0.7f, 0}}};
  NmsOptions options;
  auto found = select_detections(two, options);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].score, 0.9f);
  options.kind = NmsKind::wbf;
  found = select_detections(two, options);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_NEAR(found[0].score, 0.8, 1e-6);
}
