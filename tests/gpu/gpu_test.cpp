// What only a GPU can show: the processor's numbers again, float16 with loss scaling, NCCL, memory
// that runs out, speed.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <torch/csrc/distributed/c10d/HashStore.hpp>

#include "core/error.hpp"
#include "nn/cuda/gpu_api.hpp"
#include "nn/device.hpp"
#include "nn/device_memory.hpp"
#include "tests/nn/small_network.hpp"
#include "tests/training/synthetic.hpp"
#include "training/loss/loss.hpp"
#include "training/optim/ema.hpp"
#include "training/optim/optimizer.hpp"
#include "training/precision/loss_scaler.hpp"
#include "training/precision/precision.hpp"

namespace yolov7::training {
namespace {

class Gpu : public testing::Test {
 protected:
  void SetUp() override {
    std::string why;
    api = nn::gpu_api(why);
    if (api == nullptr) GTEST_SKIP() << "no GPU: " << why;
    if (api->count() == 0) GTEST_SKIP() << "no GPU: none is visible";
    device = nn::choose_device("0", run::World{});
  }
  const nn::GpuApi* api = nullptr;
  at::Device device = at::kCPU;
};

/// Largest difference over the largest value.
double difference(const at::Tensor& gpu, const at::Tensor& cpu) {
  const at::Tensor a = gpu.detach().to(at::kCPU, at::kDouble), b = cpu.detach().to(at::kDouble);
  return (a - b).abs().max().item<double>() / std::max(1e-12, b.abs().max().item<double>());
}

struct LossCase {
  LossOptions::Kind kind;
  int levels;
  bool auxiliary;
};

TEST_F(Gpu, LossesAndAssignmentsAreThoseOfTheProcessor) {
  std::printf("%s\n", nn::device_text(device).c_str());
  for (const LossCase& one :
       {LossCase{LossOptions::Kind::plain, 3, false}, LossCase{LossOptions::Kind::ota, 3, false},
        LossCase{LossOptions::Kind::auxiliary, 4, true}}) {
    LossOptions options;
    options.kind = one.kind;
    Loss loss(options, synthetic::network(one.levels, one.auxiliary));
    const std::vector<at::Tensor> cpu = synthetic::maps(one.levels, 256, one.auxiliary);
    std::vector<at::Tensor> gpu;
    for (const at::Tensor& map : cpu) gpu.push_back(map.detach().to(device).requires_grad_(true));
    const LossValue a = loss(cpu, synthetic::set_s), b = loss(gpu, synthetic::set_s);
    a.total.backward();
    b.total.backward();
    EXPECT_LT(difference(b.parts, a.parts), 1e-5);  // float32 sums in another order; a different
                                                    // assignment would differ in the first digit
    for (std::size_t i = 0; i < cpu.size(); ++i)
      EXPECT_LT(difference(gpu[i].grad(), cpu[i].grad()), 1e-4) << "map " << i;
  }
}

TEST_F(Gpu, ANetworkTrainsAsOnTheProcessor) {
  nn::TorchNetwork cpu(nn::small_network()), gpu(nn::small_network(), at::kFloat, device);
  nn::randomize(cpu, 4);
  gpu.load(cpu.store());
  OptimizerOptions rule;
  Optimizer on_cpu(cpu, rule), on_gpu(gpu, rule);
  Ema average_cpu(cpu), average_gpu(gpu);
  const at::Tensor images =
      nn::test_images(4, 64, 64, at::kFloat).contiguous(at::MemoryFormat::ChannelsLast);
  for (int step = 0; step < 3; ++step)
    for (auto [net, optimizer, ema] :
         {std::tuple(&cpu, &on_cpu, &average_cpu), std::tuple(&gpu, &on_gpu, &average_gpu)}) {
      net->train(true);
      at::Tensor total = at::zeros({}, at::dtype(at::kFloat).device(net->device()));
      for (const at::Tensor& map : net->forward(images.to(net->device())))
        total = total + map.square().mean();
      total.backward();
      optimizer->step();
      optimizer->clear_gradients();
      ema->update(*net);
    }
  for (std::size_t i = 0; i < cpu.entries().size(); ++i) {
    EXPECT_LT(difference(gpu.entries()[i].tensor, cpu.entries()[i].tensor), 2e-4)
        << cpu.entries()[i].spec.name;  // TF32 is off: float32 rounding over three steps
    EXPECT_LT(difference(average_gpu.average().entries()[i].tensor,
                         average_cpu.average().entries()[i].tensor),
              2e-4)
        << cpu.entries()[i].spec.name;
  }
}

TEST_F(Gpu, Float16WithLossScalingLearnsInFiftySteps) {
  nn::TorchNetwork net(nn::small_network(), at::kFloat, device);
  nn::randomize(net, 5);
  net.train(true);
  net.set_compute(at::kHalf);
  LossOptions options;
  Loss loss(options, net.description());
  Optimizer optimizer(net, OptimizerOptions{});
  optimizer.set_rates({0.01, 0.01, 0.01});
  LossScaler scaler;
  const at::Tensor images =
      nn::test_images(4, 64, 64, at::kFloat).to(device).contiguous(at::MemoryFormat::ChannelsLast);
  const std::vector<Target> targets{{0, 0, 0.3F, 0.4F, 0.3F, 0.4F},
                                    {1, 1, 0.6F, 0.5F, 0.5F, 0.4F},
                                    {2, 0, 0.5F, 0.5F, 0.4F, 0.4F},
                                    {3, 1, 0.4F, 0.6F, 0.3F, 0.3F}};
  double first = 0, last = 0;
  int left_out = 0;
  for (int step = 0; step < 50; ++step) {
    const LossValue value = loss(net.forward(images), targets);
    (value.total * scaler.scale()).backward();
    last = value.total.item<double>();
    if (step == 0) first = last;
    optimizer.scale_gradients(1 / scaler.scale());
    const bool finite = std::isfinite(optimizer.clip_gradients(0));
    ASSERT_TRUE(scaler.update(finite));
    if (finite)
      optimizer.step();
    else
      ++left_out;
    optimizer.clear_gradients();
  }
  std::printf("float16: loss %.4f at step 1, %.4f at step 50; %d steps left out, scale %.0f\n",
              first, last, left_out, scaler.scale());
  EXPECT_LT(last, 0.8 * first);
  EXPECT_LT(left_out, 10);
}

TEST_F(Gpu, NcclSumsOverOneRank) {
  const auto backend =
      api->nccl(c10::make_intrusive<c10d::HashStore>(), 0, 1, std::chrono::seconds(60));
  std::vector<at::Tensor> values{at::arange(1000, at::dtype(at::kFloat).device(device))};
  backend->allreduce(values)->wait();
  EXPECT_TRUE(at::equal(values[0].to(at::kCPU), at::arange(1000, at::kFloat)));
}

TEST_F(Gpu, MemoryThatRunsOutIsAnException) {
  nn::DeviceMemory memory(device);
  const std::uint64_t free = memory.free_bytes();
  EXPECT_GT(free, std::uint64_t{1} << 28);
  EXPECT_THROW(
      at::empty({static_cast<std::int64_t>(free) * 2}, at::dtype(at::kByte).device(device)),
      c10::OutOfMemoryError);
  EXPECT_NO_THROW(at::empty({1 << 20}, at::dtype(at::kByte).device(device)));
}

}  // namespace
}  // namespace yolov7::training
