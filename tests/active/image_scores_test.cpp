// Scores of images and costs, worked by hand.
#include "active/image_scores.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "active/cost.hpp"
#include "tests/scratch_folder.hpp"

namespace yolov7::active {
namespace {

Detection box(double x1, double y1, double x2, double y2, float score, int k = 0) {
  return {{x1, y1, x2, y2}, score, k};
}

TEST(ImageScores, EntropyOfConfidences) {
  EXPECT_DOUBLE_EQ(binary_entropy(0.5), std::log(2));
  EXPECT_EQ(binary_entropy(0), 0);
  EXPECT_EQ(binary_entropy(1), 0);
  // 0.25: 0.25 · ln 4 + 0.75 · ln(4/3)
  EXPECT_NEAR(binary_entropy(0.25), 0.25 * std::log(4) + 0.75 * std::log(4.0 / 3), 1e-15);
}

TEST(ImageScores, MeanMaxLowestAndCounts) {
  const std::vector<Detection> all = {box(0, 0, 1, 1, 0.5F, 0), box(0, 0, 1, 1, 0.25F, 1),
                                      box(0, 0, 1, 1, 0.125F, 1), box(0, 0, 1, 1, 0.04F, 0)};
  const ImageScores scores = score_image(all, 2);
  EXPECT_EQ(scores.looked_at, 3u);                             // 0.04 is below 0.05
  EXPECT_EQ(scores.counts, (std::vector<std::size_t>{1, 1}));  // from 0.25 on
  EXPECT_EQ(scores.boxes(), 2u);
  EXPECT_EQ(scores.lowest, 0.125);
  EXPECT_DOUBLE_EQ(scores.max_entropy, std::log(2));
  const double eighth = 0.125 * std::log(8) + 0.875 * std::log(8.0 / 7);
  EXPECT_NEAR(scores.mean_entropy, (std::log(2) + binary_entropy(0.25) + eighth) / 3, 1e-15);
  EXPECT_NEAR(scores.sum_entropy, 3 * scores.mean_entropy, 1e-15);
}

TEST(ImageScores, NothingFound) {
  const ImageScores scores = score_image({}, 3);
  EXPECT_EQ(scores.looked_at, 0u);
  EXPECT_EQ(scores.mean_entropy, 0);
  EXPECT_EQ(scores.lowest, 1);
  EXPECT_EQ(scores.counts.size(), 3u);
}

// In an image of 100 px a box from 10 to 30 lies from 70 to 90 in the mirrored one.
TEST(Disagreement, AMirroredBoxIsTheSame) {
  const std::vector<Detection> plain = {box(10, 10, 30, 30, 0.9F)};
  EXPECT_DOUBLE_EQ(disagreement(plain, std::vector{box(70, 10, 90, 30, 0.8F)}, 100), 0);
  // Moved by half a width: 10 × 20 of 30 × 20, an IoU of one third.
  EXPECT_NEAR(disagreement(plain, std::vector{box(60, 10, 80, 30, 0.8F)}, 100), 2.0 / 3, 1e-12);
  EXPECT_EQ(disagreement(plain, std::vector{box(70, 10, 90, 30, 0.8F, 1)}, 100), 1);
  EXPECT_EQ(disagreement(plain, {}, 100), 1);
  EXPECT_EQ(disagreement({}, {}, 100), 0);
  EXPECT_EQ(disagreement(plain, std::vector{box(70, 10, 90, 30, 0.2F)}, 100), 1);  // below 0.25
  // One box of three has no partner: 2 of 3 agree.
  EXPECT_NEAR(disagreement(std::vector{plain[0], box(50, 50, 60, 60, 0.9F)},
                           std::vector{box(70, 10, 90, 30, 0.8F)}, 100),
              1.0 / 3, 1e-12);
}

TEST(Cost, ImagesBoxesAndBoth) {
  const CostModel cost{2, 7};
  EXPECT_EQ(cost.of(3), 23);
  EXPECT_EQ((Budget{1, BudgetUnit::cost}).share_of(3, cost), 23);
  EXPECT_EQ((Budget{1, BudgetUnit::boxes}).share_of(3, cost), 3);
  EXPECT_EQ((Budget{1, BudgetUnit::images}).share_of(3, cost), 1);
  EXPECT_EQ(budget_unit("boxes"), BudgetUnit::boxes);
  EXPECT_EQ(test::error_of([] { budget_unit("euro"); }),
            "budget: expected cost, boxes or images, found 'euro'");
}

}  // namespace
}  // namespace yolov7::active
