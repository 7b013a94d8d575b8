// Zeros among the weights, by hand.
#include "network/transform/smallest_weights.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "tests/network/pruning_fixture.hpp"

namespace yolov7::network {
namespace {

// Layer 0 has 8 · 3 = 24 weights, −1, 2, −3 … 24: the seven smallest are the first (0.3 · 24 =
// 7.2). The head's 6 · 8 = 48 weights are equal: the first 14 go (14.4).
TEST(SmallestWeights, OfEveryConvolutionByItself) {
  const Network network =
      build(small_config("  - [-1, 1, Conv, [8, 1, 1]]\n  - [[-1], 1, Detect, [nc, anchors]]\n"),
            "x.yaml");
  Weights weights = numbered_weights(network);
  std::vector<double> values(24);
  for (std::size_t i = 0; i < 24; ++i)
    values[i] = static_cast<double>(i + 1) * (i % 2 == 0 ? -1 : 1);
  weights.set("model.0.conv.weight", Tensor::from(values, {8, 3, 1, 1}));
  weights.set("model.1.m.0.weight", Tensor::from(std::vector<double>(48, 2.0), {6, 8, 1, 1}));
  const SparseWeights sparse = without_smallest_weights(network, weights, .3);
  for (std::size_t i = 0; i < 7; ++i) values[i] = 0;
  EXPECT_EQ(sparse.weights.at("model.0.conv.weight").to_doubles(), values);
  const std::vector<double> head = sparse.weights.at("model.1.m.0.weight").to_doubles();
  for (std::size_t i = 0; i < 48; ++i) EXPECT_EQ(head[i], i < 14 ? 0 : 2) << i;
  EXPECT_EQ(sparse.zeros, 7 + 14);
  EXPECT_EQ(sparse.elements, 24 + 8 + 8 + 48 + 6);
  EXPECT_EQ(sparse.weights.at("model.0.bn.running_var").to_doubles(),
            weights.at("model.0.bn.running_var").to_doubles());
}

TEST(SmallestWeights, AmountIsAShare) {
  const Network network =
      build(small_config("  - [-1, 1, Conv, [8, 1, 1]]\n  - [[-1], 1, Detect, [nc, anchors]]\n"),
            "x.yaml");
  const Weights weights = numbered_weights(network);
  EXPECT_EQ(without_smallest_weights(network, weights, 0).zeros, 0);
  EXPECT_EQ(without_smallest_weights(network, weights, 1).zeros, 24 + 48);
  EXPECT_THROW(without_smallest_weights(network, weights, 1.5), Error);
}

}  // namespace
}  // namespace yolov7::network
