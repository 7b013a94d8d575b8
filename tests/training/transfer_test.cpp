#include "training/transfer.hpp"

#include <gtest/gtest.h>

#include "small_network.hpp"

namespace yolov7::training {
namespace {

network::Checkpoint checkpoint_of(const TorchNetwork& net, std::vector<std::string> names) {
  network::Checkpoint checkpoint;
  checkpoint.ema = net.store();
  checkpoint.class_count = static_cast<int>(names.size());
  checkpoint.names = std::move(names);
  return checkpoint;
}

TorchNetwork randomized(std::uint64_t seed) {
  TorchNetwork net(small_network());
  randomize(net, seed);
  return net;
}

at::Tensor row(const TorchNetwork& net, const std::string& name, std::int64_t i) { return net.tensor(name)[i].flatten(); }

TEST(Transfer, SameClassesTakeEverything) {
  const TorchNetwork from = randomized(1);
  TorchNetwork to = randomized(2);
  const TransferReport report = transfer(checkpoint_of(from, {"a", "b"}), to, {"a", "b"}, false);
  EXPECT_EQ(report.loaded, report.total);
  for (const auto& entry : to.entries()) EXPECT_TRUE(entry.tensor.equal(from.tensor(entry.spec.name))) << entry.spec.name;
}

// Two anchors of 7 rows each (x, y, w, h, objectness, two classes). The classes "b", "c" meet "a", "b": row 5 of each anchor
// comes from row 6, row 6 keeps its fresh value, rows 0 … 4 are taken.
TEST(Transfer, HeadRowsFollowTheClassNames) {
  const TorchNetwork from = randomized(1);
  TorchNetwork to = randomized(2);
  const TorchNetwork fresh = randomized(2);
  const TransferReport report = transfer(checkpoint_of(from, {"a", "b"}), to, {"b", "c"}, false);
  EXPECT_EQ(report.matched_classes, (std::vector<std::string>{"b"}));
  EXPECT_EQ(report.new_classes, (std::vector<std::string>{"c"}));
  EXPECT_EQ(report.dropped_classes, (std::vector<std::string>{"a"}));
  for (const char* name : {"model.13.m.0.weight", "model.13.m.1.bias"})
    for (int anchor = 0; anchor < 2; ++anchor) {
      for (int i = 0; i < 5; ++i) EXPECT_TRUE(row(to, name, anchor * 7 + i).equal(row(from, name, anchor * 7 + i)));
      EXPECT_TRUE(row(to, name, anchor * 7 + 5).equal(row(from, name, anchor * 7 + 6)));
      EXPECT_TRUE(row(to, name, anchor * 7 + 6).equal(row(fresh, name, anchor * 7 + 6)));
    }
  EXPECT_EQ(to.tensor("model.13.im.0.implicit").flatten()[5].item<float>(), from.tensor("model.13.im.0.implicit").flatten()[6].item<float>());
}

TEST(Transfer, ReportsWhatItLeaves) {
  const TorchNetwork from = randomized(1);
  TorchNetwork to = randomized(2);
  const at::Tensor anchors = to.tensor("model.13.anchors").clone();
  network::Checkpoint checkpoint = checkpoint_of(from, {"a", "b"});
  network::Weights fewer;
  for (const auto& [name, tensor] : checkpoint.ema.entries())
    if (name != "model.0.conv.weight") fewer.set(name, name == "model.6.bn.bias" ? network::Tensor::from(std::vector<float>{1, 2}, {2}) : tensor);
  checkpoint.ema = fewer;
  const TransferReport report = transfer(checkpoint, to, {"a", "b"}, /*keep_anchors=*/true);
  EXPECT_EQ(report.total - report.loaded, 4u);  // a missing one, one of another shape, two anchor buffers
  EXPECT_TRUE(to.tensor("model.13.anchors").equal(anchors));
  const std::string text = report.lines().front();
  EXPECT_NE(text.find("transferred"), std::string::npos);
}

}  // namespace
}  // namespace yolov7::training
