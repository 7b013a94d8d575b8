#include "compression/plan/bias_correction.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "tests/exporting/networks.hpp"

using namespace yolov7;
using namespace yolov7::compression;
using namespace yolov7::testing;
using network::ActivationNumbers;

namespace {

/// Mean of one output channel without the bias, by the definition of the convolution (dilation 1).
double mean_output(const network::Convolution& conv, const std::vector<double>& weights,
                   const std::vector<float>& input, int height, int width, int channel) {
  const int each = conv.in_channels / conv.groups,
            from = channel / (conv.out_channels / conv.groups) * each;
  double sum = 0;
  int count = 0;
  for (int y = -conv.pad_h; y + conv.kernel_h <= height + conv.pad_h; y += conv.stride)
    for (int x = -conv.pad_w; x + conv.kernel_w <= width + conv.pad_w; x += conv.stride, ++count)
      for (int c = 0; c < each; ++c)
        for (int i = 0; i < conv.kernel_h; ++i)
          for (int j = 0; j < conv.kernel_w; ++j) {
            const int r = y + i, q = x + j;
            if (r < 0 || r >= height || q < 0 || q >= width) continue;
            const int at = ((channel * each + c) * conv.kernel_h + i) * conv.kernel_w + j;
            sum += weights[static_cast<std::size_t>(at)] *
                   static_cast<double>(
                       input[static_cast<std::size_t>(((from + c) * height + r) * width + q)]);
          }
  return sum / count;
}

}  // namespace

// The mean of the quantized output plus the correction equals the mean of the float32 output.
TEST(BiasCorrection, CorrectedMeanEqualsFloat32Mean) {
  constexpr int height = 7, width = 9, channels = 4;
  for (const int groups : {1, 4}) {
    HandNetwork net;
    const int input = noisy_conv(net, 0, 3, channels, 1);
    net.level(noisy_conv(net, input, channels, 8, 2, 3, 2, groups), 2, 3);
    const network::NetworkAndWeights model{net.network(), net.weights()};
    network::QuantizationScales scales;
    scales.values.assign(3, {0.03F, 100, 0.05F});
    InputMeans means(model, scales);
    EXPECT_EQ(means.values(), (std::vector<int>{0, 1}));
    std::vector<std::vector<float>> images;
    for (std::uint32_t i = 0; i < 3; ++i) {
      images.push_back(noise(channels * height * width, i + 5, 3));
      means.add({1, channels, height, width, images.back()});
      // Value 2 is not among values(), so it is ignored.
      means.add({2, 8, 4, 5, noise(8 * 4 * 5, i + 5, 3)});
    }
    const auto corrections = means.corrections();
    const auto& conv = *model.network.operations[1].as<network::Convolution>();
    const std::vector<double> real = model.weights.at(conv.tensor + ".weight").to_doubles();
    std::vector<double> stored;
    const std::size_t each = real.size() / 8;
    for (std::size_t o = 0; o < 8; ++o) {
      double most = 0;
      for (std::size_t i = 0; i < each; ++i) most = std::max(most, std::abs(real[o * each + i]));
      for (std::size_t i = 0; i < each; ++i)
        stored.push_back(std::nearbyint(real[o * each + i] / most * 127) * most / 127);
    }
    ASSERT_TRUE(corrections.contains(conv.tensor));
    EXPECT_FALSE(
        corrections.contains("model.0.conv"));  // no numbers of its input, value 0, were added
    for (const auto numbers : {ActivationNumbers::asymmetric, ActivationNumbers::symmetric})
      for (int channel = 0; channel < 8; ++channel) {
        double wanted = 0, found = 0;
        for (const std::vector<float>& image : images) {
          std::vector<float> rounded;
          for (const float x : image)
            rounded.push_back(
                numbers == ActivationNumbers::symmetric
                    ? 0.05F * std::clamp(std::nearbyint(x / 0.05F), -128.0F, 127.0F)
                    : 0.03F * (std::clamp(std::nearbyint(x / 0.03F) + 100, 0.0F, 255.0F) - 100));
          wanted += mean_output(conv, real, image, height, width, channel) / 3;
          found += mean_output(conv, stored, rounded, height, width, channel) / 3;
        }
        // Scales and corrections are float32: 1e-4 is some ten roundings of sums of this size.
        EXPECT_NEAR(
            found + static_cast<double>(
                        corrections.at(conv.tensor).of(numbers)[static_cast<std::size_t>(channel)]),
            wanted, 1e-4);
      }
  }
}
