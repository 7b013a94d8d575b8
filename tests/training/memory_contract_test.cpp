// The memory model in closed form, and a step whose memory does not grow with the number of
// objects.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "core/random.hpp"
#include "core/threads.hpp"
#include "kernels/tensor_memory.hpp"
#include "network/config/builder.hpp"
#include "nn/initial_values.hpp"
#include "training/loss/loss.hpp"
#include "training/preflight.hpp"

namespace yolov7::training {
namespace {

TEST(MemoryModel, BatchAndMicroBatchThatFit) {
  const MemoryModel model{1000, 100, 10};  // 1000 + 100 · micro + 10 · batch
  EXPECT_EQ(model.peak(16, 16), 2760u);
  EXPECT_EQ(model.peak(16, 4), 1560u);
  EXPECT_EQ(model.largest_batch(64, 2760), 16);
  EXPECT_EQ(model.largest_batch(8, 2760), 8);
  EXPECT_EQ(model.largest_batch(64, 1109), 0);
  EXPECT_EQ(model.largest_micro(16, 2760), 16);
  EXPECT_EQ(model.largest_micro(16, 2759), 8);
  EXPECT_EQ(model.largest_micro(16, 1600), 4);
  EXPECT_EQ(model.largest_micro(16, 1260), 1);
  EXPECT_EQ(model.largest_micro(16, 1259), 0);
  EXPECT_EQ(model.largest_micro(6, 1000 + 60 + 200), 2);  // 6, 3, 2, 1
}

/// Peak of the large tensors in a step of yolov7-tiny at 640, batch 2, nc 80, with so many objects
/// in each picture.
std::size_t step_peak(nn::TorchNetwork& net, Loss& loss, int objects) {
  std::vector<Target> targets;
  Random random(11, 0, 0, 0);
  for (int picture = 0; picture < 2; ++picture)
    for (int i = 0; i < objects; ++i) {
      const double w = random.uniform(0.02, 0.2), h = random.uniform(0.02, 0.2);
      targets.push_back({static_cast<float>(picture), static_cast<float>(random.integer(0, 79)),
                         static_cast<float>(random.uniform(w / 2, 1 - w / 2)),
                         static_cast<float>(random.uniform(h / 2, 1 - h / 2)),
                         static_cast<float>(w), static_cast<float>(h)});
    }
  kernels::TensorMemory& memory = kernels::keep_tensor_memory();
  const at::Tensor images = at::arange(2 * 3 * 640 * 640, at::kFloat)
                                .mul_(0.7)
                                .sin_()
                                .mul_(0.5)
                                .add_(0.5)
                                .view({2, 3, 640, 640})
                                .contiguous(at::MemoryFormat::ChannelsLast);
  memory.forget_peak();
  loss(net.forward(images), targets).total.backward();
  for (const auto& entry : net.entries())
    if (at::Tensor tensor = entry.tensor; tensor.requires_grad()) tensor.mutable_grad().reset();
  return memory.peak_bytes();
}

TEST(MemoryContract, TwoThousandObjectsTakeNoMoreThanTwenty) {
  kernels::keep_tensor_memory();
  at::set_num_threads(usable_cores());
  std::ifstream in(YOLOV7_SOURCE_DIR "/configs/training/yolov7-tiny.yaml");
  const std::string config{std::istreambuf_iterator<char>(in), {}};
  nn::TorchNetwork net(network::build(config, "yolov7-tiny.yaml"));
  nn::initialize(net, 0);
  net.train(true);
  LossOptions options;
  options.gains = scaled_gains({}, 3, 80, 640);
  Loss loss(options, net.description());
  const double few = static_cast<double>(step_peak(net, loss, 20)),
               many = static_cast<double>(step_peak(net, loss, 2000));
  EXPECT_LT(many, 1.10 * few) << many / 1e6 << " MB against " << few / 1e6;
  RecordProperty("ratio", std::to_string(many / few));
  EXPECT_GT(few, 100e6);  // the counter counts
}

}  // namespace
}  // namespace yolov7::training
