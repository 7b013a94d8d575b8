#include "nn/initial_values.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/nn/small_network.hpp"

namespace yolov7::nn {
namespace {

using Role = network::TensorSpec::Role;

TEST(InitialValues, DependOnSeedAndNameOnly) {
  TorchNetwork a(small_network()), b(small_network()), c(small_network());
  initialize(a, 1);
  initialize(b, 1);
  initialize(c, 2);
  for (std::size_t i = 0; i < a.entries().size(); ++i) {
    EXPECT_TRUE(at::equal(a.entries()[i].tensor, b.entries()[i].tensor))
        << a.entries()[i].spec.name;
    if (a.entries()[i].spec.role == Role::weight) {
      EXPECT_FALSE(at::equal(a.entries()[i].tensor, c.entries()[i].tensor))
          << a.entries()[i].spec.name;
    }
  }
  EXPECT_FALSE(at::equal(a.tensor("model.6.conv.weight").flatten().slice(0, 0, 8),
                         a.tensor("model.12.conv.weight").flatten().slice(0, 0, 8)));
  TorchNetwork wider(small_auxiliary_network());  // the same tensor in another network
  initialize(wider, 1);
  EXPECT_TRUE(at::equal(a.tensor("model.0.conv.weight"), wider.tensor("model.0.conv.weight")));
}

TEST(InitialValues, ConvolutionsAreUniformWithinTheFanIn) {
  TorchNetwork net(small_network());
  initialize(net, 7);
  const at::Tensor weight = net.tensor("model.2.conv.weight").detach();  // 8 × 32 × 3 × 3
  const double bound = 1 / std::sqrt(32.0 * 9);
  EXPECT_LE(weight.abs().max().item<double>(), bound);
  EXPECT_GT(weight.abs().max().item<double>(),
            0.99 * bound);  // 2304 draws: fails with probability 1e-10
  EXPECT_NEAR(weight.std().item<double>(), bound / std::sqrt(3.0),
              0.03 * bound);  // 5 standard errors
  EXPECT_NEAR(weight.mean().item<double>(), 0, 0.06 * bound);
  const at::Tensor grouped = net.tensor("model.9.conv.weight").detach();  // groups 2: fan-in 4 · 9
  EXPECT_LE(grouped.abs().max().item<double>(), 1 / 6.0);
  EXPECT_GT(grouped.abs().max().item<double>(), 0.95 / 6.0);
}

TEST(InitialValues, NormsAreNeutralAndImplicitVectorsNarrow) {
  TorchNetwork net(small_network());
  initialize(net, 7);
  for (const auto& entry : net.entries()) {
    const double low = entry.tensor.min().item<double>(), high = entry.tensor.max().item<double>();
    const double centre = entry.spec.role == Role::bn_weight || entry.spec.role == Role::bn_var ||
                                  entry.spec.role == Role::implicit_mul
                              ? 1
                              : 0;
    if (entry.spec.role == Role::implicit_add || entry.spec.role == Role::implicit_mul) {
      EXPECT_GT(low, centre - 0.1) << entry.spec.name;  // 5 standard deviations of 0.02
      EXPECT_LT(high, centre + 0.1) << entry.spec.name;
      EXPECT_GT(high, low);
    } else if (entry.spec.role >= Role::bn_weight && entry.spec.role <= Role::bn_count) {
      EXPECT_EQ(low, centre) << entry.spec.name;
      EXPECT_EQ(high, centre) << entry.spec.name;
    }
  }
}

// Whatever the seed: x · 255 / deviation − mean / deviation.
TEST(InitialValues, ANormalizeLayerDoesWhatItSays) {
  const std::string config =
      "nc: 1\nanchors: [[10, 13]]\nbackbone:\n"
      "  - [-1, 1, Normalize, [[127, 0, 51], [128, 255, 51]]]\n"
      "  - [-1, 1, DWConv, [3, 2, None, nn.ReLU6()]]\n"
      "head:\n  - [-1, 1, Detect, [nc, anchors]]\n";
  for (const std::uint64_t seed : {0U, 9U}) {
    TorchNetwork net(network::build(config, "normalize.yaml"));
    initialize(net, seed);
    const at::Tensor scale = net.tensor("model.0.conv.weight").detach().flatten(),
                     shift = net.tensor("model.0.conv.bias").detach();
    const double scales[] = {255.0 / 128, 1, 5}, shifts[] = {-127.0 / 128, 0, -1};
    for (std::int64_t c = 0; c < 3; ++c) {
      EXPECT_NEAR(scale[c].item<double>(), scales[c], 1e-6);
      EXPECT_NEAR(shift[c].item<double>(), shifts[c], 1e-6);
    }
  }
}

TEST(InitialValues, HeadBiasesExpectFewObjects) {  // training 9, nc = 2: ln(0.6 / 1.01) = −0.520774
  TorchNetwork net(small_auxiliary_network());
  initialize(net, 7);
  const double bound = 1 / std::sqrt(8.0);
  const std::vector<std::pair<const char*, double>> heads{{"model.13.m.0.bias", -6.684612},
                                                          {"model.13.m.1.bias", -5.298317},
                                                          {"model.13.m2.0.bias", -6.684612},
                                                          {"model.13.m2.1.bias", -5.298317}};
  for (const auto& [name, objectness] : heads) {
    const at::Tensor bias = net.tensor(name).detach().view({2, 7});
    for (std::int64_t a = 0; a < 2; ++a)
      for (std::int64_t k = 0; k < 7; ++k) {
        const double shift = k < 4 ? 0 : k == 4 ? objectness : std::log(0.6 / 1.01);
        EXPECT_NEAR(bias[a][k].item<double>(), shift, bound + 1e-6) << name << ' ' << k;
      }
  }
  EXPECT_NEAR(std::log(0.6 / (80 - 0.99)), -4.880400, 5.1e-7);  // other class counts (training 9)
}

}  // namespace
}  // namespace yolov7::nn
