// Weights of Core ML packages read back; what coremltools reads is in coreml_peer.py.
#include "exporting/coreml_constants.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "exporting/coreml.hpp"
#include "exporting/palette.hpp"
#include "tests/exporting/networks.hpp"
#include "tests/scratch_folder.hpp"

using namespace yolov7;
using namespace yolov7::exporting;
using namespace yolov7::testing;

namespace {

const std::string large = "model.1.conv.weight";

/// 216, 1,152 and 96 weights: one of the three is large enough for a palette.
network::NetworkAndWeights three_convolutions() {
  HandNetwork net;
  const int a = noisy_conv(net, 0, 3, 8, 1, 3), b = noisy_conv(net, a, 8, 16, 2, 3);
  net.level(noisy_conv(net, b, 16, 6, 3), 1, 1);
  return {net.network(), net.weights()};
}

class CoremlConstants : public ::testing::Test {
 protected:
  void write(bool int8, bool half = false, bool nms = false) {
    ExportOptions options;
    options.int8 = int8, options.half = half, options.nms = nms;
    write_coreml(export_model(net, 32, 32, options), options, folder / "x");
  }
  std::string error() {
    return test::error_of([&] { coreml_package_weights(folder / "x", net); });
  }

  const test::ScratchFolder folder;
  const network::NetworkAndWeights net = three_convolutions();
  const std::string blobs = (folder / "x/Data/com.apple.CoreML/weights/weight.bin").string();
};

}  // namespace

TEST_F(CoremlConstants, WhatIsNoPaletteIsExact) {
  for (const bool nms : {false, true}) {
    std::filesystem::remove_all(folder / "x");
    write(true, false, nms);
    const network::Weights found = coreml_package_weights(folder / "x", net);
    ASSERT_EQ(found.size(), net.weights.size());
    for (const auto& [name, tensor] : net.weights.entries()) {
      EXPECT_EQ(found.at(name).shape, tensor.shape);
      const std::vector<float> values = tensor.to_floats();
      EXPECT_EQ(found.at(name).to_floats(), name == large ? palette_of(values).dense() : values)
          << name;
    }
  }
}

TEST_F(CoremlConstants, WithoutPalettesEverythingIsAsItWas) {
  write(false);
  const network::Weights found = coreml_package_weights(folder / "x", net);
  for (const auto& [name, tensor] : net.weights.entries())
    EXPECT_EQ(found.at(name).to_floats(), tensor.to_floats()) << name;
  std::filesystem::remove_all(folder / "x");
  write(false, true);
  EXPECT_EQ(coreml_package_weights(folder / "x", net).at(large).to_floats(),
            net.weights.at(large).converted(network::DataType::float16).to_floats());
}

// Anchors are no constant of the program.
TEST_F(CoremlConstants, WhatNoOperationReadsStays) {
  write(true);
  network::NetworkAndWeights more = net;
  more.weights.set("model.9.anchors", network::Tensor::from(std::vector<float>{1, 2}, {2}));
  EXPECT_EQ(coreml_package_weights(folder / "x", more).at("model.9.anchors").to_floats(),
            (std::vector<float>{1, 2}));
}

TEST_F(CoremlConstants, BrokenFilesAreErrors) {
  write(true);
  std::filesystem::resize_file(blobs, std::filesystem::file_size(blobs) / 2);
  EXPECT_NE(error().find("weight.bin"), std::string::npos) << error();
  {
    std::fstream file(blobs, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(64);
    file.write("none", 4);
  }
  EXPECT_NE(error().find("the mark of a record at byte 64"), std::string::npos) << error();
  std::ofstream(folder / "x/Data/com.apple.CoreML/model.mlmodel");
  EXPECT_NE(error().find("expected an ML program with constants, found none"), std::string::npos)
      << error();
}

TEST_F(CoremlConstants, AnotherNetworkIsAnError) {
  write(true);
  HandNetwork other;
  other.level(noisy_conv(other, 0, 3, 6, 1), 1, 1);
  const network::NetworkAndWeights small{other.network(), other.weights()};
  EXPECT_NE(test::error_of([&] {
              coreml_package_weights(folder / "x", small);
            }).find("model.0.conv.weight: expected 18 numbers, found 216"),
            std::string::npos);
}
