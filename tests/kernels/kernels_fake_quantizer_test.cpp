// Fake quantization: values and gradients by hand, and the rounding of the plan.
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>
#include <vector>

#include "kernels/fake_quantizer.hpp"
#include "kernels/fake_quantizer_rows.hpp"
#include "network/transform/quantization.hpp"

namespace yolov7::kernels {
namespace {

/// Scale 1, so that x is in units of it. Numbers −2 … 5.
const std::vector<float> given{-2.6F, -2, -1.48F, -0.5F, 0, 0.5F, 0.52F, 1.5F, 4.8F, 5, 5.2F, 10};
const std::vector<float> rounded{-2, -2, -1, 0, 0, 0, 1, 2, 5, 5, 5, 5};
const std::vector<float> gradient{1, 2, 1, 1, 1, 1, 2, 1, 1, 1, 1, 0.5F};
constexpr NumberRange numbers{2, 7};
// Below −2: −2. Between: rounded − x. Above 5: 5. Times the gradients:
// −2 + 0 + .48 + .5 + 0 − .5 + .96 + .5 + .2 + 0 + 5 + 2.5.
constexpr double scale_gradient = 7.64;

at::Tensor tensor(const std::vector<float>& values, at::ScalarType type) {
  return at::tensor(values, at::kFloat).to(type).view({1, 3, 2, 2});
}

TEST(FakeQuantizer, ValuesAndGradientsByHand) {
  for (const at::ScalarType type : {at::kFloat, at::kDouble}) {
    const at::Tensor x = tensor(given, type).requires_grad_(true),
                     log_scale = at::zeros({1}, at::kFloat).requires_grad_(true);
    const at::Tensor y = fake_quantize(x, log_scale, numbers, 0.25);
    EXPECT_TRUE(at::equal(y, tensor(rounded, type))) << y;
    y.backward(tensor(gradient, type));
    std::vector<float> wanted = gradient;
    wanted[0] = wanted[10] = wanted[11] = 0;  // beyond the ends
    EXPECT_TRUE(at::equal(x.grad(), tensor(wanted, type))) << x.grad();
    // Twelve float32 terms of size 5 and less.
    EXPECT_NEAR(log_scale.grad().item<double>(), 0.25 * scale_gradient, 1e-6);
  }
}

TEST(FakeQuantizer, AScaleThatIsFrozenHasNoGradient) {
  const at::Tensor x = tensor(given, at::kFloat).requires_grad_(true),
                   log_scale = at::zeros({1}, at::kFloat);
  fake_quantize(x, log_scale, numbers, 1).sum().backward();
  EXPECT_TRUE(x.grad().defined());
  EXPECT_FALSE(log_scale.grad().defined());
}

// d y / d s by differences would be that of a staircase. Where x is many steps beyond the upper
// end, y is s · (n − z), whose derivative is the end itself.
TEST(FakeQuantizer, BeyondTheEndTheGradientIsThatOfTheEnd) {
  const at::Tensor x = at::full({1, 1, 1, 3}, 100.0F),
                   log_scale = at::full({1}, -1.5F).requires_grad_(true);
  const double s = std::exp(-1.5);
  const at::Tensor y = fake_quantize(x, log_scale, {3, 15}, 1);
  EXPECT_NEAR(y.sum().item<double>(), 3 * 12 * s, 1e-5);
  y.sum().backward();
  EXPECT_NEAR(log_scale.grad().item<double>(), 3 * 12 * s, 1e-5);
}

// The very bits of the plan, in any memory order and for counts that fill no vector.
TEST(FakeQuantizer, RoundsAsThePlan) {
  for (const int most : {15, 63, 255})
    for (const bool channels_last : {false, true}) {
      const at::Tensor log_scale = at::full({1}, std::log(0.0237F));
      network::ValueScale scale{scale_of(log_scale), most / 5, 1, most};
      // Halves of a step among them.
      at::Tensor x = at::arange(3 * 7 * 11 * 2, at::kFloat)
                         .sub_(120)
                         .mul_(0.25 * static_cast<double>(scale.scale))
                         .view({2, 3, 7, 11});
      if (channels_last) x = x.contiguous(at::MemoryFormat::ChannelsLast);
      const at::Tensor y = fake_quantize(x, log_scale, {scale.zero_point, most}, 1);
      EXPECT_EQ(y.strides(), x.strides());
      const auto from = x.accessor<float, 4>(), found = y.accessor<float, 4>();
      for (int b = 0; b < 2; ++b)
        for (int c = 0; c < 3; ++c)
          for (int i = 0; i < 7; ++i)
            for (int j = 0; j < 11; ++j)
              ASSERT_EQ(found[b][c][i][j],
                        network::quantized(from[b][c][i][j], scale,
                                           network::ActivationNumbers::asymmetric))
                  << from[b][c][i][j];
    }
}

TEST(FakeQuantizer, EveryInstructionSetGivesTheSameNumbers) {
  constexpr int count = 37;
  std::vector<float> x, dy(count, 0.5F);
  for (int i = 0; i < count; ++i) x.push_back(0.013F * static_cast<float>(i * i % 71 - 30));
  std::vector<InstructionSet> sets{InstructionSet::portable};
  if (best_instruction_set() != InstructionSet::portable) sets.push_back(InstructionSet::avx2);
  if (best_instruction_set() == InstructionSet::avx512) sets.push_back(InstructionSet::avx512);
  std::vector<float> first;
  float first_sum = 0;
  for (const InstructionSet set : sets) {
    std::vector<float> y(count), dx(count);
    const QuantizedRow row{x.data(), y.data(), dy.data(), dx.data(), count, 0.03F, -4, 11};
    const FakeQuantizerKernels kernels = fake_quantizer_kernels(set);
    kernels.quantize(row);
    const float sum = kernels.gradient(row);
    if (first.empty()) first = y, first_sum = sum;
    EXPECT_EQ(y, first);
    EXPECT_NEAR(sum, first_sum, 1e-4F);  // multiplications and sums may be joined
  }
}

TEST(FakeQuantizer, ANumberThatIsNoneStaysNone) {
  const at::Tensor x = at::full({1, 1, 1, 20}, std::nanf(""));
  EXPECT_TRUE(fake_quantize(x, at::zeros({1}), numbers, 1).isnan().all().item<bool>());
}

// 127 · w ÷ the largest magnitude of the channel or tensor; the gradient goes through.
TEST(FakeQuantizer, WeightsAreThoseOfThePlan) {
  at::Tensor weight = at::arange(4 * 3 * 3 * 3, at::kFloat).mul_(0.37).sin_().view({4, 3, 3, 3});
  weight[2].zero_();
  weight = weight.contiguous(at::MemoryFormat::ChannelsLast).requires_grad_(true);
  const at::Tensor plain = weight.detach().contiguous();
  const network::Tensor stored =
      network::Tensor::from(std::vector<float>(plain.const_data_ptr<float>(),
                                               plain.const_data_ptr<float>() + plain.numel()),
                            {4, 3, 3, 3});
  for (const bool per_tensor : {false, true}) {
    const network::QuantizedWeight wanted = network::quantized_weight(stored, 4, per_tensor);
    const at::Tensor found = fake_quantize_weight(weight, per_tensor).contiguous();
    const float* values = found.const_data_ptr<float>();
    for (std::size_t i = 0; i < wanted.numbers.size(); ++i)
      ASSERT_EQ(values[i], static_cast<float>(wanted.numbers[i]) * wanted.scales[i / 27]) << i;
  }
  const at::Tensor behind = at::arange(108, at::kFloat).view({4, 3, 3, 3});
  fake_quantize_weight(weight, false).backward(behind);
  EXPECT_TRUE(at::equal(weight.grad(), behind));
}

}  // namespace
}  // namespace yolov7::kernels
