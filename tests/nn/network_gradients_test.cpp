// Gradients of whole networks, computed in float32 by the fast kernels, against the same networks
// in float64, which runs through LibTorch's own operators.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <regex>
#include <string>
#include <tuple>

#include "core/threads.hpp"
#include "network/config/builder.hpp"
#include "nn/initial_values.hpp"
#include "nn/torch_network.hpp"

namespace yolov7::nn {
namespace {

std::string config(const std::string& name, const std::string& width) {
  std::ifstream in(std::string(YOLOV7_SOURCE_DIR) + "/configs/training/" + name);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  return std::regex_replace(text, std::regex("width_multiple: *[0-9.]+"),
                            "width_multiple: " + width);
}

/// All gradients of a fixed linear function of the raw maps, by name.
std::vector<at::Tensor> gradients(TorchNetwork& net) {
  net.train(true);
  constexpr std::int64_t size = 256, batch = 2;
  const at::Tensor images = at::arange(batch * 3 * size * size, at::kDouble)
                                .mul_(12.9898)
                                .sin_()
                                .mul_(43758.5453)
                                .frac_()
                                .abs_()
                                .view({batch, 3, size, size})
                                .to(net.type())
                                .contiguous(at::MemoryFormat::ChannelsLast);
  at::Tensor sum = at::zeros({}, net.type());
  for (const at::Tensor& map : net.forward(images)) {
    const at::Tensor weights =
        at::arange(map.numel(), at::kDouble).mul_(1.37).cos_().view(map.sizes()).to(net.type());
    sum = sum + (map.to(net.type()) * weights).mean();
  }
  sum.backward();
  std::vector<at::Tensor> result;
  for (const auto& entry : net.entries())
    if (entry.tensor.requires_grad())
      result.push_back(entry.tensor.grad().defined() ? entry.tensor.grad().to(at::kDouble)
                                                     : at::Tensor());
  return result;
}

double cosine(const std::vector<at::Tensor>& a, const std::vector<at::Tensor>& b) {
  double ab = 0, aa = 0, bb = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].defined(), b[i].defined()) << i;
    if (!a[i].defined()) continue;
    ab += (a[i] * b[i]).sum().item<double>(), aa += (a[i] * a[i]).sum().item<double>(),
        bb += (b[i] * b[i]).sum().item<double>();
  }
  return ab / std::sqrt(aa * bb);
}

class NetworkGradients : public testing::TestWithParam<std::tuple<std::string, std::string>> {};

TEST_P(NetworkGradients, EqualThoseOfFloat64) {
  at::set_num_threads(usable_cores());
  const auto [name, width] = GetParam();
  const std::string text = config(name + ".yaml", width);
  TorchNetwork exact(network::build(text, name), at::kDouble), fast(network::build(text, name));
  initialize(exact, 0);
  initialize(fast, 0);
  const auto wanted = gradients(exact);
  const double found = cosine(wanted, gradients(fast));
  // Rounding errors of 1e-7 grow layer by layer at random initial values; the deepest networks keep
  // 0.999 of the direction.
  EXPECT_GT(found, 0.995) << name;
}

INSTANTIATE_TEST_SUITE_P(Backbones, NetworkGradients,
                         testing::Combine(testing::Values("yolov7-tiny-mobilenetv2",
                                                          "yolov7-tiny-efficientnet-lite0"),
                                          testing::Values("0.5")),
                         [](const auto& one) {
                           std::string name = std::get<0>(one.param);
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });
INSTANTIATE_TEST_SUITE_P(SevenNetworks, NetworkGradients,
                         testing::Combine(testing::Values("yolov7-tiny", "yolov7", "yolov7x",
                                                          "yolov7-w6", "yolov7-e6", "yolov7-d6",
                                                          "yolov7-e6e"),
                                          testing::Values("0.25", "0.125")),
                         [](const auto& one) {
                           std::string name = std::get<0>(one.param) + "_" + std::get<1>(one.param);
                           for (char& c : name)
                             if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
                           return name;
                         });

}  // namespace
}  // namespace yolov7::nn
