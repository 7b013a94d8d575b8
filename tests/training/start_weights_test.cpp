// The start for yolov7-tiny: the file itself, where it is found, and which networks it fits.
#include "training/fine_tuning/start_weights.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <iterator>

#include "core/builtin.hpp"
#include "network/config/builder.hpp"
#include "network/graph/graph.hpp"
#include "tests/nn/small_network.hpp"

namespace yolov7::training {
namespace {

namespace fs = std::filesystem;
const fs::path committed = fs::path(YOLOV7_SOURCE_DIR) / "weights/yolov7-tiny-synth.pt";

std::string bytes_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

network::Network tiny(int classes, double width = 0) {
  network::Overrides overrides;
  overrides.class_count = classes;
  if (width > 0) overrides.width_multiple = width;
  return network::build(network::read_config("yolov7-tiny.yaml"), "yolov7-tiny.yaml", overrides);
}

TEST(StartWeights, TheFileIsDeliveredBesideTheProgram) {
  EXPECT_EQ(delivered_file("weights/yolov7-tiny-synth.pt"),
            fs::canonical(YOLOV7_BINARY_DIR) / "share/yolov7/weights/yolov7-tiny-synth.pt");
  EXPECT_TRUE(bytes_of(delivered_file("weights/yolov7-tiny-synth.pt")) == bytes_of(committed));
}

TEST(StartWeights, HalfPrecisionAndNoLargerThanPromised) {
  EXPECT_LE(fs::file_size(committed), 13'000'000u);
  const network::Checkpoint start = read_start();
  EXPECT_EQ(start.class_count, 64);
  for (const auto& [name, tensor] : start.inference_weights().entries())
    if (name.find("num_batches_tracked") == std::string::npos) {
      EXPECT_EQ(tensor.type, network::DataType::float16) << name;
    }
}

// coreutils' sha256sum is the independent program.
TEST(StartWeights, TheHashIsTheOneInTheReadme) {
  FILE* pipe = ::popen(("sha256sum '" + committed.string() + "'").c_str(), "r");
  char hash[65] = {};
  ASSERT_EQ(std::fread(hash, 1, 64, pipe), 64u);
  ::pclose(pipe);
  EXPECT_NE(bytes_of(committed.parent_path() / "README.md").find(hash), std::string::npos) << hash;
}

TEST(StartWeights, FitsTinyWithAnyClassesAndNothingElse) {
  const network::Checkpoint start = read_start();
  EXPECT_EQ(first_misfit(start, nn::TorchNetwork(tiny(64))), "");
  EXPECT_EQ(first_misfit(start, nn::TorchNetwork(tiny(3))), "");
  // The first convolution of yolov7-tiny has 32 channels of 3 × 3 over RGB; at half the width 16.
  EXPECT_EQ(first_misfit(start, nn::TorchNetwork(tiny(3, 0.5))),
            "its model.0.conv.weight is [32, 3, 3, 3], and [16, 3, 3, 3] here");
  EXPECT_EQ(first_misfit(start, nn::TorchNetwork(nn::small_network())),
            "its model.0.conv.weight is [32, 3, 3, 3], and [8, 3, 3, 3] here");
}

TEST(StartWeights, TwoNamesOnly) {
  for (const char* name : {"synth", "auto"}) EXPECT_TRUE(names_start(name));
  for (const char* name : {"", "./synth", "synth.pt", "Synth"}) EXPECT_FALSE(names_start(name));
}

}  // namespace
}  // namespace yolov7::training
