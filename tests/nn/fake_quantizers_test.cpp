// A network with the quantizers of a plan, against its numbers computed one by one.
#include "nn/fake_quantizers.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/error.hpp"
#include "nn/torch_network.hpp"
#include "tests/nn/small_network.hpp"
#include "tests/runtime/hand_network.hpp"

namespace yolov7::nn {
namespace {

using testing::HandNetwork;

const std::vector<float> a_weight{0.9F, -0.4F, 0.2F, -1.3F, 0.7F, 0.05F}, a_bias{0.1F, -0.2F},
    b_weight{0.5F, -0.25F, 0.8F, 1.1F}, b_bias{0.05F, 0.15F};

std::vector<float> head_weight() {
  std::vector<float> values;
  for (int i = 0; i < 24; ++i) values.push_back(static_cast<float>((i * 29) % 17 - 8) / 9);
  return values;
}

/// image → a → leaky ┬→ b → leaky ┐
///                   └────────────┴→ concat → head, all 1 × 1. Values: 0 image, 1 a, 2 leaky, 3 b,
/// 4 leaky, 5 concat, 6 head. The leaky ones have one scale.
HandNetwork branches() {
  HandNetwork net;
  const auto leaky = network::ActivationKind::leaky_relu;
  const int a = net.activation(leaky, net.conv(0, 3, 2, a_weight, a_bias), 0.1);
  const int b = net.activation(leaky, net.conv(a, 2, 2, b_weight, b_bias), 0.1);
  const int both = net.add(network::Concat{}, {b, a});
  net.level(net.conv(both, 4, 6, head_weight(), std::vector<float>(6, 0.25F)), 1, 1);
  return net;
}

network::Network with_tensors(const HandNetwork& hand) {
  using Role = network::TensorSpec::Role;
  network::Network network = hand.network();
  for (const auto& [name, tensor] : hand.weights().entries())
    network.tensors.push_back(
        {name, name.ends_with(".bias") ? Role::bias : Role::weight, tensor.shape});
  return network;
}

/// 6 bits behind activations, bytes of the image.
network::QuantizationScales scales(bool per_tensor = false) {
  network::QuantizationScales all;
  all.values.assign(7, {0.031F, 9, 0.05F, 63});
  all.values[0] = {1.0F / 255, 0, 1.0F / 127, 255};
  all.per_tensor = per_tensor;
  return all;
}

struct Network {
  explicit Network(bool per_tensor = false)
      : hand(branches()), net(with_tensors(hand)), quantizers(hand.network(), scales(per_tensor)) {
    net.load(hand.weights());
    net.set_quantizers(&quantizers);
  }
  HandNetwork hand;
  TorchNetwork net;
  FakeQuantizers quantizers;
};

double number_of(double x, double scale, int zero, int most) {
  return scale * std::clamp(std::nearbyint(x / scale), -1.0 * zero, 1.0 * (most - zero));
}

/// Row `out` of a weight, rounded to 127 steps of the largest magnitude.
std::vector<double> rounded(const std::vector<float>& weight, std::size_t row, std::size_t inputs,
                            bool per_tensor) {
  double most = 0;
  for (std::size_t i = 0; i < weight.size(); ++i)
    if (per_tensor || i / inputs == row)
      most = std::max(most, std::abs(1.0 * static_cast<double>(weight[i])));
  std::vector<double> result;
  for (std::size_t i = 0; i < inputs; ++i)
    result.push_back(std::nearbyint(static_cast<double>(weight[row * inputs + i]) / most * 127) *
                     most / 127);
  return result;
}

std::vector<double> layer(const std::vector<double>& x, const std::vector<float>& weight,
                          const std::vector<float>& bias, bool per_tensor) {
  std::vector<double> y;
  for (std::size_t o = 0; o < bias.size(); ++o) {
    const std::vector<double> w = rounded(weight, o, x.size(), per_tensor);
    double sum = static_cast<double>(bias[o]);
    for (std::size_t i = 0; i < x.size(); ++i) sum += w[i] * x[i];
    y.push_back(sum);
  }
  return y;
}

/// The convolution whose result is decoded: its weights are not rounded.
std::vector<double> head(const std::vector<double>& x) {
  const std::vector<float> weight = head_weight();
  std::vector<double> y(6, 0.25);
  for (std::size_t o = 0; o < y.size(); ++o)
    for (std::size_t i = 0; i < x.size(); ++i)
      y[o] += static_cast<double>(weight[o * x.size() + i]) * x[i];
  return y;
}

std::vector<double> behind(std::vector<double> x) {
  for (double& value : x) value = number_of(value < 0 ? 0.1 * value : value, 0.031, 9, 63);
  return x;
}

TEST(FakeQuantizers, TheForwardPassIsThatOfThePlan) {
  for (const bool per_tensor : {false, true}) {
    Network one(per_tensor);
    const std::vector<int> pixel{200, 3, 120};
    at::Tensor image = at::empty({1, 3, 1, 1}, at::kFloat);
    for (int c = 0; c < 3; ++c) image[0][c][0][0] = pixel[static_cast<std::size_t>(c)] / 255.0;
    const auto maps = one.net.forward(image);
    std::vector<double> x;
    for (const int byte : pixel) x.push_back(byte / 255.0);
    const std::vector<double> a = behind(layer(x, a_weight, a_bias, per_tensor)),
                              b = behind(layer(a, b_weight, b_bias, per_tensor));
    const std::vector<double> logits = head({b[0], b[1], a[0], a[1]});
    const at::Tensor found = maps.at(0).detach().flatten();
    // float32 sums of four terms.
    for (int k = 0; k < 6; ++k)
      EXPECT_NEAR(found[k].item<double>(), logits[static_cast<std::size_t>(k)], 2e-6) << k;
  }
}

// The two leaky values share a range, whose gradient is the sum of both; the image has none.
TEST(FakeQuantizers, OneRangeForAllThatMeets) {
  Network one;
  ASSERT_EQ(one.quantizers.ranges().size(), 1U);
  const FakeQuantizers::Range& range = one.quantizers.ranges()[0];
  EXPECT_EQ(range.name, "quantizer.2.log_scale");
  EXPECT_EQ(range.numbers, (kernels::NumberRange{9, 63}));
  const at::Tensor images = test_images(2, 4, 4, at::kFloat);
  one.net.forward(images).at(0).sum().backward();
  ASSERT_TRUE(range.log_scale.grad().defined());
  EXPECT_NE(range.log_scale.grad().item<float>(), 0);
  EXPECT_TRUE(one.net.tensor("model.0.conv.weight").grad().defined());
}

TEST(FakeQuantizers, FrozenRangesHaveNoGradient) {
  Network one;
  one.quantizers.learn(false);
  one.net.forward(test_images(1, 4, 4, at::kFloat)).at(0).sum().backward();
  EXPECT_FALSE(one.quantizers.ranges()[0].log_scale.grad().defined());
  EXPECT_TRUE(one.net.tensor("model.2.conv.weight").grad().defined());
  one.quantizers.learn(true);
  EXPECT_TRUE(one.quantizers.ranges()[0].log_scale.requires_grad());
}

TEST(FakeQuantizers, ScalesAreThoseOfTheLearnedRanges) {
  Network one;
  {
    at::NoGradGuard no_gradient;
    at::Tensor(one.quantizers.ranges()[0].log_scale).fill_(std::log(0.5F));
  }
  const network::QuantizationScales now = one.quantizers.scales();
  for (const std::size_t value : {2U, 4U, 5U}) {
    EXPECT_NEAR(now.values[value].scale, 0.5F, 1e-6F);
    EXPECT_EQ(now.values[value].zero_point, 9);
    // −4.5 … 27 around zero: 27 / 127 is the larger step.
    EXPECT_NEAR(now.values[value].symmetric, 27.0F / 127, 1e-5F);
  }
  EXPECT_EQ(now.values[0], scales().values[0]);
  EXPECT_EQ(now.values[1], scales().values[1]) << "between convolution and activation";
}

TEST(FakeQuantizers, StoredAndLoadedToTheBit) {
  Network one, other;
  {
    at::NoGradGuard no_gradient;
    at::Tensor(one.quantizers.ranges()[0].log_scale).fill_(-2.7182817F);
  }
  network::Weights weights;
  one.quantizers.store(weights);
  other.quantizers.load(weights);
  EXPECT_TRUE(
      at::equal(one.quantizers.ranges()[0].log_scale, other.quantizers.ranges()[0].log_scale));
  EXPECT_THROW(other.quantizers.load({}), Error);
}

TEST(FakeQuantizers, OtherNetworksAreRefused) {
  EXPECT_THROW(FakeQuantizers(small_network(), {}), Error) << "batch-norms";
  network::QuantizationScales few = scales();
  few.values.pop_back();
  EXPECT_THROW(FakeQuantizers(branches().network(), few), Error);
  network::QuantizationScales zero = scales();
  zero.values[2].scale = 0;
  EXPECT_THROW(FakeQuantizers(branches().network(), zero), Error);
  TorchNetwork another(small_network());
  const FakeQuantizers quantizers(branches().network(), scales());
  EXPECT_THROW(another.set_quantizers(&quantizers), Error);
}

}  // namespace
}  // namespace yolov7::nn
