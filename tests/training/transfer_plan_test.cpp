#include "run/transfer_plan.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "network/config/builder.hpp"
#include "tests/nn/small_network.hpp"
#include "tests/scratch_folder.hpp"
#include "training/optim/optimizer.hpp"

namespace yolov7::training {
namespace {

// The small network: backbone 0 … 9, neck 10 … 12, head 13.
run::TrainOptions options(const std::string& unfreeze, std::vector<int> freeze = {0}) {
  run::TrainOptions o;
  o.unfreeze_at = unfreeze;
  o.freeze = std::move(freeze);
  return o;
}

std::string error_of(const std::string& unfreeze) {
  try {
    run::TransferPlan(options(unfreeze), nn::small_network());
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::usage);
    return error.what();
  }
  return {};
}

TEST(TransferPlan, FreezeAloneHoldsForever) {
  const network::Network net = nn::small_network();
  EXPECT_TRUE(run::TransferPlan(options(""), net).empty());
  EXPECT_EQ(run::TransferPlan(options("", {3}), net).frozen(99), (std::vector<int>{0, 1, 2}));
  EXPECT_EQ(run::TransferPlan(options("", {2, 5}), net).frozen(0), (std::vector<int>{2, 5}));
}

// Ten layers of the backbone; three numbers, of which two are one layer.
TEST(TransferPlan, FrozenLayersAreThereAndCountOnce) {
  const network::Network net = nn::small_network();
  EXPECT_TRUE(run::TransferPlan(options("", {5, 2, 5}), net)
                  .lines(1)
                  .at(0)
                  .ends_with("backbone 8 of 10, neck 3 of 3, head 1 of 1"));
  EXPECT_EQ(test::error_of([&] {
              run::TransferPlan(options("", {2, 14}), net);
            }),
            "freeze: expected layers within 0..13, found 14");
}

// Layers 0 … 18 are MobileNetV2 with its normalisation, 19 … 66 the neck, 67 the head.
TEST(TransferPlan, PartsOfANetworkOnAPreTrainedBackbone) {
  const std::string path = "training/yolov7-tiny-mobilenetv2.yaml";
  const network::Network net = network::build(network::read_config(path), path);
  run::TrainOptions o = options("", {19});
  o.epochs = 2;
  const std::vector<std::string> lines = run::TransferPlan(o, net).lines(2);
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_TRUE(lines[0].ends_with("backbone 0 of 19, neck 48 of 48, head 1 of 1")) << lines[0];
  o = options("1:backbone", {19});
  o.lr_backbone = 0.1;
  const run::TransferPlan later(o, net);
  EXPECT_EQ(later.frozen(0).size(), 19u);
  EXPECT_TRUE(later.frozen(1).empty());
  EXPECT_EQ(later.layer_rates().at(18), 0.1);
  EXPECT_EQ(later.layer_rates().at(19), 1);
}

TEST(TransferPlan, ARunInWhichNothingTrainsIsRefused) {
  const network::Network net = nn::small_network();  // 14 layers
  const auto refusal = [&](const run::TrainOptions& o) {
    return test::error_of([&] { run::TransferPlan(o, net); });
  };
  EXPECT_EQ(refusal(options("", {1000})),
            "freeze 1000: all 14 layers are frozen, nothing would be trained");
  EXPECT_EQ(refusal(options("", {14})),
            "freeze 14: all 14 layers are frozen, nothing would be trained");
  EXPECT_EQ(refusal(options("", {13})), "no error");
  EXPECT_EQ(refusal(options("3:head", {14})),
            "freeze 14 with unfreeze-at 3:head, from epoch 0 on: all 14 layers are frozen, "
            "nothing would be trained");
  // Layers without weights do not count: concatenations and pooling cannot train.
  std::vector<int> with_weights;
  for (const network::Layer& layer : net.layers)
    if (layer.parameters > 0) with_weights.push_back(layer.index);
  ASSERT_LT(with_weights.size(), net.layers.size());
  EXPECT_TRUE(
      refusal(options("", with_weights))
          .ends_with(": all layers that have weights are frozen, nothing would be trained"));
}

TEST(TransferPlan, PartsBeginToTrainInTurn) {
  const run::TransferPlan plan(options("2:neck,5:8-9,7:all"), nn::small_network());
  EXPECT_EQ(plan.frozen(0).size(), 13u);  // all but the head
  EXPECT_EQ(plan.frozen(1), plan.frozen(0));
  EXPECT_EQ(plan.frozen(2), (std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  EXPECT_EQ(plan.frozen(6), (std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7}));
  EXPECT_TRUE(plan.frozen(7).empty());
  std::vector<int> changes;
  for (int epoch = 0; epoch < 10; ++epoch)
    if (plan.changes_at(epoch)) changes.push_back(epoch);
  EXPECT_EQ(changes, (std::vector<int>{0, 2, 5, 7}));
  const auto lines = plan.lines(10);
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_EQ(lines[1],
            "transfer plan: epochs 2 to 4: layers that train: backbone 0 of 10, neck 3 of 3, head "
            "1 of 1");
  EXPECT_NE(plan.svg(10).find("frozen"), std::string::npos);
}

TEST(TransferPlan, BadPlansAreRefused) {
  EXPECT_NE(error_of("backbone").find("expected epoch:part, found 'backbone'"), std::string::npos);
  EXPECT_NE(error_of("5:spine").find("found 'spine'"), std::string::npos);
  EXPECT_NE(error_of("x:all").find("expected an epoch, found 'x'"), std::string::npos);
  EXPECT_NE(error_of("5:neck,5:all").find("rising epochs"), std::string::npos);
  EXPECT_NE(error_of("5:3-14").find("0..13"), std::string::npos);
}

// Plain SGD, p ← p − η · share · g, with g = 1: the backbone moves by a tenth of what the head
// moves by.
TEST(TransferPlan, RatesPerPart) {
  nn::TorchNetwork net(nn::small_network());
  run::TrainOptions o = options("");
  o.lr_backbone = 0.1;
  const run::TransferPlan plan(o, net.description());
  EXPECT_FALSE(plan.empty());
  OptimizerOptions rule;
  rule.nesterov = false;
  rule.layer_rates = plan.layer_rates();
  Optimizer optimizer(net, rule);
  optimizer.set_rates({0.5, 0.5, 0.5});
  optimizer.set_momentum(0);
  for (const auto& entry : net.entries())
    if (entry.spec.trainable())
      at::Tensor(entry.tensor).mutable_grad() = at::ones_like(entry.tensor);
  const network::Weights before = net.store();
  optimizer.step();
  const network::Weights after = net.store();
  for (const auto& entry : net.entries()) {
    if (!entry.spec.trainable()) continue;
    const double moved =
        before.at(entry.spec.name).to_doubles()[0] - after.at(entry.spec.name).to_doubles()[0];
    EXPECT_NEAR(moved, nn::layer_of(entry.spec.name) < 10 ? 0.05 : 0.5, 1e-6) << entry.spec.name;
  }
}

}  // namespace
}  // namespace yolov7::training
