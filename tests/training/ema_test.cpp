#include "training/optim/ema.hpp"

#include <gtest/gtest.h>

#include "tests/nn/small_network.hpp"

namespace yolov7::training {
namespace {

TEST(EmaDecay, FollowsTheRamp) {  // training 16
  const std::vector<std::pair<int, double>> expected{
      {1, 0.000499825}, {2, 0.000999400}, {100, 0.0487657}, {2000, 0.632057}, {10000, 0.993163}};
  for (const auto& [update, decay] : expected)
    EXPECT_NEAR(ema_decay(update), decay, 5.1e-7 * (decay > 0.01 ? 1 : 1e-3)) << update;
  EXPECT_NEAR(ema_decay(1'000'000'000), 0.9999, 1e-15);
}

void fill(nn::TorchNetwork& net, double value) {
  at::NoGradGuard no_gradient;
  for (const auto& entry : net.entries()) at::Tensor(entry.tensor).fill_(value);
}

TEST(Ema, AveragesFloatsAndCopiesConstants) {
  nn::TorchNetwork net(nn::small_network());
  fill(net, 3);
  Ema ema(net);
  fill(net, 7);
  ema.update(net);
  const double d1 = 0.9999 * (1 - std::exp(-1 / 2000.0)), average = d1 * 3 + (1 - d1) * 7;
  EXPECT_EQ(ema.updates(), 1);
  const network::Weights stored = ema.store();
  for (const char* name : {"model.0.conv.weight", "model.0.bn.bias", "model.0.bn.running_var"})
    EXPECT_NEAR(stored.at(name).to_doubles().front(), average, 1e-6)
        << name;  // one 32-bit rounding near 7
  for (const auto& entry : net.entries())
    if (entry.spec.role >= network::TensorSpec::Role::anchors ||
        entry.spec.role == network::TensorSpec::Role::bn_count) {
      EXPECT_EQ(stored.at(entry.spec.name).to_doubles().front(), 7)
          << entry.spec.name;  // training F18
    }
}

TEST(Ema, ContinuesFromACheckpoint) {
  nn::TorchNetwork net(nn::small_network());
  fill(net, 1);
  Ema whole(net), resumed(net);
  for (const double value : {2.0, 3.0}) {
    fill(net, value);
    whole.update(net);
  }
  resumed.load(whole.store(), whole.updates());
  fill(net, 5);
  whole.update(net);
  resumed.update(net);
  EXPECT_EQ(resumed.updates(), 3);
  const network::Weights a = whole.store(), b = resumed.store();
  for (const auto& [name, tensor] : a.entries()) EXPECT_EQ(tensor.bytes, b.at(name).bytes) << name;
}

TEST(Ema, IsIndependentOfTheNetwork) {
  nn::TorchNetwork net(nn::small_network());
  fill(net, 1);
  const Ema ema(net);
  fill(net, 2);
  EXPECT_EQ(ema.store().at("model.0.conv.weight").to_doubles().front(), 1);
}

}  // namespace
}  // namespace yolov7::training
