// Compound scaling against the tables of architecture 2.12: v7 scaled by 1.5 and 1.25 has the
// backbone of X.
#include "network/config/scaling.hpp"

#include <gtest/gtest.h>

#include "network/config/builder.hpp"
#include "tests/network/config_fixture.hpp"

namespace yolov7::network {
namespace {

int layer_of(const std::string& name) { return std::stoi(name.substr(6)); }

std::vector<std::string> tensors_below(const Network& network, int layer) {
  std::vector<std::string> result;
  for (const TensorSpec& spec : network.tensors) {
    if (layer_of(spec.name) >= layer) continue;
    std::string line = spec.name;
    for (const std::int64_t side : spec.shape) line += " " + std::to_string(side);
    result.push_back(line);
  }
  return result;
}

TEST(Scaling, YoloV7BecomesTheBackboneOfX) {
  const ScaledConfig scaled =
      scale_config(config_text("training/yolov7.yaml"), "yolov7", 1.5, 1.25);
  const Network mine = build(scaled.text, "scaled"), x = build_config("training/yolov7x.yaml");
  constexpr int backbone = 60;  // 0 … 58 and the pyramid pooling 59, which follows as a transition
  EXPECT_EQ(tensors_below(mine, backbone), tensors_below(x, backbone));
  for (std::size_t i = 0; i < backbone; ++i) {
    SCOPED_TRACE(i);
    EXPECT_EQ(mine.layers[i].block, x.layers[i].block);
    EXPECT_EQ(mine.layers[i].inputs, x.layers[i].inputs);
    EXPECT_EQ(mine.layers[i].out_channels, x.layers[i].out_channels);
    EXPECT_EQ(mine.layers[i].reduction, x.layers[i].reduction);
  }
  ASSERT_EQ(scaled.groups.size(), 8u);
  for (const ScaledGroup& group : scaled.groups) {
    EXPECT_EQ(group.before, 4);
    EXPECT_EQ(group.after, 6);
    EXPECT_EQ(group.dense, group.layer > 51);  // ELAN-H in the neck
  }
  // Head inputs are transitions too: 256, 512, 1024 times 1.25.
  EXPECT_EQ(mine.layers[mine.layers.size() - 4].out_channels, 320);
  EXPECT_EQ(mine.layers[mine.layers.size() - 2].out_channels, 1280);
}

// W6 to E6: the same numbers of 3×3 convolutions and widths (the down-samplers differ,
// architecture 2.12).
TEST(Scaling, W6HasTheGroupsAndWidthsOfE6) {
  const Network mine = build(
                    scale_config(config_text("training/yolov7-w6.yaml"), "w6", 1.5, 1.25).text,
                    "scaled"),
                e6 = build_config("training/yolov7-e6.yaml");
  const auto group_widths = [](const Network& n) {
    std::vector<std::pair<int, std::size_t>> result;
    for (const Layer& layer : n.layers)
      if (layer.block == "Concat" && layer.inputs.size() >= 5)
        result.emplace_back(n.layers[static_cast<std::size_t>(layer.index) + 1].out_channels,
                            layer.inputs.size());
    return result;
  };
  EXPECT_EQ(group_widths(mine), group_widths(e6));
}

// N = 2 dense in tiny; half the depth leaves one convolution and its tap.
TEST(Scaling, OtherFactors) {
  const std::string tiny = config_text("training/yolov7-tiny.yaml");
  const ScaledConfig half = scale_config(tiny, "tiny", 0.5, 0.5);
  for (const ScaledGroup& group : half.groups) EXPECT_EQ(group.after, 1);
  const Network n = build(half.text, "half");
  EXPECT_EQ(n.layers[0].out_channels, 16);
  const Network same = build(scale_config(tiny, "tiny", 1, 1).text, "same"),
                original = build(tiny, "tiny");
  ASSERT_EQ(same.tensors.size(), original.tensors.size());
  for (std::size_t i = 0; i < same.tensors.size(); ++i) {
    EXPECT_EQ(same.tensors[i].name, original.tensors[i].name);
    EXPECT_EQ(same.tensors[i].shape, original.tensors[i].shape);
  }
  // Repeat counts above one follow the depth, the head's rows never the width.
  const std::string stage = small_config(
      "  - [-1, 4, BottleneckCSPC, [64]]\n  - [-1, 1, Conv, [18, 1, 1]]\n  - [-1, 1, Detect, [nc, "
      "anchors]]\n",
      "nc: 1\nanchors: [[10,13, 20,23, 30,33]]\n");
  const Network scaled = build(scale_config(stage, "stage", 1.5, 2).text, "scaled");
  EXPECT_EQ(scaled.layers[0].repeats, 6);
  EXPECT_EQ(scaled.layers[0].out_channels, 128);
  EXPECT_EQ(scaled.layers[1].out_channels, 18);
}

TEST(Scaling, RefusesFactorsOutOfRange) {
  const std::string tiny = config_text("training/yolov7-tiny.yaml");
  EXPECT_NE(error_of([&] {
              scale_config(tiny, "tiny", 0, 1);
            }).find("expected factors from 0.1 to 16, found 0"),
            std::string::npos);
  EXPECT_NE(error_of([&] { scale_config(tiny, "tiny", 1, 17); }).find("found 17"),
            std::string::npos);
}

}  // namespace
}  // namespace yolov7::network
