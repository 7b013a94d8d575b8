#include "compression/plan/refit.hpp"

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
const std::string head = "model.4.conv";
constexpr auto asymmetric = network::ActivationNumbers::asymmetric,
               symmetric = network::ActivationNumbers::symmetric;

/// image → a → leaky → b → leaky → head.
std::shared_ptr<const network::NetworkAndWeights> chain() {
  HandNetwork net;
  const auto layer = [&](int value, int in, std::uint32_t seed) {
    return net.activation(network::ActivationKind::leaky_relu,
                          noisy_conv(net, value, in, 8, seed, 3), 0.1);
  };
  net.level(noisy_conv(net, layer(layer(0, 3, 1), 8, 2), 8, 6, 3), 1, 1);
  network::Network network = net.network();
  network.value_channels = {3, 8, 8, 8, 8, 6};
  return std::make_shared<const network::NetworkAndWeights>(
      network::NetworkAndWeights{std::move(network), net.weights()});
}

/// Of the rows of images 1, 3, 5 …, which are not fitted to.
OutputChange change_of(const std::shared_ptr<const network::NetworkAndWeights>& net,
                       const network::QuantizationScales& scales, const NumberForm& form) {
  const auto plan = std::make_shared<const network::Quantization>(
      network::make_quantization(net->network, scales, {head}));
  const CalibrationImages images = noise_images(128, side);
  std::vector<std::size_t> places;
  for (std::size_t i = 1; i < 128; i += 2) places.push_back(i);
  const auto pictures = loaded_images(images, places);
  return mean_change(
      predictions(*runtime::make_openvino_detector(net, {}), pictures),
      predictions(*runtime::make_quantized_detector(net, {plan, form.numbers, form.inner}, {}),
                  pictures));
}

}  // namespace

TEST(Refit, AChangeThatGrowsIsNoGain) {
  EXPECT_TRUE(gains({0.2, 0.1}, {0.1, 0.15}));
  EXPECT_FALSE(gains({0.2, 0.1}, {0.1, 0.2}));
  EXPECT_FALSE(gains({0, 0}, {0, 0}));
}

// 64 of 128 images are taken, the even ones; the others judge, and what is told of them is what
// the scales give.
TEST(Refit, WhatIsKeptIsWhatWasJudged) {
  const auto net = chain();
  const CalibrationImages images = noise_images(128, side);
  const network::QuantizationScales calibrated = calibrate(net, images, {});
  network::QuantizationScales scales = calibrated;
  const std::set<NumberForm> forms{{asymmetric, false}, {asymmetric, true}, {symmetric, false}};
  const auto found = refit(net, scales, {head}, forms, images, {});
  ASSERT_EQ(found.size(), 2U);
  EXPECT_TRUE(std::ranges::any_of(found, &Refit::kept)) << "else nothing is compared below";
  for (const Refit& one : found) {
    EXPECT_EQ(one.layers.size(), 2U);
    EXPECT_EQ(one.images, 64U);
    const bool fitted = std::ranges::any_of(one.layers, &FittedLayer::kept);
    EXPECT_EQ(!scales.fitted.of(one.numbers).empty(), one.kept && fitted);
    double worst = 0;  // of what is left of the change
    for (const NumberForm& form : forms)
      if (form.numbers == one.numbers && one.kept) {
        const double before = change_of(net, calibrated, form).sum(),
                     after = change_of(net, scales, form).sum();
        EXPECT_LT(after, before);
        worst = std::max(worst, after / before);
      }
    if (one.kept) {
      EXPECT_NEAR(one.after.sum() / one.before.sum(), worst, 1e-9);
    }
  }
  EXPECT_EQ(scales.values, calibrated.values);
}

TEST(Refit, AStopIsAnError) {
  const auto net = chain();
  network::QuantizationScales scales = calibrate(net, noise_images(8, side), {});
  std::stop_source source;
  source.request_stop();
  EXPECT_EQ(test::error_of([&] {
              refit(net, scales, {head}, {{asymmetric, false}}, noise_images(8, side),
                    source.get_token());
            }),
            "interrupted");
  EXPECT_TRUE(scales.fitted.asymmetric.empty());
}
