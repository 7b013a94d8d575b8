// From training to deploy graphs: indices and names against the published deploy configurations
// (architecture 5.4).
#include "network/transform/reparameterize.hpp"

#include <gtest/gtest.h>

#include "network/config/builder.hpp"
#include "tests/network/config_fixture.hpp"

namespace yolov7::network {
namespace {

struct Row {
  const char* name;
  int training_head, deploy_head;
};
const Row rows[] = {{"yolov7-tiny", 77, 77}, {"yolov7", 105, 105},    {"yolov7x", 121, 121},
                    {"yolov7-w6", 122, 118}, {"yolov7-e6", 144, 140}, {"yolov7-d6", 166, 162},
                    {"yolov7-e6e", 265, 261}};

TEST(Reparameterize, DeployGraphsAreThePublishedOnes) {
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const DeployConfig deploy =
        deploy_config(config_text(std::string("training/") + row.name + ".yaml"), row.name);
    const Network mine = build(deploy.text, "mine"),
                  published = build_config(std::string("deploy/") + row.name + ".yaml");
    ASSERT_EQ(mine.layers.size(), published.layers.size());
    for (std::size_t i = 0; i < mine.layers.size(); ++i) {
      EXPECT_EQ(mine.layers[i].block, published.layers[i].block) << i;
      EXPECT_EQ(mine.layers[i].inputs, published.layers[i].inputs) << i;
      EXPECT_EQ(mine.layers[i].out_channels, published.layers[i].out_channels) << i;
    }
    ASSERT_EQ(mine.tensors.size(), published.tensors.size());
    for (std::size_t i = 0; i < mine.tensors.size(); ++i)
      EXPECT_EQ(mine.tensors[i].name, published.tensors[i].name);
    EXPECT_EQ(deploy.layers.at(row.training_head), row.deploy_head);
    for (int layer = 0; layer < row.training_head; ++layer) {
      const auto found = deploy.layers.find(layer);
      if (layer < row.deploy_head) {
        EXPECT_EQ(found->second, layer);
      } else {
        EXPECT_EQ(found, deploy.layers.end()) << layer;
      }
    }
  }
}

const char* auxiliary =
    "nc: 5\nanchors: [[10,13, 16,30], [33,23, 30,61]]\nbackbone:\n  - [-1, 1, Conv, [8, 3, 2]]\n  "
    "- [-1, 1, Conv, [8, 3, 2]]\nhead:\n"
    "  - [0, 1, Conv, [8, 3, 1]]\n  - [1, 1, RepConv, [16, 3, 1]]\n  - [0, 1, Conv, [8, 3, 1]]\n  "
    "- [1, 1, Conv, [8, 3, 1]]\n"
    "  - [[2, 3, 4, 5], 1, IAuxDetect, [nc, anchors]]\n";

Checkpoint checkpoint(const std::string& config) {
  Checkpoint c;
  c.config = config;
  c.config_source = "small.yaml";
  c.class_count = 2;
  c.names = {"a", "b"};
  Overrides two;
  two.class_count = 2;
  c.ema = numbered_weights(build(config, "small.yaml", two));
  return c;
}

TEST(Reparameterize, AuxiliaryHeadGoesAndAnchorsStay) {
  Checkpoint c = checkpoint(auxiliary);
  c.ema.set("model.6.anchor_grid", Tensor::from(std::vector<double>{1, 2, 3, 4, 50, 60, 70, 80},
                                                {2, 1, 2, 1, 1, 2}));  // searched, not the config's
  const Reparameterized r = reparameterize(c);
  std::vector<std::string> names;
  for (const auto& entry : r.weights.entries()) names.push_back(entry.first);
  EXPECT_EQ(names, (std::vector<std::string>{
                       "model.0.conv.weight", "model.0.conv.bias", "model.1.conv.weight",
                       "model.1.conv.bias", "model.2.conv.weight", "model.2.conv.bias",
                       "model.3.rbr_reparam.weight", "model.3.rbr_reparam.bias", "model.4.anchors",
                       "model.4.anchor_grid", "model.4.m.0.weight", "model.4.m.0.bias",
                       "model.4.m.1.weight", "model.4.m.1.bias"}));
  EXPECT_EQ(r.network.head, HeadKind::detect);
  EXPECT_EQ(r.network.class_count, 2);
  EXPECT_EQ(r.network.levels[1].anchors[1].h, 80);
  EXPECT_EQ(r.network.layers[3].parameters, 8 * 16 * 9 + 16);
  EXPECT_EQ(r.network.layers[4].block, "Detect");
}

TEST(Reparameterize, KeepsAttentionOnItsLayer) {
  const std::string config =
      "nc: 2\nanchors: [[10,13]]\nsam: {2: pointwise, 1: spatial}\nbackbone:\n  - [-1, 1, Conv, "
      "[8, 3, 2]]\n  - [-1, 1, Conv, [8, 3, 2]]\nhead:\n"
      "  - [-1, 1, Conv, [8, 3, 1]]\n  - [1, 1, Conv, [8, 3, 1]]\n  - [[2, 3], 1, IAuxDetect, [nc, "
      "anchors]]\n";
  const Reparameterized r = reparameterize(checkpoint(config));
  EXPECT_EQ(r.network.layers[1].attention, "spatial");
  EXPECT_EQ(r.network.layers[2].attention, "pointwise");
  EXPECT_NE(r.weights.find("model.1.sam.conv.weight"), nullptr);
  EXPECT_EQ(r.weights.find("model.1.sam.conv.bias"), nullptr);  // there was none
  EXPECT_NE(r.weights.find("model.2.sam.conv.bias"), nullptr);  // from its batch-norm
  EXPECT_EQ(r.network.layers.size(), 4u);
}

TEST(Reparameterize, HashSeesNamesShapesTypesAndBytes) {
  const auto one = [](const std::string& name, std::vector<std::int64_t> shape, double value,
                      DataType type = DataType::float32) {
    Weights w;
    w.set(name, Tensor::from(std::vector<double>(4, value), std::move(shape)).converted(type));
    return tensors_hash(w);
  };
  const std::string hash = one("a", {4}, 1);
  EXPECT_EQ(hash.size(), 32u);
  EXPECT_EQ(hash, one("a", {4}, 1));
  EXPECT_NE(hash, one("b", {4}, 1));
  EXPECT_NE(hash, one("a", {2, 2}, 1));
  EXPECT_NE(hash, one("a", {4}, 1.5));
  EXPECT_NE(one("a", {4}, 0, DataType::float32), one("a", {4}, 0, DataType::float64));
}

}  // namespace
}  // namespace yolov7::network
