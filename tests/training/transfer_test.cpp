#include "training/fine_tuning/transfer.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "network/config/builder.hpp"
#include "tests/nn/small_network.hpp"

namespace yolov7::training {
namespace {

network::Checkpoint checkpoint_of(const nn::TorchNetwork& net, std::vector<std::string> names) {
  network::Checkpoint checkpoint;
  checkpoint.ema = net.store();
  checkpoint.class_count = static_cast<int>(names.size());
  checkpoint.names = std::move(names);
  return checkpoint;
}

nn::TorchNetwork randomized(std::uint64_t seed) {
  nn::TorchNetwork net(nn::small_network());
  nn::randomize(net, seed);
  return net;
}

at::Tensor row(const nn::TorchNetwork& net, const std::string& name, std::int64_t i) {
  return net.tensor(name)[i].flatten();
}

TEST(Transfer, SameClassesTakeEverything) {
  const nn::TorchNetwork from = randomized(1);
  nn::TorchNetwork to = randomized(2);
  const TransferReport report = transfer(checkpoint_of(from, {"a", "b"}), to, {"a", "b"}, false);
  EXPECT_EQ(report.loaded, report.total);
  for (const auto& entry : to.entries())
    EXPECT_TRUE(entry.tensor.equal(from.tensor(entry.spec.name))) << entry.spec.name;
}

// Two anchors of 7 rows each (x, y, w, h, objectness, two classes). The classes "b", "c" meet "a",
// "b": row 5 of each anchor comes from row 6, row 6 keeps its fresh value, rows 0 … 4 are taken.
TEST(Transfer, HeadRowsFollowTheClassNames) {
  const nn::TorchNetwork from = randomized(1);
  nn::TorchNetwork to = randomized(2);
  const nn::TorchNetwork fresh = randomized(2);
  const TransferReport report = transfer(checkpoint_of(from, {"a", "b"}), to, {"b", "c"}, false);
  EXPECT_EQ(report.matched_classes, (std::vector<std::string>{"b"}));
  EXPECT_EQ(report.new_classes, (std::vector<std::string>{"c"}));
  EXPECT_EQ(report.dropped_classes, (std::vector<std::string>{"a"}));
  for (const char* name : {"model.13.m.0.weight", "model.13.m.1.bias"})
    for (int anchor = 0; anchor < 2; ++anchor) {
      for (int i = 0; i < 5; ++i)
        EXPECT_TRUE(row(to, name, anchor * 7 + i).equal(row(from, name, anchor * 7 + i)));
      EXPECT_TRUE(row(to, name, anchor * 7 + 5).equal(row(from, name, anchor * 7 + 6)));
      EXPECT_TRUE(row(to, name, anchor * 7 + 6).equal(row(fresh, name, anchor * 7 + 6)));
    }
  EXPECT_EQ(to.tensor("model.13.im.0.implicit").flatten()[5].item<float>(),
            from.tensor("model.13.im.0.implicit").flatten()[6].item<float>());
}

TEST(Transfer, ReportsWhatItLeaves) {
  const nn::TorchNetwork from = randomized(1);
  nn::TorchNetwork to = randomized(2);
  const at::Tensor anchors = to.tensor("model.13.anchors").clone();
  network::Checkpoint checkpoint = checkpoint_of(from, {"a", "b"});
  network::Weights fewer;
  for (const auto& [name, tensor] : checkpoint.ema.entries())
    if (name != "model.0.conv.weight")
      fewer.set(name, name == "model.6.bn.bias"
                          ? network::Tensor::from(std::vector<float>{1, 2}, {2})
                          : tensor);
  checkpoint.ema = fewer;
  const TransferReport report = transfer(checkpoint, to, {"a", "b"}, /*keep_anchors=*/true);
  EXPECT_EQ(report.total - report.loaded,
            4u);  // a missing one, one of another shape, two anchor buffers
  EXPECT_TRUE(to.tensor("model.13.anchors").equal(anchors));
  const std::string text = report.lines().front();
  EXPECT_NE(text.find("transferred"), std::string::npos);
}

network::Network published(const std::string& path, double width) {
  network::Overrides overrides;
  overrides.width_multiple = width;
  overrides.class_count = 2;
  return network::build(network::read_config(path), path, overrides);
}

std::vector<at::Tensor> maps(nn::TorchNetwork& net) {
  at::NoGradGuard no_gradient;
  net.train(false);
  return net.forward(nn::test_images(1, 128, 128));
}

// Architecture 5.6: the training graph starts with exactly the outputs of the deploy checkpoint,
// for three levels and for four, where the head has another layer index. All in float64, and the
// operations are the same but x + 0 and 1 · x: no tolerance.
TEST(Transfer, DeployCheckpointsStartTrainingGraphsWithEqualOutputs) {
  for (const std::string name : {"yolov7-tiny", "yolov7-w6"}) {
    nn::TorchNetwork deploy(published("deploy/" + name + ".yaml", 0.125), at::kDouble),
        training(published("training/" + name + ".yaml", 0.125), at::kDouble);
    nn::randomize(deploy, 1);
    nn::randomize(training, 2);
    deploy.set_anchors(std::vector<std::vector<network::AnchorSize>>(
        deploy.description().lead_levels(), {{3, 4}, {5, 6}, {7, 8}}));
    network::Checkpoint checkpoint = checkpoint_of(deploy, {"a", "b"});
    const TransferReport report =
        transfer(checkpoint, training, {"a", "b"}, /*keep_anchors=*/false);
    EXPECT_NE(report.conversion.find("a deploy checkpoint"), std::string::npos)
        << report.conversion;
    EXPECT_EQ(report.lines().at(1), report.conversion);
    const auto expected = maps(deploy), found = maps(training);
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t i = 0; i < found.size(); ++i)
      EXPECT_TRUE(found[i].equal(expected[i])) << name << ' ' << i;
    // The loss reads the anchors from the description, the checkpoint from the buffers: both are
    // the checkpoint's.
    EXPECT_EQ(training.description().levels[0].anchors[1].w, 5);
    EXPECT_EQ(training.description().levels.back().anchors[2].h, 8);
  }
}

// Its tensors are taken, neck and head keep their initial values, and no class is spoken of.
TEST(Transfer, ABackboneAloneIsTaken) {
  const nn::TorchNetwork from = randomized(1), fresh = randomized(2);
  nn::TorchNetwork to = randomized(2);
  network::Checkpoint checkpoint = checkpoint_of(from, {"0"}), backbone = checkpoint;
  backbone.ema = network::Weights();
  const auto of_backbone = [](const std::string& name) {
    return nn::layer_of(name) < 10;  // of the small network
  };
  std::size_t taken = 0;
  for (const auto& [name, tensor] : checkpoint.ema.entries())
    if (of_backbone(name)) {
      backbone.ema.set(name, tensor);
      ++taken;
    }
  const TransferReport report = transfer(backbone, to, {"a", "b"}, false);
  EXPECT_EQ(report.loaded, taken);
  EXPECT_EQ(report.conversion, "a backbone alone: neck and head start fresh");
  EXPECT_TRUE(report.new_classes.empty() && report.dropped_classes.empty());
  for (const auto& entry : to.entries())
    EXPECT_TRUE(
        entry.tensor.equal((of_backbone(entry.spec.name) ? from : fresh).tensor(entry.spec.name)))
        << entry.spec.name;
}

TEST(Transfer, OtherNetworksAreNotMappedByTheirHeads) {
  nn::TorchNetwork deploy(published("deploy/yolov7-w6.yaml", 0.125)),
      training(published("training/yolov7-tiny.yaml", 0.125));
  nn::randomize(deploy, 1);
  nn::randomize(training, 2);
  const TransferReport report =
      transfer(checkpoint_of(deploy, {"a", "b"}), training, {"a", "b"}, false);
  EXPECT_EQ(report.conversion, "");
  for (const std::string& line : report.skipped)
    if (line.rfind("model.77.m.0.weight", 0) == 0) {
      EXPECT_NE(line.find("not in the checkpoint"), std::string::npos) << line;
    }
}

TEST(Transfer, FoldedWeightsAreRefused) {
  const nn::TorchNetwork from = randomized(1);
  nn::TorchNetwork to = randomized(2);
  network::Checkpoint checkpoint = checkpoint_of(from, {"a", "b"});
  checkpoint.ema = network::fuse(from.description(), from.store()).weights;
  try {
    transfer(checkpoint, to, {"a", "b"}, false);
    ADD_FAILURE() << "folded weights were taken";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("the checkpoint is folded"), std::string::npos)
        << error.what();
  }
}

}  // namespace
}  // namespace yolov7::training
