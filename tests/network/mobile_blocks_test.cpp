// Blocks for small processors and the two backbones of them (architecture 7.4 and 7.5): counts of
// the papers, worked from their tables.
#include "network/config/mobile_blocks.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "network/graph/cost.hpp"
#include "network/transform/quantization.hpp"
#include "tests/network/config_fixture.hpp"

namespace yolov7::network {
namespace {

/// Layer 0 gives the block its input channels; layer 1 is the block.
Network block(int input_channels, const std::string& entry) {
  return build(small_config("  - [-1, 1, Conv, [" + std::to_string(input_channels) +
                            ", 1, 1]]\n  - " + entry + "\n  - [-1, 1, Detect, [nc, anchors]]\n"),
               "block.yaml");
}

/// The convolutions of layer 1, in order of execution.
std::vector<Convolution> convolutions(const Network& network) {
  std::vector<Convolution> found;
  for (const Operation& op : network.operations)
    if (const Convolution* conv = op.as<Convolution>(); conv != nullptr && op.layer == 1)
      found.push_back(*conv);
  return found;
}

std::vector<ActivationKind> activations(const Network& network) {
  std::vector<ActivationKind> found;
  for (const Operation& op : network.operations)
    if (const Activate* act = op.as<Activate>(); act != nullptr && op.layer == 1)
      found.push_back(act->activation.kind);
  return found;
}

bool adds(const Network& network) {
  return std::ranges::any_of(network.operations, [](const Operation& op) {
    return op.layer == 1 && op.is<Add>() && op.inputs.size() == 2;
  });
}

TEST(MobileBlocks, DepthwiseConvolution) {
  const Network n = block(16, "[-1, 1, DWConv, [5, 2]]");
  const std::vector<Convolution> convs = convolutions(n);
  ASSERT_EQ(convs.size(), 1u);
  EXPECT_EQ(convs[0].tensor, "model.1.conv");
  EXPECT_EQ(convs[0].groups, 16);
  EXPECT_EQ(convs[0].kernel_h, 5);
  EXPECT_EQ(convs[0].pad_h, 2);
  EXPECT_EQ(convs[0].stride, 2);
  EXPECT_EQ(n.layers[1].out_channels, 16);
  EXPECT_EQ(n.layers[1].parameters, 16 * 25 + 2 * 16);
  EXPECT_EQ(activations(n), std::vector{ActivationKind::silu});
  EXPECT_EQ(block(16, "[-1, 1, DWConv, []]").layers[1].parameters, 16 * 9 + 2 * 16);
  EXPECT_EQ(activations(block(16, "[-1, 1, DWConv, [3, 1, None, nn.ReLU6()]]")),
            std::vector{ActivationKind::relu6});
}

// Sandler et al. 2018, table 1: h · w · k → 1×1 expansion t, ReLU6 → 3×3 depthwise, ReLU6 → linear
// 1×1. With t = 6 on 24 channels, 144 inside.
TEST(MobileBlocks, InvertedResidual) {
  const Network n = block(24, "[-1, 1, MBConv, [24, 6, 3, 1]]");
  const std::vector<Convolution> convs = convolutions(n);
  ASSERT_EQ(convs.size(), 3u);
  EXPECT_EQ(convs[0].tensor, "model.1.expand.conv");
  EXPECT_EQ(convs[1].tensor, "model.1.depthwise.conv");
  EXPECT_EQ(convs[2].tensor, "model.1.project.conv");
  EXPECT_EQ(convs[1].groups, 144);
  EXPECT_EQ(convs[1].out_channels, 144);
  EXPECT_EQ(convs[2].out_channels, 24);
  EXPECT_EQ(activations(n), (std::vector{ActivationKind::relu6, ActivationKind::relu6}));
  EXPECT_EQ(n.layers[1].parameters,
            (24 * 144 + 2 * 144) + (144 * 9 + 2 * 144) + (144 * 24 + 2 * 24));
  EXPECT_TRUE(adds(n));
  // No shortcut where the size or the width changes.
  EXPECT_FALSE(adds(block(24, "[-1, 1, MBConv, [24, 6, 3, 2]]")));
  EXPECT_FALSE(adds(block(24, "[-1, 1, MBConv, [32, 6, 3, 1]]")));
}

TEST(MobileBlocks, WithoutExpansionThereIsNoFirstConvolution) {
  const Network n = block(32, "[-1, 1, MBConv, [16, 1]]");
  const std::vector<Convolution> convs = convolutions(n);
  ASSERT_EQ(convs.size(), 2u);
  EXPECT_EQ(convs[0].tensor, "model.1.depthwise.conv");
  EXPECT_EQ(n.layers[1].parameters, (32 * 9 + 2 * 32) + (32 * 16 + 2 * 16));
}

TEST(MobileBlocks, NormalizeSubtractsTheMeanAndDividesByTheDeviation) {
  const Network n = build_config("training/yolov7-tiny-mobilenetv2.yaml");
  const auto found = image_normalization(n.layers[0]);
  ASSERT_TRUE(found.has_value());
  // torchvision's numbers for values of 0 … 1.
  const double mean[] = {0.485, 0.456, 0.406}, deviation[] = {0.229, 0.224, 0.225};
  for (std::size_t c = 0; c < 3; ++c) {
    EXPECT_NEAR(found->scale[c], 1 / deviation[c], 1e-12);
    EXPECT_NEAR(found->shift[c], -mean[c] / deviation[c], 1e-12);
  }
  const Convolution* conv = n.operations[0].as<Convolution>();
  ASSERT_NE(conv, nullptr);
  EXPECT_EQ(n.operations[0].inputs, std::vector<int>{0});
  EXPECT_EQ(conv->groups, 3);
  EXPECT_TRUE(conv->bias);
  EXPECT_EQ(conv->kernel_h, 1);
  EXPECT_FALSE(image_normalization(n.layers[1]).has_value());
}

TEST(MobileBlocks, WrongArgumentsAreNamed) {
  const auto message = [](const std::string& layers) {
    return error_of([&] { build(small_config(layers), "x.yaml"); });
  };
  const auto first = [&](const std::string& entry) {
    return message("  - " + entry + "\n  - [-1, 1, Detect, [nc, anchors]]\n");
  };
  const auto has = [](const std::string& text, const char* part) {
    return text.find(part) != std::string::npos;
  };
  EXPECT_TRUE(has(first("[-1, 1, MBConv, [8, 0]]"), "expected an expansion of 1 to 16, found 0"));
  EXPECT_TRUE(has(first("[-1, 1, MBConv, [8, 17]]"), "expected an expansion of 1 to 16"));
  EXPECT_TRUE(has(first("[-1, 1, MBConv, [8, 6, 4, 1]]"), "do not give an output"));
  EXPECT_TRUE(has(first("[-1, 1, DWConv, [3, 1, -2]]"), "argument 3: expected a padding of 0"));
  EXPECT_TRUE(has(first("[-1, 1, Normalize, [[1, 2], [1, 1, 1]]]"), "argument 1: expected 3"));
  EXPECT_TRUE(has(first("[-1, 1, Normalize, [[1, 2, 3], [1, 0, 1]]]"), "argument 2: expected 3"));
  EXPECT_TRUE(has(first("[-1, 1, Normalize, [[1, 2, 256], [1, 1, 1]]]"), "argument 1: expected"));
  EXPECT_TRUE(has(message("  - [-1, 1, Conv, [3, 1, 1]]\n  - [-1, 1, Normalize, [[1, 2, 3], [1, 1, "
                          "1]]]\n  - [-1, 1, Detect, [nc, anchors]]\n"),
                  "expected the image as its input"));
}

/// A row of the paper's table: expansion, channels, repeats, stride of the first, kernel; and what
/// this project's kernel is where it has another (7.5).
struct Row {
  int expansion, channels, repeats, stride, kernel, kernel_here;
};
struct Published {
  const char* config;
  std::vector<Row> rows;
  int stem_kernel_here;
  std::int64_t parameters, multiply_adds;  ///< of the published network, at 224 px
  std::int64_t more_parameters;            ///< zeros of wider kernels
};
// MobileNetV2: Sandler et al. 2018, table 2. EfficientNet-Lite0: B0's table (Tan and Le 2019) with
// ReLU6 and without squeeze-and-excitation. Totals are those of their publishers' files, the last
// convolution (320 → 1280) and the classifier (1280 → 1000) included; the multiply-adds of the
// paper are 300 million.
const Published published[] = {
    {"training/yolov7-tiny-mobilenetv2.yaml",
     {{1, 16, 1, 1, 3, 3},
      {6, 24, 2, 2, 3, 3},
      {6, 32, 3, 2, 3, 3},
      {6, 64, 4, 2, 3, 3},
      {6, 96, 3, 1, 3, 3},
      {6, 160, 3, 2, 3, 3},
      {6, 320, 1, 1, 3, 3}},
     3,
     3'504'872,
     300'774'272,
     0},
    {"training/yolov7-tiny-efficientnet-lite0.yaml",
     {{1, 16, 1, 1, 3, 3},
      {6, 24, 2, 2, 3, 4},
      {6, 40, 2, 2, 5, 6},
      {6, 80, 3, 2, 3, 4},
      {6, 112, 3, 1, 5, 5},
      {6, 192, 4, 2, 5, 6},
      {6, 320, 1, 1, 3, 3}},
     4,
     4'652'008,
     385'187'552,
     32 * 3 * 7 + 96 * 7 + 144 * 11 + 240 * 7 + 672 * 11},
};
constexpr std::int64_t beyond_parameters = 320 * 1280 + 2 * 1280 + 1280 * 1000 + 1000;
constexpr std::int64_t beyond_multiply_adds = 7 * 7 * 320 * 1280 + 1280 * 1000;

TEST(Backbones, ShapesStridesAndParametersOfTheTables) {
  for (const Published& one : published) {
    SCOPED_TRACE(one.config);
    const Network n = build_config(one.config);
    EXPECT_EQ(n.layers[0].block, "Normalize");
    EXPECT_EQ(n.layers[1].out_channels, 32);
    EXPECT_EQ(n.layers[1].reduction, 2);
    std::size_t at = 2;
    double reduction = 2;
    for (const Row& row : one.rows)
      for (int i = 0; i < row.repeats; ++i, ++at) {
        const Layer& layer = n.layers[at];
        reduction *= i == 0 ? row.stride : 1;
        EXPECT_EQ(layer.block, "MBConv") << at;
        EXPECT_EQ(layer.inputs, std::vector<int>{static_cast<int>(at) - 1});
        EXPECT_EQ(layer.out_channels, row.channels) << at;
        EXPECT_EQ(layer.reduction, reduction) << at;
        for (const Operation& op : n.operations)
          if (const Convolution* conv = op.as<Convolution>();
              conv != nullptr && op.layer == static_cast<int>(at) && conv->groups > 1) {
            EXPECT_EQ(conv->kernel_h, i == 0 ? row.kernel_here : row.kernel) << at;
          }
      }
    EXPECT_EQ(static_cast<int>(at), n.backbone_layers);
    std::int64_t parameters = 0;
    for (std::size_t i = 1; i < at; ++i) parameters += n.layers[i].parameters;
    EXPECT_EQ(parameters, one.parameters - beyond_parameters + one.more_parameters);
    EXPECT_EQ(n.strides(), (std::vector<double>{8, 16, 32}));
  }
}

/// Worked from the table, with the published kernels or with those of the configuration.
std::int64_t backbone_multiply_adds(const Published& one, bool here) {
  const std::int64_t stem = here ? one.stem_kernel_here : 3;
  std::int64_t side = 112, in = 32, sum = side * side * 32 * 3 * stem * stem;
  for (const Row& row : one.rows)
    for (int i = 0; i < row.repeats; ++i) {
      const std::int64_t hidden = in * row.expansion,
                         kernel = here && i == 0 ? row.kernel_here : row.kernel;
      if (row.expansion > 1) sum += side * side * in * hidden;
      if (i == 0) side /= row.stride;
      sum += side * side * hidden * (kernel * kernel + row.channels);
      in = row.channels;
    }
  return sum;
}

TEST(Backbones, MultiplyAddsOfTheTables) {
  for (const Published& one : published) {
    SCOPED_TRACE(one.config);
    EXPECT_EQ(backbone_multiply_adds(one, false) + beyond_multiply_adds, one.multiply_adds);
    const Network n = build_config(one.config);
    std::set<std::string> backbone;
    for (const Operation& op : n.operations)
      if (const Convolution* conv = op.as<Convolution>();
          conv != nullptr && op.layer > 0 && op.layer < n.backbone_layers)
        backbone.insert(conv->tensor);
    double sum = 0;
    for (const auto& [tensor, count] : multiply_adds(n, 224, 224))
      if (backbone.contains(tensor)) sum += count;
    EXPECT_EQ(static_cast<std::int64_t>(sum), backbone_multiply_adds(one, true));
  }
}

// Neck and head are those of yolov7-tiny, but for the widths that they read.
TEST(Backbones, NeckAndHeadOfTiny) {
  const Network tiny = build_config("training/yolov7-tiny.yaml");
  for (const Published& one : published) {
    SCOPED_TRACE(one.config);
    const Network n = build_config(one.config);
    const auto shift = static_cast<std::size_t>(tiny.backbone_layers - n.backbone_layers);
    ASSERT_EQ(n.layers.size() + shift, tiny.layers.size());
    for (auto i = static_cast<std::size_t>(n.backbone_layers); i < n.layers.size(); ++i) {
      const Layer &mine = n.layers[i], &theirs = tiny.layers[i + shift];
      EXPECT_EQ(mine.block, theirs.block) << i;
      EXPECT_EQ(mine.arguments, theirs.arguments) << i;
      EXPECT_EQ(mine.reduction, theirs.reduction) << i;
      ASSERT_EQ(mine.inputs.size(), theirs.inputs.size()) << i;
      for (std::size_t k = 0; k < mine.inputs.size(); ++k)
        if (theirs.inputs[k] >= tiny.backbone_layers) {
          EXPECT_EQ(mine.inputs[k] + static_cast<int>(shift), theirs.inputs[k]) << i;
        } else {
          EXPECT_LT(mine.inputs[k], n.backbone_layers) << i;
        }
    }
  }
}

TEST(Backbones, SizesAtSeveralResolutions) {
  for (const Published& one : published)
    for (const int side : {32, 96, 224, 640}) {
      const Network n = build_config(one.config);
      const std::vector<ValueSize> sizes = value_sizes(n, side, side);
      for (const Level& level : n.levels) {
        const ValueSize& size = sizes[static_cast<std::size_t>(level.value)];
        EXPECT_EQ(size.height, side / static_cast<int>(level.stride)) << one.config;
        EXPECT_EQ(size.width, size.height);
      }
    }
}

}  // namespace
}  // namespace yolov7::network
