// From images to a plan within a budget, on a network with one layer that integers cannot hold.
#include "compression/plan/quantize.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <stop_token>

#include "tests/compression/noise_images.hpp"
#include "tests/exporting/networks.hpp"
#include "tests/scratch_folder.hpp"

using namespace yolov7;
using namespace yolov7::compression;
using namespace yolov7::testing;

namespace {

constexpr int side = 16;
const std::string bad_layer = "model.2.conv";

/// image → a → leaky → b → leaky → head, all 1 × 1 (a in the middle of 3 × 3, so that most of the
/// work is a's). The first channel of a is zero; b's weights on it are so large that one scale a
/// channel leaves nothing of the others.
std::shared_ptr<const network::NetworkAndWeights> with_a_bad_layer() {
  HandNetwork net;
  const auto leaky = [&](int value) {
    return net.activation(network::ActivationKind::leaky_relu, value, 0.1);
  };
  const std::vector<float> middles = {0, 0, 0, 1, -0.5F, 0.2F, -0.4F, 1, 0.3F, 0.6F, 0.2F, -1};
  std::vector<float> weights(9 * middles.size(), 0);
  for (std::size_t i = 0; i < middles.size(); ++i) weights[9 * i + 4] = middles[i];
  const int a = leaky(net.conv(0, 3, 4, weights, {0, 0.1F, 0.2F, 0.3F}, 3));
  const int b = leaky(
      net.conv(a, 4, 3, {100, 0.3F, -0.3F, 0.2F, 100, 0.2F, 0.3F, -0.3F, 100, -0.2F, 0.3F, 0.3F},
               {0.1F, 0.2F, 0.3F}));
  net.level(net.conv(b, 3, 6, noise(18, 5), noise(6, 6)), 1, 1);
  network::Network network = net.network();
  network.value_channels = {3, 4, 4, 3, 3, 6};
  return std::make_shared<const network::NetworkAndWeights>(
      network::NetworkAndWeights{std::move(network), net.weights()});
}

CalibrationImages images(std::size_t count) { return noise_images(count, side); }

/// Mean difference of the rows of one image: what a layer costs here.
std::function<double(runtime::Detector&)> loss_of(
    const std::shared_ptr<const network::NetworkAndWeights>& net) {
  return [net](runtime::Detector& detector) {
    std::vector<std::uint8_t> planes;
    images(1).load(0, planes);
    runtime::Prediction real, found;
    runtime::make_openvino_detector(net, {})->predict({planes, 1, side, side}, real);
    detector.predict({planes, 1, side, side}, found);
    double sum = 0;
    for (std::size_t i = 0; i < real.decoded.size(); ++i)
      sum += std::abs(static_cast<double>(real.decoded[i] - found.decoded[i]));
    return sum / static_cast<double>(real.decoded.size());
  };
}

QuantizeRequest request_of(const std::shared_ptr<const network::NetworkAndWeights>& net) {
  QuantizeRequest request;
  request.fused = net;
  request.images = images(12);
  request.forms = {{network::ActivationNumbers::asymmetric, false}};
  return request;
}

}  // namespace

TEST(Calibrate, RangesAreThoseOfTheImages) {
  const auto net = with_a_bad_layer();
  const network::QuantizationScales scales =
      calibrate(net, images(12), {.method = RangeMethod::extremes});
  EXPECT_EQ(scales.values[0], (network::ValueScale{1.0F / 255, 0, 1.0F / 127}));
  float low = 0, high = 0;
  for (std::size_t i = 0; i < 12; ++i) {
    std::vector<std::uint8_t> planes;
    images(12).load(i, planes);
    for (std::size_t at = 0; at < side * side; ++at) {
      const auto pixel = [&](std::size_t c) {
        return static_cast<float>(planes[c * side * side + at]) / 255;
      };
      const float sums[] = {pixel(0) - 0.5F * pixel(1) + 0.2F * pixel(2) + 0.1F,
                            -0.4F * pixel(0) + pixel(1) + 0.3F * pixel(2) + 0.2F,
                            0.6F * pixel(0) + 0.2F * pixel(1) - pixel(2) + 0.3F};
      for (const float sum : sums) {
        const float value = sum < 0 ? 0.1F * sum : sum;
        low = std::min(low, value), high = std::max(high, value);
      }
    }
  }
  EXPECT_NEAR(scales.values[2].scale, (high - low) / 255, 1e-6);
  EXPECT_EQ(scales.values[2].zero_point, std::lround(-low / ((high - low) / 255)));
  EXPECT_NEAR(scales.values[2].symmetric, high / 127, 1e-6);
}

// 6 bits: 63 steps between the same extremes; the image keeps its bytes.
TEST(Calibrate, FewerBitsHaveLargerSteps) {
  const auto net = with_a_bad_layer();
  const network::QuantizationScales eight = calibrate(net, images(12),
                                                      {.method = RangeMethod::extremes}),
                                    six = calibrate(net, images(12),
                                                    {.method = RangeMethod::extremes, .most = 63});
  EXPECT_EQ(six.values[0], eight.values[0]);
  for (const std::size_t value : {2U, 4U}) {
    EXPECT_EQ(six.values[value].most, 63);
    EXPECT_NEAR(six.values[value].scale, eight.values[value].scale * 255 / 63, 1e-6);
    EXPECT_EQ(six.values[value].symmetric, eight.values[value].symmetric);
  }
}

// Trained scales stay; between a convolution and its activation there are none in training: they
// are what a calibration finds beside the same scales. Only what goes into an activation whose
// result is a number depends on those (value 1; what value 3 becomes is read in float32).
TEST(Calibrate, KnownScalesAreTaken) {
  const auto net = with_a_bad_layer();
  const network::QuantizationScales whole = calibrate(net, images(12), {});
  network::QuantizationScales known = whole;
  known.per_tensor = true;
  known.corrections.clear();
  const auto same = std::make_shared<const network::QuantizationScales>(known);
  for (network::ValueScale& one : known.values) one.scale *= 2;
  const auto given = std::make_shared<const network::QuantizationScales>(known);
  const network::QuantizationScales plain =
      calibrate(net, images(12), {.known = given, .inner = false});
  EXPECT_EQ(plain.values, known.values);
  EXPECT_TRUE(plain.per_tensor);
  EXPECT_TRUE(plain.corrections.empty());
  EXPECT_EQ(calibrate(net, images(12), {.known = same}).values, whole.values);
  const network::QuantizationScales inner = calibrate(net, images(12), {.known = given});
  for (const std::size_t value : {0U, 2U, 4U}) EXPECT_EQ(inner.values[value], known.values[value]);
  EXPECT_EQ(inner.values[3], whole.values[3]);
  EXPECT_TRUE(inner.corrections.empty());
}

TEST(Calibrate, MemoryBoundsChangeNothing) {
  const auto net = with_a_bad_layer();
  const network::QuantizationScales whole = calibrate(net, images(12), {}),
                                    parts = calibrate(net, images(12), {.memory = 1});
  EXPECT_EQ(whole.values, parts.values);
  ASSERT_EQ(whole.corrections.size(), 3U);
  for (const auto& [tensor, one] : whole.corrections) {
    EXPECT_EQ(one.asymmetric, parts.corrections.at(tensor).asymmetric);
    EXPECT_EQ(one.symmetric, parts.corrections.at(tensor).symmetric);
  }
}

TEST(Calibrate, NothingToLookAtAndAStopAreErrors) {
  const auto net = with_a_bad_layer();
  EXPECT_EQ(test::error_of([&] { calibrate(net, images(0), {}); }),
            "calibration: expected images, found none");
  std::stop_source source;
  source.request_stop();
  EXPECT_EQ(test::error_of([&] { calibrate(net, images(2), {.stop = source.get_token()}); }),
            "interrupted");
}

// Two rows: objectness 0.8 and 0.2; the first box moves by half its width (IoU 1/3), the second
// score falls by 0.1.
TEST(Sensitivity, ChangeOfTheRowsByTheirObjectness) {
  runtime::Prediction real, other;
  real.count = other.count = 1, real.rows = other.rows = 2, real.columns = other.columns = 7;
  real.decoded = {10, 10, 4, 4, 0.8F, 0.5F, 0.1F, 50, 50, 8, 8, 0.2F, 0.1F, 1};
  other.decoded = {12, 10, 4, 4, 0.8F, 0.5F, 0.1F, 50, 50, 8, 8, 0.1F, 0.1F, 1};
  const OutputChange change = output_change(real, other);
  EXPECT_NEAR(change.box, 0.8 * 2 / 3, 1e-6);
  EXPECT_NEAR(change.score, 0.2 * 0.1, 1e-6);
  EXPECT_EQ(output_change(real, real).sum(), 0);
}

TEST(Quantize, TheBadLayerIsFoundAndGoesBackToFloat) {
  const auto net = with_a_bad_layer();
  QuantizeRequest request = request_of(net);
  request.lost = loss_of(net);
  const network::QuantizationScales scales = calibrate(net, request.images, {});
  const auto lost_without = [&](const std::set<std::string>& real) {
    const auto plan = std::make_shared<const network::Quantization>(
        network::make_quantization(net->network, scales, real));
    return request.lost(*runtime::make_quantized_detector(net, {plan}, {}));
  };
  const double all = lost_without({}), good = lost_without({bad_layer});
  ASSERT_LT(good, all / 4);
  request.budget = (all + good) / 2;
  const Quantized found = quantize(request);
  EXPECT_EQ(by_change(found.layers).front().tensor, bad_layer);
  EXPECT_EQ(found.fallback.real, std::set<std::string>{bad_layer});
  EXPECT_NEAR(found.integer_share, 108.0 / 138, 1e-9);  // 108 of 108 + 12 + 18
  EXPECT_FALSE(found.plan->convolutions.contains(bad_layer));
  EXPECT_GT(found.speed.float32, 0);
  EXPECT_NE(sensitivity_csv(found).find(bad_layer + ",3072,"), std::string::npos)
      << sensitivity_csv(found);
  request.budget = 0;
  EXPECT_NE(test::error_of([&] { quantize(request); }).find("it cannot be kept"),
            std::string::npos);
}

TEST(Quantize, WithinTheBudgetEverythingIsIntegers) {
  const auto net = with_a_bad_layer();
  QuantizeRequest request = request_of(net);
  request.lost = [](runtime::Detector&) { return 0.001; };
  const Quantized found = quantize(request);
  EXPECT_NEAR(found.integer_share, 120.0 / 138, 1e-9);  // the head stays in float32
  EXPECT_TRUE(found.layers.empty());
  ASSERT_EQ(found.fallback.trials.size(), 1U);
  EXPECT_EQ(found.fallback.trials[0].lost, 0.001);
}

// The first of two forms loses nothing, and the other one cannot be measured.
TEST(Quantize, ALossThatIsNoNumberHoldsNoBudget) {
  const auto net = with_a_bad_layer();
  QuantizeRequest request = request_of(net);
  request.forms = {{network::ActivationNumbers::asymmetric, false},
                   {network::ActivationNumbers::symmetric, false}};
  std::size_t calls = 0;
  request.lost = [&calls](runtime::Detector&) { return calls++ % 2 == 0 ? 0 : std::nan(""); };
  const std::string message = test::error_of([&] { quantize(request); });
  EXPECT_NE(message.find("it cannot be kept"), std::string::npos) << message;
  EXPECT_EQ(calls % 2, 0U) << "both forms, each time";
}

// Finds red: objectness follows the first channel.
TEST(ChannelOrder, ImagesWhoseRedIsBlueAreSeen) {
  HandNetwork net;
  std::vector<float> weights(18, 0);
  weights[4 * 3] = 20;  // objectness: 20 · red − 15
  net.level(net.conv(0, 3, 6, weights, {0, 0, 0, 0, -15, 3}), 1, 1);
  const auto model = std::make_shared<const network::NetworkAndWeights>(
      network::NetworkAndWeights{net.network(), net.weights()});
  const auto detector = runtime::make_openvino_detector(model, {});
  const auto painted = [](std::uint8_t red, std::uint8_t blue) {
    CalibrationImages all = images(4);
    all.load = [red, blue](std::size_t, std::vector<std::uint8_t>& planes) {
      planes.assign(3 * side * side, 0);
      std::fill_n(planes.begin(), side * side, red);
      std::fill_n(planes.begin() + 2 * side * side, side * side, blue);
    };
    return all;
  };
  EXPECT_EQ(channel_order_breach(*detector, painted(255, 0)), "");
  EXPECT_EQ(channel_order_breach(*detector, painted(255, 255)), "");
  EXPECT_NE(channel_order_breach(*detector, painted(0, 255)), "");
  EXPECT_EQ(channel_order_breach(*detector, painted(0, 0)), "");
}
