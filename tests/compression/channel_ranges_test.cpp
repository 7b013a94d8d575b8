#include "compression/plan/channel_ranges.hpp"

#include <gtest/gtest.h>

#include "tests/exporting/networks.hpp"

using namespace yolov7;
using namespace yolov7::compression;
using namespace yolov7::testing;

// Two images, two channels of two pixels: (3 + 5) / 2 and, negative ones counting twice,
// (4 + 1) / 2.
TEST(ChannelRanges, MeansOfTheLargestMagnitudes) {
  ChannelRanges ranges;
  const std::vector<float> first = {1, 3, 1, -2}, second = {5, -2, 1, 0};
  ranges.add({4, 2, 1, 2, first}, 2);
  ranges.add({4, 2, 1, 2, second}, 2);
  EXPECT_EQ(ranges.means(), (std::map<int, std::vector<double>>{{4, {4, 2.5}}}));
}

// Behind a slope of 1/4 a negative number is a quarter of what it was: (1 + 4) / 2.
TEST(ChannelRanges, NegativeNumbersCountByBothSidesOfTheActivation) {
  using network::ActivationKind;
  EXPECT_EQ(negative_weight({ActivationKind::leaky_relu, 0.25}), 2.5F);
  EXPECT_EQ(negative_weight({ActivationKind::leaky_relu, 0}), 1);
  EXPECT_EQ(negative_weight({ActivationKind::relu, 0}), 1);
}

// Values 2 and 4 meet in a concatenation, so that their largest channel, 16, is that of both; the
// square root of 16 / range, a dead channel 1, a nearly dead one the most.
TEST(ChannelRanges, FactorsBringTheChannelsOfOneScaleTogether) {
  HandNetwork net;
  const auto relu = [&](int value) { return net.activation(network::ActivationKind::relu, value); };
  const int a = relu(noisy_conv(net, 0, 3, 2, 1)), b = relu(noisy_conv(net, 0, 3, 3, 2));
  net.level(noisy_conv(net, net.add(network::Concat{}, {a, b}), 5, 6, 3), 1, 1);
  const network::ChannelFactors factors =
      channel_factors(net.network(), {{2, {16, 4}}, {4, {1, 0, 1e-9}}}, 0.5);
  EXPECT_EQ(factors.at(2), (std::vector<float>{1, 2}));
  EXPECT_EQ(factors.at(4), (std::vector<float>{4, 1, 64}));
  EXPECT_TRUE(factors.at(5).empty());
}
