// Memory of a pass from shapes: by hand for three layers, and against what a pass takes.
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

// 64 pixels, float32: picture 49,152 bytes; convolutions and their norms 2 × 32,768, 2 × 8,192 and
// 2 × 2,048; map of 2 × 6 channels 3,072. All are kept: 138,240. The way back is at its widest
// where the second convolution gives the first norm's gradient (32,768): the map's gradient, what
// stands behind the second norm and its gradients are gone by then.
// 138,240 − 2,048 (third activation) − 2,048 (third convolution) − 8,192 (second activation) −
// 8,192 (second convolution) + 8,192 (its gradient) + 32,768 = 158,720.
TEST(PassBytes, ByHand) {
  EXPECT_DOUBLE_EQ(pass_bytes(three_layers(), 64, 64, 4, {}), 158'720);
  // bfloat16: picture and map stay float32. 49,152 + 3,072 + 43,008 − 10,240 + 4,096 + 16,384.
  EXPECT_DOUBLE_EQ(pass_bytes(three_layers(), 64, 64, 2, {}), 105'472);
}

// Nothing is kept of the two frozen layers: most is alive while the first norm writes its output,
// picture + 2 × 32,768.
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
    EXPECT_GT(predicted, 0.8 * measured) << type;
    EXPECT_LT(predicted, 1.2 * measured) << type;
  }
}

}  // namespace
}  // namespace yolov7::training
