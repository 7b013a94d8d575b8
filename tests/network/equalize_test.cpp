// Factors of channels that leave a network's outputs as they are.
#include "network/transform/equalize.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/runtime/hand_network.hpp"
#include "tests/runtime/reference_interpreter.hpp"
#include "tests/scratch_folder.hpp"

using namespace yolov7;
using namespace yolov7::network;
using yolov7::testing::HandNetwork;

namespace {

constexpr int side = 8;

NetworkAndWeights model_of(const HandNetwork& net) { return {net.network(), net.weights()}; }

/// Numbers in −1 … 1 without a pattern.
std::vector<float> spread(std::size_t count, int seed) {
  std::vector<float> values;
  for (std::size_t i = 0; i < count; ++i)
    values.push_back(static_cast<float>(std::sin(12.9 * static_cast<double>(i) + 78.2 * seed)));
  return values;
}

int conv(HandNetwork& net, int input, int in, int out, int seed, int kernel = 1, int groups = 1) {
  const auto each = static_cast<std::size_t>(in / groups * kernel * kernel);
  return net.conv(input, in, out, spread(static_cast<std::size_t>(out) * each, seed),
                  spread(static_cast<std::size_t>(out), seed + 100), kernel, 1, groups);
}

int leaky(HandNetwork& net, int value) {
  return net.activation(ActivationKind::leaky_relu, value, 0.1);
}

/// image → 2 channels (leaky, value 2) ┬→ pool (3) ────────────────┬→ concat (6) → reorg (7) →
///                                     └→ 3 × 3 → relu (value 5) ──┘
/// upsampled (8) → depthwise → leaky (value 10) → head.
HandNetwork everything() {
  HandNetwork net;
  const int a = leaky(net, conv(net, 0, 3, 2, 1));
  const int pool = net.add(MaxPool{3, 1, 1}, {a});
  const int b = net.activation(ActivationKind::relu, conv(net, a, 2, 4, 2, 3));
  const int small = net.add(Reorg{}, {net.add(Concat{}, {pool, b})});
  const int wide = net.add(Upsample{}, {small});
  net.level(conv(net, leaky(net, conv(net, wide, 24, 24, 3, 3, 24)), 24, 6, 4), 1, 1);
  return net;
}

std::vector<double> outputs(const NetworkAndWeights& model) {
  reference::Tensors tensors;
  for (const auto& [name, tensor] : model.weights.entries()) tensors[name] = tensor.to_doubles();
  reference::Map image(1, 3, side, side);
  const std::vector<float> pixels = spread(image.values.size(), 9);
  image.values.assign(pixels.begin(), pixels.end());
  return reference::Interpreter(model.network, tensors).run(image, false).at(0).values;
}

}  // namespace

// Two channels, by hand: 4 and 1/2 times the rows and the bias, a quarter and twice the columns.
TEST(Equalize, RowsAreMultipliedAndColumnsDivided) {
  HandNetwork net;
  const int a = net.activation(ActivationKind::relu, net.conv(0, 3, 2, {1, 2, 3, 4, 5, 6}, {7, 8}));
  net.level(net.conv(a, 2, 6, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, {1, 2, 3, 4, 5, 6}), 1, 1);
  ChannelFactors factors(4);
  factors[2] = {4, 0.5F};
  const NetworkAndWeights scaled = with_channel_factors(model_of(net), factors);
  const auto floats = [&](const char* name) { return scaled.weights.at(name).to_floats(); };
  EXPECT_EQ(floats("model.0.conv.weight"), (std::vector<float>{4, 8, 12, 2, 2.5F, 3}));
  EXPECT_EQ(floats("model.0.conv.bias"), (std::vector<float>{28, 4}));
  EXPECT_EQ(floats("model.2.conv.weight"),
            (std::vector<float>{0.25F, 4, 0.75F, 8, 1.25F, 12, 1.75F, 16, 2.25F, 20, 2.75F, 24}));
  EXPECT_EQ(floats("model.2.conv.bias"), (std::vector<float>{1, 2, 3, 4, 5, 6}));
}

// Through pool, concatenation, reorganisation, upsampling and a depthwise convolution. Factors are
// 3, 5, …; the tolerance is float32's rounding of the weights.
TEST(Equalize, OutputsStay) {
  const NetworkAndWeights model = model_of(everything());
  ASSERT_EQ(scalable_values(model.network), (std::vector<int>{2, 5, 10}));
  ChannelFactors factors(static_cast<std::size_t>(model.network.value_count));
  float next = 3;
  for (const auto& [value, channels] : {std::pair{2, 2}, {5, 4}, {10, 24}})
    for (int c = 0; c < channels; ++c, next += 2)
      factors[static_cast<std::size_t>(value)].push_back(next);
  const NetworkAndWeights scaled = with_channel_factors(model, factors);
  const std::vector<double> before = outputs(model), after = outputs(scaled);
  ASSERT_EQ(before.size(), after.size());
  for (std::size_t i = 0; i < before.size(); ++i) EXPECT_NEAR(after[i], before[i], 1e-5) << i;
  EXPECT_NE(scaled.weights.at("model.0.conv.weight").bytes,
            model.weights.at("model.0.conv.weight").bytes);
}

TEST(Equalize, WhatKeepsNoFactorHasNone) {
  HandNetwork silu;
  const int a = silu.activation(ActivationKind::silu, conv(silu, 0, 3, 2, 1));
  silu.level(conv(silu, a, 2, 6, 2), 1, 1);
  EXPECT_TRUE(scalable_values(silu.network()).empty());
  HandNetwork sum;  // a sum reads the value
  const int b = leaky(sum, conv(sum, 0, 3, 2, 1));
  const int both = sum.add(Add{}, {b, leaky(sum, conv(sum, b, 2, 2, 3))});
  sum.level(conv(sum, both, 2, 6, 2), 1, 1);
  EXPECT_TRUE(scalable_values(sum.network()).empty());
  HandNetwork out;  // a level gives it out
  out.level(leaky(out, conv(out, 0, 3, 6, 1)), 1, 1);
  EXPECT_TRUE(scalable_values(out.network()).empty());
}

TEST(Equalize, WrongFactorsAreRefused) {
  const NetworkAndWeights model = model_of(everything());
  const auto refused = [&](int value, std::vector<float> numbers) {
    ChannelFactors factors(static_cast<std::size_t>(model.network.value_count));
    factors[static_cast<std::size_t>(value)] = std::move(numbers);
    return test::error_of([&] { with_channel_factors(model, factors); });
  };
  EXPECT_EQ(refused(2, {1, 2}), "no error");
  EXPECT_NE(refused(2, {1, 2, 3}).find("value 2"), std::string::npos);
  EXPECT_NE(refused(2, {1, 0}).find("positive"), std::string::npos);
  EXPECT_NE(refused(3, {1, 2}).find("value 3"), std::string::npos);
}
