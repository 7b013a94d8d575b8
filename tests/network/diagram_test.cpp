// What info teaches, by hand on a network of a few layers, and its drawings.
#include "network/graph/diagram.hpp"

#include <gtest/gtest.h>

#include "network/config/builder.hpp"
#include "tests/network/config_fixture.hpp"

namespace yolov7::network {
namespace {

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
    ++found;
  return found;
}

// layer                      side of what it sees                               map of a 32 × 32
// picture 0 Conv(8, 3, 2)            3                                                  8 × 16 × 16
// 1 Conv(8, 3, 2)            3 + 2·2 = 7                                        8 × 8 × 8
// 2 SP(5, 1)                 7 + 4·4 = 23                                       8 × 8 × 8
// 3 Upsample                 23                                                 8 × 16 × 16
// 4 Concat(3, 0)             23                                                 16 × 16 × 16
// 5 Conv(8, 3, 1)            23 + 2·2 = 27                                      8 × 16 × 16
// 6 Detect                   27                                                 6 × 16 × 16
const Network& small() {
  static const Network n =
      build(small_config("  - [-1, 1, Conv, [8, 3, 2]]\n  - [-1, 1, Conv, [8, 3, 2]]\n  - [-1, 1, "
                         "SP, [5, 1]]\n  - [-1, 1, nn.Upsample, [None, 2, 'nearest']]\n"
                         "  - [[-1, 0], 1, Concat, [1]]\n  - [-1, 1, Conv, [8, 3, 1]]\n  - [-1, 1, "
                         "Detect, [nc, anchors]]\n"),
            "a<b>.yaml");
  return n;
}

TEST(Teaching, ReceptiveField) {
  EXPECT_EQ(cost(small(), 32, 32).receptive_field, (std::vector<double>{3, 7, 23, 23, 23, 27, 27}));
}

// Values of 4 bytes. Training keeps the picture 3072, and per Conv its sum and its activation:
// 2·2048, 2·512, pool 512, up 2048, concat 4096, conv 2·2048, head 1536. Inference: the most at
// once is while layer 5 is computed: concat 4096 + its output 2048; while layer 4 is: layer 0 2048
// + up 2048 + concat 4096.
TEST(Teaching, ActivationMemory) {
  const Cost c = cost(small(), 32, 32);
  EXPECT_EQ(c.training_activation_bytes,
            4 * (3072 + 4096 + 1024 + 512 + 2048 + 4096 + 4096 + 1536));
  EXPECT_EQ(c.inference_activation_bytes, 4 * (2048 + 2048 + 4096));
}

// A RepConv is one convolution once it is fused: input 8 · 64, output 16 · 64, no branches beside
// it.
TEST(Teaching, ActivationMemoryOfAFusedRepConv) {
  const Network n = build(small_config("  - [-1, 1, Conv, [8, 1, 1]]\n  - [-1, 1, RepConv, [64, 3, "
                                       "1]]\n  - [-1, 1, Detect, [nc, anchors]]\n"),
                          "rep.yaml");
  EXPECT_EQ(cost(n, 8, 8).inference_activation_bytes, 4 * (64 * 64 + 8 * 64));
}

TEST(Diagram, SvgHasABoxAndTheInputsOfEveryLayer) {
  const Cost c = cost(small(), 32, 32);
  const std::string svg = svg_diagram(small(), c);
  EXPECT_EQ(svg.rfind("<svg ", 0), 0u);
  EXPECT_EQ(svg.substr(svg.size() - 7), "</svg>\n");
  EXPECT_EQ(count(svg, "rx=\"4\""), 7u);
  EXPECT_EQ(count(svg, "marker-end"), 7u);  // six to the next layer, one past others
  EXPECT_EQ(svg.find("a<b>"), std::string::npos);
  EXPECT_NE(svg.find("a&lt;b&gt;.yaml: 7 layers"), std::string::npos);
  EXPECT_NE(svg.find("16 x 16 x 16"), std::string::npos);
}

TEST(Diagram, DotHasANodeAndTheInputsOfEveryLayer) {
  const std::string dot = dot_diagram(small(), cost(small(), 32, 32));
  EXPECT_EQ(count(dot, "fillcolor="), 7u);
  EXPECT_EQ(count(dot, " -> l"),
            7u);  // arrows: one input each after the first layer, two for the concatenation
  EXPECT_NE(dot.find("  l0 -> l4;\n"), std::string::npos);
  EXPECT_NE(dot.find("  l3 -> l4;\n"), std::string::npos);
}

}  // namespace
}  // namespace yolov7::network
