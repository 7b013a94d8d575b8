// Proof of equality: the seven networks pass with random statistics; injected errors do not.
#include "equivalence/proof.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "network/config/builder.hpp"
#include "network/transform/reparameterize.hpp"
#include "nn/exact_outputs.hpp"
#include "tests/nn/small_network.hpp"

namespace yolov7::equivalence {
namespace {

using network::Checkpoint;
using network::DataType;
using network::Tensor;
using network::Weights;

std::string read(const std::string& path) {
  std::ifstream in(std::string(YOLOV7_SOURCE_DIR) + "/configs/" + path);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// Random weights, statistics and implicit vectors, in float32 as checkpoints have them.
Checkpoint random_checkpoint(const std::string& config, int classes) {
  Checkpoint c;
  c.config = config;
  c.config_source = "test.yaml";
  c.class_count = classes;
  for (int i = 0; i < classes; ++i) c.names.push_back(std::to_string(i));
  network::Overrides overrides;
  overrides.class_count = classes;
  nn::TorchNetwork net(network::build(config, c.config_source, overrides));
  nn::randomize(net, 11);
  c.ema = net.store();
  return c;
}

equivalence::Proof prove(const Checkpoint& parent, const network::Network& network,
                         const Weights& child, int size) {
  const network::Network before = parent.build_network();
  const auto pictures =
      equivalence::generated_pictures(size, static_cast<int>(before.largest_stride()));
  return equivalence::prove({before, parent.ema}, {network, child},
                            network::converted(child, DataType::float32), pictures,
                            nn::exact_outputs);
}

class SevenNetworks : public testing::TestWithParam<const char*> {};

TEST_P(SevenNetworks, ReparameterizedIsTheSameDetector) {
  const Checkpoint parent =
      random_checkpoint(read(std::string("training/") + GetParam() + ".yaml"), 80);
  const network::Reparameterized child = network::reparameterize(parent);
  const equivalence::Proof proof = prove(parent, child.network, child.weights, 128);
  EXPECT_EQ(proof.breach, "");
  EXPECT_LE(proof.exact.largest_relative(), equivalence::exact_tolerance);
  EXPECT_GT(proof.exact.raw.at(0).scale, 0);
  EXPECT_GT(proof.exact.decoded.scale, 1);
}

std::string name_of(const testing::TestParamInfo<const char*>& instance) {
  std::string name = instance.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

// Every day each block and each head that the seven have; e6e has those of w6, e6 and d6.
INSTANTIATE_TEST_SUITE_P(Reparam, SevenNetworks,
                         testing::Values("yolov7-tiny", "yolov7", "yolov7-e6e"), name_of);
INSTANTIATE_TEST_SUITE_P(Nightly, SevenNetworks,
                         testing::Values("yolov7x", "yolov7-w6", "yolov7-e6", "yolov7-d6"),
                         name_of);

INSTANTIATE_TEST_SUITE_P(Backbones, SevenNetworks,
                         testing::Values("yolov7-tiny-mobilenetv2",
                                         "yolov7-tiny-efficientnet-lite0"),
                         name_of);

/// A small network with a RepConv (and its identity branch) and implicit vectors; what goes wrong
/// in folding is put into the parent's weights before they are folded, or into the child.
class InjectedErrors : public testing::Test {
 protected:
  const Checkpoint parent = random_checkpoint(nn::small_network().config, 2);

  std::string breach(const Weights& misread) const {
    Checkpoint wrong = parent;
    wrong.ema = misread;
    const network::Reparameterized child = network::reparameterize(wrong);
    return prove(parent, child.network, child.weights, 64).breach;
  }
  std::string breach_of_child(
      const std::function<void(network::Network&, Weights&)>& change) const {
    network::Reparameterized child = network::reparameterize(parent);
    change(child.network, child.weights);
    return prove(parent, child.network, child.weights, 64).breach;
  }
};

TEST_F(InjectedErrors, NoneIsNone) { EXPECT_EQ(breach(parent.ema), ""); }

TEST_F(InjectedErrors, ASwappedBranch) {
  Weights wrong = parent.ema;
  for (const char* part : {"weight", "bias", "running_mean", "running_var"}) {
    const std::string dense = std::string("model.3.rbr_dense.1.") + part,
                      point = std::string("model.3.rbr_1x1.1.") + part;
    wrong.set(dense, parent.ema.at(point));
    wrong.set(point, parent.ema.at(dense));
  }
  EXPECT_NE(breach(wrong).find("raw output of level 0 differs by"), std::string::npos)
      << breach(wrong);
}

TEST_F(InjectedErrors, AWrongEpsilon) {
  Weights wrong = parent.ema;  // 1e-5 instead of 1e-3
  for (const auto& [name, tensor] : parent.ema.entries()) {
    if (name.find("running_var") == std::string::npos) continue;
    std::vector<double> values = tensor.to_doubles();
    for (double& value : values) value += 1e-5 - 1e-3;
    wrong.set(name, Tensor::from(values, tensor.shape));
  }
  EXPECT_NE(breach(wrong).find("raw output of level 0 differs by"), std::string::npos)
      << breach(wrong);
}

TEST_F(InjectedErrors, AShiftedAnchor) {
  const std::string found = breach_of_child([](network::Network&, Weights& weights) {
    const std::string name = "model.13.anchor_grid";
    std::vector<double> sizes = weights.at(name).to_doubles();
    sizes[0] += 0.001;  // a thousandth of a pixel
    weights.set(name, Tensor::from(sizes, weights.at(name).shape));
  });
  EXPECT_NE(found.find("decoded rows differ by"), std::string::npos) << found;
}

TEST_F(InjectedErrors, APermutedClass) {
  const std::string found = breach_of_child([](network::Network& network, Weights& weights) {
    for (const std::string part : {".weight", ".bias"}) {
      const std::string name = "model.13.m.0" + part;
      std::vector<double> rows = weights.at(name).to_doubles();
      const std::size_t per_row = rows.size() / 14;  // 2 anchors of 5 + 2 rows
      for (std::size_t i = 0; i < per_row; ++i)
        std::swap(rows[5 * per_row + i], rows[6 * per_row + i]);
      weights.set(name, Tensor::from(rows, weights.at(name).shape));
    }
    EXPECT_EQ(network.class_count, 2);
  });
  EXPECT_NE(found.find("raw output of level 0 differs by"), std::string::npos) << found;
}

TEST_F(InjectedErrors, NotANumber) {
  const std::string found = breach_of_child([](network::Network&, Weights& weights) {
    const std::string name = "model.13.m.1.bias";
    std::vector<double> rows = weights.at(name).to_doubles();
    rows[3] = std::nan("");
    weights.set(name, Tensor::from(rows, weights.at(name).shape));
  });
  EXPECT_NE(found.find("raw output of level 1 differs by inf"), std::string::npos) << found;
}

TEST(Proof, MatchesBoxesOneToOne) {
  const std::vector<Detection> reference{{{0, 0, 10, 10}, 0.9F, 0},
                                         {{20, 20, 30, 30}, 0.8F, 1},
                                         {{40, 40, 60, 60}, 0.7F, 0},
                                         {{80, 80, 90, 90}, 0.6F, 0}};
  const std::vector<Detection> candidate{{{0, 0, 10, 10}, 0.9F, 0},
                                         {{20, 20, 30, 30}, 0.79F, 1},
                                         {{40, 40, 60, 50}, 0.7F, 0},
                                         {{80, 80, 90, 90}, 0.6F, 1}};
  const equivalence::BoxMatch match = equivalence::match_boxes(reference, candidate);
  EXPECT_EQ(match.reference, 4u);
  EXPECT_EQ(match.candidate, 4u);
  EXPECT_EQ(match.matched,
            1u);  // the second differs in score, the third in its box, the fourth in its class
  EXPECT_EQ(match.least_iou, 0);  // the fourth has no partner
  EXPECT_NEAR(match.largest_score, 0.01, 1e-6);
  const std::vector<Detection> flat{{{0, 5, 0, 9}, 0.5F, 0}}, same{{{0, 5.005, 0, 9}, 0.5F, 0}},
      other{{{0, 5.02, 0, 9}, 0.5F, 0}};
  EXPECT_EQ(equivalence::match_boxes(flat, same).matched, 1u);
  EXPECT_EQ(equivalence::match_boxes(flat, other).matched, 0u);
}

TEST(Proof, GeneratedPicturesAreFixed) {
  const auto pictures = equivalence::generated_pictures(128, 32);
  ASSERT_EQ(pictures.size(), 4u);
  EXPECT_EQ(pictures[2].height, 64);
  EXPECT_EQ(pictures[2].width, 128);
  EXPECT_EQ(pictures[3].height, 128);
  for (const auto& picture : pictures) {
    EXPECT_EQ(picture.pixels.size(), static_cast<std::size_t>(3 * picture.height * picture.width));
    const auto [low, high] = std::minmax_element(picture.pixels.begin(), picture.pixels.end());
    EXPECT_GT(*high - *low, 120);
  }
  EXPECT_NE(pictures[0].pixels, pictures[1].pixels);
  EXPECT_EQ(pictures[0].pixels, equivalence::generated_pictures(128, 32)[0].pixels);
}

TEST(Proof, DifferenceIsOfWhatItSays) {
  const std::vector<double> a{1, -4, 2}, b{1, -3, 2.5};
  const equivalence::Difference d = equivalence::difference(a, b);
  EXPECT_EQ(d.largest, 1);
  EXPECT_EQ(d.mean, 0.5);
  EXPECT_EQ(d.scale, 4);
  EXPECT_EQ(d.relative(), 0.25);
  EXPECT_TRUE(std::isinf(equivalence::difference(a, std::vector<double>{1, 2}).largest));
}

}  // namespace
}  // namespace yolov7::equivalence
