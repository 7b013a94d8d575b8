// Counts, names and anchors of the reference's own networks (forward-*.json); values are
// golden.forward's.
#include <gtest/gtest.h>

#include <map>

#include "network/config/builder.hpp"
#include "network/graph/cost.hpp"
#include "tests/golden/reference.hpp"
#include "tests/network/config_fixture.hpp"

namespace yolov7::network {
namespace {

using Role = TensorSpec::Role;

std::int64_t elements(const TensorSpec& spec) {
  std::int64_t count = 1;
  for (const std::int64_t side : spec.shape) count *= side;
  return count;
}

/// The reference's count after folding: every batch-norm leaves a bias (γ and β become one number
/// per channel), the 1×1 branch of a RepConv and its batch-norm go; implicit tensors and auxiliary
/// convolutions stay in it.
std::int64_t reference_fused_count(const Network& network) {
  std::int64_t count = 0;
  for (const TensorSpec& spec : network.tensors)
    if (spec.trainable() && spec.role != Role::bn_weight &&
        spec.name.find(".rbr_1x1.") == std::string::npos)
      count += elements(spec);
  return count;
}

/// What the deploy graph lacks of the above: implicit tensors, m2, and the auxiliary convolution
/// layers.
std::int64_t training_only_count(const Network& network) {
  std::int64_t count = 0;
  const std::string head = "model." + std::to_string(network.head_layer) + ".";
  const auto auxiliary = network.lead_levels() == network.levels.size() ? 0 : network.lead_levels();
  for (const TensorSpec& spec : network.tensors) {
    const int layer = std::stoi(spec.name.substr(6));
    const bool convolution =
        layer < network.head_layer && layer >= network.head_layer - static_cast<int>(auxiliary);
    const bool in_head = spec.role == Role::implicit_add || spec.role == Role::implicit_mul ||
                         spec.name.rfind(head + "m2.", 0) == 0;
    if (spec.trainable() && spec.role != Role::bn_weight && (convolution || in_head))
      count += elements(spec);
  }
  return count;
}

TEST(GoldenGraph, CountsOfTheReference) {
  YOLOV7_REQUIRE_REFERENCE(golden::golden_dir());
  golden::Cases cases("graph");
  for (const auto& file : golden::golden_files("forward-")) {
    SCOPED_TRACE(file.filename().string());
    const nlohmann::json one = golden::load(file);
    Overrides overrides;
    overrides.class_count = one.at("nc");
    overrides.width_multiple = one.at("overrides").value("width_multiple", 0.0);
    overrides.depth_multiple = one.at("overrides").value("depth_multiple", 0.0);
    const bool deploy = file.stem().string().find("-deploy") != std::string::npos;
    const Network n = build_config(
        (deploy ? "deploy/" : "training/") + one.at("cfg").get<std::string>(), overrides);
    EXPECT_EQ(n.parameter_count(), one.at("parameters").get<std::int64_t>());
    EXPECT_EQ(n.tensors.size(), one.at("tensors").get<std::size_t>());
    EXPECT_EQ(n.layers.size(), one.at("layers").get<std::size_t>());
    EXPECT_EQ(n.strides(), one.at("stride").get<std::vector<double>>());
    std::vector<double> grid;
    for (std::size_t j = 0; j < n.lead_levels(); ++j)
      for (const AnchorSize& a : n.levels[j].anchors) grid.insert(grid.end(), {a.w, a.h});
    EXPECT_EQ(grid, one.at("anchor_grid").get<std::vector<double>>());
    const std::int64_t fused = one.at("fused_parameters");
    EXPECT_EQ(reference_fused_count(n), fused);
    const int size = one.at("size");
    EXPECT_EQ(cost(n, size, size).fused_parameters, fused - training_only_count(n));
    cases.ran();
  }
}

}  // namespace
}  // namespace yolov7::network
