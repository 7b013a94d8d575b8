#include "anchors/anchor_fit.hpp"

#include <gtest/gtest.h>

namespace yolov7::anchors {
namespace {

// Training 21.3: anchors of YOLOv7, threshold 4.
TEST(AnchorFit, FixtureOfTheSpecification) {
  const std::vector<network::AnchorSize> anchors = {{12, 16},   {19, 36},   {40, 28},
                                                    {36, 75},   {76, 55},   {72, 146},
                                                    {142, 110}, {192, 243}, {459, 401}};
  const std::vector<network::AnchorSize> labels = {
      {10, 12}, {5, 5}, {300, 20}, {600, 600}, {2, 40}};
  const AnchorFit fit = anchor_fit(labels, anchors, 4);
  EXPECT_DOUBLE_EQ(fit.anchors_above_threshold, 1.2);
  EXPECT_DOUBLE_EQ(fit.best_possible_recall, 0.8);
}

TEST(AnchorFit, NoLabelsFitPerfectly) {
  const std::vector<network::AnchorSize> anchors = {{12, 16}};
  EXPECT_EQ(anchor_fit({}, anchors, 4).best_possible_recall, 1);
}

TEST(AnchorFit, SizesAreThoseOfTheTrainingInput) {
  // 640 × 480 at 320: half size, so a label of 24 × 32 px becomes the anchor 12 × 16.
  dataset::Index index;
  dataset::Entry entry;
  entry.width = 640;
  entry.height = 480;
  entry.labels.push_back({0, {0.5, 0.5, 24.0 / 640, 32.0 / 480}, {}});
  index.entries.push_back(entry);
  network::Network network;
  network.levels.push_back({0, 8, {{12, 16}}, false});
  EXPECT_EQ(anchor_fit(index, network, 320, 1.001).best_possible_recall, 1);
  EXPECT_EQ(anchor_fit(index, network, 640, 1.001).best_possible_recall, 0);
}

}  // namespace
}  // namespace yolov7::anchors
