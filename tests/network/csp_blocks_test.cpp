// Blocks of the v3, v4 and R families and spatial attention (architecture 7): counts of the
// specification, names, wiring.
#include <gtest/gtest.h>

#include <algorithm>

#include "network/config/builder.hpp"
#include "tests/network/config_fixture.hpp"

namespace yolov7::network {
namespace {

/// Layer 0 gives the block its input channels; layer 1 is the block.
Network block(int input_channels, const std::string& entry,
              const std::string& header = "nc: 1\nanchors: [[10, 13]]\n") {
  return build(small_config("  - [-1, 1, Conv, [" + std::to_string(input_channels) +
                                ", 1, 1]]\n  - " + entry + "\n  - [-1, 1, Detect, [nc, anchors]]\n",
                            header),
               "block.yaml");
}

std::vector<std::string> convolutions(const Network& network, const std::string& prefix) {
  std::vector<std::string> names;
  for (const TensorSpec& spec : network.tensors)
    if (spec.role == TensorSpec::Role::weight && spec.name.rfind(prefix, 0) == 0)
      names.push_back(spec.name.substr(prefix.size()));
  return names;
}

const Operation& producer(const Network& network, int value) {
  return *std::find_if(network.operations.begin(), network.operations.end(),
                       [&](const Operation& op) { return op.output == value; });
}
/// The tensor of the convolution behind a value, through its norm and activation.
std::string source(const Network& network, int value) {
  const Operation& op = producer(network, value);
  if (const Convolution* conv = op.as<Convolution>()) return conv->tensor;
  return op.is<Add>() ? "sum" : source(network, op.inputs[0]);
}
template <class P>
const Operation& only(const Network& network) {
  const Operation* found = nullptr;
  for (const Operation& op : network.operations)
    if (op.layer == 1 && op.is<P>()) found = &op;
  return *found;
}

// The three counts that the specification prints.
TEST(CspBlocks, ParametersOfTheSpecification) {
  EXPECT_EQ(block(64, "[-1, 1, Bottleneck, [64]]").layers[1].parameters, 20'672);
  EXPECT_EQ(block(128, "[-1, 2, BottleneckCSPC, [128]]").layers[1].parameters, 119'936);
  EXPECT_EQ(block(512, "[-1, 2, BottleneckCSPB, [256]]").layers[1].parameters, 1'641'984);
}

// By hand, conv + norm = k²·c1/g·c2 + 2·c2. A(64) on 64, n = 1: cv1 64·32, cv2 64·32, cv3 64·64,
// unit 32·32 + 9·32·32.
TEST(CspBlocks, ParametersByHand) {
  EXPECT_EQ(block(64, "[-1, 1, BottleneckCSPA, [64]]").layers[1].parameters,
            (2048 + 64) + (2048 + 64) + (4096 + 128) + (1024 + 64) + (9216 + 64));
  // Res(64), e 0.5: 64·32, 9·32·32, 32·64
  EXPECT_EQ(block(64, "[-1, 1, Res, [64]]").layers[1].parameters,
            (2048 + 64) + (9216 + 64) + (2048 + 128));
  // ResCSPA(64) on 64: units of width 32 with 16 hidden
  EXPECT_EQ(block(64, "[-1, 1, ResCSPA, [64]]").layers[1].parameters,
            (2048 + 64) * 2 + (4096 + 128) + (512 + 32) + (2304 + 32) + (512 + 64));
  // ResXCSPC(64) on 64: units of width 32, hidden 32, 32 groups: 3×3 holds 9·32
  EXPECT_EQ(block(64, "[-1, 1, ResXCSPC, [64]]").layers[1].parameters,
            (2048 + 64) * 2 + (1024 + 64) + (4096 + 128) + (1024 + 64) + (288 + 64) + (1024 + 64));
  // Stem(64) on 8: h 32: 9·8·32, 32·32, 9·32·32, 64·64
  EXPECT_EQ(block(8, "[-1, 1, Stem, [64]]").layers[1].parameters,
            (2304 + 64) + (1024 + 64) + (9216 + 64) + (4096 + 128));
  // SPP(64) on 64: h 32: 64·32, 128·64
  EXPECT_EQ(block(64, "[-1, 1, SPP, [64, [5, 9, 13]]]").layers[1].parameters,
            (2048 + 64) + (8192 + 128));
  EXPECT_EQ(block(64, "[-1, 1, SPP, [64, [5]]]").layers[1].parameters, (2048 + 64) + (4096 + 128));
}

TEST(CspBlocks, TensorsInTheOrderOfTheChildren) {
  const std::vector<std::string> a{
      "cv1.conv.weight",     "cv2.conv.weight",     "cv3.conv.weight",    "m.0.cv1.conv.weight",
      "m.0.cv2.conv.weight", "m.1.cv1.conv.weight", "m.1.cv2.conv.weight"};
  EXPECT_EQ(convolutions(block(16, "[-1, 2, BottleneckCSPA, [16]]"), "model.1."), a);
  EXPECT_EQ(convolutions(block(16, "[-1, 2, BottleneckCSPB, [16]]"), "model.1."), a);
  const std::vector<std::string> c{
      "cv1.conv.weight",     "cv2.conv.weight",     "cv3.conv.weight",    "cv4.conv.weight",
      "m.0.cv1.conv.weight", "m.0.cv2.conv.weight", "m.0.cv3.conv.weight"};
  EXPECT_EQ(convolutions(block(16, "[-1, 1, ResCSPC, [16]]"), "model.1."), c);
  // A repeated plain block is copied instead, with one more index.
  EXPECT_EQ(convolutions(block(16, "[-1, 2, Bottleneck, [16]]"), "model.1."),
            (std::vector<std::string>{"0.cv1.conv.weight", "0.cv2.conv.weight", "1.cv1.conv.weight",
                                      "1.cv2.conv.weight"}));
}

/// cat[y1, y2]: the units' path first.
TEST(CspBlocks, WiringOfTheStages) {
  for (const char kind : {'A', 'B', 'C'}) {
    SCOPED_TRACE(kind);
    const Network n = block(16, std::string("[-1, 1, BottleneckCSP") + kind + ", [16, False]]");
    const Operation& cat = only<Concat>(n);
    EXPECT_EQ(source(n, cat.inputs[0]), kind == 'C' ? "model.1.cv3.conv" : "model.1.m.0.cv2.conv");
    EXPECT_EQ(source(n, cat.inputs[1]), "model.1.cv2.conv");
    for (const Operation& op : n.operations) {
      const Convolution* conv = op.as<Convolution>();
      if (conv == nullptr) continue;
      if (conv->tensor == "model.1.cv1.conv") {
        EXPECT_EQ(source(n, op.inputs[0]), "model.0.conv");
      }
      if (conv->tensor == "model.1.cv2.conv") {
        EXPECT_EQ(source(n, op.inputs[0]), kind == 'B' ? "model.1.cv1.conv" : "model.0.conv");
      }
      if (conv->tensor == "model.1.m.0.cv1.conv") {
        EXPECT_EQ(source(n, op.inputs[0]), "model.1.cv1.conv");
      }
      if (conv->tensor == "model.1.cv3.conv" && kind == 'C') {
        EXPECT_EQ(source(n, op.inputs[0]), "model.1.m.0.cv2.conv");
      }
      if (conv->tensor == "model.1.cv3.conv" && kind != 'C') {
        EXPECT_EQ(op.inputs[0], cat.output);
      }
      if (conv->tensor == "model.1.cv4.conv") {
        EXPECT_EQ(op.inputs[0], cat.output);
      }
    }
  }
}

std::size_t sums(const Network& network) {
  return static_cast<std::size_t>(std::count_if(network.operations.begin(),
                                                network.operations.end(),
                                                [](const Operation& op) { return op.is<Add>(); }));
}

TEST(CspBlocks, Shortcuts) {
  EXPECT_EQ(sums(block(16, "[-1, 3, BottleneckCSPA, [16]]")), 3u);
  EXPECT_EQ(sums(block(16, "[-1, 3, BottleneckCSPB, [16]]")), 0u);  // off by default
  EXPECT_EQ(sums(block(16, "[-1, 3, BottleneckCSPB, [16, True]]")), 3u);
  EXPECT_EQ(sums(block(16, "[-1, 3, BottleneckCSPC, [16, False]]")), 0u);
  EXPECT_EQ(sums(block(16, "[-1, 3, ResCSPB, [16]]")), 3u);
  EXPECT_EQ(sums(block(16, "[-1, 1, Bottleneck, [16]]")), 1u);
  EXPECT_EQ(sums(block(8, "[-1, 1, Bottleneck, [16]]")), 0u);  // other channels
  EXPECT_EQ(sums(block(16, "[-1, 1, Bottleneck, [16, False]]")), 0u);
}

TEST(CspBlocks, StemAndPyramid) {
  const Network stem = block(8, "[-1, 1, Stem, [16]]");
  EXPECT_EQ(stem.layers[1].reduction, 4);
  EXPECT_EQ(source(stem, only<Concat>(stem).inputs[0]), "model.1.cv3.conv");
  EXPECT_TRUE(producer(stem, only<Concat>(stem).inputs[1]).is<MaxPool>());
  const Network spp = block(8, "[-1, 1, SPP, [16, [3, 7]]]");
  const Operation& cat = only<Concat>(spp);
  ASSERT_EQ(cat.inputs.size(), 3u);
  EXPECT_EQ(source(spp, cat.inputs[0]), "model.1.cv1.conv");
  EXPECT_EQ(std::get<MaxPool>(producer(spp, cat.inputs[1]).primitive).kernel, 3);
  EXPECT_EQ(std::get<MaxPool>(producer(spp, cat.inputs[2]).primitive).kernel, 7);
}

TEST(CspBlocks, WrongArguments) {
  EXPECT_EQ(
      error_of([] { block(8, "[-1, 1, BottleneckCSPA, [16, 1]]"); }),
      "block.yaml:5:5: layer 1 (BottleneckCSPA): argument 2: expected True or False, found 1");
  EXPECT_EQ(
      error_of([] { block(8, "[-1, 1, SPP, [16, [4]]]"); }),
      "block.yaml:5:5: layer 1 (SPP): argument 2: expected odd kernels from 1 to 999, found 4");
  EXPECT_EQ(error_of([] { block(8, "[-1, 1, Bottleneck, [16, True, 1, 0]]"); }),
            "block.yaml:5:5: layer 1 (Bottleneck): argument 4: expected a number above 0 and up to "
            "16, found 0");
  EXPECT_EQ(
      error_of([] { block(8, "[-1, 1, ResXCSPA, [16]]"); }),
      "block.yaml:5:5: layer 1 (ResXCSPA): 32 groups do not divide 8 input and 8 output channels");
  EXPECT_NE(error_of([] {
              block(8,
                    "[-1, 1000, BottleneckCSPA, [16]]\n  - [-1, 1000, BottleneckCSPA, [16]]\n  - "
                    "[-1, 1000, BottleneckCSPA, [16]]");
            }).find("at most 2000 layers"),
            std::string::npos);
}

// Older configurations write kernels as height and width; padding is half of each
// (architecture 1.1).
TEST(Blocks, RectangularKernels) {
  const Network n = block(8, "[-1, 1, Conv, [16, [1, 5]]]");
  const Convolution& conv = std::get<Convolution>(only<Convolution>(n).primitive);
  EXPECT_EQ(conv.kernel_h, 1);
  EXPECT_EQ(conv.kernel_w, 5);
  EXPECT_EQ(conv.pad_h, 0);
  EXPECT_EQ(conv.pad_w, 2);
  EXPECT_EQ(n.layers[1].parameters, 8 * 16 * 5 + 32);
  EXPECT_EQ(block(8, "[-1, 1, Conv, [16, [1, 1]]]").layers[1].parameters,
            block(8, "[-1, 1, Conv, [16]]").layers[1].parameters);
  EXPECT_EQ(error_of([] { block(8, "[-1, 1, Conv, [16, [1, 0]]]"); }),
            "block.yaml:5:5: layer 1 (Conv): argument 2: expected a kernel of 1 to 1000, or its "
            "height and width, found [1, 0]");
  EXPECT_NE(error_of([] {
              block(8, "[-1, 1, RepConv, [16, [3, 1]]]");
            }).find("expected kernel 3 with padding 1"),
            std::string::npos);
}

TEST(Attention, IsAChildThatChangesNothingElse) {
  const Network plain = block(8, "[-1, 1, Conv, [16, 3, 1]]"),
                spatial = block(8, "[-1, 1, Conv, [16, 3, 1]]",
                                "nc: 1\nanchors: [[10, 13]]\nsam: {1: spatial}\n");
  EXPECT_EQ(spatial.layers.size(), plain.layers.size());
  EXPECT_EQ(spatial.layers[1].attention, "spatial");
  EXPECT_EQ(spatial.parameter_count(), plain.parameter_count() + 2 * 49);
  for (const TensorSpec& spec : plain.tensors)
    EXPECT_TRUE(std::any_of(spatial.tensors.begin(), spatial.tensors.end(),
                            [&](const TensorSpec& other) {
                              return other.name == spec.name && other.shape == spec.shape;
                            }))
        << spec.name;
  const Network small =
      block(8, "[-1, 1, Conv, [16, 3, 1]]", "nc: 1\nanchors: [[10, 13]]\nsam: {1: spatial3}\n");
  EXPECT_EQ(small.parameter_count(), plain.parameter_count() + 2 * 9);
  const Network point =
      block(8, "[-1, 1, Conv, [16, 3, 1]]", "nc: 1\nanchors: [[10, 13]]\nsam: {1: pointwise}\n");
  EXPECT_EQ(point.parameter_count(), plain.parameter_count() + 16 * 16 + 2 * 16);  // C² + 2C
}

TEST(Attention, WrongPlaces) {
  const auto with = [](const std::string& sam) {
    return error_of([&] {
      block(8, "[-1, 1, Conv, [16, 3, 1]]", "nc: 1\nanchors: [[10, 13]]\nsam: " + sam + "\n");
    });
  };
  EXPECT_EQ(with("{3: spatial}"), "block.yaml:3:10: sam: expected a layer of 0 to 2, found '3'");
  EXPECT_EQ(with("{1: channel}"),
            "block.yaml:3:10: sam: expected spatial, spatial3, pointwise, found 'channel'");
  EXPECT_NE(with("{2: spatial}").find("a head takes no attention"), std::string::npos);
  EXPECT_NE(with("[1]").find("expected a mapping of layer to kind"), std::string::npos);
}

/// The graph listed there (architecture 7.1), as a configuration.
std::string yolor_csp(const std::string& head, double depth, double width) {
  const auto up = [](int c, int route) {
    const std::string w = std::to_string(c);
    return "  - [-1, 1, Conv, [" + w +
           ", 1, 1]]\n  - [-1, 1, nn.Upsample, [None, 2, 'nearest']]\n  - [" +
           std::to_string(route) + ", 1, Conv, [" + w +
           ", 1, 1]]\n  - [[-1, -2], 1, Concat, [1]]\n";
  };
  std::string text =
      "nc: 80\ndepth_multiple: " + std::to_string(depth) +
      "\nwidth_multiple: " + std::to_string(width) +
      "\nanchors:\n  - [12,16, 19,36, 40,28]\n  - [36,75, 76,55, 72,146]\n  - [142,110, 192,243, "
      "459,401]\nbackbone:\n"
      "  - [-1, 1, Conv, [32, 3, 1]]\n  - [-1, 1, Conv, [64, 3, 2]]\n  - [-1, 1, Bottleneck, "
      "[64]]\n  - [-1, 1, Conv, [128, 3, 2]]\n  - [-1, 2, BottleneckCSPC, [128]]\n"
      "  - [-1, 1, Conv, [256, 3, 2]]\n  - [-1, 8, BottleneckCSPC, [256]]\n  - [-1, 1, Conv, [512, "
      "3, 2]]\n  - [-1, 8, BottleneckCSPC, [512]]\n  - [-1, 1, Conv, [1024, 3, 2]]\n"
      "  - [-1, 4, BottleneckCSPC, [1024]]\nhead:\n  - [-1, 1, SPPCSPC, [512]]\n";
  text += up(256, 8) + "  - [-1, 2, BottleneckCSPB, [256]]\n" + up(128, 6);
  return text +
         "  - [-1, 2, BottleneckCSPB, [128]]\n  - [-1, 1, Conv, [256, 3, 1]]\n  - [-2, 1, Conv, "
         "[256, 3, 2]]\n  - [[-1, 16], 1, Concat, [1]]\n  - [-1, 2, BottleneckCSPB, [256]]\n"
         "  - [-1, 1, Conv, [512, 3, 1]]\n  - [-2, 1, Conv, [512, 3, 2]]\n  - [[-1, 11], 1, "
         "Concat, [1]]\n  - [-1, 2, BottleneckCSPB, [512]]\n  - [-1, 1, Conv, [1024, 3, 1]]\n"
         "  - [[22, 26, 30], 1, " +
         head + ", [nc, anchors]]\n";
}

TEST(CspBlocks, WholeNetworksOfTheSpecification) {
  const Network csp = build(yolor_csp("IDetect", 1, 1), "yolor-csp.yaml");
  EXPECT_EQ(csp.layers.size(), 32u);
  EXPECT_EQ(csp.parameter_count(), 52'923'994);
  const Network v4 = build(yolor_csp("Detect", 1, 1), "yolov4-csp.yaml");
  EXPECT_EQ(v4.parameter_count(), 52'921'437);
  std::int64_t fused = 0;  // by the shapes: a bias instead of a norm's two vectors
  for (const Operation& op : v4.operations)
    if (const Convolution* conv = op.as<Convolution>())
      fused += static_cast<std::int64_t>(conv->out_channels) *
               (conv->in_channels * conv->kernel_h * conv->kernel_w / conv->groups + 1);
  EXPECT_EQ(fused, 52'889'053);
  const Network x = build(yolor_csp("IDetect", 1.33, 1.25), "yolor-csp-x.yaml");
  EXPECT_EQ(x.parameter_count(), 96'943'410);
  EXPECT_EQ(x.layers[6].repeats, 11);
  EXPECT_EQ(x.layers[30].out_channels, 1280);
}

}  // namespace
}  // namespace yolov7::network
