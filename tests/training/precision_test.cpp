// The guard before the first step: bfloat16 is taken where it agrees, refused where it does not,
// and nothing else changes.
#include "training/precision/precision.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "network/config/builder.hpp"
#include "tests/nn/small_network.hpp"

namespace yolov7::training {
namespace {

struct Fixture {
  nn::TorchNetwork net{nn::small_network()};
  Loss loss;
  at::Tensor images = nn::test_images(2, 64, 64, at::kFloat);
  std::vector<Target> targets{{0, 0, 0.4F, 0.5F, 0.3F, 0.3F}, {1, 1, 0.6F, 0.4F, 0.5F, 0.4F}};
  Fixture() : loss(options(), net.description()) { nn::initialize(net, 3); }
  static LossOptions options() {
    LossOptions o;
    o.gains = {0.05, 0.05, 0.7};
    return o;
  }
};

TEST(Precision, BfloatAgreesOnAShallowNetwork) {
  Fixture f;
  const network::Weights before = f.net.store();
  const PrecisionCheck check = check_precision(f.net, f.loss, f.images, f.targets, at::kBFloat16);
  EXPECT_TRUE(check.accepted) << check.text();
  EXPECT_GT(check.gradient_cosine, 0.8);
  EXPECT_TRUE(check.aligned);
  EXPECT_FALSE(check.undecided);
  EXPECT_NEAR(check.narrow_loss, check.loss, 0.05 * check.loss);
  // Weights, statistics and counters are those from before, to the bit; no gradient is left.
  const network::Weights after = f.net.store();
  for (const auto& [name, tensor] : before.entries())
    EXPECT_TRUE(after.find(name)->bytes == tensor.bytes) << name;
  for (const auto& entry : f.net.entries())
    EXPECT_FALSE(entry.tensor.grad().defined()) << entry.spec.name;
}

// An infinite multiplier in the head: no loss is finite, in any type, and the guard must see it.
TEST(Precision, WhatIsNotFiniteIsRefused) {
  Fixture f;
  {
    at::NoGradGuard no_gradient;
    for (const auto& entry : f.net.entries())
      if (entry.spec.role == network::TensorSpec::Role::implicit_mul)
        at::Tensor(entry.tensor).fill_(std::numeric_limits<float>::infinity());
  }
  const PrecisionCheck check = check_precision(f.net, f.loss, f.images, f.targets, at::kBFloat16);
  EXPECT_FALSE(check.accepted) << check.text();
  EXPECT_FALSE(check.undecided) << "waiting does not help";
}

// yolov7-tiny at random values: float32 itself turns its gradient when the weights are rounded.
TEST(Precision, RandomValuesOfADeepNetworkLeaveItUndecided) {
  network::Overrides overrides;
  overrides.class_count = 2;
  nn::TorchNetwork net(
      network::build(network::read_config("yolov7-tiny.yaml"), "yolov7-tiny.yaml", overrides));
  nn::initialize(net, 0);
  Loss loss(Fixture::options(), net.description());
  const Fixture pictures;
  const PrecisionCheck check =
      check_precision(net, loss, pictures.images, pictures.targets, at::kBFloat16);
  EXPECT_LT(check.rounding_cosine, 0.9) << check.text();
  EXPECT_TRUE(check.undecided) << check.text();
  EXPECT_FALSE(check.aligned) << check.text();
}

}  // namespace
}  // namespace yolov7::training
