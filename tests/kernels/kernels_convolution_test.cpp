#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <limits>
#include <ostream>
#include <vector>

#include "core/instruction_set.hpp"
#include "kernels/convolution.hpp"
#include "kernels/torch.hpp"

namespace yolov7::training {
namespace {

using kernels::ConvolutionGeometry;

struct Case {
  std::int64_t batch, inputs, outputs, height, width, kernel, stride, padding;
};

std::ostream& operator<<(std::ostream& out, const Case& c) {
  return out << c.batch << " images, " << c.inputs << " to " << c.outputs << ", " << c.height
             << " x " << c.width << ", kernel " << c.kernel << ", stride " << c.stride
             << ", padding " << c.padding;
}

// The shapes take every way through the cut: colours beside each other, blocks of 16 and 32,
// channels and widths that fill none, one and several pictures in a chunk, one and several parts of
// the output channels.
const std::vector<Case> cases{
    {2, 3, 32, 20, 26, 3, 2, 1},  {2, 3, 7, 9, 11, 3, 1, 1},     {1, 12, 24, 10, 14, 3, 1, 1},
    {3, 32, 64, 17, 13, 3, 2, 1}, {2, 33, 9, 8, 5, 3, 1, 1},     {5, 64, 32, 12, 12, 1, 1, 0},
    {8, 256, 255, 7, 7, 1, 1, 0}, {4, 160, 130, 6, 10, 3, 1, 1}, {1, 16, 16, 1, 1, 1, 1, 0},
    {2, 20, 40, 9, 9, 5, 1, 2},   {2, 8, 40, 15, 16, 1, 2, 0},   {1, 40, 8, 200, 150, 3, 1, 1},
    {2, 3, 16, 13, 13, 6, 2, 2},  {1, 512, 96, 4, 3, 1, 1, 0},   {16, 32, 32, 3, 3, 3, 1, 1},
    {2, 5, 6, 8, 8, 2, 2, 0}};

at::Tensor whole_numbers(const std::vector<std::int64_t>& shape, std::int64_t largest) {
  return at::randint(-largest, largest + 1, shape, at::kFloat)
      .to(at::kBFloat16)
      .contiguous(at::MemoryFormat::ChannelsLast);
}

class OwnConvolution : public testing::Test {
 protected:
  void SetUp() override {
    if (!has_bfloat16_products()) GTEST_SKIP() << "this processor has no AVX512_BF16";
    at::manual_seed(5);
  }
};

struct Gradients {
  at::Tensor y, x, weight, bias;
};

Gradients gradients(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                    const at::Tensor& dy, const auto& convolve) {
  const at::Tensor in = x.detach().requires_grad_(true), w = weight.detach().requires_grad_(true),
                   b = bias.detach().requires_grad_(true);
  const at::Tensor y = convolve(in, w, b);
  const auto all = torch::autograd::grad({y}, {in, w, b}, {dy.to(y.scalar_type())});
  return {y.detach(), all[0], all[1], all[2]};
}

// Whole numbers up to 4 and weights up to 2: every product and every sum (below 2^24) is exact in
// float32, so nothing may differ. The data gradient and the output are rounded to bfloat16 as
// LibTorch's own are.
TEST_F(OwnConvolution, GradientsOfWholeNumbersAreThoseOfFloat64) {
  for (const Case& c : cases) {
    const at::Tensor x = whole_numbers({c.batch, c.inputs, c.height, c.width}, 4);
    const at::Tensor weight =
        at::randint(-2, 3, {c.outputs, c.inputs, c.kernel, c.kernel}, at::kFloat)
            .contiguous(at::MemoryFormat::ChannelsLast);
    const at::Tensor bias = at::randint(-3, 4, {c.outputs}, at::kFloat);
    const std::vector<std::int64_t> stride{c.stride, c.stride}, padding{c.padding, c.padding};
    const auto exact = [&](const at::Tensor& in, const at::Tensor& w, const at::Tensor& b) {
      return at::conv2d(in, w, b, stride, padding);
    };
    const auto own = [&](const at::Tensor& in, const at::Tensor& w, const at::Tensor& b) {
      return kernels::convolution(
          in, w, b, {{c.kernel, c.kernel}, {c.stride, c.stride}, {c.padding, c.padding}});
    };
    const at::Tensor dy = whole_numbers(
        exact(x.to(at::kDouble), weight.to(at::kDouble), bias.to(at::kDouble)).sizes().vec(), 4);
    const Gradients expected =
        gradients(x.to(at::kDouble), weight.to(at::kDouble), bias.to(at::kDouble), dy, exact);
    const Gradients found = gradients(x, weight, bias, dy, own);
    EXPECT_TRUE(found.weight.to(at::kDouble).equal(expected.weight)) << c;
    EXPECT_TRUE(found.bias.to(at::kDouble).equal(expected.bias)) << c;
    EXPECT_TRUE(found.y.equal(expected.y.to(at::kBFloat16))) << c;
    EXPECT_TRUE(found.x.equal(expected.x.to(at::kBFloat16))) << c;
    EXPECT_EQ(found.weight.scalar_type(), at::kFloat);
  }
}

// n terms of float32 sums: an error of at most n · 2^-24 of Σ |x · dy| each; a hundredth of it is
// what a random walk reaches.
TEST_F(OwnConvolution, RealValuesAreWithinFloat32Rounding) {
  const Case c{4, 64, 64, 40, 40, 3, 1, 1};
  const at::Tensor x = at::randn({c.batch, c.inputs, c.height, c.width}).to(at::kBFloat16),
                   dy = at::randn({c.batch, c.outputs, c.height, c.width}).to(at::kBFloat16);
  const at::Tensor found = kernels::weight_gradient(x, dy, {{3, 3}, {1, 1}, {1, 1}});
  const auto gradient = [&](const at::Tensor& in, const at::Tensor& down) {
    return std::get<1>(at::convolution_backward(down, in, at::zeros({64, 64, 3, 3}, at::kDouble),
                                                std::nullopt, {1, 1}, {1, 1}, {1, 1}, false, {0, 0},
                                                1, {false, true, false}));
  };
  const at::Tensor expected = gradient(x.to(at::kDouble), dy.to(at::kDouble)),
                   size = gradient(x.to(at::kDouble).abs(), dy.to(at::kDouble).abs());
  const double terms = 4 * 40 * 40;
  EXPECT_LT(((found.to(at::kDouble) - expected).abs() / size).max().item<double>(),
            0.01 * terms / (1 << 24));
}

TEST_F(OwnConvolution, TheNumberOfThreadsChangesNoBit) {
  const at::Tensor x = at::randn({3, 48, 30, 30}).to(at::kBFloat16),
                   dy = at::randn({3, 80, 15, 15}).to(at::kBFloat16);
  const ConvolutionGeometry geometry{{3, 3}, {2, 2}, {1, 1}};
  const int before = at::get_num_threads();
  at::set_num_threads(1);
  const at::Tensor one = kernels::weight_gradient(x, dy, geometry);
  for (const int threads : {2, 3, 7}) {
    at::set_num_threads(threads);
    EXPECT_TRUE(kernels::weight_gradient(x, dy, geometry).equal(one)) << threads;
  }
  at::set_num_threads(before);
}

TEST_F(OwnConvolution, NotANumberIsHandedOn) {
  at::Tensor x = at::ones({1, 32, 4, 4}).to(at::kBFloat16),
             dy = at::ones({1, 8, 4, 4}).to(at::kBFloat16);
  dy[0][3][2][2] = std::numeric_limits<float>::quiet_NaN();
  const at::Tensor found = kernels::weight_gradient(x, dy, {{1, 1}, {1, 1}, {0, 0}});
  EXPECT_TRUE(found[3].isnan().all().item<bool>());
  EXPECT_EQ(found.isnan().sum().item<std::int64_t>(), 32);
}

// x · w with x = 2 and dy = 1 over 9 pixels: dw = 18; x asks for no gradient, as a network's
// pictures do not.
TEST_F(OwnConvolution, WithoutBiasAndForPictures) {
  const at::Tensor x = at::full({1, 3, 3, 3}, 2).to(at::kBFloat16),
                   w = at::ones({2, 3, 1, 1}).requires_grad_(true);
  kernels::convolution(x, w, at::Tensor(), {}).sum().backward();
  EXPECT_EQ(w.grad().strides(), w.strides());  // or the optimizer copies it
  EXPECT_TRUE(w.grad().equal(at::full({2, 3, 1, 1}, 18.0F)));
}

TEST_F(OwnConvolution, FrozenParametersGetNothing) {
  const at::Tensor x = at::ones({1, 3, 3, 3}).to(at::kBFloat16).requires_grad_(true),
                   w = at::ones({2, 3, 1, 1}), b = at::ones({2});
  kernels::convolution(x, w, b, {}).sum().backward();
  EXPECT_TRUE(x.grad().equal(at::full({1, 3, 3, 3}, 2).to(at::kBFloat16)));
  EXPECT_FALSE(w.grad().defined() || b.grad().defined());
}

TEST_F(OwnConvolution, OnlyOneDerivative) {
  const at::Tensor x = at::ones({1, 4, 3, 3}).to(at::kBFloat16).requires_grad_(true),
                   w = at::ones({2, 4, 1, 1}).requires_grad_(true);
  const at::Tensor y = kernels::convolution(x, w, at::Tensor(), {});
  EXPECT_ANY_THROW(torch::autograd::grad({y.sum()}, {w}, {}, std::nullopt, /*create_graph=*/true));
}

}  // namespace
}  // namespace yolov7::training
