// Which channels go together, worked by hand, and which of them change nothing.
#include "network/transform/channel_groups.hpp"

#include <gtest/gtest.h>

#include <set>

#include "tests/network/pruning_fixture.hpp"

namespace yolov7::network {
namespace {

struct Row {
  std::vector<std::string> convolutions;
  std::size_t units;
};

// Layer 1 feeds four groups of four: four places. Layers 2 to 4 are one group, because a depthwise
// convolution, an identity branch and a sum tie them; of layer 2's four groups four places again.
// The gate of layer 8 has its layer's channels.
TEST(ChannelGroups, ByHand) {
  const std::vector<ChannelGroup> groups = channel_groups(build(tied_config, "tied.yaml"));
  const std::vector<Row> expected{
      {{"model.0.conv"}, 8},
      {{"model.1.conv"}, 4},
      {{"model.2.conv", "model.3.conv", "model.4.rbr_dense.0", "model.4.rbr_1x1.0"}, 4},
      {{"model.6.cv1.conv"}, 8},
      {{"model.6.cv2.conv"}, 8},
      {{"model.6.cv3.conv"}, 8},
      {{"model.6.cv4.conv"}, 8},
      {{"model.6.cv5.conv"}, 8},
      {{"model.6.cv6.conv"}, 8},
      {{"model.6.cv7.conv"}, 8},
      {{"model.8.conv", "model.8.sam.conv"}, 16},
      {{"model.11.conv"}, 8},
      {{"model.13.conv"}, 16}};
  ASSERT_EQ(groups.size(), expected.size());
  for (std::size_t i = 0; i < groups.size(); ++i) {
    EXPECT_EQ(groups[i].convolutions, expected[i].convolutions) << i;
    EXPECT_EQ(groups[i].units.size(), expected[i].units) << expected[i].convolutions.front();
  }
}

// No sum and no product: every convolution but the three of the head is a group of its own.
TEST(ChannelGroups, OfTinyAreItsConvolutions) {
  const Network tiny = build_config("training/yolov7-tiny.yaml");
  std::size_t convolutions = 0;
  for (const Operation& op : tiny.operations) convolutions += op.is<Convolution>();
  const std::vector<ChannelGroup> groups = channel_groups(tiny);
  EXPECT_EQ(groups.size(), convolutions - 3);
  for (const ChannelGroup& group : groups) EXPECT_EQ(group.convolutions.size(), 1u);
}

// The image stays whole; a depthwise convolution ties what it reads to what it makes, and a
// shortcut ties the ends of the blocks.
TEST(ChannelGroups, OfInvertedResiduals) {
  const std::vector<ChannelGroup> groups =
      channel_groups(build(small_config("  - [-1, 1, Normalize, [[127, 127, 127], [128, 128, "
                                        "128]]]\n"
                                        "  - [-1, 1, Conv, [8, 3, 2, None, 1, nn.ReLU6()]]\n"
                                        "  - [-1, 1, MBConv, [16, 1]]\n"
                                        "  - [-1, 1, MBConv, [16, 6]]\n"
                                        "  - [-1, 1, DWConv, [3, 2]]\n"
                                        "  - [-1, 1, Conv, [8, 1]]\n"
                                        "  - [-1, 1, Detect, [nc, anchors]]\n"),
                           "mobile.yaml"));
  const std::vector<Row> expected{
      {{"model.1.conv", "model.2.depthwise.conv"}, 8},
      {{"model.2.project.conv", "model.3.project.conv", "model.4.conv"}, 16},
      {{"model.3.expand.conv", "model.3.depthwise.conv"}, 96},
      {{"model.5.conv"}, 8}};
  ASSERT_EQ(groups.size(), expected.size());
  for (std::size_t i = 0; i < groups.size(); ++i) {
    EXPECT_EQ(groups[i].convolutions, expected[i].convolutions) << i;
    EXPECT_EQ(groups[i].units.size(), expected[i].units) << i;
  }
}

// A mean over channels counts them, so what it reads stays.
TEST(ChannelGroups, WhatAMeanOverChannelsReadsStays) {
  const std::string config = small_config(
      "  - [-1, 1, Conv, [8, 3, 2]]\n"
      "  - [-1, 1, Conv, [8, 3, 2]]\n"
      "  - [[-1], 1, Detect, [nc, anchors]]\n",
      "nc: 1\nanchors: [[10, 13]]\nsam: {1: spatial}\n");
  const std::vector<ChannelGroup> groups = channel_groups(build(config, "sam.yaml"));
  ASSERT_EQ(groups.size(), 1u);
  EXPECT_EQ(groups[0].convolutions, (std::vector<std::string>{"model.0.conv"}));
}

TEST(DeadUnits, AreTheSilencedOnes) {
  Checkpoint checkpoint = formula_checkpoint(tied_config);
  const Network network = checkpoint.build_network();
  const std::vector<ChannelGroup> groups = channel_groups(network);
  for (const auto& dead : dead_units(network, checkpoint.ema, groups))
    EXPECT_EQ(std::count(dead.begin(), dead.end(), char{1}), 0);
  std::set<std::pair<std::size_t, std::size_t>> silenced;
  for (std::size_t g = 0; g < groups.size(); ++g)
    for (const std::size_t u : {g % 2, groups[g].units.size() - 1}) {
      silence(checkpoint.ema, network, groups[g].units[u]);
      silenced.emplace(g, u);
    }
  const auto dead = dead_units(network, checkpoint.ema, groups);
  for (std::size_t g = 0; g < groups.size(); ++g)
    for (std::size_t u = 0; u < groups[g].units.size(); ++u)
      EXPECT_EQ(dead[g][u] != 0, silenced.count({g, u}) != 0) << g << " " << u;
}

// Not zero, but everything that reads it multiplies it by zero.
TEST(DeadUnits, AreThoseThatNobodyReads) {
  Checkpoint checkpoint = formula_checkpoint(tied_config);
  const Network network = checkpoint.build_network();
  const std::vector<ChannelGroup> groups = channel_groups(network);
  const Tensor& old = checkpoint.ema.at("model.1.conv.weight");  // [16, 8, 3, 3]
  std::vector<double> values = old.to_doubles();
  for (std::size_t o = 0; o < 16; ++o)
    for (std::size_t k = 0; k < 9; ++k) values[(o * 8 + 5) * 9 + k] = 0;
  checkpoint.ema.set("model.1.conv.weight", Tensor::from(values, old.shape));
  const auto dead = dead_units(network, checkpoint.ema, groups);
  EXPECT_EQ(dead[0], (std::vector<char>{0, 0, 0, 0, 0, 1, 0, 0}));
}

}  // namespace
}  // namespace yolov7::network
