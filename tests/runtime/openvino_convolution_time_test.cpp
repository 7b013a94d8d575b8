// Times of convolutions: plausible, and measured once.
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "runtime/openvino/convolution_time.hpp"
#include "tests/scratch_folder.hpp"
#include "tests/stopping.hpp"

namespace yolov7::runtime {
namespace {

network::TimedConvolution convolution(int in, int out, int groups = 1) {
  network::TimedConvolution one;
  one.shape.in_channels = in;
  one.shape.out_channels = out;
  one.shape.kernel_h = one.shape.kernel_w = 3;
  one.shape.pad_h = one.shape.pad_w = 1;
  one.shape.groups = groups;
  one.height = one.width = 40;
  return one;
}

DetectorOptions one_thread() {
  DetectorOptions options;
  options.threads = 1;
  return options;
}

// 64 times the multiply-adds take more than four times as long, however busy the machine is.
TEST(ConvolutionTimes, GrowWithTheWork) {
  const auto times = convolution_times(one_thread(), {});
  const double small = (*times)(convolution(16, 16)), large = (*times)(convolution(128, 128));
  EXPECT_GT(small, 0);
  EXPECT_GT(large, 4 * small);
  EXPECT_EQ(times->measured(), 2u);
  EXPECT_EQ((*times)(convolution(16, 16)), small) << "known by now";
  EXPECT_EQ(times->measured(), 2u);
  EXPECT_GT((*times)(convolution(32, 32, 32)), 0) << "depthwise";
  for (const auto kind : {network::ActivationKind::silu, network::ActivationKind::relu,
                          network::ActivationKind::relu6, network::ActivationKind::sigmoid,
                          network::ActivationKind::leaky_relu}) {
    network::TimedConvolution one = convolution(16, 32);
    one.activation = {kind, 0.1};
    EXPECT_GT((*times)(one), 0);
  }
}

TEST(ConvolutionTimes, StopAndRefuse) {
  EXPECT_TRUE(test::is_stopped([] {
    const auto times = convolution_times(one_thread(), test::stopped());
    (*times)(convolution(16, 16));
  }));
  DetectorOptions odd;
  odd.precision = "int4";
  EXPECT_EQ(test::error_of([&] { convolution_times(odd, {}); }),
            "precision: expected float32 or bfloat16, found 'int4'");
}

}  // namespace
}  // namespace yolov7::runtime
