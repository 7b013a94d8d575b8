// Predicted memory of a forward and backward pass: a hand calculation for three layers, and a
// comparison with measured memory.
#include "training/pass_memory.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <regex>

#include "kernels/tensor_memory.hpp"
#include "network/config/builder.hpp"
#include "nn/initial_values.hpp"
#include "tests/training/tiny_run.hpp"
#include "training/precision/trial_pass.hpp"

namespace yolov7::training {
namespace {

network::Network three_layers() {
  network::Overrides one_class;
  one_class.class_count = 1;
  return network::build(tiny_config, "tiny.yaml", one_class);
}

// 64 × 64 px, float32: picture 49,152 bytes; outputs of each convolution and of its norm (whose
// buffer the activation shares) 2 × 32,768, 2 × 8,192 and 2 × 2,048; map of 2 × 6 channels 3,072.
// The forward pass keeps all: 138,240. The backward pass needs most when the second convolution
// computes the gradient of the first activation (32,768). By then the gradients of later layers are
// freed, and so are these outputs: 138,240 − 2,048 (third norm) − 2,048 (third convolution) − 8,192
// (second norm) − 8,192 (second convolution) + 8,192 (the gradient of that convolution's output) +
// 32,768 = 158,720.
TEST(PassBytes, ByHand) {
  EXPECT_DOUBLE_EQ(pass_bytes(three_layers(), 64, 64, 4, {}), 158'720);
  // bfloat16: picture 49,152 and map 3,072 stay float32; other outputs 86,016 / 2, freed 20,480 /
  // 2, gradients 8,192 / 2 and 32,768 / 2.
  EXPECT_DOUBLE_EQ(pass_bytes(three_layers(), 64, 64, 2, {}), 105'472);
}

// Two frozen layers keep nothing for the backward pass. The peak is in the forward pass, when the
// first norm writes its output: picture + 2 × 32,768.
TEST(PassBytes, FrozenLayersKeepNothing) {
  EXPECT_DOUBLE_EQ(pass_bytes(three_layers(), 64, 64, 4, std::vector<int>{0, 1}), 114'688);
}

TEST(PassBytes, AreNearWhatAPassTakes) {
  std::ifstream in(YOLOV7_SOURCE_DIR "/configs/training/yolov7-tiny.yaml");
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  nn::TorchNetwork net(network::build(
      std::regex_replace(text, std::regex("width_multiple: *[0-9.]+"), "width_multiple: 0.25"),
      "narrow.yaml"));
  nn::initialize(net, 0);
  net.train(true);
  kernels::TensorMemory& memory = kernels::keep_tensor_memory();
  LossOptions options;
  options.gains = scaled_gains({}, 3, 80, 256);
  Loss loss(options, net.description());
  const std::vector<Target> targets{{0, 1, 0.5F, 0.5F, 0.3F, 0.3F}};
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
    net.set_compute(type);
    const auto peak = [&](int pictures) {
      const at::Tensor images =
          at::full({pictures, 3, 256, 256}, 0.4F).contiguous(at::MemoryFormat::ChannelsLast);
      memory.forget_peak();
      trial_pass(net, loss, images, targets);
      return static_cast<double>(memory.peak_bytes());
    };
    peak(1);
    const double measured = (peak(5) - peak(1)) / 4,
                 predicted = pass_bytes(net.description(), 256, 256,
                                        static_cast<int>(c10::elementSize(type)), {});
    // Workspaces of kernels and gaps between tensors are not predicted: a fifth either way.
    EXPECT_GT(predicted, 0.8 * measured) << type;
    EXPECT_LT(predicted, 1.2 * measured) << type;
  }
}

}  // namespace
}  // namespace yolov7::training
