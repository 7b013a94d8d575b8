// What a training for 8-bit integers begins with: corrected biases, and one set of ranges in all
// processes.
#include "training/quantized_model.hpp"

#include <gtest/gtest.h>

#include <mutex>
#include <set>

#include "network/checkpoint/checkpoint_file.hpp"
#include "nn/initial_values.hpp"
#include "runtime/detector.hpp"
#include "tests/training/ranks.hpp"
#include "tests/training/tiny_run.hpp"
#include "training/float_parent.hpp"

namespace yolov7::training {
namespace {

/// Of random weights, with the classes of TinyRun's data.
std::string write_parent(const test::ScratchFolder& scratch) {
  network::Checkpoint checkpoint;
  checkpoint.config = tiny_config;
  checkpoint.config_source = "parent.yaml";
  checkpoint.names = {"a", "b"};
  checkpoint.class_count = 2;
  nn::TorchNetwork network(checkpoint.build_network());
  nn::initialize(network, 7);
  checkpoint.ema = network.store();
  network::write_checkpoint(scratch / "parent.pt", checkpoint);
  return (scratch / "parent.pt").string();
}

// The convolution whose result is decoded stays in float32: there is no rounding to make good.
TEST(QuantizedModel, BiasesAreCorrectedWhereSomethingIsRounded) {
  if (!runtime::openvino_available()) GTEST_SKIP() << "calibration needs OpenVINO";
  const test::ScratchFolder scratch;
  TinyRun tiny;
  tiny.request.options.qat.on = true;
  tiny.request.options.weights = write_parent(scratch);
  tiny.request.options.cfg = "";
  const PreparedRun& run = tiny.prepared();
  ASSERT_NE(run.model.quantizers, nullptr);
  const auto before =
      folded_network(network::read_checkpoint(tiny.request.options.weights), {"a", "b"}, at::kCPU);
  const std::set<std::string> results = network::result_convolutions(before->description());
  ASSERT_EQ(results.size(), 1U);
  int corrected = 0;
  for (const network::Convolution* conv :
       network::quantizable_convolutions(before->description())) {
    ASSERT_TRUE(conv->bias) << conv->tensor;
    const std::string name = conv->tensor + ".bias";
    const bool same = at::equal(run.model.network->tensor(name), before->tensor(name));
    EXPECT_EQ(same, results.contains(conv->tensor)) << name;
    corrected += same ? 0 : 1;
  }
  EXPECT_EQ(corrected, 3);
}

TEST(QuantizedModel, RangesAreThoseOfTheFirstProcess) {
  std::mutex mutex;
  run_ranks(3, [&](Communicator& group) {
    const int rank = group.rank();
    const network::ValueScale image{1.0F / 255, 0, 1.0F / 127, 255};
    const auto of_rank = [](int one) {
      return network::ValueScale{0.031F + 0.001F * static_cast<float>(one), 9 + one,
                                 0.05F + 0.01F * static_cast<float>(one), 63};
    };
    network::QuantizationScales scales;
    scales.values = {image, of_rank(rank)};
    take_first_ranges(scales, group);
    const std::lock_guard lock(mutex);
    ASSERT_EQ(scales.values.size(), 2U);
    EXPECT_TRUE(scales.values[0] == image) << rank;
    EXPECT_TRUE(scales.values[1] == of_rank(0)) << rank;
  });
}

TEST(QuantizedModel, OneProcessKeepsItsRanges) {
  const auto group = Communicator::alone();
  network::QuantizationScales scales;
  scales.values = {{0.031F, 9, 0.05F, 63}};
  take_first_ranges(scales, *group);
  EXPECT_EQ(scales.values[0].zero_point, 9);
}

}  // namespace
}  // namespace yolov7::training
