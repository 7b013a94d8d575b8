#include "training/loss/loss.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "tests/training/synthetic.hpp"

namespace yolov7::training {
namespace {

struct Expected {
  double box, obj, cls, loss, total;
  std::vector<double> gradient_norms;
};

LossOptions options(LossOptions::Kind kind) {
  LossOptions result;
  result.kind = kind;
  result.gains = {0.05, 0.3, 0.7};
  return result;
}

/// Tolerances of training 21: the table has six decimals, 32-bit sums 1e-5.
void expect_loss(const LossOptions& o, int levels, int size, const std::vector<Target>& targets,
                 const Expected& expected) {
  const bool auxiliary = o.kind == LossOptions::Kind::auxiliary;
  Loss loss(o, synthetic::network(levels, auxiliary));
  const std::vector<at::Tensor> maps = synthetic::maps(levels, size, auxiliary);
  const LossValue value = loss(maps, targets);
  EXPECT_NEAR(value.parts[0].item<double>(), expected.box, 1e-5);
  EXPECT_NEAR(value.parts[1].item<double>(), expected.obj, 1e-5);
  EXPECT_NEAR(value.parts[2].item<double>(), expected.cls, 1e-5);
  EXPECT_NEAR(value.parts[3].item<double>(), expected.loss, 1e-5);
  EXPECT_NEAR(value.total.item<double>(), expected.total, 2e-5);
  EXPECT_FALSE(value.parts.requires_grad());
  value.total.backward();
  ASSERT_EQ(maps.size(), expected.gradient_norms.size());
  for (std::size_t i = 0; i < maps.size(); ++i)
    EXPECT_NEAR(maps[i].grad().norm().item<double>(), expected.gradient_norms[i], 2e-6) << i;
}

TEST(Loss, SyntheticPredictionsAreThoseOfTheTable) {
  const auto maps = synthetic::maps(3, 128);
  const std::vector<double> first{0.298004, 1.203326, 1.493766, 1.020913};
  for (std::int64_t i = 0; i < 4; ++i)
    EXPECT_NEAR(maps[0].flatten()[i].item<double>(), first[static_cast<std::size_t>(i)], 6e-7);
  EXPECT_NEAR(maps[1].flatten()[0].item<double>(), 1.496243, 6e-7);
  EXPECT_NEAR(maps[1].flatten()[1].item<double>(), 1.184801, 6e-7);
}

TEST(Loss, PlainSetE) {
  expect_loss(options(LossOptions::Kind::plain), 3, 128, synthetic::set_e,
              {0.131368, 3.118419, 0.820405, 4.070192, 8.140384, {0.086043, 0.055911, 0.072085}});
}

TEST(Loss, PlainSetEFocalSmoothWeighted) {
  LossOptions o = options(LossOptions::Kind::plain);
  o.focal_gamma = 1.5;
  o.label_smoothing = 0.1;
  o.cls_positive_weight = 1.5;
  o.obj_positive_weight = 0.8;
  expect_loss(o, 3, 128, synthetic::set_e,
              {0.131368, 1.260392, 0.269902, 1.661662, 3.323324, {0.063045, 0.039043, 0.045682}});
}

TEST(Loss, PlainSetS) {
  expect_loss(options(LossOptions::Kind::plain), 3, 256, synthetic::set_s,
              {0.123834, 3.115450, 0.796875, 4.036159, 8.072318, {0.068066, 0.034997, 0.041210}});
  expect_loss(
      options(LossOptions::Kind::plain), 4, 256, synthetic::set_s,
      {0.126897, 3.063407, 0.770822, 3.961126, 7.922252, {0.053488, 0.033945, 0.051730, 0.004630}});
}

TEST(Loss, OtaSetS) {
  expect_loss(options(LossOptions::Kind::ota), 3, 256, synthetic::set_s,
              {0.083087, 3.116426, 0.721929, 3.921442, 7.842883, {0.084883, 0.081294, 0.213429}});
  expect_loss(
      options(LossOptions::Kind::ota), 4, 256, synthetic::set_s,
      {0.049776, 3.065376, 0.381769, 3.496921, 6.993842, {0.097645, 0.055830, 0.009810, 0.004630}});
}

TEST(Loss, AuxiliarySetS) {
  expect_loss(options(LossOptions::Kind::auxiliary), 4, 256, synthetic::set_s,
              {0.083194,
               3.830445,
               0.567928,
               4.481567,
               8.963135,
               {0.078075, 0.053345, 0.009810, 0.004630, 0.014475, 0.013935, 0.037470, 0.001159}});
}

TEST(Loss, PlainReadsTheLeadMapsOfAnAuxiliaryHead) {
  Loss plain(options(LossOptions::Kind::plain), synthetic::network(4, true));
  EXPECT_NEAR(plain(synthetic::maps(4, 256, true), synthetic::set_s).parts[3].item<double>(),
              3.961126, 1e-5);
}

TEST(Loss, ChannelsLastViewsGiveTheSameLossAndGradient) {
  Loss loss(options(LossOptions::Kind::ota), synthetic::network(3));
  const auto maps = synthetic::maps(3, 256);
  std::vector<at::Tensor> views;
  for (const at::Tensor& map : maps)  // memory order B, H, W, na, no, as the network hands them out
    views.push_back(map.detach()
                        .permute({0, 2, 3, 1, 4})
                        .contiguous()
                        .permute({0, 3, 1, 2, 4})
                        .requires_grad_(true));
  const LossValue a = loss(maps, synthetic::set_s), b = loss(views, synthetic::set_s);
  EXPECT_NEAR(a.total.item<double>(), b.total.item<double>(),
              1e-6);  // another order of the same 32-bit sums
  a.total.backward();
  b.total.backward();
  for (std::size_t i = 0; i < maps.size(); ++i) {
    EXPECT_TRUE(at::allclose(maps[i].grad(), views[i].grad(), 1e-5, 1e-9));
    EXPECT_EQ(views[i].grad().strides(), views[i].strides());
  }
}

TEST(Loss, WithoutTargetsOnlyObjectness) {
  for (const auto kind : {LossOptions::Kind::plain, LossOptions::Kind::ota}) {
    Loss loss(options(kind), synthetic::network(3));
    std::vector<at::Tensor> maps;
    for (const int cells : {16, 8, 4})
      maps.push_back(at::zeros({2, 3, cells, cells, 8}).requires_grad_(true));
    const LossValue value = loss(maps, {});
    // Every logit is 0: BCE ln 2 per location, balance 4 + 1 + 0.4, gain 0.7, times 2 pictures.
    EXPECT_NEAR(value.total.item<double>(), 2 * 0.7 * 5.4 * std::log(2.0), 1e-5);
    EXPECT_EQ(value.parts[0].item<double>(), 0);
    EXPECT_EQ(value.parts[2].item<double>(), 0);
    value.total.backward();
    EXPECT_NEAR(maps[0].grad().select(-1, 4).sum().item<double>(), 2 * 0.7 * 4 * 0.5,
                1e-5);  // σ(0) − 0, mean over cells
    EXPECT_EQ(maps[0].grad().select(-1, 5).abs().max().item<double>(), 0);
  }
}

TEST(Loss, OneClassHasNoClassTerm) {
  network::Network one = synthetic::network(3);
  one.class_count = 1;
  Loss loss(options(LossOptions::Kind::plain), one);
  std::vector<at::Tensor> maps;
  for (const int cells : {16, 8, 4}) maps.push_back(at::zeros({1, 3, cells, cells, 6}));
  const LossValue value = loss(maps, std::vector<Target>{{0, 0, 0.5f, 0.5f, 0.2f, 0.2f}});
  EXPECT_EQ(value.parts[2].item<double>(), 0);
  EXPECT_GT(value.parts[0].item<double>(), 0);
}

TEST(Loss, IouRatioRaisesTheObjectnessTarget) {  // gr: T = 1 − gr + gr · CIoU
  LossOptions o = options(LossOptions::Kind::plain);
  o.iou_ratio = 0;
  Loss loss(o, synthetic::network(3));
  std::vector<at::Tensor> maps;
  for (const int cells : {16, 8, 4})
    maps.push_back(at::zeros({1, 3, cells, cells, 8}).requires_grad_(true));
  const std::vector<Target> targets{{0, 0, 0.53f, 0.53f, 0.1f, 0.1f}};
  loss(maps, targets).total.backward();
  // With gr = 0 the target at each positive is 1: gradient (σ(0) − 1) = −0.5 of its share,
  // everywhere else +0.5.
  const double share = 0.7 * 4 / (3 * 16 * 16);
  EXPECT_NEAR(maps[0].grad().select(-1, 4).min().item<double>(), -0.5 * share, 1e-8);
  EXPECT_NEAR(maps[0].grad().select(-1, 4).max().item<double>(), 0.5 * share, 1e-8);
}

TEST(Loss, AutobalanceFollowsTheLevelLosses) {  // training 13.7
  LossOptions o = options(LossOptions::Kind::plain);
  o.autobalance = true;
  Loss loss(o, synthetic::network(3));
  std::vector<at::Tensor> maps;
  for (const int cells : {16, 8, 4}) maps.push_back(at::zeros({1, 3, cells, cells, 8}));
  loss(maps, {});
  const double step = 0.0001 / std::log(2.0), middle = 0.9999 + step;
  EXPECT_NEAR(loss.balance()[0], (4 * 0.9999 + step) / middle,
              1e-9);  // 1e-9: ln 2 is a 32-bit mean
  EXPECT_EQ(loss.balance()[1], 1);
  EXPECT_NEAR(loss.balance()[2], (0.4 * 0.9999 + step) / middle, 1e-9);
}

// A logit of -200 has a cross-entropy of exp(-200), which is 0 in 32 bits.
TEST(Loss, AutobalanceLeavesALevelWithoutLossAsItIs) {
  LossOptions o = options(LossOptions::Kind::plain);
  o.autobalance = true;
  Loss loss(o, synthetic::network(3));
  std::vector<at::Tensor> maps;
  for (const int cells : {16, 8, 4}) maps.push_back(at::zeros({1, 3, cells, cells, 8}));
  maps[0].fill_(-200);
  loss(maps, {});
  const double step = 0.0001 / std::log(2.0), middle = 0.9999 + step;
  EXPECT_NEAR(loss.balance()[0], 4 / middle, 1e-9);
  EXPECT_EQ(loss.balance()[1], 1);
  EXPECT_NEAR(loss.balance()[2], (0.4 * 0.9999 + step) / middle, 1e-9);
}

TEST(Loss, GainsScaleByLevelsClassesAndSize) {  // training 13.6
  const LossGains p5 = scaled_gains({0.05, 0.3, 0.7}, 3, 80, 640),
                  p6 = scaled_gains({0.05, 0.3, 0.7}, 4, 80, 1280);
  EXPECT_NEAR(p5.box, 0.05, 1e-15);
  EXPECT_NEAR(p5.cls, 0.3, 1e-15);
  EXPECT_NEAR(p5.obj, 0.7, 1e-15);
  EXPECT_NEAR(p6.box, 0.0375, 1e-15);
  EXPECT_NEAR(p6.cls, 0.225, 1e-15);
  EXPECT_NEAR(p6.obj, 2.1, 1e-15);
  EXPECT_NEAR(scaled_gains({0.05, 0.5, 1.0}, 3, 3, 320).cls, 0.01875, 1e-15);
}

TEST(Loss, RefusesWrongMaps) {
  EXPECT_THROW(Loss(options(LossOptions::Kind::auxiliary), synthetic::network(4)), Error);
  Loss loss(options(LossOptions::Kind::plain), synthetic::network(3));
  auto maps = synthetic::maps(3, 128);
  EXPECT_THROW(loss({maps[0], maps[1]}, {}), Error);
  maps[2] = at::zeros({2, 3, 4, 4, 85});
  EXPECT_THROW(loss(maps, {}), Error);
  EXPECT_THROW(loss(synthetic::maps(3, 128), std::vector<Target>{{0, 3, 0.5f, 0.5f, 0.1f, 0.1f}}),
               Error);
}

}  // namespace
}  // namespace yolov7::training
