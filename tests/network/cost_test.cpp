// GFLOPs against the table of architecture 4.4, and shapes.
#include "network/graph/cost.hpp"

#include <gtest/gtest.h>

#include "network/config/builder.hpp"
#include "tests/network/config_fixture.hpp"

namespace yolov7::network {
namespace {

struct Row {
  const char* name;
  int size;
  double training, training_bias, deploy, deploy_bias;
};
const Row rows[] = {
    {"yolov7-tiny", 640, 13.70, 13.74, 13.70, 13.74},
    {"yolov7", 640, 105.77, 105.95, 104.51, 104.68},
    {"yolov7x", 640, 189.67, 189.90, 189.67, 189.90},
    {"yolov7-w6", 640, 105.03, 105.15, 89.93, 90.04},
    {"yolov7-w6", 1280, 420.11, 420.60, 359.72, 360.16},
    {"yolov7-e6", 640, 147.02, 147.21, 128.61, 128.78},
    {"yolov7-e6", 1280, 588.09, 588.84, 514.43, 515.12},
    {"yolov7-d6", 640, 201.52, 201.74, 175.43, 175.65},
    {"yolov7-d6", 1280, 806.06, 806.96, 701.74, 702.58},
    {"yolov7-e6e", 640, 228.96, 229.24, 210.55, 210.81},
    {"yolov7-e6e", 1280, 915.85, 916.95, 842.18, 843.24},
};
constexpr double half_digit = 0.0050001;  // the table has two decimals

TEST(Cost, GflopsOfAllVariants) {
  for (const Row& row : rows) {
    SCOPED_TRACE(std::string(row.name) + " " + std::to_string(row.size));
    const Cost c =
        cost(build_config(std::string("training/") + row.name + ".yaml"), row.size, row.size);
    EXPECT_NEAR(c.flops.gflops, row.training, half_digit);
    EXPECT_NEAR(c.flops.with_bias, row.training_bias, half_digit);
    EXPECT_NEAR(c.fused_flops.gflops, row.deploy, half_digit);
    EXPECT_NEAR(c.fused_flops.with_bias, row.deploy_bias, half_digit);
    const Cost d =
        cost(build_config(std::string("deploy/") + row.name + ".yaml"), row.size, row.size);
    EXPECT_NEAR(d.fused_flops.gflops, row.deploy, half_digit);
    EXPECT_NEAR(d.fused_flops.with_bias, row.deploy_bias, half_digit);
  }
}

TEST(Cost, OneConvolutionByHand) {
  // 3 → 8 channels, 3×3, stride 2, 64×32 → 32×16; then the detection convolution 8 → 6.
  const Network n = build(
      small_config("  - [-1, 1, Conv, [8, 3, 2]]\n  - [-1, 1, Detect, [nc, anchors]]\n"), "small");
  const Cost c = cost(n, 64, 32);
  const double first = 2.0 * 32 * 16 * 8 * 3 * 9, head = 2.0 * 32 * 16 * 6 * 8;
  EXPECT_DOUBLE_EQ(c.flops.gflops, (first + head) * 1e-9);
  EXPECT_DOUBLE_EQ(c.flops.with_bias, (first + head + 2.0 * 32 * 16 * (8 + 6)) * 1e-9);
  EXPECT_EQ(c.parameters, 8 * 3 * 9 + 2 * 8 + 6 * 8 + 6);
  EXPECT_EQ(c.fused_parameters, 8 * 3 * 9 + 8 + 6 * 8 + 6);
  EXPECT_DOUBLE_EQ(c.layer_flops[0].gflops, first * 1e-9);
  EXPECT_EQ(c.layer_sizes[0].channels, 8);
  EXPECT_EQ(c.layer_sizes[0].height, 32);
  EXPECT_EQ(c.layer_sizes[0].width, 16);
}

// Architecture 9.4: 640 × 640 gives maps of 80, 40 and 20 cells; ReOrg and Upsample by 1.4 and 1.5.
TEST(Cost, Shapes) {
  const Network v7 = build_config("training/yolov7.yaml");
  const auto sizes = value_sizes(v7, 640, 640);
  for (int j = 0; j < 3; ++j) {
    EXPECT_EQ(sizes[static_cast<std::size_t>(v7.levels[static_cast<std::size_t>(j)].value)].height,
              80 >> j);
    EXPECT_EQ(
        sizes[static_cast<std::size_t>(v7.levels[static_cast<std::size_t>(j)].value)].channels,
        255);
  }
  const Cost w6 = cost(build_config("training/yolov7-w6.yaml"), 128, 192);
  EXPECT_EQ(w6.layer_sizes[0].channels, 12);
  EXPECT_EQ(w6.layer_sizes[0].height, 64);
  EXPECT_EQ(w6.layer_sizes[0].width, 96);
  EXPECT_EQ(w6.layer_sizes.back().height, 0);
}

TEST(Cost, SizesThatDoNotFit) {
  const Network tiny = build_config("training/yolov7-tiny.yaml");
  EXPECT_NE(error_of([&] { cost(tiny, 72, 72); }).find("multiple of 32"), std::string::npos);
  EXPECT_NE(error_of([&] { cost(tiny, 0, 64); }).find("65535"), std::string::npos);
  EXPECT_EQ(error_of([&] { cost(tiny, 32, 64); }), "no error");
}

}  // namespace
}  // namespace yolov7::network
