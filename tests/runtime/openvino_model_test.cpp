// One operation at a time through OpenVINO, against values worked out by hand.
#include "runtime/openvino/openvino_model.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <openvino/core/model.hpp>

#include "core/error.hpp"
#include "runtime/openvino/openvino_detector.hpp"
#include "tests/runtime/hand_network.hpp"
#include "tests/runtime/reference_interpreter.hpp"

using namespace yolov7;
using namespace yolov7::runtime;
using yolov7::testing::HandNetwork;

namespace {

// Values here are below 100 and each comes from at most a dozen float32 operations: 1e-4 is many
// times their rounding.
constexpr double tolerance = 1e-4;

/// Three planes of height × width: value 100·channel + 10·row + column, minus 111 in all for signs
/// on both sides.
std::vector<float> ramp(int height, int width) {
  std::vector<float> out;
  for (int c = 0; c < 3; ++c)
    for (int y = 0; y < height; ++y)
      for (int x = 0; x < width; ++x) out.push_back(static_cast<float>(100 * c + 10 * y + x - 111));
  return out;
}
float ramp_at(int c, int y, int x) { return static_cast<float>(100 * c + 10 * y + x - 111); }

Prediction run(const HandNetwork& net, const std::vector<float>& input, int height, int width) {
  DetectorOptions options;
  options.raw_maps = true;
  return predict_openvino(net.network(), net.weights(), options, input, 1, height, width);
}

/// Channel `c` of the only level of a one-anchor network.
float raw(const Prediction& p, int c, int y, int x) {
  const auto& map = p.raw.at(0);
  return map.values.at(static_cast<std::size_t>((y * map.width + x) * p.columns + c));
}

}  // namespace

TEST(OpenvinoModel, ConvolutionOneByOneWithBias) {
  HandNetwork net;
  std::vector<float> weight, bias;
  for (int o = 0; o < 6; ++o) {
    for (int i = 0; i < 3; ++i)
      weight.push_back(0.1f * static_cast<float>(o + 1) - 0.05f * static_cast<float>(i));
    bias.push_back(static_cast<float>(o));
  }
  net.level(net.conv(0, 3, 6, weight, bias), 1, 1);
  const Prediction p = run(net, ramp(2, 3), 2, 3);
  for (int o = 0; o < 6; ++o)
    for (int y = 0; y < 2; ++y)
      for (int x = 0; x < 3; ++x) {
        double expected = o;
        for (int i = 0; i < 3; ++i) expected += (0.1 * (o + 1) - 0.05 * i) * ramp_at(i, y, x);
        EXPECT_NEAR(raw(p, o, y, x), expected, tolerance) << o << ' ' << y << ' ' << x;
      }
}

TEST(OpenvinoModel, ConvolutionPadsWithZerosAllAround) {
  // 3×3 of ones with stride 2 on a 4×4 picture of ones: the window of cell (0, 0) holds 4 of its 9,
  // that of (1, 1) all.
  HandNetwork net;
  net.level(net.conv(0, 3, 6, std::vector<float>(6 * 3 * 9, 1), {}, 3, 2), 2, 1);
  const Prediction p = run(net, std::vector<float>(3 * 16, 1), 4, 4);
  ASSERT_EQ(p.raw.at(0).height, 2);
  EXPECT_NEAR(raw(p, 0, 0, 0), 3 * 4, tolerance);
  EXPECT_NEAR(raw(p, 0, 0, 1), 3 * 6, tolerance);
  EXPECT_NEAR(raw(p, 5, 1, 1), 3 * 9, tolerance);
}

TEST(OpenvinoModel, GroupedConvolutionKeepsGroupsApart) {
  HandNetwork net;
  net.level(net.conv(0, 3, 6, {1, 2, 3, 4, 5, 6}, {}, 1, 1, 3), 1, 1);
  const Prediction p = run(net, ramp(1, 2), 1, 2);
  for (int o = 0; o < 6; ++o)
    EXPECT_NEAR(raw(p, o, 0, 1), (o + 1) * ramp_at(o / 2, 0, 1), tolerance) << o;
}

TEST(OpenvinoModel, MaxPoolPaddingNeverWins) {
  // Everything negative: a padding of 0 would win at the border.
  HandNetwork net;
  const int pooled = net.add(network::MaxPool{5, 1, 2}, {0});
  net.level(net.add(network::Concat{}, {pooled, 0}), 1, 1);
  std::vector<float> input = ramp(6, 6);
  for (float& v : input) v -= 300;
  const Prediction p = run(net, input, 6, 6);
  EXPECT_EQ(raw(p, 0, 0, 0), ramp_at(0, 2, 2) - 300);
  EXPECT_EQ(raw(p, 1, 5, 5), ramp_at(1, 5, 5) - 300);
  EXPECT_EQ(raw(p, 2, 3, 0), ramp_at(2, 5, 2) - 300);
  EXPECT_EQ(raw(p, 3, 4, 1), ramp_at(0, 4, 1) - 300)
      << "the second part of the concatenation is the input itself";
}

TEST(OpenvinoModel, MaxPoolOfTwoHalves) {
  HandNetwork net;
  const int pooled = net.add(network::MaxPool{2, 2, 0}, {0});
  net.level(net.add(network::Concat{}, {pooled, pooled}), 2, 1);
  const Prediction p = run(net, ramp(4, 4), 4, 4);
  ASSERT_EQ(p.raw.at(0).width, 2);
  EXPECT_EQ(raw(p, 1, 0, 1), ramp_at(1, 1, 3));
}

TEST(OpenvinoModel, ConcatKeepsTheWrittenOrderAndAddAdds) {
  HandNetwork net;
  const int doubled = net.add(network::Add{}, {0, 0});
  net.level(net.add(network::Concat{}, {doubled, 0}), 1, 1);
  const Prediction p = run(net, ramp(2, 2), 2, 2);
  for (int c = 0; c < 3; ++c) {
    EXPECT_EQ(raw(p, c, 1, 0), 2 * ramp_at(c, 1, 0));
    EXPECT_EQ(raw(p, 3 + c, 1, 0), ramp_at(c, 1, 0));
  }
}

TEST(OpenvinoModel, UpsampleRepeatsEachCell) {
  HandNetwork net;
  const int large = net.add(network::Upsample{}, {0});
  net.level(net.add(network::Concat{}, {large, large}), 0.5, 1);
  DetectorOptions options;
  options.raw_maps = true;
  const Prediction p = predict_openvino(net.network(), net.weights(), options, ramp(2, 3), 1, 2, 3);
  ASSERT_EQ(p.raw.at(0).height, 4);
  ASSERT_EQ(p.raw.at(0).width, 6);
  for (int y = 0; y < 4; ++y)
    for (int x = 0; x < 6; ++x)
      EXPECT_EQ(raw(p, 4, y, x), ramp_at(1, y / 2, x / 2)) << y << ' ' << x;
}

TEST(OpenvinoModel, ReorgTakesRowsFirst) {
  // The example of architecture 1.4: 0 … 15 in one channel gives 0 2 / 8 10, 4 6 / 12 14, 1 3 / 9
  // 11, 5 7 / 13 15.
  HandNetwork net;
  net.level(net.add(network::Reorg{}, {0}), 2, 7);
  std::vector<float> input;
  for (int c = 0; c < 3; ++c)
    for (int i = 0; i < 16; ++i) input.push_back(static_cast<float>(100 * c + i));
  const Prediction p = run(net, input, 4, 4);
  const int expected[4][4] = {{0, 2, 8, 10}, {4, 6, 12, 14}, {1, 3, 9, 11}, {5, 7, 13, 15}};
  for (int q = 0; q < 4; ++q)
    for (int c = 0; c < 3; ++c)
      for (int i = 0; i < 4; ++i)
        EXPECT_EQ(raw(p, 3 * q + c, i / 2, i % 2), 100 * c + expected[q][i])
            << q << ' ' << c << ' ' << i;
}

TEST(OpenvinoModel, Activations) {
  using network::ActivationKind;
  const struct {
    ActivationKind kind;
    double slope;
    double (*f)(double);
  } cases[] = {
      {ActivationKind::identity, 0, [](double v) { return v; }},
      {ActivationKind::relu, 0, [](double v) { return v > 0 ? v : 0; }},
      {ActivationKind::relu6, 0, [](double v) { return v > 6   ? 6
                                                       : v > 0 ? v
                                                               : 0; }},
      {ActivationKind::sigmoid, 0, [](double v) { return 1 / (1 + std::exp(-v)); }},
      {ActivationKind::leaky_relu, 0.1, [](double v) { return v > 0 ? v : 0.1 * v; }},
      {ActivationKind::silu, 0, [](double v) { return v / (1 + std::exp(-v)); }},
  };
  for (const auto& one : cases) {
    HandNetwork net;
    const int active = net.activation(one.kind, 0, one.slope);
    net.level(net.add(network::Concat{}, {active, 0}), 1, 1);
    const std::vector<float> input{-20, -1, -0.25f, 0, 0.5f, 3, -3, 1, 2, -0.5f, 8, -8};
    const Prediction p = run(net, input, 2, 2);
    for (int c = 0; c < 3; ++c)
      for (int i = 0; i < 4; ++i)
        EXPECT_NEAR(raw(p, c, i / 2, i % 2), one.f(input[static_cast<std::size_t>(4 * c + i)]),
                    1e-5)
            << static_cast<int>(one.kind);
  }
}

TEST(OpenvinoModel, DecodeOfZerosIsCellCentresAndAnchors) {
  // Architecture 9.5: x = (gx + 0.5)·S, y = (gy + 0.5)·S, w = A_w, h = A_h, scores 0.5; rows by
  // level, anchor, row, column.
  HandNetwork net;
  const int first =
      net.conv(0, 3, 14, std::vector<float>(14 * 3 * 9, 0), std::vector<float>(14, 0), 3, 2);
  const int second =
      net.conv(first, 14, 14, std::vector<float>(14 * 14 * 9, 0), std::vector<float>(14, 0), 3, 2);
  net.level(first, 2, 2, {{10, 20}, {30, 5}});
  net.level(second, 4, 2, {{100, 50}, {7, 300}});
  const Prediction p = run(net, std::vector<float>(3 * 8 * 12, 0.5f), 8, 12);
  ASSERT_EQ(p.rows, 2u * (4 * 6 + 2 * 3));
  ASSERT_EQ(p.columns, 7);
  const float* row = p.picture(0);
  for (const network::Level& level : net.network().levels) {
    const int s = static_cast<int>(level.stride);
    for (const network::AnchorSize& anchor : level.anchors)
      for (int gy = 0; gy < 8 / s; ++gy)
        for (int gx = 0; gx < 12 / s; ++gx, row += 7) {
          // All these values are exact in float32, and so is σ(0).
          EXPECT_FLOAT_EQ(row[0], static_cast<float>((gx + 0.5) * s));
          EXPECT_FLOAT_EQ(row[1], static_cast<float>((gy + 0.5) * s));
          EXPECT_FLOAT_EQ(row[2], static_cast<float>(anchor.w));
          EXPECT_FLOAT_EQ(row[3], static_cast<float>(anchor.h));
          for (int e = 4; e < 7; ++e) EXPECT_FLOAT_EQ(row[e], 0.5f);
        }
  }
}

TEST(OpenvinoModel, DecodeAppliesEachElementsFormula) {
  // One cell at (1, 0) with σ = 0.75 (t = ln 3) everywhere, stride 8, anchor 10 × 20: x = (1.5 −
  // 0.5 + 1)·8, y = (1.5 − 0.5)·8, w = 1.5²·10, h = 1.5²·20.
  HandNetwork net;
  net.level(net.conv(0, 3, 6, std::vector<float>(6 * 3 * 64, 0),
                     std::vector<float>(6, std::log(3.0f)), 8, 8),
            8, 1);
  network::Network network = net.network();
  auto& conv = std::get<network::Convolution>(network.operations[0].primitive);
  conv.pad_h = conv.pad_w = 0;
  const Prediction p =
      predict_openvino(network, net.weights(), {}, std::vector<float>(3 * 8 * 16, 0), 1, 8, 16);
  const float* row = p.picture(0) + p.columns;
  const double expected[] = {16, 8, 22.5, 45, 0.75, 0.75};
  for (int e = 0; e < 6; ++e)
    EXPECT_NEAR(row[e], expected[e], 1e-5 * std::max(1.0, expected[e])) << e;
}

/// 1×1 convolution that gives channel o the value of plane 0 times o + 1.
int fan_out(HandNetwork& net) {
  std::vector<float> weight(18, 0);
  for (std::size_t o = 0; o < 6; ++o) weight[o * 3] = static_cast<float>(o + 1);
  return net.conv(0, 3, 6, weight, {});
}

Prediction run_as_stored(const HandNetwork& net, const std::vector<float>& input, int height,
                         int width) {
  DetectorOptions options;
  options.raw_maps = true;
  options.as_stored = true;
  return predict_openvino(net.network(), net.weights(), options, input, 1, height, width);
}

// What fusing removes can be run as it is. y = γ (x − μ) / √(σ² + 0.001) + β with σ² = 3.999, so
// the root is 2.
TEST(OpenvinoModel, BatchNormByHand) {
  HandNetwork net;
  const std::vector<float> gamma{1, 2, 3, 4, 5, 6}, beta{0, 1, 0, -1, 2, 3},
      mean{1, 1, 2, 0, 0, -1}, variance(6, 3.999F);
  net.level(net.per_channel<network::BatchNorm>(fan_out(net), 6,
                                                {{".weight", gamma},
                                                 {".bias", beta},
                                                 {".running_mean", mean},
                                                 {".running_var", variance}}),
            1, 1);
  EXPECT_FALSE(is_fused(net.network()));
  const Prediction p = run_as_stored(net, ramp(2, 3), 2, 3);
  for (std::size_t o = 0; o < 6; ++o)
    for (int x = 0; x < 3; ++x) {
      const double expected =
          gamma[o] * (ramp_at(0, 1, x) * static_cast<double>(o + 1) - mean[o]) / 2 + beta[o];
      EXPECT_NEAR(raw(p, static_cast<int>(o), 1, x), expected,
                  tolerance * std::max(1.0, std::abs(expected) / 100))
          << o;
    }
}

/// `combine`: of a value and its channel's number.
template <class P>
void expect_implicit(double (*combine)(double, double)) {
  const std::vector<float> vector{0.5F, -1, 2, 3, -4, 5};
  HandNetwork net;
  net.level(net.per_channel<P>(fan_out(net), 6, {{".implicit", vector}}), 1, 1);
  EXPECT_FALSE(is_fused(net.network()));
  const Prediction p = run_as_stored(net, ramp(2, 3), 2, 3);
  for (std::size_t o = 0; o < 6; ++o) {
    const double x = ramp_at(0, 0, 2) * static_cast<double>(o + 1),
                 expected = combine(x, static_cast<double>(vector[o]));
    EXPECT_NEAR(raw(p, static_cast<int>(o), 0, 2), expected,
                tolerance * std::max(1.0, std::abs(expected) / 100))
        << o;
  }
}
TEST(OpenvinoModel, ImplicitVectorsByHand) {
  expect_implicit<network::ImplicitAdd>([](double x, double own) { return x + own; });
  expect_implicit<network::ImplicitMultiply>([](double x, double own) { return x * own; });
}

template <class P>
void expect_missing_tensor() {
  HandNetwork net;
  net.level(net.per_channel<P>(fan_out(net), 6, {}), 1, 1);
  const auto model = std::make_shared<const network::NetworkAndWeights>(
      network::NetworkAndWeights{net.network(), net.weights()});
  EXPECT_THROW(make_openvino_model(model, {1, 8, 8, false, false, {}}), Error);
}
TEST(OpenvinoModel, NamesAMissingTensor) {
  expect_missing_tensor<network::BatchNorm>();
  expect_missing_tensor<network::ImplicitAdd>();
  expect_missing_tensor<network::ImplicitMultiply>();
}

TEST(OpenvinoModel, DescribesItself) {
  HandNetwork net;
  net.level(net.conv(0, 3, 12, std::vector<float>(36, 0), {}), 1, 1, {{10.5, 20}, {3, 4}});
  const auto fused = std::make_shared<const network::NetworkAndWeights>(
      network::NetworkAndWeights{net.network(), net.weights()});
  OpenvinoModelOptions options{2, 4, 6, false, true, {"a cat", "dog"}};
  const auto model = make_openvino_model(fused, options);
  EXPECT_EQ(model->input("images").get_shape(), (ov::Shape{2, 3, 4, 6}));
  EXPECT_EQ(model->input("images").get_element_type(), ov::element::u8);
  EXPECT_EQ(model->output("output0").get_shape(), (ov::Shape{2, 48, 6}));
  EXPECT_EQ(model->output("raw0").get_shape(), (ov::Shape{2, 2, 4, 6, 6}));
  EXPECT_EQ(model->get_rt_info<std::string>("yolov7", "anchors"), "10.5,20,3,4");
  EXPECT_EQ(model->get_rt_info<std::string>("yolov7", "strides"), "1");
  EXPECT_EQ(model->get_rt_info<std::string>("yolov7", "layout"), "v5");
  EXPECT_EQ(model->get_rt_info<std::string>("yolov7", "names", "0"), "a cat");
  options.width = 0;
  EXPECT_THROW(make_openvino_model(fused, options), Error);
}

TEST(OpenvinoModel, NamesAMissingWeight) {
  HandNetwork net;
  net.level(net.conv(0, 3, 6, std::vector<float>(18, 0), {}), 1, 1);
  const auto fused = std::make_shared<const network::NetworkAndWeights>(
      network::NetworkAndWeights{net.network(), {}});
  try {
    make_openvino_model(fused, {1, 4, 4, false, false, {}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("model.0.conv.weight"), std::string::npos)
        << error.what();
  }
}
