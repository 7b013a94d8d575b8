// Each of the seven networks learns: ten steps on one repeated batch, 128 px, two pictures,
// constant rate, no warm-up, no accumulation.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "core/memory.hpp"
#include "core/random.hpp"
#include "core/threads.hpp"
#include "network/config/builder.hpp"
#include "nn/initial_values.hpp"
#include "nn/torch_network.hpp"
#include "training/loss/loss.hpp"
#include "training/optim/optimizer.hpp"

namespace yolov7::training {
namespace {

constexpr int size = 128, batch = 2, objects = 12;
constexpr double rate = 0.1,
                 most_memory_gb = 16;  // at 0.05 the loss falls to 0.74 … 0.87 of the first too

std::string read(const std::string& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

struct Batch {
  at::Tensor images;
  std::vector<Target> labels;
};

/// Bright patches of one class on grey, 6 × 8 pixels: half or a third of the smallest anchor, so
/// that the boxes have much to learn, and within the ratio limit of anchors of the finest level
/// alone. Objects that several levels can take are no measure: OTA hands whole levels in and out in
/// the first steps, and the sum over levels jumps by a third at any rate.
Batch draw_batch() {
  Batch result{at::full({batch, 3, size, size}, 0.3F), {}};
  Random random(5, 0, 0, 0);
  for (int image = 0; image < batch; ++image)
    for (int i = 0; i < objects; ++i) {
      const std::int64_t w = 6, h = 8, x = random.integer(0, size - w),
                         y = random.integer(0, size - h);
      result.images.select(0, image).slice(1, y, y + h).slice(2, x, x + w).fill_(1.0F);
      const auto share = [](double pixels) { return static_cast<float>(pixels / size); };
      result.labels.push_back({static_cast<float>(image), 0.0F,
                               share(static_cast<double>(x) + static_cast<double>(w) / 2),
                               share(static_cast<double>(y) + static_cast<double>(h) / 2),
                               share(static_cast<double>(w)), share(static_cast<double>(h))});
    }
  result.images = result.images.contiguous(at::MemoryFormat::ChannelsLast);
  return result;
}

class TenSteps : public testing::TestWithParam<const char*> {};

TEST_P(TenSteps, LowerTheLoss) {
  at::set_num_threads(usable_cores());
  const std::string name = std::string("training/") + GetParam() + ".yaml";
  nn::TorchNetwork net(
      network::build(read(std::string(YOLOV7_SOURCE_DIR) + "/configs/" + name), name));
  nn::initialize(net, 0);
  net.train(true);
  const network::Network& description = net.description();
  LossOptions options;
  options.kind = description.head == network::HeadKind::iauxdetect ? LossOptions::Kind::auxiliary
                                                                   : LossOptions::Kind::ota;
  options.gains = scaled_gains({}, description.lead_levels(), description.class_count, size);
  Loss loss(options, description);
  OptimizerOptions rule;
  rule.weight_decay = 0.0005;
  Optimizer optimizer(net, rule);
  optimizer.set_rates({rate, rate, rate});
  const Batch data = draw_batch();
  double first = 0, last = 0;
  for (int step = 1; step <= 10; ++step) {
    const LossValue value = loss(net.forward(data.images), data.labels);
    last = value.total.item<double>();
    ASSERT_TRUE(std::isfinite(last)) << "step " << step;
    if (step == 1) first = last;
    value.total.backward();
    optimizer.step();
    optimizer.clear_gradients();
  }
  std::printf("%s: loss %.3f at step 1, %.3f at step 10, peak memory %.2f GB\n", GetParam(), first,
              last, static_cast<double>(peak_resident_bytes()) / 1e9);
  EXPECT_LT(last, 0.9 * first);
  EXPECT_LT(static_cast<double>(peak_resident_bytes()) / 1e9, most_memory_gb);
}

std::string name_of(const testing::TestParamInfo<const char*>& instance) {
  std::string name = instance.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

// One network for each kind of loss every day; the gradients of all seven, narrower, are
// NetworkGradients.
INSTANTIATE_TEST_SUITE_P(SevenNetworks, TenSteps, testing::Values("yolov7-tiny", "yolov7-w6"),
                         name_of);
INSTANTIATE_TEST_SUITE_P(Nightly, TenSteps,
                         testing::Values("yolov7", "yolov7x", "yolov7-e6", "yolov7-d6",
                                         "yolov7-e6e"),
                         name_of);

}  // namespace
}  // namespace yolov7::training
