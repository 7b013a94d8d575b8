#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>
#include <limits>
#include <vector>

#include "core/error.hpp"
#include "kernels/channel_scale.hpp"
#include "kernels/channel_sums.hpp"
#include "kernels/max_pool.hpp"
#include "kernels/torch.hpp"
#include "kernels/upsample.hpp"

namespace yolov7::training {
namespace {

at::Tensor channels_last(const at::Tensor& t) {
  return t.contiguous(at::MemoryFormat::ChannelsLast);
}

struct Pooled {
  at::Tensor y, dx;
};

/// From the definition: the window row by row, the first largest value wins and gets the gradient.
Pooled scan(const at::Tensor& input, const at::Tensor& gradient, std::int64_t kernel,
            std::int64_t stride, std::int64_t padding) {
  const at::Tensor x = input.detach().to(at::kDouble).contiguous(),
                   dy = gradient.to(at::kDouble).contiguous();
  Pooled result{at::empty(dy.sizes(), at::kDouble), at::zeros(x.sizes(), at::kDouble)};
  const auto in = x.accessor<double, 4>(), down = dy.accessor<double, 4>();
  auto y = result.y.accessor<double, 4>(), dx = result.dx.accessor<double, 4>();
  for (std::int64_t b = 0; b < dy.size(0); ++b)
    for (std::int64_t c = 0; c < dy.size(1); ++c)
      for (std::int64_t r = 0; r < dy.size(2); ++r)
        for (std::int64_t s = 0; s < dy.size(3); ++s) {
          double best = -std::numeric_limits<double>::infinity();
          std::int64_t row = -1, column = -1;
          for (std::int64_t i = r * stride - padding; i < r * stride - padding + kernel; ++i)
            for (std::int64_t j = s * stride - padding; j < s * stride - padding + kernel; ++j) {
              if (i < 0 || j < 0 || i >= x.size(2) || j >= x.size(3) || !(in[b][c][i][j] > best))
                continue;
              best = in[b][c][i][j];
              row = i;
              column = j;
            }
          y[b][c][r][s] = best;
          dx[b][c][row][column] += down[b][c][r][s];
        }
  return result;
}

/// Values 0 … 5 make many ties; gradients −8 … 8 make every sum exact in float32 and in bfloat16
/// (below 256).
void expect_scan(const std::vector<std::int64_t>& shape, std::int64_t kernel, std::int64_t stride,
                 std::int64_t padding) {
  for (const auto type : {at::kFloat, at::kBFloat16}) {
    at::manual_seed(11);
    const at::Tensor x =
        channels_last(at::randint(0, 6, shape, at::kFloat).to(type)).requires_grad_(true);
    const at::Tensor y = kernels::max_pool(x, kernel, stride, padding);
    // Only a few outputs get a gradient, so that no sum of 169 of them leaves the exact range.
    const at::Tensor dy =
        at::randint(-8, 9, y.sizes(), at::kFloat) * (at::rand(y.sizes()) < 0.15).to(at::kFloat);
    const at::Tensor dx = torch::autograd::grad({y}, {x}, {channels_last(dy.to(type))})[0];
    const Pooled expected = scan(x, dy, kernel, stride, padding);
    EXPECT_TRUE(y.to(at::kDouble).equal(expected.y)) << kernel << ' ' << shape[1];
    EXPECT_TRUE(dx.to(at::kDouble).equal(expected.dx)) << kernel << ' ' << shape[1];
    EXPECT_EQ(y.scalar_type(), type);
  }
}

TEST(MaxPool, HalvesAsAScanRowByRow) {
  for (const std::int64_t channels : {1, 3, 32, 33, 64}) {
    expect_scan({2, channels, 8, 6}, 2, 2, 0);
    expect_scan({3, channels, 7, 5}, 2, 2, 0);  // the last row and column belong to no window
    expect_scan({1, channels, 2, 2}, 2, 2, 0);
  }
}

TEST(MaxPool, SlidesAsAScanRowByRow) {
  for (const std::int64_t channels : {1, 3, 32, 33, 64})
    for (const std::int64_t kernel : {3, 5, 9, 13}) {
      expect_scan({2, channels, 8, 6}, kernel, 1, kernel / 2);  // 13: wider than the map
      expect_scan({1, channels, 1, 1}, kernel, 1, kernel / 2);
      expect_scan({1, channels, 20, 3}, kernel, 1, kernel / 2);
    }
}

TEST(MaxPool, LeavesOtherWindowsToTheGeneralOperation) {
  expect_scan({2, 5, 9, 9}, 3, 2, 1);
  expect_scan({2, 5, 9, 9}, 3, 3, 0);
  const at::Tensor x = at::randn({1, 3, 6, 6}, at::kDouble);
  EXPECT_TRUE(kernels::max_pool(x, 2, 2, 0).equal(at::max_pool2d(x, 2, 2)));
}

TEST(MaxPool, TreatsNegativeMapsAndInfinitiesRight) {
  at::Tensor x = -at::rand({1, 32, 4, 4}) - 1;  // a padding of 0 would win
  x[0][3] = -std::numeric_limits<float>::infinity();
  x = channels_last(x);
  EXPECT_TRUE(kernels::max_pool(x, 5, 1, 2).equal(at::max_pool2d(x, 5, 1, 2)));
  EXPECT_TRUE(kernels::max_pool(x, 2, 2, 0).equal(at::max_pool2d(x, 2, 2)));
}

TEST(MaxPool, NeverHidesANaN) {
  for (const std::int64_t position : {0, 1, 4, 5}) {
    at::Tensor x = at::randn({1, 32, 4, 4});
    x[0][2].flatten()[position] = std::numeric_limits<float>::quiet_NaN();
    EXPECT_TRUE(kernels::max_pool(channels_last(x), 2, 2, 0)[0][2][0][0].isnan().item<bool>())
        << position;
    EXPECT_TRUE(kernels::max_pool(channels_last(x), 3, 1, 1)[0][2][0][0].isnan().item<bool>())
        << position;
  }
}

TEST(MaxPool, DoesNotDependOnTheNumberOfThreads) {
  const int before = at::get_num_threads();
  at::manual_seed(2);
  const at::Tensor x = channels_last(at::randn({3, 70, 14, 14})).requires_grad_(true),
                   dy = channels_last(at::randn({3, 70, 14, 14}));
  std::vector<at::Tensor> results;
  for (const int threads : {1, 2, 4}) {
    at::set_num_threads(threads);
    results.push_back(torch::autograd::grad({kernels::max_pool(x, 5, 1, 2)}, {x}, {dy})[0]);
  }
  at::set_num_threads(before);
  EXPECT_TRUE(results[1].equal(results[0]));
  EXPECT_TRUE(results[2].equal(results[0]));
}

TEST(MaxPool, RefusesASecondDerivative) {
  const at::Tensor x = channels_last(at::randn({1, 4, 4, 4})).requires_grad_(true);
  EXPECT_THROW(torch::autograd::grad({kernels::max_pool(x, 2, 2, 0).sum()}, {x}, {}, true, true),
               Error);
  EXPECT_THROW(torch::autograd::grad({kernels::max_pool(x, 3, 1, 1).sum()}, {x}, {}, true, true),
               Error);
}

TEST(ScaleChannels, AgreesWithTheProductInDoublePrecision) {
  at::manual_seed(4);
  for (const auto type : {at::kFloat, at::kBFloat16})
    for (const std::int64_t channels : {1, 3, 32, 75, 255}) {
      const at::Tensor x =
          channels_last(at::randn({3, channels, 9, 7}).to(type)).requires_grad_(true);
      const at::Tensor factor = at::randn({1, channels, 1, 1}).requires_grad_(true);
      const at::Tensor dy = channels_last(at::randn({3, channels, 9, 7}));
      const at::Tensor y = kernels::scale_channels(x, factor);
      EXPECT_EQ(y.scalar_type(), at::kFloat);
      EXPECT_TRUE(y.is_contiguous(at::MemoryFormat::ChannelsLast));
      EXPECT_TRUE(
          y.equal(x.detach().to(at::kFloat) * factor.detach()));  // one product, one rounding
      const auto gradients = torch::autograd::grad({y}, {x, factor}, {dy});
      EXPECT_TRUE(gradients[0].equal((dy * factor.detach()).to(type)));  // the same
      const at::Tensor terms = dy.to(at::kDouble) * x.detach().to(at::kDouble);
      const at::Tensor error = (gradients[1].to(at::kDouble) - terms.sum({0, 2, 3}, true)).abs();
      // 189 additions, each within 2⁻²⁴ of the running sum.
      EXPECT_TRUE(
          (error <= terms.abs().sum({0, 2, 3}, true) * 189 * std::exp2(-24)).all().item<bool>());
      EXPECT_EQ(gradients[1].sizes(), factor.sizes());
    }
}

TEST(ScaleChannels, LeavesOtherTypesToTheGeneralOperation) {
  const at::Tensor x = at::randn({2, 3, 4, 4}, at::kDouble),
                   factor = at::randn({1, 3, 1, 1}, at::kDouble);
  EXPECT_TRUE(kernels::scale_channels(x, factor).equal(x * factor));
  const at::Tensor rows = at::randn({2, 3, 4, 4});
  EXPECT_TRUE(
      kernels::scale_channels(rows, factor.to(at::kFloat)).equal(rows * factor.to(at::kFloat)));
}

// Gradients of −8 … 8: four of them are exact in bfloat16 too. The wider tensor's other channels
// must not matter: that is how a concatenation hands its gradient on.
TEST(UpsampleTwice, EachPixelFourTimesAndTheirGradientsAdded) {
  for (const auto type : {at::kFloat, at::kBFloat16})
    for (const std::int64_t channels : {1, 7, 32, 70}) {
      at::manual_seed(3);
      const at::Tensor x =
          channels_last(at::randint(-9, 10, {2, channels, 5, 3}, at::kFloat).to(type))
              .requires_grad_(true);
      const at::Tensor wide =
          channels_last(at::randint(-8, 9, {2, channels + 40, 10, 6}, at::kFloat).to(type));
      const at::Tensor y = kernels::upsample_twice(x);
      const at::Tensor dx = torch::autograd::grad({y}, {x}, {wide.slice(1, 8, 8 + channels)})[0];
      const auto in = x.detach().to(at::kDouble), out = y.detach().to(at::kDouble),
                 down = wide.to(at::kDouble), up = dx.to(at::kDouble);
      ASSERT_EQ(y.sizes(), at::IntArrayRef({2, channels, 10, 6}));
      for (std::int64_t b = 0; b < 2; ++b)
        for (std::int64_t r = 0; r < 10; ++r)
          for (std::int64_t s = 0; s < 6; ++s)
            EXPECT_TRUE(
                out[b].select(1, r).select(1, s).equal(in[b].select(1, r / 2).select(1, s / 2)));
      for (std::int64_t b = 0; b < 2; ++b)
        for (std::int64_t r = 0; r < 5; ++r)
          for (std::int64_t s = 0; s < 3; ++s) {
            const at::Tensor four = down[b]
                                        .slice(0, 8, 8 + channels)
                                        .slice(1, 2 * r, 2 * r + 2)
                                        .slice(2, 2 * s, 2 * s + 2)
                                        .sum({1, 2});
            EXPECT_TRUE(up[b].select(1, r).select(1, s).equal(four)) << channels;
          }
    }
  const at::Tensor x = at::ones({1, 2, 3, 3}).requires_grad_(true);
  EXPECT_THROW(torch::autograd::grad({kernels::upsample_twice(x)}, {x}, {at::ones({1, 2, 6, 6})},
                                     true, true),
               Error);
}

// Whole numbers: every sum is exact.
TEST(ChannelSums, OverPicturesAndPixels) {
  for (const auto type : {at::kFloat, at::kBFloat16})
    for (const std::vector<std::int64_t>& shape :
         {std::vector<std::int64_t>{3, 5, 70, 41}, {1, 64, 1, 1}, {2, 255, 9, 8}}) {
      const at::Tensor x = channels_last(at::randint(-100, 101, shape, at::kFloat).to(type));
      EXPECT_TRUE(kernels::channel_sums(x)
                      .to(at::kDouble)
                      .equal(x.to(at::kDouble).sum(at::IntArrayRef{0, 2, 3})));
    }
}

}  // namespace
}  // namespace yolov7::training
