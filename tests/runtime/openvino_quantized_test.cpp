// Networks in 8-bit integers, against their numbers computed one by one.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "runtime/openvino/quantized_form.hpp"
#include "runtime/openvino/value_stream.hpp"
#include "tests/runtime/hand_network.hpp"

using namespace yolov7;
using namespace yolov7::runtime;
using network::ActivationNumbers;
using yolov7::testing::HandNetwork;

namespace {

constexpr int side = 4, middle = 3, outputs = 6;
const std::vector<float> first_weight{0.9F, -0.4F, 0.2F, -1.3F, 0.7F, 0.05F, 0.3F, 0.8F, -0.6F},
    first_bias{0.1F, -0.2F, 0.3F};
const std::vector<float> second_bias{0.1F, 0.2F, -0.1F, 0.3F, -2, 0.4F};

std::vector<float> second_weight() {
  std::vector<float> values;
  for (int i = 0; i < outputs * middle; ++i)
    values.push_back(static_cast<float>((i * 29) % 17 - 8) / 9);
  return values;
}

/// image → convolution → leaky ReLU → head, all 1 × 1.
std::shared_ptr<const network::NetworkAndWeights> two_convolutions() {
  HandNetwork net;
  const int a = net.activation(network::ActivationKind::leaky_relu,
                               net.conv(0, 3, middle, first_weight, first_bias), 0.1);
  net.level(net.conv(a, middle, outputs, second_weight(), second_bias), 1, 1);
  return std::make_shared<const network::NetworkAndWeights>(
      network::NetworkAndWeights{net.network(), net.weights()});
}

network::QuantizationScales scales() {
  network::QuantizationScales all;
  all.values.assign(4, {});
  all.values[0] = {1.0F / 255, 0, 1.0F / 127};
  all.values[1] = {0.011F, 100, 0.02F};
  all.values[2] = {0.007F, 20, 0.012F};
  all.corrections["model.0.conv"] = {{0.01F, 0, 0}, {0.02F, 0, 0}};
  return all;
}

double stored(double x, const network::ValueScale& scale, ActivationNumbers numbers) {
  const auto step =
      static_cast<double>(numbers == ActivationNumbers::symmetric ? scale.symmetric : scale.scale);
  const double number = std::nearbyint(x / step);
  if (numbers == ActivationNumbers::symmetric) return step * std::clamp(number, -128.0, 127.0);
  return step * std::clamp(number, -1.0 * scale.zero_point, 255.0 - scale.zero_point);
}

std::vector<double> channel(const std::vector<float>& weight, int row, int inputs) {
  std::vector<double> result;
  double most = 0;
  for (int i = 0; i < inputs; ++i)
    most = std::max(
        most, std::abs(static_cast<double>(weight[static_cast<std::size_t>(row * inputs + i)])));
  for (int i = 0; i < inputs; ++i)
    result.push_back(
        std::nearbyint(static_cast<double>(weight[static_cast<std::size_t>(row * inputs + i)]) /
                       most * 127) *
        most / 127);
  return result;
}

/// The logits of one pixel.
std::vector<double> by_hand(const std::array<int, 3>& pixel, ActivationNumbers numbers,
                            bool inner) {
  const network::QuantizationScales all = scales();
  std::vector<double> hidden, logits;
  for (int o = 0; o < middle; ++o) {
    double sum = static_cast<double>(first_bias[static_cast<std::size_t>(o)]);
    if (o == 0) sum += numbers == ActivationNumbers::symmetric ? 0.02 : 0.01;
    const std::vector<double> weights = channel(first_weight, o, 3);
    for (std::size_t c = 0; c < 3; ++c)
      sum += weights[c] * stored(pixel[c] / 255.0, all.values[0], numbers);
    if (inner) sum = stored(sum, all.values[1], numbers);
    hidden.push_back(stored(sum < 0 ? 0.1 * sum : sum, all.values[2], numbers));
  }
  for (int o = 0; o < outputs; ++o) {
    double sum = static_cast<double>(second_bias[static_cast<std::size_t>(o)]);
    const std::vector<double> weights = channel(second_weight(), o, middle);
    for (std::size_t c = 0; c < middle; ++c) sum += weights[c] * hidden[c];
    logits.push_back(sum);
  }
  return logits;
}

double step_of(int value, ActivationNumbers numbers) {
  const network::ValueScale scale = scales().values[static_cast<std::size_t>(value)];
  return static_cast<double>(numbers == ActivationNumbers::symmetric ? scale.symmetric
                                                                     : scale.scale);
}

/// How far a logit may be from by_hand() where each hidden number lies one step beside the one
/// there. `inner`: where what goes into its activation, of slope 1 at most, lies one of its own
/// steps beside, which is so many steps behind the rounding of the result.
double one_step_apart(int output, ActivationNumbers numbers, bool inner) {
  double hidden = step_of(2, numbers);
  if (inner) hidden *= std::ceil(step_of(1, numbers) / step_of(2, numbers));
  double sum = 0;
  for (const double weight : channel(second_weight(), output, middle)) sum += std::abs(weight);
  return sum * hidden;
}

std::vector<std::uint8_t> pixels() {
  std::vector<std::uint8_t> all;
  for (int i = 0; i < 3 * side * side; ++i)
    all.push_back(static_cast<std::uint8_t>((i * 61) % 256));
  return all;
}

}  // namespace

TEST(QuantizedDetector, ComputesWhatTheNumbersSay) {
  const auto net = two_convolutions();
  const auto plan = std::make_shared<const network::Quantization>(
      network::make_quantization(net->network, scales(), {}));
  const std::vector<std::uint8_t> image = pixels();
  for (const auto numbers : {ActivationNumbers::asymmetric, ActivationNumbers::symmetric})
    for (const bool inner : {false, true}) {
      const auto detector =
          make_quantized_detector(net, {plan, numbers, inner}, {.threads = 1, .raw_maps = true});
      EXPECT_NE(detector->description().find("int8"), std::string::npos);
      Prediction found;
      detector->predict({image, 1, side, side}, found);
      ASSERT_EQ(found.raw.size(), 1U);
      int beyond = 0;
      for (int pixel = 0; pixel < side * side; ++pixel) {
        std::array<int, 3> rgb{};
        for (std::size_t c = 0; c < 3; ++c)
          rgb[c] = image[c * side * side + static_cast<std::size_t>(pixel)];
        const std::vector<double> wanted = by_hand(rgb, numbers, inner);
        for (std::size_t o = 0; o < outputs; ++o) {
          const double apart =
              std::abs(static_cast<double>(
                           found.raw[0].values[static_cast<std::size_t>(pixel) * outputs + o]) -
                       wanted[o]);
          EXPECT_LE(apart, one_step_apart(static_cast<int>(o), numbers, inner) + 1e-4)
              << "pixel " << pixel << ", output " << o << ", inner " << inner;
          if (apart > 1e-4) ++beyond;
        }
      }
      // A number halfway between two steps may go either way: in few of the pixels.
      EXPECT_LE(beyond, side * side * outputs / 5) << inner;
    }
}

TEST(QuantizedDetector, WithoutConvolutionsItIsTheNetwork) {
  const auto net = two_convolutions();
  const auto plan = std::make_shared<const network::Quantization>(
      network::make_quantization(net->network, scales(), {"model.0.conv", "model.2.conv"}));
  const std::vector<std::uint8_t> image = pixels();
  Prediction wanted, found;
  make_openvino_detector(net, {.threads = 1})->predict({image, 1, side, side}, wanted);
  make_quantized_detector(net, {plan}, {.threads = 1})->predict({image, 1, side, side}, found);
  EXPECT_EQ(found.decoded, wanted.decoded);
}

TEST(ValueStream, GivesTheValuesOfEachImage) {
  const auto net = two_convolutions();
  const auto stream = stream_values(net, {0, 2}, side, side);
  for (int image = 0; image < 2; ++image) {
    std::vector<std::uint8_t> bytes = pixels();
    if (image == 1) std::reverse(bytes.begin(), bytes.end());
    const auto values = stream->run({bytes, 1, side, side});
    ASSERT_EQ(values.size(), 2U);
    EXPECT_EQ(values[0].number, 0);
    EXPECT_EQ(values[1].channels, middle);
    for (std::size_t i = 0; i < bytes.size(); ++i)
      EXPECT_NEAR(values[0].values[i], bytes[i] / 255.0, 1e-6);
    for (std::size_t at = 0; at < side * side; ++at) {
      double sum = static_cast<double>(first_bias[1]);
      for (std::size_t c = 0; c < 3; ++c)
        sum += static_cast<double>(first_weight[3 + c]) * bytes[c * side * side + at] / 255.0;
      EXPECT_NEAR(values[1].values[side * side + at], sum < 0 ? 0.1 * sum : sum, 1e-5);
    }
  }
}
