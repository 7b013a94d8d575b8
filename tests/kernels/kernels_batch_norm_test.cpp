#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <bit>
#include <cmath>
#include <limits>
#include <tuple>
#include <vector>

#include "core/error.hpp"
#include "kernels/batch_norm_activation.hpp"
#include "kernels/batch_norm_rows.hpp"
#include "kernels/torch.hpp"

namespace yolov7::training {
namespace {

using kernels::BatchNormActivation;
using network::Activation;
using network::ActivationKind;

struct Case {
  at::ScalarType type;
  std::vector<std::int64_t> shape;
  ActivationKind kind;
};

/// For the names of the tests, which would show the bytes of pointers else.
void PrintTo(const Case& c, std::ostream* out) {
  *out << c10::toString(c.type) << " " << c10::IntArrayRef(c.shape) << " activation "
       << static_cast<int>(c.kind);
}

at::Tensor channels_last(const at::Tensor& t) {
  return t.contiguous(at::MemoryFormat::ChannelsLast);
}

BatchNormActivation random_norm(std::int64_t channels, ActivationKind kind) {
  BatchNormActivation norm;
  norm.weight = at::rand({channels}) + 0.5;
  if (kind == ActivationKind::relu6) norm.weight.mul_(4);  // so that values pass 6
  norm.bias = at::randn({channels});
  norm.running_mean = at::randn({channels}) * 0.1;
  norm.running_var = at::rand({channels}) + 0.5;
  norm.activation = {kind, 0.1};
  norm.weight.requires_grad_(true);
  norm.bias.requires_grad_(true);
  return norm;
}

/// The same computation from its definition, in double precision.
struct Reference {
  at::Tensor z, y, dx, dweight, dbias, dbias_size, dweight_size;
};

Reference reference(const at::Tensor& input, const BatchNormActivation& norm,
                    const at::Tensor& dy) {
  const at::Tensor x = input.detach().to(at::kDouble).requires_grad_(true);
  const at::Tensor weight = norm.weight.detach().to(at::kDouble).requires_grad_(true);
  const at::Tensor bias = norm.bias.detach().to(at::kDouble).requires_grad_(true);
  const auto column = [](const at::Tensor& t) { return t.view({1, -1, 1, 1}); };
  const at::Tensor mean =
      norm.batch_statistics ? x.mean({0, 2, 3}, true) : column(norm.running_mean.to(at::kDouble));
  const at::Tensor var = norm.batch_statistics ? (x - mean).square().mean({0, 2, 3}, true)
                                               : column(norm.running_var.to(at::kDouble));
  const at::Tensor standard = (x - mean) / (var + norm.epsilon).sqrt();
  const at::Tensor z = standard * column(weight) + column(bias);
  at::Tensor y = z;
  if (norm.activation.kind == ActivationKind::silu) y = z * z.sigmoid();
  if (norm.activation.kind == ActivationKind::relu) y = at::where(z > 0, z, z * 0);
  if (norm.activation.kind == ActivationKind::relu6)
    y = at::where(z > 6, z * 0 + 6, at::where(z > 0, z, z * 0));
  if (norm.activation.kind == ActivationKind::leaky_relu)
    y = at::where(z > 0, z, z * norm.activation.slope);
  const auto gradients =
      torch::autograd::grad({y}, {x, weight, bias, z}, {dy.to(at::kDouble)}, true);
  const at::Tensor g = gradients[3];
  return {z.detach(),
          y.detach(),
          gradients[0],
          gradients[1],
          gradients[2],
          g.abs().sum({0, 2, 3}),
          (g * standard.detach()).abs().sum({0, 2, 3})};
}

/// |actual − expected| ≤ relative · |expected| + absolute everywhere, except where `skip`.
void expect_near(const at::Tensor& actual, const at::Tensor& expected, double relative,
                 const at::Tensor& absolute, const char* what, const at::Tensor& skip = {}) {
  ASSERT_EQ(actual.sizes(), expected.sizes()) << what;
  at::Tensor excess =
      (actual.detach().to(at::kDouble) - expected).abs() - (expected.abs() * relative + absolute);
  if (skip.defined()) excess = at::where(skip, at::zeros_like(excess) - 1, excess);
  EXPECT_LE(excess.max().item<double>(), 0) << what;
  EXPECT_FALSE(actual.isnan().any().item<bool>()) << what;
}

class BatchNormActivationTest : public testing::TestWithParam<Case> {};

TEST_P(BatchNormActivationTest, AgreesWithTheDefinitionInDoublePrecision) {
  at::manual_seed(7);
  const Case& c = GetParam();
  for (const bool batch_statistics : {true, false}) {
    BatchNormActivation norm = random_norm(c.shape[1], c.kind);
    norm.batch_statistics = batch_statistics;
    const at::Tensor x =
        channels_last((at::randn(c.shape) * 2 + 1).to(c.type)).requires_grad_(true);
    const at::Tensor dy = channels_last(at::randn(c.shape).to(c.type));
    const Reference expected = reference(x, norm, dy);
    ASSERT_TRUE(kernels::supports(x, norm));
    const at::Tensor y = kernels::batch_norm_activation(x, norm);
    EXPECT_EQ(y.scalar_type(), c.type);
    EXPECT_TRUE(y.is_contiguous(at::MemoryFormat::ChannelsLast));
    const auto gradients = torch::autograd::grad({y}, {x, norm.weight, norm.bias}, {dy});

    // bfloat16 keeps 8 bits: rounding once moves a value by at most 2⁻⁹ of itself; the float32
    // error before it may tip a tie, hence 2⁻⁸. float32: a few dozen roundings of 2⁻²⁴ each on
    // values of up to about 10.
    const double relative = c.type == at::kBFloat16 ? std::exp2(-8) : 0;
    const at::Tensor absolute = at::full({1}, 64 * std::exp2(-24) * 10, at::kDouble);
    // Two values per channel: the difference of nearly equal terms in dx is of the size of the
    // terms themselves.
    const double terms =
        1 + (dy.to(at::kDouble).abs().max() * expected.dx.abs().max()).item<double>();
    // Where z is 0 to rounding, float32 and double may see different sides of the kink; ReLU6 has
    // a second one.
    at::Tensor kink = expected.z.abs() < 2e-5;
    if (c.kind == ActivationKind::relu6) kink = at::logical_or(kink, (expected.z - 6).abs() < 2e-5);
    EXPECT_LT(kink.to(at::kDouble).mean().item<double>(), 0.01);
    expect_near(y, expected.y, relative, absolute, "y");
    expect_near(gradients[0], expected.dx, relative, absolute * terms, "dx", kink);
    // Sums of n terms whose roundings are independent: well within 1e-5 of the sum of the terms'
    // sizes; one kink value on the other side may add a term's size.
    const double at_kink = kink.any().item<bool>() ? 10 : 0;
    expect_near(gradients[1], expected.dweight, 0, expected.dweight_size * 1e-5 + 1e-5 + at_kink,
                "dweight");
    expect_near(gradients[2], expected.dbias, 0, expected.dbias_size * 1e-5 + 1e-5 + at_kink,
                "dbias");
  }
}

std::vector<Case> all_cases() {
  std::vector<Case> cases;
  // One channel, no whole group of 32, a whole group and a rest, whole groups only; maps of one
  // pixel and odd sides.
  const std::vector<std::vector<std::int64_t>> shapes{{5, 1, 3, 3},   {3, 3, 5, 7},  {2, 17, 4, 4},
                                                      {9, 40, 1, 1},  {2, 32, 8, 8}, {3, 255, 3, 5},
                                                      {2, 64, 33, 17}};
  for (const auto type : {at::kFloat, at::kBFloat16})
    for (const auto& shape : shapes)
      for (const auto kind : {ActivationKind::identity, ActivationKind::silu, ActivationKind::relu,
                              ActivationKind::leaky_relu, ActivationKind::relu6})
        cases.push_back({type, shape, kind});
  return cases;
}
INSTANTIATE_TEST_SUITE_P(Kernels, BatchNormActivationTest, testing::ValuesIn(all_cases()));

/// x = 1, 2, 3, 4: mean 2.5, biased variance 1.25, unbiased 5/3.
TEST(BatchNormActivation, NormalisesByTheBiasedVarianceAndRemembersTheUnbiasedOne) {
  const at::Tensor x = channels_last(at::tensor({1.0F, 2.0F, 3.0F, 4.0F}).view({2, 1, 1, 2}));
  BatchNormActivation norm{at::ones({1}),
                           at::zeros({1}),
                           at::zeros({1}),
                           at::ones({1}),
                           {ActivationKind::leaky_relu, 0.1}};
  const at::Tensor y = kernels::batch_norm_activation(x, norm).flatten();
  const double deviation = std::sqrt(1.25 + 1e-3);
  const double expected[] = {-1.5 / deviation * 0.1, -0.5 / deviation * 0.1, 0.5 / deviation,
                             1.5 / deviation};
  for (int i = 0; i < 4; ++i)
    EXPECT_NEAR(y[i].item<float>(), expected[i], 1e-6);  // a few units of 2⁻²⁴
  EXPECT_NEAR(norm.running_mean.item<float>(), 0.03 * 2.5, 1e-8);
  EXPECT_NEAR(norm.running_var.item<float>(), 0.97 + 0.03 * 5 / 3, 1e-7);
}

TEST(BatchNormActivation, LeavesTheRunningValuesAloneWhereItUsesThem) {
  BatchNormActivation norm = random_norm(6, ActivationKind::silu);
  norm.batch_statistics = false;
  const at::Tensor mean = norm.running_mean.clone(), var = norm.running_var.clone();
  kernels::batch_norm_activation(channels_last(at::randn({2, 6, 3, 3})), norm);
  EXPECT_TRUE(norm.running_mean.equal(mean));
  EXPECT_TRUE(norm.running_var.equal(var));
}

/// A mean of 1000 deviations: a plain sum of squares in float32 would lose the variance altogether.
TEST(BatchNormActivation, KeepsTheVarianceOfValuesFarFromZero) {
  at::manual_seed(3);
  const at::Tensor x = channels_last(at::randn({4, 32, 40, 40}) + 1000);
  BatchNormActivation norm = random_norm(32, ActivationKind::identity);
  norm.running_var.zero_();
  norm.momentum = 1;
  kernels::batch_norm_activation(x, norm);
  const at::Tensor exact = x.to(at::kDouble).var({0, 2, 3}, /*unbiased=*/true);
  // The values themselves carry errors of 2⁻²⁴ · 1000 = 6e-5; sums about a provisional mean add
  // parts in 10⁵.
  EXPECT_LT(((norm.running_var - exact) / exact).abs().max().item<double>(), 2e-5);
}

TEST(BatchNormActivation, DoesNotDependOnTheNumberOfThreads) {
  at::manual_seed(5);
  const int before = at::get_num_threads();
  for (const auto type : {at::kFloat, at::kBFloat16}) {
    const at::Tensor x = channels_last(at::randn({3, 48, 61, 53}).to(type)).requires_grad_(true);
    const at::Tensor dy = channels_last(at::randn(x.sizes()).to(type));
    std::vector<std::vector<at::Tensor>> results;
    for (const int threads : {1, 2, 4}) {
      at::set_num_threads(threads);
      at::manual_seed(1);
      BatchNormActivation norm = random_norm(48, ActivationKind::silu);
      const at::Tensor y = kernels::batch_norm_activation(x, norm);
      results.push_back(torch::autograd::grad({y}, {x, norm.weight, norm.bias}, {dy}));
      results.back().insert(results.back().end(), {y, norm.running_mean, norm.running_var});
    }
    for (std::size_t run = 1; run < results.size(); ++run)
      for (std::size_t i = 0; i < results[0].size(); ++i)
        EXPECT_TRUE(results[run][i].equal(results[0][i])) << run << ' ' << i;
  }
  at::set_num_threads(before);
}

/// Two readers: the same bits as one reader that gets the sum of both gradients, one of them a
/// range of channels of a wider tensor.
TEST_P(BatchNormActivationTest, TwoReadersGiveTheGradientOfTheirSum) {
  at::manual_seed(10);
  const Case& c = GetParam();
  const BatchNormActivation norm = random_norm(c.shape[1], c.kind);
  const at::Tensor x = channels_last(at::randn(c.shape).to(c.type)).requires_grad_(true);
  const at::Tensor dy = channels_last(at::randn(c.shape).to(c.type));
  std::vector<std::int64_t> wide = c.shape;
  wide[1] += 40;
  const at::Tensor range = channels_last(at::randn(wide).to(c.type)).slice(1, 8, 8 + c.shape[1]);
  const std::vector<at::Tensor> leaves{x, norm.weight, norm.bias};
  const auto expected = torch::autograd::grad({kernels::batch_norm_activation(x, norm)}, leaves,
                                              {channels_last(dy + range)});
  const auto [first, second] = kernels::batch_norm_activation_twice(x, norm);
  EXPECT_TRUE(first.equal(second));
  EXPECT_EQ(first.const_data_ptr(), second.const_data_ptr());
  const auto found = torch::autograd::grad({first, second}, leaves, {dy, range});
  for (std::size_t i = 0; i < 3; ++i) EXPECT_TRUE(found[i].equal(expected[i])) << i;
  // One of them alone.
  const auto alone =
      torch::autograd::grad({kernels::batch_norm_activation_twice(x, norm)[1]}, leaves, {dy});
  const auto plain = torch::autograd::grad({kernels::batch_norm_activation(x, norm)}, leaves, {dy});
  for (std::size_t i = 0; i < 3; ++i) EXPECT_TRUE(alone[i].equal(plain[i])) << i;
}

/// The gradient of a concatenation's input is a range of channels of a wider tensor.
TEST(BatchNormActivation, ReadsAGradientThatIsARangeOfChannels) {
  at::manual_seed(9);
  const at::Tensor x = channels_last(at::randn({2, 32, 9, 9})).requires_grad_(true);
  const at::Tensor wide = channels_last(at::randn({2, 96, 9, 9}));
  const BatchNormActivation norm = random_norm(32, ActivationKind::leaky_relu);
  const auto gradients = [&](const at::Tensor& dy) {
    return torch::autograd::grad({kernels::batch_norm_activation(x, norm)},
                                 {x, norm.weight, norm.bias}, {dy});
  };
  const at::Tensor range = wide.slice(1, 20, 52);
  const auto direct = gradients(range), copied = gradients(channels_last(range.clone())),
             other = gradients(range.contiguous());
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_TRUE(direct[i].equal(copied[i])) << i;
    EXPECT_TRUE(direct[i].equal(other[i])) << i;
  }
}

TEST(BatchNormActivation, TakesAContiguousInputAsWell) {
  at::manual_seed(9);
  const at::Tensor x = at::randn({2, 5, 4, 3});
  const BatchNormActivation norm = random_norm(5, ActivationKind::relu);
  EXPECT_TRUE(kernels::batch_norm_activation(x, norm).equal(
      kernels::batch_norm_activation(channels_last(x), norm)));
}

TEST(BatchNormActivation, NeverHidesANaN) {
  for (const auto type : {at::kFloat, at::kBFloat16})
    for (const auto kind : {ActivationKind::identity, ActivationKind::silu, ActivationKind::relu,
                            ActivationKind::leaky_relu, ActivationKind::relu6}) {
      at::Tensor x = at::randn({2, 40, 3, 3});
      x[1][37][2][1] = std::numeric_limits<float>::quiet_NaN();
      const at::Tensor y =
          kernels::batch_norm_activation(channels_last(x.to(type)), random_norm(40, kind));
      const at::Tensor broken =
          y.isnan().all(0).all(1).all(1);  // the mean of that channel is NaN, hence all of it
      EXPECT_EQ(broken.sum().item<int>(), 1);
      EXPECT_TRUE(broken[37].item<bool>());
    }
}

TEST(BatchNormActivation, RefusesWhatItCannotDo) {
  const BatchNormActivation norm = random_norm(4, ActivationKind::silu);
  EXPECT_THROW(kernels::batch_norm_activation(at::randn({1, 4, 1, 1}), norm),
               Error);  // no unbiased variance
  const at::Tensor x = at::randn({2, 4, 3, 3}).requires_grad_(true);
  const at::Tensor y = kernels::batch_norm_activation(x, norm).sum();
  EXPECT_THROW(torch::autograd::grad({y}, {x}, {}, true, /*create_graph=*/true), Error);
  EXPECT_FALSE(kernels::supports(at::randn({2, 4, 3, 3}, at::kDouble), norm));
  EXPECT_FALSE(kernels::supports(at::empty({0, 4, 3, 3}), norm));
  EXPECT_FALSE(kernels::supports(at::randn({2, 4, 3}), norm));
}

std::vector<InstructionSet> available_sets() {
  std::vector<InstructionSet> sets{InstructionSet::portable};
  if (best_instruction_set() != InstructionSet::portable) sets.push_back(InstructionSet::avx2);
  if (best_instruction_set() == InstructionSet::avx512) sets.push_back(InstructionSet::avx512);
  return sets;
}

/// x = 1 and any float as scale: the product is that float, rounded on its way to memory.
TEST(BatchNormRows, RoundsToBFloat16AsLibTorchDoes) {
  std::vector<float> scale;
  for (std::uint32_t high = 0; high < 0x10000;
       high += 0x35)  // signs, exponents, zeros, infinities, NaN
    for (const std::uint32_t low : {0x0u, 0x1u, 0x7fffu, 0x8000u, 0x8001u, 0xffffu})
      scale.push_back(std::bit_cast<float>(high << 16 | low));
  for (const std::uint32_t bits :
       {0x7fffffffu, 0xffffffffu, 0x7f800001u, 0x7f7fffffu, 0x7f800000u, 0xff800000u})
    scale.push_back(std::bit_cast<float>(bits));
  scale.resize(scale.size() / kernels::group * kernels::group);
  const auto channels = static_cast<std::int64_t>(scale.size());
  const std::vector<kernels::BFloat16> x(scale.size(), {0x3f80});
  const std::vector<float> zero(scale.size(), 0.0F);
  for (const auto set : available_sets()) {
    std::vector<kernels::BFloat16> y(scale.size());
    kernels::RowBlock<kernels::BFloat16> block;
    block.x = x.data();
    block.y = y.data();
    block.rows = 1;
    block.channels = channels;
    block.scale = scale.data();
    block.shift = zero.data();
    kernels::row_kernels<kernels::BFloat16>(ActivationKind::identity, set).normalise(block);
    for (std::int64_t i = 0; i < channels; ++i) {
      const float value =
          scale[static_cast<std::size_t>(kernels::lane_position<kernels::BFloat16>(i))];
      const std::uint16_t bits = y[static_cast<std::size_t>(i)].bits;
      if (std::isnan(value)) {
        EXPECT_TRUE((bits & 0x7f80) == 0x7f80 && (bits & 0x7f) != 0) << i;
      } else if (value != 0) {  // −0 + 0 is +0, so the sign of zero is not compared
        EXPECT_EQ(bits, static_cast<at::BFloat16>(value).x) << std::bit_cast<std::uint32_t>(value);
      }
    }
  }
}

template <class T>
std::vector<T> random_row(std::size_t size) {
  const at::Tensor values =
      at::randn({static_cast<std::int64_t>(size)}).to(sizeof(T) == 2 ? at::kBFloat16 : at::kFloat);
  std::vector<T> row(size);
  std::memcpy(row.data(), values.const_data_ptr(), size * sizeof(T));
  return row;
}

/// All versions do the same operations in the same order; fused multiply-adds round once instead of
/// twice.
template <class T>
void compare_sets() {
  const std::int64_t rows = 23, channels = 75;  // 5 quads of rows and 3; two groups and 11
  const auto width = static_cast<std::size_t>(kernels::padded(channels)),
             size = static_cast<std::size_t>(rows * channels);
  const std::vector<T> x = random_row<T>(size), dy = random_row<T>(size);
  std::vector<std::vector<float>> k;
  for (int i = 0; i < 5; ++i) k.push_back(random_row<float>(width));
  std::vector<std::vector<float>> results;
  for (const auto set : available_sets()) {
    const auto kernels = kernels::row_kernels<T>(ActivationKind::silu, set);
    std::vector<T> y(size), dx(size);
    std::vector<float> sums(4 * width);
    kernels::RowBlock<T> block{x.data(),    y.data(),    dy.data(),   channels,    dx.data(),
                               rows,        channels,    k[0].data(), k[1].data(), k[2].data(),
                               k[3].data(), k[4].data(), 0.1F};
    kernels.moments(block, sums.data(), sums.data() + width);
    kernels.gradient_sums(block, sums.data() + 2 * width, sums.data() + 3 * width);
    kernels.normalise(block);
    kernels.input_gradient(block);
    const auto type = sizeof(T) == 2 ? at::kBFloat16 : at::kFloat;
    for (std::vector<T>* values : {&y, &dx}) {
      const at::Tensor wide = at::from_blob(values->data(), {static_cast<std::int64_t>(size)}, type)
                                  .to(at::kFloat)
                                  .contiguous();
      sums.insert(sums.end(), wide.const_data_ptr<float>(), wide.const_data_ptr<float>() + size);
    }
    results.push_back(sums);
  }
  // bfloat16: a neighbouring value, 2⁻⁷; float32: sums of 23 terms of size up to about 30, 2⁻²⁴
  // each.
  const double relative = sizeof(T) == 2 ? std::exp2(-7) : 0, absolute = 23 * 30 * std::exp2(-24);
  for (std::size_t set = 1; set < results.size(); ++set)
    for (std::size_t i = 0; i < results[0].size(); ++i)
      ASSERT_NEAR(results[set][i], results[0][i], relative * std::abs(results[0][i]) + absolute)
          << set << ' ' << i;
}
TEST(BatchNormRows, AgreeBetweenInstructionSetsInFloat32) { compare_sets<float>(); }
TEST(BatchNormRows, AgreeBetweenInstructionSetsInBFloat16) { compare_sets<kernels::BFloat16>(); }

}  // namespace
}  // namespace yolov7::training
