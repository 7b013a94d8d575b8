#include "nn/layers.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "core/error.hpp"
#include "tests/nn/small_network.hpp"

namespace yolov7::nn {
namespace {

using network::Activation;
using network::ActivationKind;

BatchNorm norm_of(std::int64_t channels) {
  const auto wave = [&](double phase) {
    return at::arange(channels, at::kDouble).add(phase).sin();
  };
  return {(wave(0.1) * 0.4 + 1).requires_grad_(true), (wave(0.5) * 0.3).requires_grad_(true),
          wave(0.9) * 0.2, wave(1.3) * 0.4 + 1, at::zeros({}, at::kLong)};
}

at::Tensor input(at::ScalarType type = at::kDouble) {
  return at::arange(2 * 6 * 5 * 7, at::kDouble)
      .mul_(0.9)
      .cos_()
      .mul_(2)
      .view({2, 6, 5, 7})
      .to(type)
      .contiguous(at::MemoryFormat::ChannelsLast);
}

const std::vector<Activation> activations{
    {ActivationKind::identity, 0}, {ActivationKind::silu, 0},    {ActivationKind::relu, 0},
    {ActivationKind::relu6, 0},    {ActivationKind::sigmoid, 0}, {ActivationKind::leaky_relu, 0.1}};

double reference_activation(double v, const Activation& activation) {
  switch (activation.kind) {
    case ActivationKind::silu: return v / (1 + std::exp(-v));
    case ActivationKind::relu: return v > 0 ? v : 0;
    case ActivationKind::leaky_relu: return v > 0 ? v : 0.1 * v;
    case ActivationKind::relu6: return v > 6 ? 6 : v > 0 ? v : 0;
    case ActivationKind::sigmoid: return 1 / (1 + std::exp(-v));
    case ActivationKind::identity: break;
  }
  return v;
}

TEST(Activate, ReluSixIsFlatBelowZeroAndAboveSix) {
  const at::Tensor x = at::tensor(std::vector<double>{-1, 0, 3, 6, 7}, at::kDouble);
  const at::Tensor expected = at::tensor(std::vector<double>{0, 0, 3, 6, 6}, at::kDouble);
  EXPECT_TRUE(at::equal(activate(x, {ActivationKind::relu6, 0}), expected));
}

TEST(BatchNormAct, EvaluationUsesRunningStatistics) {
  for (const Activation& activation : activations) {
    const BatchNorm norm = norm_of(6);
    const at::Tensor x = input(), y = batch_norm_act(x, norm, activation, {});
    for (std::int64_t c = 0; c < 6; ++c) {
      const double z = (x[1][c][2][3].item<double>() - norm.mean[c].item<double>()) /
                           std::sqrt(norm.variance[c].item<double>() + 0.001) *
                           norm.weight[c].item<double>() +
                       norm.bias[c].item<double>();
      EXPECT_NEAR(y[1][c][2][3].item<double>(), reference_activation(z, activation), 1e-13);
    }
    EXPECT_EQ(norm.counter.item<std::int64_t>(), 0);
    EXPECT_TRUE(y.is_contiguous(at::MemoryFormat::ChannelsLast));
  }
}

TEST(BatchNormAct, TrainingNormalisesTheBatch) {
  const BatchNorm norm = norm_of(6);
  const ForwardMode mode{true, 0.25, at::kDouble};
  const at::Tensor x = input(), old_mean = norm.mean.clone(), old_variance = norm.variance.clone();
  const at::Tensor y = batch_norm_act(x, norm, activations[0], mode);
  const at::Tensor mean = x.mean({0, 2, 3}), biased = x.var({0, 2, 3}, /*unbiased=*/false);
  for (std::int64_t c = 0; c < 6; ++c) {
    const double z = (x[0][c][1][1] - mean[c]).item<double>() /
                         std::sqrt(biased[c].item<double>() + 0.001) *
                         norm.weight[c].item<double>() +
                     norm.bias[c].item<double>();
    EXPECT_NEAR(y[0][c][1][1].item<double>(), z, 1e-13);
    EXPECT_NEAR(norm.mean[c].item<double>(),
                0.75 * old_mean[c].item<double>() + 0.25 * mean[c].item<double>(), 1e-14);
    EXPECT_NEAR(norm.variance[c].item<double>(),
                0.75 * old_variance[c].item<double>() + 0.25 * biased[c].item<double>() * 70 / 69,
                1e-14);  // 2 · 5 · 7 values
  }
  EXPECT_EQ(norm.counter.item<std::int64_t>(), 1);
}

// float64 takes LibTorch's operation, as every type does on a GPU.
TEST(BatchNormAct, OneValueHasNoVariance) {
  BatchNorm norm = norm_of(6);
  const ForwardMode training{true, 0.25, at::kDouble};
  const at::Tensor one = at::ones({1, 6, 1, 1}, at::kDouble), variance = norm.variance.clone();
  EXPECT_THROW(batch_norm_act(one, norm, activations[1], training), Error);
  EXPECT_TRUE(at::equal(norm.variance, variance));
  batch_norm_act(at::ones({2, 6, 1, 1}, at::kDouble), norm, activations[1], training);
  batch_norm_act(one, norm, activations[1], {});
  norm.frozen = true;
  batch_norm_act(one, norm, activations[1], training);
}

TEST(BatchNormAct, FrozenKeepsItsStatisticsWhileTraining) {
  BatchNorm norm = norm_of(6);
  norm.frozen = true;
  const at::Tensor mean = norm.mean.clone(), x = input();
  const at::Tensor trained = batch_norm_act(x, norm, activations[1], {true, 0.25, at::kDouble});
  EXPECT_TRUE(at::equal(trained, batch_norm_act(x, norm, activations[1], {})));
  EXPECT_TRUE(at::equal(norm.mean, mean));
  EXPECT_EQ(norm.counter.item<std::int64_t>(), 0);
}

TEST(BatchNormAct, GradientsEqualFiniteDifferencesAndInputSurvives) {
  for (const Activation& activation : activations) {
    BatchNorm norm = norm_of(6);
    at::Tensor x = input().requires_grad_(true);
    const at::Tensor before = x.detach().clone(),
                     probe = at::arange(x.numel(), at::kDouble).mul(0.37).sin().view(x.sizes());
    const ForwardMode mode{true, 0, at::kDouble};
    (batch_norm_act(x, norm, activation, mode) * probe).sum().backward();
    EXPECT_TRUE(at::equal(before, x.detach()));
    at::NoGradGuard no_gradient;
    const auto slope = [&](at::Tensor where) {
      const double step = 1e-6, kept = where.item<double>();
      where.fill_(kept + step);
      const double up = (batch_norm_act(x, norm, activation, mode) * probe).sum().item<double>();
      where.fill_(kept - step);
      const double down = (batch_norm_act(x, norm, activation, mode) * probe).sum().item<double>();
      where.fill_(kept);
      return (up - down) / (2 * step);
    };
    // Truncation step² and rounding 1e-14 / step; no value of z lies within the step of a kink.
    EXPECT_NEAR(x.grad()[1][2][3][4].item<double>(), slope(x.detach()[1][2][3][4]), 1e-7);
    EXPECT_NEAR(norm.weight.grad()[4].item<double>(), slope(norm.weight.detach()[4]), 1e-7);
    EXPECT_NEAR(norm.bias.grad()[1].item<double>(), slope(norm.bias.detach()[1]), 1e-7);
  }
}

TEST(ConvBnAct, BiasAndActivationWithoutNorm) {  // as in a fused network
  ConvLayer layer;
  layer.weight = at::ones({1, 6, 1, 1}, at::kDouble);
  layer.bias = at::full({1}, -100, at::kDouble);
  layer.activation = {ActivationKind::leaky_relu, 0.5};
  const at::Tensor x = input();
  const at::Tensor y = conv_bn_act(x, layer, {false, 0.03, at::kDouble});
  EXPECT_NEAR(y[0][0][1][2].item<double>(),
              0.5 * (x[0].select(1, 1).select(1, 2).sum().item<double>() - 100), 1e-12);
}

// One thread takes another way through LibTorch: a matrix product over channels all the same, with
// its gradients. Float32 sums of six products of up to 2.
TEST(ConvBnAct, PointwiseOnOneThreadIsAMatrixProduct) {
  const int threads = at::get_num_threads();
  for (const int count : {1, threads}) {
    at::set_num_threads(count);
    ConvLayer layer;
    layer.weight =
        at::arange(4 * 6, at::kFloat).mul_(0.7).sin_().view({4, 6, 1, 1}).requires_grad_(true);
    layer.stride = {2, 2};
    const at::Tensor x = input(at::kFloat).requires_grad_(true);
    const at::Tensor y = conv_bn_act(x, layer, {false, 0.03, at::kFloat});
    ASSERT_EQ(y.sizes().vec(), (std::vector<std::int64_t>{2, 4, 3, 4}));
    const at::Tensor picked = x.detach().slice(2, 0, 5, 2).slice(3, 0, 7, 2),
                     flat = layer.weight.detach().view({4, 6});
    EXPECT_TRUE(at::allclose(y, at::einsum("oc,bchw->bohw", {flat, picked}), 0, 1e-5)) << count;
    y.backward(at::ones_like(y) * 0.5);
    EXPECT_TRUE(at::allclose(layer.weight.grad().view({4, 6}),
                             (picked.sum({0, 2, 3}) * 0.5).expand({4, 6}), 0, 1e-4))
        << count;
    EXPECT_TRUE(at::allclose(x.grad().slice(2, 0, 5, 2).slice(3, 0, 7, 2),
                             (flat.sum(0) * 0.5).view({1, 6, 1, 1}).expand({2, 6, 3, 4}), 0, 1e-5))
        << count;
    EXPECT_EQ(x.grad().slice(2, 1, 5, 2).abs().sum().item<float>(), 0) << count;
  }
  at::set_num_threads(threads);
}

TEST(ConvBnAct, ComputesInTheTypeOfTheMode) {
  ConvLayer layer;
  layer.weight = at::ones({4, 6, 3, 3}).requires_grad_(true);
  layer.padding = {1, 1};
  const at::Tensor y = conv_bn_act(input(at::kFloat), layer, {false, 0.03, at::kBFloat16});
  EXPECT_EQ(y.scalar_type(), at::kBFloat16);
  y.sum().backward();
  EXPECT_EQ(layer.weight.grad().scalar_type(), at::kFloat);
}

// 64 inputs of 1 ± 0.25 and positive weights: outputs of 32 with a deviation of .6, where
// neighbours among bfloat16 values are 1/4 apart and rounding takes up to 1/8 of it. About the
// mean, values below 4 are at most 1/64 apart, before the batch-norm and after it: at most 1/64 in
// all. Inputs and weights are bfloat16 values themselves.
TEST(ConvBnAct, KeepsWhatLiesFarFromZeroInBfloat16) {
  const std::int64_t channels = 64, outputs = 8;
  const at::Tensor unlike = at::arange(4 * channels * 12 * 9, at::kDouble)
                                .mul_(12.9898)
                                .sin_()
                                .mul_(43758.5453);  // its fraction is as good as random
  const at::Tensor exact_x = ((unlike - unlike.floor()).mul_(65).floor_().sub_(32).div_(128) + 1)
                                 .view({4, channels, 12, 9});
  const at::Tensor exact_weight =
      (at::arange(outputs * channels, at::kDouble).mul_(1.7).cos_().mul_(32).round_().div_(128) +
       0.5)
          .view({outputs, channels, 1, 1});
  const at::Tensor dy = at::arange(4 * outputs * 12 * 9, at::kDouble)
                            .mul_(0.11)
                            .sin_()
                            .view({4, outputs, 12, 9})
                            .to(at::kBFloat16);
  const auto pass = [&](at::ScalarType type, bool frozen, bool twice) {
    const auto parameters = type == at::kBFloat16 ? at::kFloat : type;
    ConvLayer layer;
    layer.weight = exact_weight.to(parameters, false, true).requires_grad_(true);
    layer.norm = {at::ones({outputs}, parameters), at::zeros({outputs}, parameters),
                  at::full({outputs}, 31.0, parameters), at::ones({outputs}, parameters),
                  at::zeros({}, at::kLong)};
    layer.norm.frozen = frozen;
    at::Tensor x = exact_x.to(type).contiguous(at::MemoryFormat::ChannelsLast).requires_grad_(true);
    const ForwardMode mode{true, 0.25, type};
    const at::Tensor y = twice ? conv_bn_act_twice(x, layer, mode)[0] : conv_bn_act(x, layer, mode);
    y.backward(dy.to(type));
    return std::vector<at::Tensor>{
        y.detach().to(at::kDouble), x.grad().to(at::kDouble), layer.weight.grad().to(at::kDouble),
        layer.norm.mean.to(at::kDouble), layer.norm.variance.to(at::kDouble)};
  };
  for (const bool frozen : {false, true})
    for (const bool twice : {false, true}) {
      const auto exact = pass(at::kDouble, frozen, false),
                 narrow = pass(at::kBFloat16, frozen, twice);
      if (!frozen) {
        const double deviation = (exact[4] - 0.75).mul(4).sqrt().min().item<double>();
        ASSERT_GT(deviation, 0.3);
        EXPECT_GT(exact[3].min().item<double>(), 30) << "far from zero";
      }
      EXPECT_LT((narrow[0] - exact[0]).abs().max().item<double>(), 1.0 / 64);
      EXPECT_LT((narrow[3] - exact[3]).abs().max().item<double>(), 1e-3)
          << "the mean of rounding errors below 1/128, a hundredth of them or less";
      EXPECT_LT((narrow[4] - exact[4]).abs().max().item<double>(),
                0.01 * exact[4].max().item<double>());
      for (const std::size_t i : {1U, 2U})  // dy's part along the output is lost to rounding by no
                                            // more than the output itself
        EXPECT_LT((narrow[i] - exact[i]).norm().item<double>(),
                  0.01 * exact[i].norm().item<double>())
            << i;
    }
}

TEST(Activate, LeavesItsInputAlone) {
  for (const Activation& activation : activations) {
    const at::Tensor x = input(), before = x.clone();
    const at::Tensor y = activate(x, activation);
    EXPECT_TRUE(at::equal(x, before));
    EXPECT_NEAR(y[0][0][0][1].item<double>(),
                reference_activation(x[0][0][0][1].item<double>(), activation), 1e-15);
  }
}

}  // namespace
}  // namespace yolov7::nn
