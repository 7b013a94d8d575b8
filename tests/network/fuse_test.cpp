// Folding (architecture 5.1–5.4): small numbers by hand, and whole networks against the unfused
// ones in double.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "network/config/builder.hpp"
#include "network/graph/cost.hpp"
#include "tests/network/config_fixture.hpp"
#include "tests/runtime/reference_interpreter.hpp"

namespace yolov7::network {
namespace {

/// One value of a tensor after fusing in float64.
std::vector<double> fused(const NetworkAndWeights& f, const std::string& name) {
  return f.weights.at(name).to_doubles();
}
void put(Weights& w, const std::string& name, const std::vector<double>& values,
         std::vector<std::int64_t> shape) {
  w.set(name, Tensor::from(values, std::move(shape)));
}

/// γ, β, μ, σ² of one channel.
void put_norm(Weights& w, const std::string& prefix, std::vector<double> gamma,
              std::vector<double> beta, std::vector<double> mean, std::vector<double> variance) {
  const auto c = static_cast<std::int64_t>(gamma.size());
  put(w, prefix + ".weight", gamma, {c});
  put(w, prefix + ".bias", beta, {c});
  put(w, prefix + ".running_mean", mean, {c});
  put(w, prefix + ".running_var", variance, {c});
}

constexpr double exact = 1e-14;  // a handful of double roundings on values around 1

// r = γ / √(σ² + 0.001); variances are chosen so that the root is whole: 0.999 → 1, 3.999 → 2.
TEST(Fuse, ConvolutionAndBatchNormByHand) {
  const Network n = build(
      small_config("  - [-1, 1, Conv, [2, 1, 1]]\n  - [-1, 1, Detect, [nc, anchors]]\n"), "small");
  ASSERT_EQ(n.layers[0].out_channels, 8);  // make_divisible
  Weights w = numbered_weights(n);
  std::vector<double> conv(24), gamma(8, 1), beta(8, 0), mean(8, 0), variance(8, 0.999);
  for (std::size_t i = 0; i < conv.size(); ++i) conv[i] = static_cast<double>(i) + 1;
  gamma[1] = 6, beta[1] = 10, mean[1] = 4, variance[1] = 3.999;  // r = 3, shift = 10 − 12
  beta[2] = -1, mean[2] = 5;
  put(w, "model.0.conv.weight", conv, {8, 3, 1, 1});
  put_norm(w, "model.0.bn", gamma, beta, mean, variance);
  const NetworkAndWeights f = fuse(n, w, DataType::float64);
  const auto weight = fused(f, "model.0.conv.weight"), bias = fused(f, "model.0.conv.bias");
  EXPECT_NEAR(weight[0], 1, exact);
  EXPECT_NEAR(weight[3], 12, 12 * exact);  // 4 · 3
  EXPECT_NEAR(weight[5], 18, 18 * exact);
  EXPECT_NEAR(bias[0], 0, exact);
  EXPECT_NEAR(bias[1], -2, 12 * exact);
  EXPECT_NEAR(bias[2], -6, 6 * exact);
  EXPECT_EQ(f.weights.find("model.0.bn.weight"), nullptr);
  EXPECT_EQ(f.network.parameter_count(), cost(n, 8, 8).fused_parameters);
}

TEST(Fuse, RepConvWithIdentityByHand) {
  const Network n = build(small_config("  - [-1, 1, Conv, [8, 1, 1]]\n  - [-1, 1, RepConv, [8, 3, "
                                       "1]]\n  - [-1, 1, Detect, [nc, anchors]]\n"),
                          "small");
  EXPECT_EQ(n.tensors[6].name, "model.1.rbr_identity.weight");  // first in checkpoint order (1.8)
  Weights w = numbered_weights(n);
  const auto eights = [](double v) { return std::vector<double>(8, v); };
  put(w, "model.1.rbr_dense.0.weight", std::vector<double>(576, 0.5), {8, 8, 3, 3});
  put(w, "model.1.rbr_1x1.0.weight", std::vector<double>(64, 0.25), {8, 8, 1, 1});
  put_norm(w, "model.1.rbr_dense.1", eights(2), eights(1), eights(3),
           eights(0.999));  // r 2, shift 1 − 6
  put_norm(w, "model.1.rbr_1x1.1", eights(8), eights(2), eights(1),
           eights(3.999));  // r 4, shift 2 − 4
  put_norm(w, "model.1.rbr_identity", eights(3), eights(0.5), eights(2),
           eights(0.999));  // r 3, shift 0.5 − 6
  const NetworkAndWeights f = fuse(n, w, DataType::float64);
  const auto weight = fused(f, "model.1.rbr_reparam.weight"),
             bias = fused(f, "model.1.rbr_reparam.bias");
  ASSERT_EQ(weight.size(), 576u);
  for (std::size_t o = 0; o < 8; ++o) {
    EXPECT_NEAR(bias[o], -5 - 2 - 5.5, 10 * exact);
    for (std::size_t i = 0; i < 8; ++i)
      for (std::size_t k = 0; k < 9; ++k) {
        const double expected = 1 + (k == 4 ? 1.0 : 0.0) + (k == 4 && o == i ? 3.0 : 0.0);
        EXPECT_NEAR(weight[(o * 8 + i) * 9 + k], expected, 10 * exact) << o << ' ' << i << ' ' << k;
      }
  }
}

// b' = g · (b + Σ W a) with the unscaled W, W' = g · W (5.3).
TEST(Fuse, ImplicitTensorsByHand) {
  const Network n =
      build(small_config("  - [-1, 1, ReOrg, []]\n  - [-1, 1, IDetect, [nc, anchors]]\n"), "small");
  Weights w = numbered_weights(n);
  std::vector<double> weight(72, 0.0), a(12, 0.0), g(6, 1.0), b(6, 0.5);
  weight[0] = 2, weight[1] = 3, weight[12] = 5;
  a[0] = 10, a[1] = 100;
  g[0] = 0.5, g[1] = -4;
  put(w, "model.1.m.0.weight", weight, {6, 12, 1, 1});
  put(w, "model.1.m.0.bias", b, {6});
  put(w, "model.1.ia.0.implicit", a, {1, 12, 1, 1});
  put(w, "model.1.im.0.implicit", g, {1, 6, 1, 1});
  const NetworkAndWeights f = fuse(n, w, DataType::float64);
  const auto fw = fused(f, "model.1.m.0.weight"), fb = fused(f, "model.1.m.0.bias");
  EXPECT_DOUBLE_EQ(fw[0], 1);
  EXPECT_DOUBLE_EQ(fw[1], 1.5);
  EXPECT_DOUBLE_EQ(fw[12], -20);
  EXPECT_DOUBLE_EQ(fb[0], 0.5 * (0.5 + 20 + 300));
  EXPECT_DOUBLE_EQ(fb[1], -4 * (0.5 + 50));
  EXPECT_DOUBLE_EQ(fb[5], 0.5);
  EXPECT_EQ(f.network.head, HeadKind::detect);
  EXPECT_EQ(f.weights.find("model.1.ia.0.implicit"), nullptr);
}

/// Raw lead maps of the fused and the unfused network, element by element.
void expect_equal_maps(const Network& n, int size) {
  const Weights weights = reference::to_weights(n, reference::formula_tensors(n));
  reference::Tensors tensors, folded;
  for (const auto& [name, tensor] : weights.entries()) tensors[name] = tensor.to_doubles();
  const NetworkAndWeights f = fuse(n, weights, DataType::float64);
  for (const auto& [name, tensor] : f.weights.entries()) folded[name] = tensor.to_doubles();
  const reference::Map input = reference::formula_input(1, size);
  const auto before = reference::Interpreter(n, tensors).run(input, false),
             after = reference::Interpreter(f.network, folded).run(input, false);
  ASSERT_EQ(after.size(), n.lead_levels());
  for (std::size_t l = 0; l < after.size(); ++l) {
    ASSERT_EQ(before[l].values.size(), after[l].values.size());
    double largest = 0;
    for (std::size_t i = 0; i < after[l].values.size(); ++i)
      largest = std::max(largest, std::abs(before[l].values[i] - after[l].values[i]) /
                                      std::max(1.0, std::abs(before[l].values[i])));
    EXPECT_LT(largest, 1e-9) << "level " << l;  // the bound of architecture 5.5
  }
  EXPECT_EQ(f.network.parameter_count(), cost(n, size, size).fused_parameters);
  for (const TensorSpec& spec : f.network.tensors)
    EXPECT_EQ(spec.name.find(".bn."), std::string::npos);
}

TEST(Fuse, WholeNetworksKeepTheirOutput) {
  Overrides slim;
  slim.class_count = 3;
  slim.width_multiple = 0.125;
  for (const char* path :
       {"training/yolov7-tiny.yaml", "training/yolov7.yaml", "training/yolov7-w6.yaml",
        "training/yolov7-e6e.yaml", "deploy/yolov7-d6.yaml"}) {
    SCOPED_TRACE(path);
    expect_equal_maps(build_config(path, slim), 64);
  }
}

TEST(Fuse, AuxiliaryHeadIsDroppedAndAnchorsStay) {
  Overrides slim;
  slim.width_multiple = 0.125;
  const Network n = build_config("training/yolov7-w6.yaml", slim);
  const Weights w = numbered_weights(n);
  const NetworkAndWeights f = fuse(n, w);
  EXPECT_EQ(f.network.levels.size(), 4u);
  EXPECT_EQ(f.weights.at("model.122.anchor_grid").to_floats(),
            w.at("model.122.anchor_grid").to_floats());
  EXPECT_EQ(f.weights.at("model.1.conv.weight").type, DataType::float32);
  for (const auto& [name, tensor] : f.weights.entries()) {
    EXPECT_EQ(name.find(".m2."), std::string::npos) << name;
    for (const char* layer : {"model.118.", "model.119.", "model.120.", "model.121."})
      EXPECT_NE(name.rfind(layer, 0), 0u) << name;
  }
  check(f.network, f.weights);
}

TEST(Fuse, WrongWeightsAreRefused) {
  const Network n = build(
      small_config("  - [-1, 1, Conv, [8, 1, 1]]\n  - [-1, 1, Detect, [nc, anchors]]\n"), "small");
  EXPECT_NE(error_of([&] { fuse(n, Weights()); }).find("is missing"), std::string::npos);
}

}  // namespace
}  // namespace yolov7::network
