// Bytes of Core ML's older form by hand; what coremltools finds in whole files is in
// coreml_peer.py.
#include "exporting/coreml_network.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <sstream>

#include "exporting/coreml.hpp"
#include "tests/exporting/networks.hpp"
#include "tests/exporting/wire_reader.hpp"
#include "tests/scratch_folder.hpp"

using namespace yolov7;
using namespace yolov7::exporting;
using namespace yolov7::testing;

namespace {

WireMessage finished(CoremlNetwork& network) {
  std::ostringstream bytes;
  network.finish({}).write(bytes);
  return WireMessage(bytes.str());
}

std::vector<float> floats(const std::string& bytes) {
  std::vector<float> values(bytes.size() / 4);
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

}  // namespace

// Field numbers: the public NeuralNetwork.proto.
TEST(CoremlNetwork, AConvolutionAndItsWeights) {
  const network::Tensor filter =
                            network::Tensor::from(std::vector<float>{1, 2, 3, 4}, {2, 2, 1, 1}),
                        bias = network::Tensor::from(std::vector<float>{5, 6}, {2});
  for (const CoremlType type : {CoremlType::float32, CoremlType::float16}) {
    CoremlNetwork network;
    const CoremlValue image = network.input("image", type, {1, 2, 8, 8});
    network.operation("conv",
                      {{"x", {image}},
                       {"weight", {network.weight("w", {2, 2, 1, 1}, filter, type)}},
                       {"strides", {network.integers({2, 2})}},
                       {"pad_type", {network.text("custom")}},
                       {"pad", {network.integers({0, 1, 2, 3})}},
                       {"dilations", {network.integers({1, 1})}},
                       {"groups", {network.integer(1)}},
                       {"bias", {network.weight("b", {2}, bias, type)}}},
                      type, {1, 2, 5, 7}, "out");
    const WireMessage all = finished(network);
    EXPECT_EQ(all.integer(5), 1U) << "arrays have the sides that they are told";
    EXPECT_EQ(all.integer(6), 1U);
    ASSERT_EQ(all.all(1).size(), 1U) << "weights are no layers";
    const WireMessage layer = all.one(1), conv = layer.one(100);
    EXPECT_EQ(layer.text(1), "out");
    EXPECT_EQ(layer.text(2), "image");
    EXPECT_EQ(layer.text(3), "out");
    EXPECT_EQ(conv.integer(1), 2U);
    EXPECT_EQ(conv.integer(2), 2U);
    EXPECT_EQ(conv.text(20), std::string("\1\1", 2));
    EXPECT_EQ(conv.text(30), std::string("\2\2", 2));
    EXPECT_EQ(conv.integer(70), 1U);
    const auto edges = conv.one(50).one(1).all(10);  // top and bottom, left and right
    ASSERT_EQ(edges.size(), 2U);
    EXPECT_EQ(edges[0].integer(2), 1U);
    EXPECT_EQ(edges[1].integer(1), 2U);
    EXPECT_EQ(edges[1].integer(2), 3U);
    if (type == CoremlType::float32)
      EXPECT_EQ(floats(conv.one(90).text(1)), (std::vector<float>{1, 2, 3, 4}));
    else  // 1, 2, 3, 4 as IEEE 754 binary16
      EXPECT_EQ(conv.one(90).text(2), std::string("\0\x3c\0\x40\0\x42\0\x44", 8));
  }
}

TEST(CoremlNetwork, AConstantIsALayerWhereItIsAValue) {
  CoremlNetwork network;
  const CoremlValue image = network.input("image", CoremlType::float32, {1, 1, 2, 2});
  const CoremlValue half = network.real(0.5, CoremlType::float32);
  const CoremlValue once =
      network.operation("mul", {{"x", {image}}, {"y", {half}}}, image.type, image.shape);
  network.operation("add", {{"x", {once}}, {"y", {half}}}, image.type, image.shape, "sum");
  const auto layers = finished(network).all(1);
  ASSERT_EQ(layers.size(), 3U) << "the constant stands there once, before its first use";
  EXPECT_EQ(layers[0].one(1070).text(1), std::string("\1", 1)) << "one side of one value";
  EXPECT_EQ(floats(layers[0].one(1070).one(2).text(1)), std::vector<float>{0.5F});
  EXPECT_EQ(layers[1].bytes.at(2), (std::vector<std::string>{"image", half.name}));
  EXPECT_EQ(layers[2].bytes.at(2), (std::vector<std::string>{once.name, half.name}));
}

TEST(CoremlNetwork, UnknownOperationsAreRefused) {
  CoremlNetwork network;
  const CoremlValue image = network.input("image", CoremlType::float32, {1, 1, 2, 2});
  EXPECT_EQ(test::error_of([&] {
              network.operation("einsum", {{"x", {image}}}, image.type, image.shape);
            }),
            "coreml: --mlmodel: the older form has no layer for einsum");
}

TEST(CoremlNetwork, OneFileThatRepeats) {
  const test::ScratchFolder folder;
  ExportOptions options;
  options.mlmodel = true;
  const auto model = export_model(every_primitive(3), 32, 40, options);
  for (const char* name : {"a.mlmodel", "b.mlmodel"}) write_coreml(model, options, folder / name);
  const std::string bytes = test::read_text(folder / "a.mlmodel");
  EXPECT_EQ(bytes, test::read_text(folder / "b.mlmodel"));
  EXPECT_EQ(WireMessage(bytes).integer(1), 4U) << "iOS 13";
  options.nms = true;
  write_coreml(export_model(every_primitive(3), 32, 40, options), options, folder / "c.mlmodel");
  EXPECT_EQ(WireMessage(test::read_text(folder / "c.mlmodel")).integer(1), 5U) << "iOS 14";
}
