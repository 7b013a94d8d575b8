// Smaller tensors and the configuration that says so; channels that are zero change nothing.
#include "network/transform/prune.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "network/checkpoint/checkpoint_file.hpp"
#include "network/config/config_document.hpp"
#include "network/config/scaling.hpp"
#include "network/transform/reparameterize.hpp"
#include "tests/network/pruning_fixture.hpp"

namespace yolov7::network {
namespace {

using Shape = std::vector<std::int64_t>;

KeptChannels without_last_units(const Network& network, const std::vector<ChannelGroup>& groups) {
  KeptChannels kept = all_kept(network);
  for (const ChannelGroup& group : groups) remove(kept, group.units.back());
  return kept;
}

// One unit less in every group, shapes by hand.
TEST(Prune, EveryTensorLosesItsPart) {
  const Checkpoint parent = formula_checkpoint(tied_config);
  const Network network = unfolded_network(parent);
  const Checkpoint child =
      without_channels(parent, without_last_units(network, channel_groups(network)));
  const auto shape = [&](const char* name) { return child.ema.at(name).shape; };
  EXPECT_EQ(shape("model.0.conv.weight"), (Shape{7, 3, 3, 3}));
  EXPECT_EQ(shape("model.0.bn.running_var"), (Shape{7}));
  EXPECT_EQ(shape("model.1.conv.weight"), (Shape{12, 7, 3, 3}));
  EXPECT_EQ(shape("model.2.conv.weight"), (Shape{12, 3, 3, 3})) << "four groups of three";
  EXPECT_EQ(shape("model.3.conv.weight"), (Shape{12, 1, 3, 3})) << "depthwise";
  EXPECT_EQ(shape("model.4.rbr_dense.0.weight"), (Shape{12, 12, 3, 3}));
  EXPECT_EQ(shape("model.4.rbr_identity.weight"), (Shape{12}));
  EXPECT_EQ(shape("model.6.cv5.conv.weight"), (Shape{7, 28, 1, 1})) << "x and three pools of it";
  EXPECT_EQ(shape("model.8.sam.conv.weight"), (Shape{15, 15, 1, 1}));
  EXPECT_EQ(shape("model.11.conv.weight"), (Shape{7, 15 + 7, 3, 3}));
  EXPECT_EQ(shape("model.13.conv.weight"), (Shape{15, 28, 1, 1})) << "four of each by ReOrg";
  EXPECT_EQ(shape("model.14.m.0.weight"), (Shape{14, 7, 1, 1}));
  EXPECT_EQ(shape("model.14.ia.1.implicit"), (Shape{1, 15, 1, 1}));
  EXPECT_EQ(shape("model.14.im.1.implicit"), (Shape{1, 14, 1, 1}));
  EXPECT_EQ(child.names, parent.names);
  EXPECT_EQ(child.model.size(), 0u);
  EXPECT_EQ(child.state, "");
}

/// Inverted residuals with and without expansion and shortcut, and even kernels.
const char* mobile_config = R"(nc: 2
anchors: [[10,13, 16,30], [33,23, 30,61]]
backbone:
  - [-1, 1, Normalize, [[127, 127, 127], [128, 128, 128]]]
  - [-1, 1, Conv, [8, 4, 2, 1, 1, nn.ReLU6()]]
  - [-1, 1, MBConv, [16, 1]]
  - [-1, 1, MBConv, [16, 3]]
  - [-1, 1, MBConv, [16, 3, 6, 2, 2]]
head:
  - [-1, 1, DWConv, [3, 1]]
  - [-1, 1, Conv, [8, 1]]
  - [[3, 6], 1, IDetect, [nc, anchors]]
)";

TEST(Prune, InvertedResidualsLoseTheirParts) {
  Checkpoint parent = formula_checkpoint(mobile_config);
  const Network network = unfolded_network(parent);
  const std::vector<ChannelGroup> groups = channel_groups(network);
  for (const ChannelGroup& group : groups) silence(parent.ema, network, group.units.back());
  const Checkpoint child = without_channels(parent, without_last_units(network, groups));
  const auto shape = [&](const char* name) { return child.ema.at(name).shape; };
  EXPECT_EQ(shape("model.0.conv.weight"), (Shape{3, 1, 1, 1})) << "the image's channels stay";
  EXPECT_EQ(shape("model.1.conv.weight"), (Shape{7, 3, 4, 4}));
  EXPECT_EQ(shape("model.2.depthwise.conv.weight"), (Shape{7, 1, 3, 3}));
  EXPECT_EQ(shape("model.2.project.conv.weight"), (Shape{15, 7, 1, 1}));
  EXPECT_EQ(shape("model.3.expand.conv.weight"), (Shape{47, 15, 1, 1}));
  EXPECT_EQ(shape("model.3.depthwise.bn.running_mean"), (Shape{47}));
  EXPECT_EQ(shape("model.3.project.conv.weight"), (Shape{15, 47, 1, 1}));
  EXPECT_EQ(shape("model.4.depthwise.conv.weight"), (Shape{47, 1, 6, 6}));
  EXPECT_EQ(shape("model.5.conv.weight"), (Shape{15, 1, 3, 3}));
  // 32 px: rounding of sums of fewer terms alone.
  EXPECT_LT(apart(raw_outputs(network, parent.ema), raw_outputs(child.build_network(), child.ema)),
            1e-12);
}

// The proof in double precision: what is zero goes, and the outputs are the same to rounding. Sums
// of fewer terms round in another order, 1e-16 each.
TEST(Prune, ZeroChannelsRemovedChangeNothing) {
  Checkpoint parent = formula_checkpoint(tied_config);
  const Network network = unfolded_network(parent);
  const std::vector<ChannelGroup> groups = channel_groups(network);
  for (const ChannelGroup& group : groups) silence(parent.ema, network, group.units.back());
  const Checkpoint child = without_channels(parent, without_last_units(network, groups));
  const Network smaller = child.build_network();
  EXPECT_LT(smaller.parameter_count(), network.parameter_count());
  const std::vector<double> before = raw_outputs(network, parent.ema);
  EXPECT_LT(apart(before, raw_outputs(smaller, child.ema)), 1e-13);

  // A channel that is not zero does change them: the comparison sees something.
  Checkpoint loud = formula_checkpoint(tied_config);
  const Checkpoint cut = without_channels(loud, without_last_units(network, groups));
  EXPECT_GT(apart(raw_outputs(network, loud.ema), raw_outputs(cut.build_network(), cut.ema)), 1e-6);
}

// Folded before or after: the same network, but for what implicit vectors have added to biases by
// then. Of the channels that go they add nothing here.
TEST(Prune, AFoldedCheckpointIsPrunedToo) {
  Checkpoint parent = formula_checkpoint(tied_config);
  set_element(parent.ema, "model.14.ia.0.implicit", 7, 0);
  set_element(parent.ema, "model.14.ia.1.implicit", 15, 0);
  const Network network = unfolded_network(parent);
  const KeptChannels kept = without_last_units(network, channel_groups(network));
  const Reparameterized after = reparameterize(without_channels(parent, kept));
  const Reparameterized folded = reparameterize(parent);
  Checkpoint deploy = parent;
  deploy.config = folded.config;
  deploy.config_source = folded.config_source;
  deploy.ema = folded.weights;
  const Network whole = unfolded_network(deploy);
  const Checkpoint child =
      without_channels(deploy, without_last_units(whole, channel_groups(whole)));
  const Network network_after = child.build_network();
  EXPECT_TRUE(is_fused(network_after));
  EXPECT_EQ(child.ema.at("model.4.rbr_reparam.weight").shape, (Shape{12, 12, 3, 3}));
  EXPECT_LT(apart(raw_outputs(after.network, after.weights), raw_outputs(network_after, child.ema)),
            1e-12);
}

TEST(Prune, APrunedNetworkIsPrunedAgain) {
  Checkpoint parent = formula_checkpoint(tied_config);
  for (int round = 0; round < 2; ++round) {
    const Network network = unfolded_network(parent);
    parent = without_channels(parent, without_last_units(network, channel_groups(network)));
  }
  EXPECT_EQ(parent.ema.at("model.2.conv.weight").shape, (Shape{8, 2, 3, 3}));
  EXPECT_EQ(parent.ema.at("model.13.conv.weight").shape, (Shape{14, 24, 1, 1}));
}

TEST(Prune, ComesBackFromAFile) {
  const test::ScratchFolder scratch;
  const Checkpoint parent = formula_checkpoint(tied_config);
  const Network network = unfolded_network(parent);
  const Checkpoint child =
      without_channels(parent, without_last_units(network, channel_groups(network)));
  write_checkpoint(scratch / "pruned.pt", child);
  const Checkpoint back = read_checkpoint(scratch / "pruned.pt");
  check(back.build_network(), back.ema);
  EXPECT_EQ(raw_outputs(back.build_network(), back.ema),
            raw_outputs(child.build_network(), child.ema));
}

TEST(Prune, ALayerKeepsAChannel) {
  const Checkpoint parent = formula_checkpoint(tied_config);
  const Network network = unfolded_network(parent);
  KeptChannels kept = all_kept(network);
  const std::vector<ChannelGroup> groups = channel_groups(network);
  for (const ChannelUnit& unit : groups[0].units) remove(kept, unit);
  EXPECT_EQ(error_of([&] { without_channels(parent, kept); }),
            "model.0.conv: expected channels that stay, found none");
}

// The identity branch is decided by the widths of the blocks, not by those that are left: layer 1
// of 16 channels has eight left, as layer 0, and still no identity branch.
TEST(Widths, DoNotDecideWhatABlockConsistsOf) {
  const std::string layers =
      "  - [-1, 1, Conv, [8, 3, 2]]\n  - [-1, 1, RepConv, [16, 3, 1]]\n"
      "  - [[-1], 1, Detect, [nc, anchors]]\n";
  const Network network =
      build(small_config(layers,
                         "nc: 1\nanchors: [[10, 13]]\nwidths: {model.1.rbr_dense.0: 8, "
                         "model.1.rbr_1x1.0: 8}\n"),
            "x.yaml");
  EXPECT_EQ(network.layers[1].out_channels, 8);
  for (const TensorSpec& spec : network.tensors)
    EXPECT_EQ(spec.name.find("rbr_identity"), std::string::npos);
}

TEST(Widths, GoAlongWithTheirLayer) {
  const std::string config =
      "nc: 5\nanchors: [[10,13, 16,30], [33,23, 30,61]]\nwidths: {model.3.conv: 12, model.2.conv: "
      "6}\nbackbone:\n"
      "  - [-1, 1, Conv, [8, 3, 2]]\n  - [-1, 1, Conv, [8, 3, 2]]\nhead:\n"
      "  - [0, 1, Conv, [8, 3, 1]]\n  - [1, 1, Conv, [16, 3, 1]]\n  - [0, 1, Conv, [8, 3, 1]]\n"
      "  - [1, 1, Conv, [8, 3, 1]]\n  - [[4, 3, 2, 5], 1, IAuxDetect, [nc, anchors]]\n";
  // Layer 2 is read by the auxiliary head alone: the deploy graph has layers 0, 1, 3, 4 and a head.
  const DeployConfig deploy = deploy_config(config, "aux.yaml");
  const ConfigDocument document = parse_config(deploy.text, "deploy");
  ASSERT_EQ(document.widths.size(), 1u);
  EXPECT_EQ(document.widths.begin()->first, std::pair(2, std::string("conv")));
  EXPECT_EQ(document.widths.begin()->second, 12);
  EXPECT_EQ(build(deploy.text, "deploy").layers[2].out_channels, 12);
  EXPECT_NE(error_of([&] { scale_config(config, "aux.yaml", 1, 1); }).find("found a pruned one"),
            std::string::npos);
}

TEST(Widths, BadOnesAreNamed) {
  const auto with = [](const std::string& widths) {
    return error_of([&] {
      build(small_config("  - [-1, 1, Conv, [8, 3, 2]]\n  - [[-1], 1, Detect, [nc, anchors]]\n",
                         "nc: 1\nanchors: [[10, 13]]\nwidths: " + widths + "\n"),
            "x.yaml");
    });
  };
  EXPECT_EQ(with("{model.7.conv: 8}"),
            "x.yaml: widths: expected convolutions of the network, found 'model.7.conv'");
  EXPECT_NE(with("[8]").find("widths: expected a mapping of convolution to channels"),
            std::string::npos);
  EXPECT_NE(with("{model.0.conv: 0}").find("expected 1 to 65536, found 0"), std::string::npos);
}

}  // namespace
}  // namespace yolov7::network
