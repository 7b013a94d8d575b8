#include "nn/torch_network.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "tests/nn/naive.hpp"
#include "tests/nn/small_network.hpp"

namespace yolov7::nn {
namespace {

naive::Map naive_images(const at::Tensor& images) {
  const at::Tensor x = images.to(at::kDouble).contiguous();
  naive::Map map(static_cast<int>(x.size(0)), 3, static_cast<int>(x.size(2)),
                 static_cast<int>(x.size(3)));
  std::copy_n(x.const_data_ptr<double>(), x.numel(), map.values.begin());
  return map;
}

/// Raw maps against the plain loops. 1e-12: sums of some hundred doubles of size 1, through ten
/// layers.
void expect_equal(const std::vector<at::Tensor>& maps, const std::vector<naive::Map>& expected,
                  const network::Network& net, double tolerance = 1e-12) {
  const int no = net.outputs_per_anchor();
  for (std::size_t l = 0; l < maps.size(); ++l) {
    const at::Tensor map = maps[l].detach().contiguous();
    const naive::Map& e = expected[l];
    ASSERT_EQ(map.sizes(), (std::vector<std::int64_t>{e.b, net.anchors_per_level, e.h, e.w, no}));
    const double* v = map.const_data_ptr<double>();
    for (int n = 0; n < e.b; ++n)
      for (int a = 0; a < net.anchors_per_level; ++a)
        for (int y = 0; y < e.h; ++y)
          for (int x = 0; x < e.w; ++x)
            for (int k = 0; k < no; ++k, ++v)  // architecture 3.2: channel a·no + k
              ASSERT_NEAR(*v, e.at(n, a * no + k, y, x), tolerance)
                  << "level " << l << " anchor " << a << " row " << y << " column " << x
                  << " element " << k;
  }
}

TEST(TorchNetwork, EqualsPlainLoopsInBothModes) {
  for (const bool auxiliary : {false, true}) {
    const network::Network description = auxiliary ? small_auxiliary_network() : small_network();
    TorchNetwork net(description, at::kDouble);
    randomize(net, 1);
    const at::Tensor images = test_images();
    const network::Weights before = net.store();
    const auto evaluation = net.forward(images);
    EXPECT_EQ(evaluation.size(), 2u);  // lead levels only
    expect_equal(evaluation, naive::run(description, before, naive_images(images), false),
                 description);
    net.train(true);
    const auto training = net.forward(images);
    EXPECT_EQ(training.size(), auxiliary ? 4u : 2u);
    expect_equal(training, naive::run(description, before, naive_images(images), true),
                 description);
  }
}

TEST(TorchNetwork, RunningStatisticsFollowTheMomentum) {
  TorchNetwork net(small_network(), at::kDouble);
  randomize(net, 2);
  const at::Tensor images = test_images();
  const auto mean_before = net.tensor("model.0.bn.running_mean").clone(),
             var_before = net.tensor("model.0.bn.running_var").clone();
  const auto& first = *net.description().operations.front().as<network::Convolution>();
  const naive::Map conv = naive::conv(naive_images(images), first, net.store());
  net.train(true);
  net.forward(images);
  double sum = 0, squares = 0;
  const int count = conv.b * conv.h * conv.w;
  for (int i = 0; i < count; ++i)
    sum += conv.at(i / (conv.h * conv.w), 3, i / conv.w % conv.h, i % conv.w);
  for (int i = 0; i < count; ++i)
    squares += std::pow(
        conv.at(i / (conv.h * conv.w), 3, i / conv.w % conv.h, i % conv.w) - sum / count, 2);
  EXPECT_NEAR(net.tensor("model.0.bn.running_mean")[3].item<double>(),
              0.97 * mean_before[3].item<double>() + 0.03 * sum / count, 1e-13);
  EXPECT_NEAR(net.tensor("model.0.bn.running_var")[3].item<double>(),
              0.97 * var_before[3].item<double>() + 0.03 * squares / (count - 1), 1e-13);
  EXPECT_EQ(net.tensor("model.0.bn.num_batches_tracked").item<std::int64_t>(), 1);
  net.set_batch_norm_momentum(1);
  net.forward(images);
  EXPECT_NEAR(net.tensor("model.0.bn.running_mean")[3].item<double>(), sum / count, 1e-13);
  net.train(false);
  net.forward(images);
  EXPECT_EQ(net.tensor("model.0.bn.num_batches_tracked").item<std::int64_t>(), 2);
}

TEST(TorchNetwork, GradientsEqualFiniteDifferences) {
  TorchNetwork net(small_auxiliary_network(), at::kDouble);
  randomize(net, 3);
  net.train(true);
  net.set_batch_norm_momentum(0);  // repeated passes leave the state alone
  const at::Tensor images = test_images(2, 32, 32);
  const auto objective = [&] {
    at::Tensor sum = at::zeros({}, at::kDouble);
    for (const at::Tensor& map : net.forward(images)) sum = sum + (map * map).mean() + map.mean();
    return sum;
  };
  objective().backward();
  at::NoGradGuard no_gradient;
  int checked = 0;
  for (const auto& entry : net.entries()) {
    if (!entry.spec.trainable()) continue;
    ASSERT_TRUE(entry.tensor.grad().defined()) << entry.spec.name;
    at::Tensor flat = at::Tensor(entry.tensor).as_strided({entry.tensor.numel()}, {1});
    const at::Tensor gradient = entry.tensor.grad().as_strided({entry.tensor.numel()}, {1});
    ASSERT_EQ(entry.tensor.strides(), entry.tensor.grad().strides()) << entry.spec.name;
    const std::int64_t i = entry.tensor.numel() / 2;
    const double step = 1e-5, kept = flat[i].item<double>();
    flat[i] = kept + step;
    const double up = objective().item<double>();
    flat[i] = kept - step;
    const double down = objective().item<double>();
    flat[i] = kept;
    const double slope = (up - down) / (2 * step);
    // Difference quotient: step² · third derivative, and a kink of ReLU or max-pool within the
    // step.
    EXPECT_NEAR(gradient[i].item<double>(), slope, 1e-6 + 1e-4 * std::abs(slope))
        << entry.spec.name;
    ++checked;
  }
  EXPECT_GT(checked, 30);
}

TEST(TorchNetwork, Bfloat16StaysNearAndGivesFullPrecisionGradients) {
  TorchNetwork net(small_network());
  randomize(net, 4);
  net.train(true);
  net.set_batch_norm_momentum(0);
  const at::Tensor images = test_images(2, 64, 64, at::kFloat);
  const auto exact = net.forward(images);
  net.set_compute(at::kBFloat16);
  const auto maps = net.forward(images);
  for (std::size_t i = 0; i < maps.size(); ++i) {
    EXPECT_EQ(maps[i].scalar_type(), at::kFloat);
    const double error = (maps[i] - exact[i]).abs().mean().item<double>(),
                 scale = exact[i].abs().mean().item<double>();
    EXPECT_LT(error, 0.03 * scale);  // 8 bits of mantissa (2^-9 each), a dozen layers
    EXPECT_GT(error, 0);
  }
  (maps[0].sum() + maps[1].sum()).backward();
  for (const auto& entry : net.entries()) {
    if (!entry.spec.trainable()) continue;
    ASSERT_TRUE(entry.tensor.grad().defined()) << entry.spec.name;
    EXPECT_EQ(entry.tensor.grad().scalar_type(), at::kFloat);
  }
}

TEST(TorchNetwork, StoreAndLoadRoundTrip) {
  TorchNetwork a(small_network()), b(small_network());
  randomize(a, 5);
  const network::Weights stored = a.store();
  ASSERT_EQ(stored.size(), a.description().tensors.size());
  for (std::size_t i = 0; i < stored.size(); ++i) {
    EXPECT_EQ(stored.entries()[i].first, a.description().tensors[i].name);
    EXPECT_EQ(stored.entries()[i].second.shape, a.description().tensors[i].shape);
  }
  b.load(stored);
  const network::Weights again = b.store();
  for (const auto& [name, tensor] : again.entries())
    EXPECT_EQ(tensor.bytes, stored.at(name).bytes) << name;
  const at::Tensor images = test_images(1, 32, 32, at::kFloat);
  EXPECT_TRUE(at::equal(a.forward(images)[0], b.forward(images)[0]));
  network::Weights incomplete;
  EXPECT_THROW(b.load(incomplete), Error);
}

TEST(TorchNetwork, AnchorsLiveInBuffersAndDescription) {  // architecture 3.8
  TorchNetwork net(small_network());
  EXPECT_EQ(net.tensor("model.13.anchors").sizes(), (std::vector<std::int64_t>{2, 2, 2}));
  EXPECT_EQ(net.tensor("model.13.anchor_grid").sizes(),
            (std::vector<std::int64_t>{2, 1, 2, 1, 1, 2}));
  EXPECT_FLOAT_EQ(net.tensor("model.13.anchors")[1][0][1].item<float>(), 61.0f / 16);
  net.set_anchors({{{8, 16}, {24, 32}}, {{40, 48}, {56, 64}}});
  EXPECT_FLOAT_EQ(net.tensor("model.13.anchors")[0][1][0].item<float>(), 3);
  TorchNetwork other(small_network());
  other.load(net.store());
  EXPECT_EQ(other.description().levels[1].anchors[1].h, 64);
  EXPECT_THROW(net.set_anchors({{{1, 1}, {2, 2}}}), Error);
  EXPECT_THROW(net.set_anchors({{{1, 1}}, {{2, 2}}}), Error);
}

TEST(TorchNetwork, FreezingStopsGradientsAndOnRequestStatistics) {
  TorchNetwork net(small_network());
  randomize(net, 6);
  const std::vector<int> layers{0, 3};
  const auto names = net.freeze(layers, false);
  for (const std::string& name : names)
    EXPECT_TRUE(name.starts_with("model.0.") || name.starts_with("model.3.")) << name;
  EXPECT_EQ(std::count_if(names.begin(), names.end(),
                          [](const auto& n) { return n.starts_with("model.0."); }),
            3);
  net.train(true);
  const at::Tensor images = test_images(1, 32, 32, at::kFloat);
  const at::Tensor before = net.tensor("model.0.bn.running_mean").clone();
  net.forward(images)[0].sum().backward();
  EXPECT_FALSE(net.tensor("model.0.conv.weight").grad().defined());
  EXPECT_TRUE(net.tensor("model.2.conv.weight").grad().defined());
  EXPECT_FALSE(at::equal(before, net.tensor("model.0.bn.running_mean")));  // training K10
  net.freeze(layers, true);
  const at::Tensor kept = net.tensor("model.0.bn.running_mean").clone();
  net.forward(images);
  EXPECT_TRUE(at::equal(kept, net.tensor("model.0.bn.running_mean")));
  net.freeze({});
  EXPECT_TRUE(net.tensor("model.0.conv.weight").requires_grad());
}

TEST(TorchNetwork, RefusesSidesThatAreNoMultipleOfTheStride) {
  TorchNetwork net(small_network());
  try {
    net.forward(at::zeros({1, 3, 40, 32}));
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(
        error.what(),
        "small.yaml: expected images [B, 3, H, W] with sides above 0 that are multiples of 16, "
        "found [1, 3, 40, 32]");
  }
}

TEST(ImageTensor, ScalesPlanesAndChecksTheSize) {
  std::vector<std::uint8_t> pixels(2 * 3 * 4 * 5);
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<std::uint8_t>(i);
  const at::Tensor images = image_tensor(pixels, 2, 4, 5);
  EXPECT_EQ(images.sizes(), (std::vector<std::int64_t>{2, 3, 4, 5}));
  EXPECT_FLOAT_EQ(images[1][2][3][4].item<float>(), 119.0f / 255);
  EXPECT_FLOAT_EQ(images[0][1][0][2].item<float>(), 22.0f / 255);
  EXPECT_THROW(image_tensor(pixels, 2, 4, 6), Error);
}

/// The float32 network joins the gradients of an output's readers in its own kernel, the float64
/// one leaves them to autograd: a gradient that got lost or came twice would show in every layer
/// before it.
TEST(TorchNetwork, GradientsOfOutputsWithSeveralReadersAgreeWithDoublePrecision) {
  TorchNetwork exact(small_auxiliary_network(), at::kDouble), fast(small_auxiliary_network());
  randomize(exact, 5);
  fast.load(exact.store());
  const at::Tensor images = test_images();
  for (TorchNetwork* net : {&exact, &fast}) {
    net->train(true);
    at::Tensor sum = at::zeros({}, net->type());
    for (const at::Tensor& map : net->forward(images.to(net->type())))
      sum = sum + (map * map).sum();
    sum.backward();
  }
  for (const auto& entry : exact.entries()) {
    if (!entry.spec.trainable() || !entry.tensor.grad().defined()) continue;
    const at::Tensor wanted = entry.tensor.grad(),
                     found = fast.tensor(entry.spec.name).grad().to(at::kDouble);
    // Sums of some thousand float32 products: 1e-3 of the largest is many times their rounding and
    // far below one missing reader.
    EXPECT_LT((found - wanted).abs().max().item<double>(),
              1e-3 * wanted.abs().max().item<double>() + 1e-6)
        << entry.spec.name;
  }
}

}  // namespace
}  // namespace yolov7::nn
