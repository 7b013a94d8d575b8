// Convolutions at the size of initial values: factors by hand, and the network stays the same.
#include "network/transform/initial_norms.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "core/error.hpp"
#include "network/config/builder.hpp"
#include "tests/network/config_fixture.hpp"

namespace yolov7::network {
namespace {

const char* const two_layers =
    "  - [-1, 1, Conv, [8, 1, 1]]\n  - [-1, 1, Conv, [8, 1, 1]]\n  - [-1, 1, Detect, [nc, "
    "anchors]]\n";

void put(Weights& w, const std::string& name, double value, DataType type = DataType::float64) {
  const std::vector<std::int64_t> shape = w.at(name).shape;
  std::int64_t count = 1;
  for (const std::int64_t side : shape) count *= side;
  w.set(name, Tensor::from(std::vector<double>(static_cast<std::size_t>(count), value), shape)
                  .converted(type));
}

double first(const Weights& w, const std::string& name) { return w.at(name).to_doubles().front(); }

// 8 · 3 weights of 2: ‖w‖² = 96; 8 / 3 is wanted: a 36th, factor 1 / 6. The second layer, 8 · 8
// weights of .2, ‖w‖² = 2.56, is short enough.
TEST(InitialNorms, ByHand) {
  const Network n = build(small_config(two_layers), "small");
  Weights w = numbered_weights(n);
  put(w, "model.0.conv.weight", 2);
  put(w, "model.0.bn.weight", 3);
  put(w, "model.0.bn.bias", 0.5);
  put(w, "model.0.bn.running_mean", 12);
  put(w, "model.0.bn.running_var", 36);
  put(w, "model.1.conv.weight", 0.2);
  const InitialNorms result = with_initial_norms(n, w);
  EXPECT_EQ(result.convolutions, 1u);
  EXPECT_NEAR(result.smallest, 1.0 / 6, 1e-15);
  EXPECT_NEAR(first(result.weights, "model.0.conv.weight"), 1.0 / 3, 1e-15);
  EXPECT_NEAR(first(result.weights, "model.0.bn.running_mean"), 2, 1e-14);
  EXPECT_NEAR(first(result.weights, "model.0.bn.running_var"), 1, 1e-14);
  EXPECT_NEAR(first(result.weights, "model.0.bn.weight"), 18 * std::sqrt(1.001 / 36.001), 1e-14);
  EXPECT_EQ(first(result.weights, "model.0.bn.bias"), 0.5);
  for (const auto& [name, tensor] : w.entries()) {
    if (name.rfind("model.0.", 0) == 0) continue;
    EXPECT_TRUE(result.weights.at(name).bytes == tensor.bytes) << name;
  }
  EXPECT_LT(result.difference, 1e-14);
}

TEST(InitialNorms, TypesStayAndHalfPrecisionIsNear) {
  const Network n = build(small_config(two_layers), "small");
  Weights w = numbered_weights(n);
  for (const char* name : {"model.0.conv.weight", "model.1.conv.weight"}) put(w, name, 3);
  for (const char* name : {"model.0.bn.running_var", "model.1.bn.running_var"}) put(w, name, 0.7);
  const Weights half = converted(w, DataType::float16);
  const InitialNorms result = with_initial_norms(n, half);
  EXPECT_EQ(result.convolutions, 2u);
  for (const auto& [name, tensor] : half.entries())
    EXPECT_EQ(result.weights.at(name).type, tensor.type) << name;
  EXPECT_TRUE(result.difference > 0 && result.difference < 0.005)
      << result.difference;  // three roundings to 11 bits
}

TEST(InitialNorms, RefusesWhatOverflows) {
  const Network n = build(small_config(two_layers), "small");
  Weights w = numbered_weights(n);
  put(w, "model.0.conv.weight", 1e30);
  put(w, "model.0.bn.weight", 1e300);
  EXPECT_THROW(with_initial_norms(n, w), Error);
  w = numbered_weights(n);
  w.set("model.0.conv.weight", Tensor::from(std::vector<double>(3, 1), {3}));
  EXPECT_THROW(with_initial_norms(n, w), Error);
}

}  // namespace
}  // namespace yolov7::network
