// Plans of 8-bit integers on networks put together by hand.
#include "network/transform/quantization.hpp"

#include <gtest/gtest.h>

#include "tests/runtime/hand_network.hpp"

using namespace yolov7;
using namespace yolov7::network;
using yolov7::testing::HandNetwork;

namespace {

/// image → a → leaky ┬→ b → leaky ┐
///                   └→ pool ─────┴→ concat → head. Its values: 0 image, 1 a, 2 leaky, 3 b,
/// 4 leaky, 5 pool, 6 concat, 7 head.
HandNetwork branches() {
  HandNetwork net;
  const auto ones = [](std::size_t count) { return std::vector<float>(count, 1); };
  const int a = net.activation(ActivationKind::leaky_relu, net.conv(0, 3, 2, ones(6), {0, 0}), 0.1);
  const int b = net.activation(ActivationKind::leaky_relu, net.conv(a, 2, 2, ones(4), {0, 0}), 0.1);
  const int pool = net.add(MaxPool{3, 1, 1}, {a});
  const int both = net.add(Concat{}, {b, pool});
  net.level(net.conv(both, 4, 6, ones(24), std::vector<float>(6, 0)), 1, 1);
  return net;
}

std::vector<ValueRole> roles(const Network& network, const std::set<std::string>& real) {
  return make_quantization(network, {}, real).roles;
}

constexpr ValueRole R = ValueRole::real, Q = ValueRole::quantized, C = ValueRole::carried,
                    I = ValueRole::inner;

}  // namespace

TEST(Quantization, QuantizersStandBehindActivationsAndBeforeNothingElse) {
  const HandNetwork net = branches();
  EXPECT_EQ(roles(net.network(), {}), (std::vector<ValueRole>{Q, I, Q, I, Q, C, C, R}));
}

// What meets in the concatenation has one scale; so has what the pool made it of.
TEST(Quantization, ValuesThatMeetHaveOneScale) {
  const HandNetwork net = branches();
  EXPECT_EQ(scale_groups(net.network()), (std::vector<int>{0, 1, 2, 3, 2, 2, 2, 7}));
}

TEST(Quantization, ALayerInFloatTakesItsQuantizersAway) {
  const HandNetwork net = branches();
  const std::string head = "model.6.conv", second = "model.2.conv", first = "model.0.conv";
  // The head alone reads the concatenation, but the second convolution reads one of its parts.
  EXPECT_EQ(roles(net.network(), {head}), (std::vector<ValueRole>{Q, I, Q, I, Q, C, C, R}));
  EXPECT_EQ(roles(net.network(), {head, second}), (std::vector<ValueRole>{Q, R, R, R, R, R, R, R}));
  EXPECT_EQ(roles(net.network(), {first}), (std::vector<ValueRole>{R, R, Q, I, Q, C, C, R}));
  EXPECT_EQ(roles(net.network(), {first, second, head}), std::vector<ValueRole>(8, R));
}

// image → a → leaky → b → leaky → head, the head in float32: what it reads is no number, and in
// front of that activation is one only where a format's convolutions give nothing else.
TEST(Quantization, WhatFloatConvolutionsReadIsReal) {
  HandNetwork net;
  const auto layer = [&](int value, int in, int out) {
    return net.conv(value, in, out, std::vector<float>(static_cast<std::size_t>(in * out), 1),
                    std::vector<float>(static_cast<std::size_t>(out), 0));
  };
  const int a = net.activation(ActivationKind::leaky_relu, layer(0, 3, 2), 0.1);
  const int b = net.activation(ActivationKind::leaky_relu, layer(a, 2, 2), 0.1);
  net.level(layer(b, 2, 6), 1, 1);
  EXPECT_EQ(result_convolutions(net.network()), std::set<std::string>{"model.4.conv"});
  EXPECT_EQ(roles(net.network(), {"model.4.conv"}), (std::vector<ValueRole>{Q, I, Q, I, R, R}));
  EXPECT_EQ(roles(net.network(), {"model.2.conv", "model.4.conv"}),
            (std::vector<ValueRole>{Q, I, R, R, R, R}));
}

TEST(Quantization, CalibratedValuesAreThoseWithAScaleOfTheirOwn) {
  EXPECT_EQ(calibrated_values(branches().network()), (std::vector<int>{0, 1, 2, 3, 4}));
}

TEST(Quantization, GroupedConvolutionsStayInFloatAndDepthwiseOnesDoNot) {
  HandNetwork net;
  const int grouped = net.conv(net.conv(0, 3, 4, std::vector<float>(12, 1), {}), 4, 4,
                               std::vector<float>(8, 1), {}, 1, 1, 2);
  net.level(net.conv(grouped, 4, 8, std::vector<float>(8, 1), {}, 1, 1, 4), 1, 1);
  const auto all = quantizable_convolutions(net.network());
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0]->groups, 1);
  EXPECT_EQ(all[1]->groups, 4);
}

// 127 · w ÷ the largest magnitude of the channel, halves to the even number.
TEST(Quantization, WeightsByTheLargestMagnitudeOfAChannel) {
  const Tensor weight = Tensor::from(std::vector<float>{1, -2, 0.5F, 0, 0, 0, 254, 1, -3}, {3, 3});
  const QuantizedWeight channels = quantized_weight(weight, 3, false);
  EXPECT_EQ(channels.numbers, (std::vector<std::int8_t>{64, -127, 32, 0, 0, 0, 127, 0, -2}));
  EXPECT_EQ(channels.scales, (std::vector<float>{2.0F / 127, 1, 2}));
  const QuantizedWeight tensor = quantized_weight(weight, 3, true);
  EXPECT_EQ(tensor.scales, (std::vector<float>{2, 2, 2}));
  EXPECT_EQ(tensor.numbers, (std::vector<std::int8_t>{0, -1, 0, 0, 0, 0, 127, 0, -2}));
}

TEST(Quantization, NumbersEndWhereTheirRangeEnds) {
  const ValueScale scale{0.5F, 10, 0.25F};  // -5 … 122.5; -32 … 31.75
  EXPECT_EQ(scale.low(), -5);
  EXPECT_EQ(scale.high(), 122.5F);
  const auto asymmetric = [&](float x) {
    return quantized(x, scale, ActivationNumbers::asymmetric);
  };
  const auto symmetric = [&](float x) { return quantized(x, scale, ActivationNumbers::symmetric); };
  EXPECT_EQ(asymmetric(0), 0);
  EXPECT_EQ(asymmetric(1.3F), 1.5F);
  EXPECT_EQ(asymmetric(-7), -5);
  EXPECT_EQ(asymmetric(1000), 122.5F);
  EXPECT_EQ(symmetric(1.3F), 1.25F);
  EXPECT_EQ(symmetric(-100), -32);
  EXPECT_EQ(symmetric(100), 31.75F);
}

TEST(Quantization, BiasAndCorrectionAreAdded) {
  HandNetwork net;
  net.level(net.conv(0, 3, 6, std::vector<float>(18, 1), {1, 2, 3, 4, 5, 6}), 1, 1);
  QuantizationScales scales;
  scales.corrections["model.0.conv"] = {{1, 1, 1, 1, 1, 1}, {2, 2, 2, 2, 2, 2}};
  const Quantization plan = make_quantization(net.network(), scales, {});
  const auto& conv = *net.network().operations[0].as<Convolution>();
  EXPECT_EQ(plan.bias(conv, net.weights(), ActivationNumbers::asymmetric),
            (std::vector<float>{2, 3, 4, 5, 6, 7}));
  EXPECT_EQ(plan.bias(conv, net.weights(), ActivationNumbers::symmetric),
            (std::vector<float>{3, 4, 5, 6, 7, 8}));
}

// 8 × 8 pixels: 3·2, 2·2 and 4·6 multiply-adds a pixel.
TEST(Quantization, ShareOfTheMultiplyAdds) {
  Network network = branches().network();
  network.value_channels = {3, 2, 2, 2, 2, 2, 4, 6};
  const auto counts = multiply_adds(network, 8, 8);
  EXPECT_EQ(counts.at("model.0.conv"), 6 * 64);
  EXPECT_EQ(counts.at("model.2.conv"), 4 * 64);
  EXPECT_EQ(counts.at("model.6.conv"), 24 * 64);
  EXPECT_DOUBLE_EQ(integer_share(network, make_quantization(network, {}, {"model.0.conv"}), 8, 8),
                   28.0 / 34);
}
