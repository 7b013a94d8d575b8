// The rules of architecture 2.1 and 2.1a, and what a wrong config is told.
#include <gtest/gtest.h>

#include <filesystem>

#include "network/config/builder.hpp"
#include "tests/network/config_fixture.hpp"
#include "tests/runtime/reference_interpreter.hpp"

namespace yolov7::network {
namespace {

const std::string detect = "  - [-1, 1, Detect, [nc, anchors]]\n";

/// Layer 0 as written, then a head.
Network one_layer(const std::string& layer, const Overrides& overrides = {}) {
  return build(small_config("  - " + layer + "\n" + detect), "net.yaml", overrides);
}

// make_divisible(v, 8) = ceil(v / 8) · 8 (2.1, rule 3), by hand for gw = 0.25.
TEST(Build, WidthMultiple) {
  Overrides quarter;
  quarter.width_multiple = 0.25;
  const std::pair<int, int> cases[] = {{32, 8},   {64, 16}, {33, 16},   {96, 24},
                                       {100, 32}, {1, 8},   {1024, 256}};
  for (const auto& [written, expected] : cases)
    EXPECT_EQ(one_layer("[-1, 1, Conv, [" + std::to_string(written) + ", 3, 1]]", quarter)
                  .layers[0]
                  .out_channels,
              expected)
        << written;
  // na · (nc + 5) = 6 is left alone; so is the width of blocks without one.
  EXPECT_EQ(one_layer("[-1, 1, Conv, [6, 1, 1]]", quarter).layers[0].out_channels, 6);
  EXPECT_EQ(one_layer("[-1, 1, ReOrg, []]", quarter).layers[0].out_channels, 12);
  const Network slim = build_config("training/yolov7.yaml", quarter);
  EXPECT_EQ(slim.layers[0].out_channels, 8);
  EXPECT_EQ(slim.layers[50].out_channels, 256);
  EXPECT_EQ(slim.layers[51].out_channels, 128);
  EXPECT_EQ(slim.layers[104].out_channels, 256);
}

// Rule 2: n' = max(round(n · gd), 1), halves to even, one more index in the names.
TEST(Build, Repeats) {
  Overrides half;
  half.depth_multiple = 0.5;
  const auto copies = [&](int n) {
    const Network built = one_layer("[-1, " + std::to_string(n) + ", Conv, [8, 3, 1]]", half);
    return built.layers[0].repeats;
  };
  EXPECT_EQ(copies(1), 1);
  EXPECT_EQ(copies(2), 1);
  EXPECT_EQ(copies(3), 2);  // 1.5
  EXPECT_EQ(copies(5), 2);  // 2.5
  EXPECT_EQ(copies(7), 4);  // 3.5
  const Network three = one_layer("[-1, 3, Conv, [8, 3, 1]]");
  EXPECT_EQ(three.tensors[0].name, "model.0.0.conv.weight");
  EXPECT_EQ(three.tensors[0].shape, (std::vector<std::int64_t>{8, 3, 3, 3}));
  EXPECT_EQ(three.tensors[6].name, "model.0.1.conv.weight");
  EXPECT_EQ(three.tensors[6].shape, (std::vector<std::int64_t>{8, 8, 3, 3}));
  EXPECT_EQ(three.tensors[12].name, "model.0.2.conv.weight");
  EXPECT_EQ(one_layer("[-1, 3, SPPCSPC, [8]]").tensors[0].name,
            "model.0.cv1.conv.weight");  // the count goes into the block
}

TEST(Build, ClassCountAndAnchors) {
  Overrides three;
  three.class_count = 3;
  const Network n = build_config("training/yolov7-tiny.yaml", three);
  EXPECT_EQ(n.class_count, 3);
  EXPECT_EQ(n.value_channels[static_cast<std::size_t>(n.levels[0].value)], 24);
  Overrides placeholders;
  placeholders.anchors_per_level = 2;
  const Network p = build_config("training/yolov7-w6.yaml", placeholders);
  EXPECT_EQ(p.anchors_per_level, 2);
  ASSERT_EQ(p.levels.size(), 8u);  // rows for the levels, not for the 8 inputs
  EXPECT_EQ(p.levels[3].anchors[1].w, 2);
  EXPECT_EQ(p.levels[7].anchors[1].h, 3);
  for (const TensorSpec& spec : p.tensors)
    if (spec.role == TensorSpec::Role::anchors) {
      EXPECT_EQ(spec.shape, (std::vector<std::int64_t>{4, 2, 2}));
    }
  // An integer in the config, known before the head: 4 · (1 + 5) = 24 is no width to scale.
  const Network counted = build(small_config("  - [-1, 1, Conv, [24, 1, 1]]\n" + detect,
                                             "nc: 1\nwidth_multiple: 0.5\nanchors: 4\n"),
                                "net.yaml");
  EXPECT_EQ(counted.layers[0].out_channels, 24);
}

// Architecture 3.8, rule 2: rows given from large to small are reversed, the order inside a row
// stays.
TEST(Build, AnchorOrder) {
  const std::string layers =
      "  - [-1, 1, Conv, [8, 3, 2]]\n  - [-1, 1, Conv, [8, 3, 2]]\n  - [[0, 1], 1, IDetect, [nc, "
      "anchors]]\n";
  const Network up =
      build(small_config(layers, "nc: 1\nanchors: [[10,10, 20,20], [30,30, 40,40]]\n"), "up");
  EXPECT_EQ(up.levels[0].anchors[0].w, 10);
  const Network down =
      build(small_config(layers, "nc: 1\nanchors: [[30,30, 40,40], [10,10, 20,20]]\n"), "down");
  EXPECT_EQ(down.levels[0].anchors[0].w, 10);
  EXPECT_EQ(down.levels[0].anchors[1].w, 20);
  EXPECT_EQ(down.levels[1].anchors[0].w, 30);
  EXPECT_EQ(down.levels[0].stride, 2);
  EXPECT_EQ(down.levels[1].stride, 4);
}

// Architecture 1.4: the row offset varies fastest. The head passes its 12 channels through.
TEST(Build, ReOrgOrdersRowsFirst) {
  const Network n =
      build(small_config("  - [-1, 1, ReOrg, []]\n" + detect, "nc: 7\nanchors: [[10, 13]]\n"),
            "net.yaml");
  reference::Tensors tensors;
  tensors["model.1.m.0.bias"] = std::vector<double>(12, 0.0);
  auto& weight = tensors["model.1.m.0.weight"] = std::vector<double>(144, 0.0);
  for (std::size_t i = 0; i < 12; ++i) weight[i * 13] = 1;
  reference::Map input(1, 3, 4, 4);
  for (int c = 0; c < 3; ++c)
    for (int i = 0; i < 16; ++i) input.at(0, c, i / 4, i % 4) = 100 * c + i;
  const reference::Map out = reference::Interpreter(n, tensors).run(input, false).at(0);
  const int expected[4][4] = {{0, 2, 8, 10}, {4, 6, 12, 14}, {1, 3, 9, 11}, {5, 7, 13, 15}};
  ASSERT_EQ(out.c, 12);
  for (int q = 0; q < 4; ++q)
    for (int c = 0; c < 3; ++c)
      for (int i = 0; i < 4; ++i)
        EXPECT_EQ(out.at(0, 3 * q + c, i / 2, i % 2), 100 * c + expected[q][i]);
}

TEST(Build, Activations) {
  const auto activation = [](const std::string& text) -> std::pair<ActivationKind, double> {
    for (const auto& op : one_layer("[-1, 1, Conv, [8, 1, 1, None, 1, " + text + "]]").operations)
      if (const Activate* act = op.as<Activate>())
        return {act->activation.kind, act->activation.slope};
    return {ActivationKind::identity, 0};
  };
  using Pair = std::pair<ActivationKind, double>;
  EXPECT_EQ(activation("nn.LeakyReLU(0.1)"), Pair(ActivationKind::leaky_relu, 0.1));
  EXPECT_EQ(activation("nn.LeakyReLU( 0.25 )"), Pair(ActivationKind::leaky_relu, 0.25));
  EXPECT_EQ(activation("nn.LeakyReLU()"),
            Pair(ActivationKind::leaky_relu, 0.01));  // the framework's default
  EXPECT_EQ(activation("nn.SiLU()").first, ActivationKind::silu);
  EXPECT_EQ(activation("nn.ReLU()").first, ActivationKind::relu);
  EXPECT_EQ(activation("nn.ReLU6()").first, ActivationKind::relu6);
  EXPECT_EQ(activation("nn.Identity()").first, ActivationKind::identity);
  EXPECT_EQ(activation("True").first, ActivationKind::silu);
  EXPECT_EQ(activation("False").first, ActivationKind::identity);
}

struct Wrong {
  const char* layer;
  std::vector<const char*> parts;  ///< of the message
};

TEST(Build, WrongLayersAreNamedWithTheirPlace) {
  const Wrong cases[] = {
      {"[-1, 1, Convv, [8, 3, 1]]", {"unknown block", "'Conv'", "SPPCSPC", "IAuxDetect"}},
      {"[-1, 1, Conv, []]", {"Conv", "1 to 6 arguments, found 0"}},
      {"[-1, 1, Conv, [8, 1, 1, None, 1, True, 7]]", {"1 to 6 arguments, found 7"}},
      {"[-1, 1, MP, [2, 2]]", {"0 to 1 arguments, found 2"}},
      {"[-1, 1, Conv, [0, 1, 1]]", {"argument 1"}},
      {"[-1, 1, Conv, [8.5, 1, 1]]", {"argument 1", "8.5"}},
      {"[-1, 1, Conv, [8, 1.5, 1]]", {"argument 2", "whole number", "1.5"}},
      {"[-1, 1, Conv, [8, 2000000, 1]]", {"argument 2", "from -1000000 to 1000000", "2e+06"}},
      {"[-1, 1, Conv, [8, 0, 1]]", {"kernel"}},
      {"[-1, 1, Conv, [8, 3, 0]]", {"stride"}},
      {"[-1, 1, Conv, [8, 3, 1, -4]]", {"argument 4", "-4"}},
      {"[-1, 1, Conv, [8, 3, 1, 0]]", {"kernel 3, stride 1 and padding 0"}},
      {"[-1, 1, Conv, [8, 3, 1, None, 2]]", {"2 groups", "3 input"}},
      {"[-1, 1, Conv, [8, 3, 1, None, 1, 5]]", {"argument 6"}},
      {"[-1, 1, Conv, [99999, 3, 1]]", {"argument 1", "65536"}},
      {"[-1, 1, Conv, [nc, 3, 1]]", {"argument 1", "nc"}},
      {"[-1, 0, Conv, [8, 3, 1]]", {"1 to 1000"}},
      {"[-1, 1, RepConv, [8, 5, 1]]", {"kernel 3"}},
      {"[-1, 1, SPPCSPC, [8, False, 1, 0.25]]", {"expansion 0.5"}},
      {"[-1, 1, SPPCSPC, [8, False, 1, 0.5, [3, 5]]]", {"[5, 9, 13]"}},
      {"[-1, 1, Upsample, [None, 3, 'nearest']]", {"[None, 2, 'nearest']"}},
      {"[-1, 1, Upsample, [None, 2, 'bilinear']]", {"[None, 2, 'nearest']"}},
      {"[-1, 1, Concat, [2]]", {"dimension 1"}},
      {"[-2, 1, Conv, [8, 3, 1]]", {"input -2 does not exist"}},
      {"[0, 1, Conv, [8, 3, 1]]", {"input 0 does not exist"}},
      {"[7, 1, Conv, [8, 3, 1]]", {"input 7 does not exist"}},
      {"[99999999999, 1, Conv, [8, 3, 1]]", {"does not exist"}},
      {"[x, 1, Conv, [8, 3, 1]]", {"expected a whole number", "'x'"}},
      {"[[], 1, Concat, [1]]", {"inputs"}},
      {"[[-1, -1], 1, Conv, [8, 3, 1]]", {"expected 1 inputs, found 2"}},
      {"[-1, 1, Conv]", {"[from, number, block, [arguments]]"}},
      {"[-1, 1, Conv, 8]", {"list of arguments"}},
      {"[-1, 1, Detect, [nc, anchors]]", {"must be the last layer"}},
      {"[-1, 1, Conv, [8, 1, 1, None, 1, nn.LeakyReLU(2)]]", {"nn.LeakyReLU(2)"}},
      {"[-1, 1, Conv, [8, 1, 1, None, 1, nn.LeakyReLU(abs(1))]]", {"nn.LeakyReLU(abs(1))"}},
      {"[-1, 1, Conv, [8, 1, 1, None, 1, nn.SiLU(1)]]", {"nn.SiLU(1)"}},
      {"[-1, 1, Conv, [8, 1, 1, None, 1, nn.Module()]]", {"nn.Module()"}},
      {"[-1, 1, Conv, [8, 1, 1, None, 1, os.system(reboot)]]", {"os.system(reboot)"}},
      {"[-1, 1, Conv, [8, 1, 1, None, 1, {a: 1}]]", {"mapping"}},
  };
  for (const Wrong& wrong : cases) {
    const std::string said = error_of([&] { one_layer(wrong.layer); });
    EXPECT_EQ(said.rfind("net.yaml:4:", 0), 0u)
        << wrong.layer << " -> " << said;  // two header lines, "backbone:", the layer
    for (const char* part : wrong.parts)
      EXPECT_NE(said.find(part), std::string::npos) << wrong.layer << " -> " << said;
  }
}

std::string of_layers(const std::string& layers,
                      const std::string& header = "nc: 1\nanchors: [[10, 13]]\n") {
  return error_of([&] { build(small_config(layers, header), "net.yaml"); });
}
void expect_part(const std::string& said, const std::string& part) {
  EXPECT_NE(said.find(part), std::string::npos) << '"' << said << '"';
}

TEST(Build, LayersThatDoNotFitTogether) {
  const std::string two = "  - [-1, 1, Conv, [8, 3, 2]]\n  - [-1, 1, Conv, [16, 3, 2]]\n";
  expect_part(of_layers(two + "  - [[-1, 0], 1, Concat, [1]]\n" + detect), "net.yaml:6:");
  expect_part(of_layers(two + "  - [[-1, 0], 1, Concat, [1]]\n" + detect), "stride 4 and 2");
  expect_part(of_layers(two + "  - [[-1, 0], 1, Shortcut, [0]]\n" + detect), "16 and 8 channels");
  expect_part(of_layers(two + "  - [[-1, 0, 1], 1, Shortcut, [0]]\n" + detect),
              "expected 2 inputs, found 3");
  expect_part(of_layers(two), "expected Detect, IDetect or IAuxDetect as the last layer");
  expect_part(of_layers(two + "  - [[0, 1], 1, Detect, [nc, anchors]]\n"),
              "2 inputs do not fit 1 rows of anchors");
  expect_part(of_layers(two + "  - [[0, 1, 1], 1, IAuxDetect, [nc, anchors]]\n"), "3 inputs");
  expect_part(of_layers(two + "  - [1, 1, Detect, [12, anchors]]\n"), "expected nc (1), found 12");
  expect_part(of_layers(two + "  - [1, 1, Detect, [nc, [[1, 2]]]]\n"), "expected the word anchors");
  // 1 · (2 + 5) = 7 is the one width that is not made a multiple of 8.
  expect_part(of_layers("  - [-1, 1, DownC, [7]]\n" + detect, "nc: 2\nanchors: [[1, 2]]\n"),
              "even number of channels, found 7");
  EXPECT_EQ(of_layers(two + "  - [1, 1, Detect, [1, anchors]]\n"), "no error");
  EXPECT_EQ(of_layers(two + "  - [1, 1, nn.Detect, [nc, anchors]]\n"), "no error");
}

// 3 / 2 of an upsampled map; 2 · 3 beside 2 · 4.
TEST(Build, StridesThatNoImageFits) {
  expect_part(of_layers("  - [-1, 1, Conv, [8, 3, 3]]\n"
                        "  - [-1, 1, Upsample, [None, 2, 'nearest']]\n" +
                        detect),
              "layer 2 (Detect): expected maps whose largest stride is a whole number and a "
              "multiple of the others, found strides 1.5");
  const auto beside = [](const std::string& stride) {
    return of_layers("  - [-1, 1, Conv, [8, 3, 2]]\n  - [-1, 1, Conv, [8, 3, " + stride +
                         "]]\n  - [0, 1, Conv, [8, 5, 4]]\n"
                         "  - [[1, 2], 1, Detect, [nc, anchors]]\n",
                     "nc: 1\nanchors: [[10, 13], [20, 26]]\n");
  };
  expect_part(beside("3"), "found strides 6, 8");
  EXPECT_EQ(beside("2"), "no error");
}

TEST(Build, WrongHeaders) {
  const std::string layers = "  - [-1, 1, Conv, [8, 3, 2]]\n" + detect;
  expect_part(of_layers(layers, "anchors: [[1, 2]]\n"), "nc");
  expect_part(of_layers(layers, "nc: 0\nanchors: [[1, 2]]\n"), "expected 1 to 100000, found 0");
  expect_part(of_layers(layers, "nc: many\nanchors: [[1, 2]]\n"), "many");
  expect_part(of_layers(layers, "nc: 1\n"), "anchors");
  expect_part(of_layers(layers, "nc: 1\nanchors: []\n"), "anchors");
  expect_part(of_layers(layers, "nc: 1\nanchors: [[1, 2, 3]]\n"), "pairs");
  expect_part(of_layers(layers, "nc: 1\nanchors: [[1, -2]]\n"), "positive");
  expect_part(of_layers(layers, "nc: 1\nanchors: [[1, .nan]]\n"),
              "expected a number, found '.nan'");
  expect_part(of_layers(layers, "nc: 1\nanchors: [[1, 2], [1, 2, 3, 4]]\n"), "expected 1 pairs");
  expect_part(of_layers(layers, "nc: 1\nanchors: [[1, 2]]\nwidth_multiple: 0\n"), "width_multiple");
  expect_part(of_layers(layers, "nc: 1\nanchors: [[1, 2]]\ndepth_multiple: -1\n"),
              "depth_multiple");
  expect_part(of_layers(layers, "nc: 1\nnc: 2\nanchors: [[1, 2]]\n"), "nc");
  expect_part(error_of([] { build("- 1\n", "net.yaml"); }), "expected a mapping");
  expect_part(
      error_of([] { build("nc: 1\nanchors: [[1, 2]]\nbackbone: 3\nhead: []\n", "net.yaml"); }),
      "expected a list of layers");
}

TEST(Build, HugeConfigsAreRefusedBeforeAnythingIsAllocated) {
  std::string many;
  for (int i = 0; i < 10'000; ++i) many += "  - [-1, 1, Conv, [8, 3, 1]]\n";
  expect_part(of_layers(many + detect), "expected at most 2000 layers, found 10001");
  // 65536² · 9 = 3.9·10^10 parameters in one layer; 10^10 in several.
  expect_part(
      of_layers("  - [-1, 1, Conv, [65536, 1, 1]]\n  - [-1, 1, Conv, [65536, 3, 1]]\n" + detect),
      "parameters");
  std::string several;
  for (int i = 0; i < 20; ++i) several += "  - [-1, 1, Conv, [8192, 3, 1]]\n";  // 6·10^8 each
  expect_part(of_layers(several + detect), "expected at most 4000000000 parameters");
  expect_part(of_layers("  - [-1, 1000, Conv, [4096, 3, 1]]\n" + detect), "parameters");
  // Few parameters each, but 3 · 1000 copies.
  std::string copies;
  for (int i = 0; i < 3; ++i) copies += "  - [-1, 1000, Conv, [8, 1, 1]]\n";
  expect_part(of_layers(copies + detect), "expected at most 2000 layers with their repeats");
  // Maps of 2^-5 and 64^3 times the stride of the picture: sizes would leave the range of an int.
  std::string up, down;
  for (int i = 0; i < 5; ++i) up += "  - [-1, 1, Upsample, [None, 2, 'nearest']]\n";
  for (int i = 0; i < 3; ++i) down += "  - [-1, 1, MP, [64]]\n";
  expect_part(of_layers(up + detect), "found a stride of 0.03125");
  expect_part(of_layers(down + detect), "found a stride of 262144");
  expect_part(
      of_layers("  - [-1, 1, Conv, [40000, 1, 1]]\n  - [[-1, -1], 1, Concat, [1]]\n" + detect),
      "65536 channels");
  std::string row = "nc: 100000\nanchors: [[1, 1";
  for (int i = 0; i < 5000; ++i) row += ", 1, 1";
  expect_part(of_layers("  - [-1, 1, Conv, [8, 3, 1]]\n" + detect, row + "]]\n"),
              "at most 100 pairs");
  std::string bomb = "a: &a [1,1,1,1,1,1,1,1,1]\n";
  for (char name = 'b'; name < 'l'; ++name) {
    bomb += std::string(1, name) + ": &" + name + " [";
    for (int i = 0; i < 9; ++i) bomb += std::string(i ? ",*" : "*") + static_cast<char>(name - 1);
    bomb += "]\n";
  }
  const std::string said = error_of([&] {
    build(bomb + "nc: 1\nanchors: *k\nbackbone: []\nhead: []\n", "net.yaml");
  });  // 9^10 nodes
  expect_part(said, "net.yaml");
}

// What a config holds is quoted in messages: in one line, without control characters, and not all
// of it.
TEST(Build, MessagesQuoteAConfigInOneLine) {
  const std::string long_text = "\"a\\nb\\e[31m" + std::string(5000, 'x') + "\"";
  for (const std::string& config :
       {"nc: " + long_text,
        "nc: 1\nanchors: [[1, 1]]\nbackbone: [[-1, 1, " + long_text + ", []]]\nhead: []",
        "nc: 1\nanchors: [[1, 1]]\nbackbone: [[-1, 1, Conv, [" + long_text + "]]]\nhead: []",
        "x: 1\n" + long_text + ": 1\n" + long_text + ": 2\n"}) {
    const std::string said = error_of([&] { build(config, "net.yaml"); });
    EXPECT_EQ(said.rfind("net.yaml", 0), 0u) << said;
    EXPECT_EQ(said.find_first_of("\n\x1b"), std::string::npos) << said;
    EXPECT_LT(said.size(), 1500u) << said;
  }
}

TEST(Build, BuiltInConfigs) {
  EXPECT_EQ(read_config("cfg/training/yolov7-tiny.yaml"), config_text("training/yolov7-tiny.yaml"));
  EXPECT_EQ(read_config("cfg/deploy/yolov7-tiny.yaml"), config_text("deploy/yolov7-tiny.yaml"));
  const std::string said = error_of([] { read_config("yolov9.yaml"); });
  expect_part(said, "yolov9.yaml");
  expect_part(said, "yolov7-tiny");
}

}  // namespace
}  // namespace yolov7::network
