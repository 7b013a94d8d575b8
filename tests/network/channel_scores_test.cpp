// Scores of two channels by hand.
#include "network/transform/channel_scores.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "network/transform/reparameterize.hpp"
#include "tests/network/pruning_fixture.hpp"

namespace yolov7::network {
namespace {

const char* layers =
    "  - [-1, 1, Conv, [8, 1, 1]]\n  - [-1, 1, Conv, [8, 1, 1]]\n"
    "  - [[-1], 1, Detect, [nc, anchors]]\n";

Weights zeros(const Network& network) {
  Weights weights;
  for (const TensorSpec& spec : network.tensors) {
    std::int64_t count = 1;
    for (const std::int64_t side : spec.shape) count *= side;
    weights.set(spec.name,
                Tensor::from(std::vector<double>(static_cast<std::size_t>(count)), spec.shape));
  }
  return weights;
}

// Channel c of layer 0: weight c of the red input, γ / √(σ² + ε) = 2, so (2 c)². Layer 1 reads
// channel 3 with weight 5 at a factor of 3, which adds 225 to its 36. Sum of all: 4 · 140 + 225 =
// 785, mean 98.125.
TEST(ChannelScores, NormIsOfWhatMakesAndWhatReads) {
  const Network network = build(small_config(layers), "x.yaml");
  Weights weights = zeros(network);
  for (std::size_t c = 0; c < 8; ++c) {
    set_element(weights, "model.0.conv.weight", c * 3, static_cast<double>(c));
    for (const char* bn : {"model.0.bn", "model.1.bn"}) {
      set_element(weights, std::string(bn) + ".running_var", c, 1 - batch_norm_epsilon);
      set_element(weights, std::string(bn) + ".weight", c, bn[6] == '0' ? 2 : 3);
    }
  }
  set_element(weights, "model.1.conv.weight", 6 * 8 + 3, 5);
  const std::vector<ChannelGroup> groups = channel_groups(network);
  const auto scores = channel_scores(network, weights, groups, Importance::norm);
  ASSERT_EQ(scores.size(), 2u);
  for (std::size_t c = 0; c < 8; ++c)
    EXPECT_NEAR(scores[0][c], (4.0 * static_cast<double>(c * c) + (c == 3 ? 225 : 0)) / 98.125,
                1e-12)
        << c;
  // Layer 1: channel 6 alone has weights. The head's are zeros.
  EXPECT_EQ(scores[1], (std::vector<double>{0, 0, 0, 0, 0, 0, 8, 0}));
}

// |γ| 0 … 7: mean 3.5.
TEST(ChannelScores, ScaleIsOfTheBatchNorms) {
  const Network network = build(small_config(layers), "x.yaml");
  Weights weights = zeros(network);
  for (std::size_t c = 0; c < 8; ++c)
    set_element(weights, "model.0.bn.weight", c,
                c % 2 == 0 ? -1.0 * static_cast<double>(c) : static_cast<double>(c));
  const auto scores = channel_scores(network, weights, channel_groups(network), Importance::scale);
  for (std::size_t c = 0; c < 8; ++c) EXPECT_DOUBLE_EQ(scores[0][c], static_cast<double>(c) / 3.5);
  EXPECT_EQ(scores[1], std::vector<double>(8));
}

TEST(ChannelScores, ScaleNeedsBatchNorms) {
  Checkpoint deploy = formula_checkpoint(tied_config);
  const Reparameterized folded = reparameterize(deploy);
  deploy.config = folded.config;
  deploy.ema = folded.weights;
  const Network network = deploy.build_network();
  const auto message = error_of(
      [&] { channel_scores(network, deploy.ema, channel_groups(network), Importance::scale); });
  EXPECT_NE(message.find("expected a batch-norm behind model.0.conv, found none"),
            std::string::npos)
      << message;
  EXPECT_EQ(importance("norm"), Importance::norm);
  EXPECT_EQ(importance("scale"), Importance::scale);
  EXPECT_THROW(importance("x"), Error);
}

}  // namespace
}  // namespace yolov7::network
