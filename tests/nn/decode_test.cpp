#include <gtest/gtest.h>

#include <cmath>

#include "nn/torch_network.hpp"
#include "tests/nn/small_network.hpp"

namespace yolov7::nn {
namespace {

TEST(Decode, EqualsTheFormula) {  // architecture 3.4
  const network::Network net = small_network();
  const int no = net.outputs_per_anchor();
  std::vector<at::Tensor> maps;
  for (const auto& [h, w] : std::vector<std::pair<int, int>>{{4, 6}, {2, 3}})
    maps.push_back(at::arange(2 * 2 * h * w * no, at::kDouble)
                       .mul_(0.61)
                       .sin_()
                       .mul_(3)
                       .view({2, 2, h, w, no}));
  const at::Tensor rows = decode(maps, net);
  ASSERT_EQ(rows.sizes(), (std::vector<std::int64_t>{2, 2 * (24 + 6), no}));
  const auto sigmoid = [](double t) { return 1 / (1 + std::exp(-t)); };
  const int level = 1, b = 1, a = 1, y = 1, x = 2, row = 2 * 24 + (a * 2 + y) * 3 + x;
  const auto t = [&](int k) { return maps[level][b][a][y][x][k].item<double>(); };
  const auto& anchor = net.levels[level].anchors[a];
  const std::vector<double> expected{(2 * sigmoid(t(0)) - 0.5 + x) * 16,
                                     (2 * sigmoid(t(1)) - 0.5 + y) * 16,
                                     std::pow(2 * sigmoid(t(2)), 2) * anchor.w,
                                     std::pow(2 * sigmoid(t(3)), 2) * anchor.h,
                                     sigmoid(t(4)),
                                     sigmoid(t(5)),
                                     sigmoid(t(6))};
  for (int k = 0; k < no; ++k)
    EXPECT_NEAR(rows[b][row][k].item<double>(), expected[static_cast<std::size_t>(k)], 1e-12) << k;
}

}  // namespace
}  // namespace yolov7::nn
