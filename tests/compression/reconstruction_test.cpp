#include "compression/plan/reconstruction.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/compression/noise_images.hpp"
#include "tests/exporting/networks.hpp"
#include "tests/scratch_folder.hpp"

using namespace yolov7;
using namespace yolov7::compression;
using namespace yolov7::testing;

namespace {

constexpr int side = 16;

CalibrationImages images(std::size_t count) { return noise_images(count, side); }

/// image → a → leaky ┬→ b → leaky ┬→ concat → head.
///                   └→ c → leaky ┘
std::shared_ptr<const network::NetworkAndWeights> branches() {
  HandNetwork net;
  const auto layer = [&](int value, int in, int out, std::uint32_t seed) {
    return net.activation(network::ActivationKind::leaky_relu,
                          noisy_conv(net, value, in, out, seed, 3), 0.1);
  };
  const int a = layer(0, 3, 8, 1);
  const int both = net.add(network::Concat{}, {layer(a, 8, 8, 2), layer(a, 8, 8, 3)});
  net.level(noisy_conv(net, both, 16, 6, 4), 1, 1);
  network::Network network = net.network();
  network.value_channels = {3, 8, 8, 8, 8, 8, 8, 16, 6};
  return std::make_shared<const network::NetworkAndWeights>(
      network::NetworkAndWeights{std::move(network), net.weights()});
}

}  // namespace

TEST(Reconstruction, IndependentConvolutionsAreOneWave) {
  const auto net = branches();
  std::vector<std::size_t> sizes;
  for (const auto& wave : waves(net->network)) sizes.push_back(wave.size());
  EXPECT_EQ(sizes, (std::vector<std::size_t>{1, 2, 1}));
}

// A 3 × 3 window with padding over 2 × 2 numbers, at the first and the third of four pixels: rows
// of the window, then columns.
TEST(Reconstruction, WindowsAtSomePixels) {
  network::Convolution conv;
  conv.in_channels = 1, conv.kernel_h = conv.kernel_w = 3, conv.pad_h = conv.pad_w = 1;
  const std::vector<float> numbers = {1, 2, 3, 4};
  EXPECT_EQ(window_samples(conv, {0, 1, 2, 2, numbers}, 2),
            (std::vector<float>{0, 0, 0, 1, 0, 2, 0, 0, 1, 3, 2, 4, 0, 0, 3, 0, 4, 0}));
}

// What is kept is better on images that were not fitted to, and the plan holds it.
TEST(Reconstruction, HeldOutImagesJudge) {
  const auto net = branches();
  const network::QuantizationScales scales = calibrate(net, images(16), {});
  network::Quantization plan = network::make_quantization(net->network, scales, {"model.7.conv"});
  const auto layers = reconstruct(net, plan, images(16), {.images = 16});
  ASSERT_EQ(layers.size(), 3U);
  std::size_t kept = 0;
  for (const FittedLayer& one : layers) {
    EXPECT_LE(one.after, one.before) << one.tensor;
    EXPECT_EQ(plan.scales.fitted.asymmetric.contains(one.tensor), one.kept()) << one.tensor;
    kept += one.kept() ? 1 : 0;
  }
  EXPECT_GE(kept, 1U);
  EXPECT_TRUE(plan.scales.fitted.symmetric.empty());
}

// 10 images, 4 taken: 0, 2, 5, 7, of which 0 is held out (each fourth). The other six judge. Of 5
// images the fourth, 3, is not taken; of 7 neither are 2 and 6, because four are enough. 12 images
// are fewer than the usual 64.
TEST(Reconstruction, ImagesThatJudgeTookNoPart) {
  using Places = std::vector<std::size_t>;
  const ReconstructionOptions four{.images = 4};
  EXPECT_EQ(images_of_fit(10, four), (Places{0, 2, 5, 7}));
  EXPECT_EQ(judging_images(10, four), (Places{1, 3, 4, 6, 8, 9}));
  EXPECT_EQ(images_of_fit(5, four), (Places{0, 1, 2, 4}));
  EXPECT_EQ(judging_images(5, four), (Places{3}));
  EXPECT_EQ(images_of_fit(7, four), (Places{0, 1, 4, 5}));
  EXPECT_EQ(judging_images(7, four), (Places{2, 3, 6}));
  EXPECT_EQ(images_of_fit(12, {}), (Places{0, 1, 2, 4, 5, 6, 8, 9, 10}));
  EXPECT_EQ(judging_images(12, {}), (Places{3, 7, 11}));
  for (std::size_t count = 10; count < 200; ++count) {
    const Places fitted = images_of_fit(count, {}), judging = judging_images(count, {});
    EXPECT_LE(fitted.size(), 64U) << count;
    EXPECT_GE(fitted.size(), 8U) << count;
    EXPECT_GE(judging.size(), 2U) << count;
    EXPECT_EQ(fitted.size() + judging.size(), count) << "no image does both";
    for (const std::size_t one : judging)
      EXPECT_FALSE(std::ranges::binary_search(fitted, one)) << one << " of " << count;
  }
}

TEST(Reconstruction, OfFewerThanFourImagesThoseHeldOutJudge) {
  using Places = std::vector<std::size_t>;
  EXPECT_EQ(images_of_fit(3, {}), (Places{0, 1, 2}));
  EXPECT_EQ(judging_images(3, {}), (Places{0}));
}

TEST(Reconstruction, OneImageAndAStopAreErrors) {
  const auto net = branches();
  network::Quantization plan =
      network::make_quantization(net->network, calibrate(net, images(2), {}), {});
  EXPECT_NE(test::error_of([&] { reconstruct(net, plan, images(1), {}); }).find("two images"),
            std::string::npos);
  std::stop_source source;
  source.request_stop();
  EXPECT_NE(
      test::error_of([&] { reconstruct(net, plan, images(2), {.stop = source.get_token()}); }),
      "no error");
}
