// The fused batch-norm + activation against the separate operations of LibTorch in double precision.
#include "training/kernels/batch_norm_activation.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"

namespace yolov7::training::kernels {
namespace {

using network::Activation;
using network::ActivationKind;

struct Case {
  std::int64_t batch, channels, height, width;
  ActivationKind kind;
  bool batch_statistics;
};

struct Result {
  at::Tensor y, dx, dweight, dbias, mean, variance;
};

at::Tensor wave(std::int64_t count, double step, double phase) { return at::arange(count, at::kDouble).mul_(step).add_(phase).sin_(); }

at::Tensor act(const at::Tensor& x, const Activation& a) {
  switch (a.kind) {
    case ActivationKind::silu: return at::silu(x);
    case ActivationKind::relu: return at::relu(x);
    case ActivationKind::leaky_relu: return at::leaky_relu(x, a.slope);
    case ActivationKind::identity: break;
  }
  return x;
}

/// `type` kDouble: the reference composition; float or bfloat16: the kernel.
Result run(const Case& c, at::ScalarType type) {
  const bool reference = type == at::kDouble;
  const at::ScalarType parameter = reference ? at::kDouble : at::kFloat;
  const std::int64_t n = c.batch * c.channels * c.height * c.width;
  const auto shape = {c.batch, c.channels, c.height, c.width};
  // Rounded to bfloat16 once, so that every type starts from the same numbers.
  const auto leaf = [&](const at::Tensor& values, at::ScalarType to) { return values.to(at::kBFloat16).to(to).detach().requires_grad_(true); };
  at::Tensor x = wave(n, 0.61, 0.3).mul_(2).add_(0.7).view(shape).to(at::kBFloat16).to(type).contiguous(at::MemoryFormat::ChannelsLast).detach().requires_grad_(true);
  at::Tensor weight = leaf(wave(c.channels, 0.9, 1.0).mul_(0.5).add_(1.2), parameter), bias = leaf(wave(c.channels, 1.7, 0.2), parameter);
  at::Tensor mean = wave(c.channels, 0.4, 0.1).to(at::kBFloat16).to(parameter), variance = wave(c.channels, 0.8, 0.6).mul(0.3).add(1).to(at::kBFloat16).to(parameter);
  const Activation activation{c.kind, 0.1};
  at::Tensor y = reference ? act(at::batch_norm(x, weight, bias, mean, variance, c.batch_statistics, 0.03, 1e-3, false), activation)
                           : batch_norm_activation(x, {weight, bias, mean, variance, activation, c.batch_statistics, 0.03, 1e-3});
  y.backward(wave(n, 0.37, 0.9).view(shape).to(at::kBFloat16).to(type).contiguous(at::MemoryFormat::ChannelsLast));
  return {y.detach(), x.grad(), weight.grad(), bias.grad(), mean, variance};
}

double difference(const at::Tensor& a, const at::Tensor& b) { return (a.to(at::kDouble) - b.to(at::kDouble)).abs().max().item<double>(); }

const std::vector<Case>& cases() {
  static const std::vector<Case> list = [] {
    std::vector<Case> all;
    for (const ActivationKind kind : {ActivationKind::silu, ActivationKind::leaky_relu, ActivationKind::relu, ActivationKind::identity})
      for (const bool batch : {true, false})
        for (const auto& [b, ch, h, w] : std::vector<std::array<std::int64_t, 4>>{{2, 16, 8, 8}, {3, 17, 5, 7}, {2, 1, 3, 3}, {4, 255, 1, 1}, {1, 32, 40, 40}, {2, 3, 1, 9}})
          all.push_back({b, ch, h, w, kind, batch});
    return all;
  }();
  return list;
}

void compare(at::ScalarType type, double value_bound, double sum_bound) {
  for (const Case& c : cases()) {
    const Result expected = run(c, at::kDouble), found = run(c, type);
    const std::string name = "C " + std::to_string(c.channels) + " HW " + std::to_string(c.height * c.width) + " kind " + std::to_string(static_cast<int>(c.kind)) + (c.batch_statistics ? " batch" : " running");
    // The sums behind the parameters' gradients run over B·H·W values.
    const double terms = static_cast<double>(c.batch * c.height * c.width);
    EXPECT_LT(difference(found.y, expected.y), value_bound) << name;
    EXPECT_LT(difference(found.dx, expected.dx), value_bound) << name;
    EXPECT_LT(difference(found.dweight, expected.dweight), sum_bound * terms) << name;
    EXPECT_LT(difference(found.dbias, expected.dbias), sum_bound * terms) << name;
    EXPECT_LT(difference(found.mean, expected.mean), 1e-5) << name;  // float32 means of values up to 3
    EXPECT_LT(difference(found.variance, expected.variance), 1e-5) << name;
  }
}

// Values stay below 8: float32 rounding is 8 · 6e-8, times some ten operations; sums add a relative 6e-8 per term.
TEST(BatchNormActivationKernel, Float32EqualsTheComposition) { compare(at::kFloat, 2e-5, 2e-6); }

// bfloat16 keeps 8 bits: a result below 8 is rounded by at most 8 · 2^-9 = 0.016; twice that for x̂ near a kink of the
// activation and the stored upstream gradient. Arithmetic itself is float32.
TEST(BatchNormActivationKernel, Bfloat16RoundsOnce) { compare(at::kBFloat16, 0.04, 2e-6); }

TEST(BatchNormActivationKernel, ThreadsDoNotMatter) {
  const Case c{4, 33, 37, 41, ActivationKind::silu, true};
  const int before = at::get_num_threads();
  at::set_num_threads(1);
  const Result one = run(c, at::kFloat);
  for (const int threads : {2, 4}) {
    at::set_num_threads(threads);
    const Result many = run(c, at::kFloat);
    EXPECT_TRUE(one.y.equal(many.y));
    EXPECT_TRUE(one.dx.equal(many.dx));
    EXPECT_TRUE(one.dweight.equal(many.dweight));
    EXPECT_TRUE(one.variance.equal(many.variance));
  }
  at::set_num_threads(before);
}

TEST(BatchNormActivationKernel, ASingleValuePerChannelHasNoVariance) {
  EXPECT_THROW(run({1, 4, 1, 1, ActivationKind::silu, true}, at::kFloat), Error);
  EXPECT_NO_THROW(run({1, 4, 1, 1, ActivationKind::silu, false}, at::kFloat));
}

}  // namespace
}  // namespace yolov7::training::kernels
