#include "nn/torch_detector.hpp"

#include <gtest/gtest.h>
#include <torch/version.h>

#include "core/error.hpp"
#include "tests/nn/small_network.hpp"

namespace yolov7::nn {
namespace {

std::vector<std::uint8_t> pixels(int count, int height, int width) {
  std::vector<std::uint8_t> result(static_cast<std::size_t>(count * 3 * height * width));
  for (std::size_t i = 0; i < result.size(); ++i)
    result[i] = static_cast<std::uint8_t>(i * 7 % 251);
  return result;
}

TEST(TorchDetector, GivesDecodedRowsAndRawMapsOfTheNetwork) {
  TorchNetwork net(small_auxiliary_network());
  randomize(net, 8);
  const auto detector = make_torch_detector(
      net.description(), net.store(), {.precision = "float32", .threads = 1, .raw_maps = true});
  const auto bytes = pixels(2, 32, 48);
  runtime::Prediction found;
  detector->predict({bytes, 2, 32, 48}, found);
  at::NoGradGuard no_gradient;
  const auto maps = net.forward(image_tensor(bytes, 2, 32, 48));
  const at::Tensor rows = decode(maps, net.description()).contiguous();
  EXPECT_EQ(found.count, 2);
  EXPECT_EQ(found.rows, 2u * (4 * 6 + 2 * 3));
  EXPECT_EQ(found.columns, 7);
  ASSERT_EQ(found.decoded.size(), static_cast<std::size_t>(rows.numel()));
  // The threads may differ from those of the test: 32-bit sums in another order, boxes up to 60 px.
  for (std::int64_t i = 0; i < rows.numel(); ++i)
    ASSERT_NEAR(found.decoded[static_cast<std::size_t>(i)], rows.const_data_ptr<float>()[i], 1e-3);
  ASSERT_EQ(found.raw.size(), 2u);
  EXPECT_EQ(found.raw[1].height, 2);
  EXPECT_EQ(found.raw[1].width, 3);
  EXPECT_EQ(found.raw[1].anchors, 2);
  const at::Tensor raw = maps[1].contiguous();
  ASSERT_EQ(found.raw[1].values.size(), static_cast<std::size_t>(raw.numel()));
  for (std::int64_t i = 0; i < raw.numel(); ++i)
    ASSERT_NEAR(found.raw[1].values[static_cast<std::size_t>(i)], raw.const_data_ptr<float>()[i],
                1e-4);
}

TEST(TorchDetector, DescribesItself) {
  TorchNetwork net(small_network());
  randomize(net, 8);
  const auto detector = make_torch_detector(
      net.description(), net.store(), {.precision = "bfloat16", .threads = 1, .raw_maps = false});
  EXPECT_EQ(detector->class_count(), 2);
  EXPECT_EQ(detector->stride(), 16);
  EXPECT_EQ(detector->description(),
            std::string("LibTorch ") + TORCH_VERSION + ", CPU, bfloat16, 1 threads");
  const auto bytes = pixels(1, 32, 32);
  runtime::Prediction found;
  detector->predict({bytes, 1, 32, 32}, found);
  EXPECT_TRUE(found.raw.empty());
  EXPECT_EQ(found.decoded.size(), 2u * (16 + 4) * 7);
}

TEST(TorchDetector, RefusesWrongInput) {
  TorchNetwork net(small_network());
  EXPECT_THROW(make_torch_detector(net.description(), net.store(),
                                   {.precision = "int8", .threads = 1, .raw_maps = false}),
               Error);
  EXPECT_THROW(make_torch_detector(net.description(), {}, {}), Error);
  const auto detector = make_torch_detector(net.description(), net.store(), {});
  runtime::Prediction found;
  const auto bytes = pixels(1, 32, 40);
  EXPECT_THROW(detector->predict({bytes, 1, 32, 40}, found), Error);  // 40 is no multiple of 16
  EXPECT_THROW(detector->predict({bytes, 1, 32, 32}, found), Error);  // too many bytes
}

}  // namespace
}  // namespace yolov7::nn
