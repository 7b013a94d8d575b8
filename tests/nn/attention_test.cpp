// Spatial attention against its formulas (architecture 7.2), written out with tensors; and folded,
// and in OpenVINO.
#include <gtest/gtest.h>

#include "network/config/builder.hpp"
#include "nn/exact_outputs.hpp"
#include "tests/nn/small_network.hpp"

namespace yolov7::nn {
namespace {

network::Network with(const std::string& kind) {
  return network::build("nc: 2\nanchors: [[10,13, 16,30]]\nsam: {0: " + kind +
                            "}\nbackbone:\n  - [-1, 1, Conv, [8, 3, 2, None, 1, "
                            "nn.LeakyReLU(0.1)]]\nhead:\n  - [0, 1, Detect, [nc, anchors]]\n",
                        "sam.yaml");
}

at::Tensor conv_bn(TorchNetwork& net, const std::string& prefix, const at::Tensor& x,
                   std::int64_t stride, std::int64_t padding) {
  const auto t = [&](const char* name) { return net.tensor(prefix + name); };
  const at::Tensor y = at::conv2d(x, t("conv.weight"), {}, stride, padding);
  const auto wide = [](const at::Tensor& v) { return v.view({1, -1, 1, 1}); };
  return (y - wide(t("bn.running_mean"))) / (wide(t("bn.running_var")) + 1e-3).sqrt() *
             wide(t("bn.weight")) +
         wide(t("bn.bias"));
}

class Attention : public testing::TestWithParam<const char*> {};

TEST_P(Attention, FollowsItsFormula) {
  const std::string kind = GetParam();
  TorchNetwork net(with(kind), at::kDouble);
  randomize(net, 3);
  at::NoGradGuard no_gradient;
  const at::Tensor images = test_images(2, 32, 48);
  const at::Tensor f = at::leaky_relu(conv_bn(net, "model.0.", images, 2, 1), 0.1);
  at::Tensor gate;
  if (kind == "pointwise") {
    gate = conv_bn(net, "model.0.sam.", f, 1, 0).sigmoid();
  } else {
    const std::int64_t k = kind == "spatial" ? 7 : 3;
    EXPECT_EQ(net.tensor("model.0.sam.conv.weight").sizes(),
              (std::vector<std::int64_t>{1, 2, k, k}));
    gate = at::conv2d(at::cat({f.mean(1, true), std::get<0>(f.max(1, true))}, 1),
                      net.tensor("model.0.sam.conv.weight"), {}, 1, k / 2)
               .sigmoid();
  }
  const at::Tensor head =
      at::conv2d(f * gate, net.tensor("model.1.m.0.weight"), net.tensor("model.1.m.0.bias"));
  const at::Tensor expected = head.view({2, 2, 7, 16, 24}).permute({0, 1, 3, 4, 2});
  const at::Tensor found = net.forward(images).at(0);
  EXPECT_LT((found - expected).abs().max().item<double>(),
            1e-12);  // double rounding on values around one

  // Folded in double, and in OpenVINO folded and as it is (float32 through three convolutions).
  const auto pictures = equivalence::generated_pictures(64, 32);
  const network::Weights weights = net.store();
  const auto reference = exact_outputs(net.description(), weights, pictures);
  const network::NetworkAndWeights fused =
      network::fuse(net.description(), weights, network::DataType::float64);
  EXPECT_LT(equivalence::compare(reference, exact_outputs(fused.network, fused.weights, pictures))
                .largest_relative(),
            1e-12);
  if (!runtime::openvino_available()) GTEST_SKIP() << "skipped: no OpenVINO in this build";
  for (const bool as_stored : {false, true}) {
    const auto detector = runtime::make_openvino_detector(
        net.description(), network::converted(weights, network::DataType::float32),
        {.raw_maps = true, .as_stored = as_stored});
    EXPECT_LT(equivalence::compare(reference, equivalence::outputs_of(*detector, pictures))
                  .largest_relative(),
              1e-5)
        << as_stored;
  }
}

TEST_P(Attention, HasGradients) {
  TorchNetwork net(with(GetParam()), at::kDouble);
  randomize(net, 3);
  net.train(true);
  net.forward(test_images()).at(0).square().sum().backward();
  const at::Tensor gradient = net.tensor("model.0.sam.conv.weight").grad();
  ASSERT_TRUE(gradient.defined());
  EXPECT_GT(gradient.abs().sum().item<double>(), 0);
}

INSTANTIATE_TEST_SUITE_P(Kinds, Attention, testing::Values("spatial", "spatial3", "pointwise"),
                         [](const auto& instance) { return std::string(instance.param); });

}  // namespace
}  // namespace yolov7::nn
