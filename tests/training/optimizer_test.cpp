#include "training/optim/optimizer.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "tests/nn/small_network.hpp"

namespace yolov7::training {
namespace {

using Role = network::TensorSpec::Role;

TEST(ParameterGroups, FollowTheRoles) {  // training 7.1
  EXPECT_EQ(group_of(Role::bn_weight), ParameterGroup::scale);
  EXPECT_EQ(group_of(Role::implicit_add), ParameterGroup::scale);
  EXPECT_EQ(group_of(Role::implicit_mul), ParameterGroup::scale);
  EXPECT_EQ(group_of(Role::weight), ParameterGroup::weight);
  EXPECT_EQ(group_of(Role::bias), ParameterGroup::bias);
  EXPECT_EQ(group_of(Role::bn_bias), ParameterGroup::bias);
  for (const Role role :
       {Role::bn_mean, Role::bn_var, Role::bn_count, Role::anchors, Role::anchor_grid})
    EXPECT_THROW(group_of(role), Error);
}

TEST(ParameterGroups, EachTrainableTensorIsInExactlyOne) {
  const nn::TorchNetwork net(nn::small_network());
  const auto sizes = Optimizer(net, {}).group_sizes();
  std::size_t trainable = 0;
  for (const auto& entry : net.entries()) trainable += entry.spec.trainable() ? 1 : 0;
  EXPECT_EQ(sizes[0] + sizes[1] + sizes[2], trainable);
  EXPECT_GT(sizes[0], 0u);
  EXPECT_GT(sizes[1], 0u);
  EXPECT_GT(sizes[2], 0u);
}

const char* const conv = "model.0.conv.weight";
const char* const scale = "model.0.bn.weight";
const char* const shift = "model.0.bn.bias";

void set_gradient(const nn::TorchNetwork& net, const char* name, double value) {
  at::Tensor tensor = net.tensor(name);
  tensor.mutable_grad() = at::full_like(tensor.detach(), value);
}
void set_value(const nn::TorchNetwork& net, const char* name, double value) {
  at::NoGradGuard no_gradient;
  at::Tensor tensor = net.tensor(name);
  tensor.fill_(value);
}
double value(const nn::TorchNetwork& net, const char* name) {
  const at::Tensor tensor = net.tensor(name).detach();
  EXPECT_EQ(tensor.min().item<double>(), tensor.max().item<double>()) << name;
  return tensor.flatten()[0].item<double>();
}

OptimizerOptions with_decay(double decay, OptimizerKind kind = OptimizerKind::sgd) {
  OptimizerOptions options;
  options.kind = kind;
  options.weight_decay = decay;
  return options;
}

/// The rule (training 7.2) for one number.
struct ByHand {
  double p, v = 0;
  bool first = true;
  void step(double gradient, double decay, double momentum, double rate) {
    const double g = gradient + decay * p;
    v = first ? g : momentum * v + g;
    first = false;
    p -= rate * (g + momentum * v);
  }
};

TEST(Sgd, ThreeStepsByHand) {
  const nn::TorchNetwork net(nn::small_network(), at::kDouble);
  Optimizer sgd(net, with_decay(0.1));
  set_value(net, conv, 2);
  set_value(net, scale, 1);
  set_value(net, shift, 0.5);
  ByHand weight{2}, gamma{1}, beta{0.5};
  const std::vector<double> gradients{0.3, -0.7, 0.2}, momenta{0.8, 0.85, 0.9};
  for (std::size_t i = 0; i < 3; ++i) {
    sgd.set_momentum(momenta[i]);
    sgd.set_rates({0.01, 0.02, 0.05});
    for (const char* name : {conv, scale, shift}) set_gradient(net, name, gradients[i]);
    sgd.step();
    weight.step(gradients[i], 0.1, momenta[i], 0.02);  // decay in the weight group only
    gamma.step(gradients[i], 0, momenta[i], 0.01);
    beta.step(gradients[i], 0, momenta[i], 0.05);
    EXPECT_NEAR(value(net, conv), weight.p, 1e-15);
    EXPECT_NEAR(value(net, scale), gamma.p, 1e-15);
    EXPECT_NEAR(value(net, shift), beta.p, 1e-15);
    EXPECT_EQ(net.tensor(conv).grad().flatten()[0].item<double>(), gradients[i]);  // read only
  }
}

TEST(Sgd, FirstStepIsPerParameter) {  // one that thaws later starts its own momentum
  const nn::TorchNetwork net(nn::small_network(), at::kDouble);
  Optimizer sgd(net, with_decay(0));
  sgd.set_momentum(0.9);
  sgd.set_rates({0.1, 0.1, 0.1});
  set_value(net, scale, 1);
  set_value(net, conv, 1);
  ByHand early{1}, late{1};
  for (int i = 0; i < 3; ++i) {
    set_gradient(net, scale, 0.5);
    early.step(0.5, 0, 0.9, 0.1);
    if (i > 0) {
      set_gradient(net, conv, 0.5);
      late.step(0.5, 0, 0.9, 0.1);
    }
    sgd.step();
  }
  EXPECT_NEAR(value(net, scale), early.p, 1e-15);
  EXPECT_NEAR(value(net, conv), late.p, 1e-15);
}

TEST(Sgd, LeavesFrozenParametersAlone) {
  nn::TorchNetwork net(nn::small_network());
  const std::vector<int> layers{0};
  net.freeze(layers);
  Optimizer sgd(net, with_decay(0.1));
  sgd.set_rates({1, 1, 1});
  set_value(net, conv, 2);
  sgd.step();
  EXPECT_EQ(value(net, conv), 2);
  EXPECT_EQ(sgd.store().size(), 0u);
}

TEST(Sgd, GradientOfAnotherLayoutIsReadByPosition) {
  const nn::TorchNetwork net(nn::small_network());
  Optimizer sgd(net, with_decay(0));
  sgd.set_momentum(0);
  sgd.set_rates({1, 1, 1});
  set_value(net, conv, 0);
  at::Tensor weight = net.tensor(conv);
  const at::Tensor gradient =
      at::arange(weight.numel(), at::kFloat).view(weight.sizes());  // row-major, not channels_last
  weight.mutable_grad() = gradient.clone();
  sgd.step();
  EXPECT_TRUE(at::equal(weight.detach(), -gradient));
}

TEST(Sgd, StateContinuesWhereItWasStored) {
  const nn::TorchNetwork a(nn::small_network()), b(nn::small_network());
  Optimizer first(a, with_decay(0.1)), second(b, with_decay(0.1));
  const auto advance = [](const nn::TorchNetwork& net, Optimizer& sgd, double gradient) {
    for (const char* name : {conv, scale, shift}) set_gradient(net, name, gradient);
    sgd.step();
  };
  for (const char* name : {conv, scale, shift}) set_value(a, name, 1.5);
  advance(a, first, 0.25);
  {
    at::NoGradGuard no_gradient;
    for (std::size_t i = 0; i < a.entries().size(); ++i)
      at::Tensor(b.entries()[i].tensor).copy_(a.entries()[i].tensor);
  }
  second.load(first.store());
  EXPECT_EQ(first.store().size(), 3u);
  advance(a, first, -0.5);
  advance(b, second, -0.5);
  for (const char* name : {conv, scale, shift})
    EXPECT_TRUE(at::equal(a.tensor(name), b.tensor(name))) << name;
}

TEST(Sgd, RefusesForeignState) {
  const nn::TorchNetwork net(nn::small_network());
  Optimizer sgd(net, with_decay(0));
  network::Weights unknown, shaped;
  unknown.set("model.99.conv.weight", network::Tensor::from(std::vector<float>{1}, {1}));
  shaped.set(scale, network::Tensor::from(std::vector<float>{1}, {1}));
  EXPECT_THROW(sgd.load(unknown), Error);
  EXPECT_THROW(sgd.load(shaped), Error);
}

TEST(Sgd, ClearingDropsGradients) {
  const nn::TorchNetwork net(nn::small_network());
  Optimizer sgd(net, with_decay(0));
  set_gradient(net, conv, 1);
  sgd.clear_gradients();
  EXPECT_FALSE(net.tensor(conv).grad().defined());
}

/// Adam and AdamW for one number, from their papers.
struct AdamByHand {
  double p, m = 0, v = 0;
  int t = 0;
  void step(double gradient, double decay, bool decoupled, double rate, double beta1) {
    constexpr double beta2 = 0.999, epsilon = 1e-8;
    const double g = decoupled ? gradient : gradient + decay * p;
    if (decoupled) p -= rate * decay * p;
    ++t;
    m = beta1 * m + (1 - beta1) * g;
    v = beta2 * v + (1 - beta2) * g * g;
    p -=
        rate * (m / (1 - std::pow(beta1, t))) / (std::sqrt(v / (1 - std::pow(beta2, t))) + epsilon);
  }
};

TEST(Adam, FourStepsByHand) {
  for (const bool decoupled : {false, true}) {
    SCOPED_TRACE(decoupled);
    const nn::TorchNetwork net(nn::small_network(), at::kDouble);
    OptimizerOptions options =
        with_decay(0.1, decoupled ? OptimizerKind::adamw : OptimizerKind::adam);
    options.beta1 = 0.9;
    Optimizer adam(net, options);
    adam.set_momentum(0.5);  // warm-up of the momentum is SGD's alone
    set_value(net, conv, 2);
    set_value(net, scale, 1);
    set_value(net, shift, 0.5);
    AdamByHand weight{2}, gamma{1}, beta{0.5};
    for (const double gradient : {0.3, -0.7, 0.2, 1.5}) {
      adam.set_rates({0.01, 0.02, 0.05});
      for (const char* name : {conv, scale, shift}) set_gradient(net, name, gradient);
      adam.step();
      weight.step(gradient, 0.1, decoupled, 0.02, 0.9);
      gamma.step(gradient, 0, decoupled, 0.01, 0.9);
      beta.step(gradient, 0, decoupled, 0.05, 0.9);
    }
    EXPECT_NEAR(value(net, conv), weight.p, 1e-12);
    EXPECT_NEAR(value(net, scale), gamma.p, 1e-12);
    EXPECT_NEAR(value(net, shift), beta.p, 1e-12);
  }
}

TEST(Adam, EachValueOfAChannelsLastWeightFollowsItsOwnGradient) {
  const nn::TorchNetwork net(nn::small_network(), at::kDouble);
  OptimizerOptions options = with_decay(0.1, OptimizerKind::adamw);
  options.beta1 = 0.9;
  Optimizer adam(net, options);
  adam.set_rates({0.01, 0.02, 0.05});
  set_value(net, conv, 2);
  at::Tensor weight = net.tensor(conv);
  ASSERT_FALSE(weight.is_contiguous());
  const std::int64_t count = weight.numel();
  std::vector<AdamByHand> expected(static_cast<std::size_t>(count), AdamByHand{2});
  const at::Tensor position = at::arange(count, at::kDouble).view(weight.sizes());
  for (const double turn : {1.0, 0.3, -0.5}) {
    weight.mutable_grad() = turn * position - 7;
    adam.step();
    for (std::int64_t i = 0; i < count; ++i)
      expected[static_cast<std::size_t>(i)].step(turn * static_cast<double>(i) - 7, 0.1, true, 0.02,
                                                 0.9);
  }
  const at::Tensor found = weight.detach().contiguous();
  for (std::int64_t i = 0; i < count; ++i)
    EXPECT_NEAR(found.const_data_ptr<double>()[i], expected[static_cast<std::size_t>(i)].p, 1e-12)
        << i;
}

TEST(Adam, StateContinuesWhereItWasStored) {
  const nn::TorchNetwork a(nn::small_network(), at::kDouble), b(nn::small_network(), at::kDouble);
  Optimizer first(a, with_decay(0.1, OptimizerKind::adamw)),
      second(b, with_decay(0.1, OptimizerKind::adamw));
  for (const nn::TorchNetwork* net : {&a, &b}) set_value(*net, conv, 2);
  const auto advance = [](const nn::TorchNetwork& net, Optimizer& optimizer, double gradient) {
    set_gradient(net, conv, gradient);
    optimizer.step();
  };
  advance(a, first, 0.3);
  advance(a, first, -0.4);
  const network::Weights state = first.store();
  EXPECT_EQ(state.size(), 3u);  // two moments and the counter of the one parameter that stepped
  second.load(state);
  set_value(b, conv, value(a, conv));
  advance(a, first, 0.9);
  advance(b, second, 0.9);
  EXPECT_EQ(value(a, conv), value(b, conv));
  EXPECT_THROW(Optimizer(a, {}).load(state), Error);  // SGD does not take Adam's
}

TEST(Optimizer, ClippingScalesAllGradientsTogether) {
  const nn::TorchNetwork net(nn::small_network(), at::kDouble);
  Optimizer sgd(net, {});
  set_gradient(net, scale, 3);  // 8 values
  set_gradient(net, shift, 4);  // 8 values: norm √(8·9 + 8·16) = √200
  EXPECT_NEAR(sgd.clip_gradients(100), std::sqrt(200.0), 1e-12);
  EXPECT_EQ(net.tensor(scale).grad().max().item<double>(), 3);
  EXPECT_NEAR(sgd.clip_gradients(1), std::sqrt(200.0), 1e-12);
  EXPECT_NEAR(net.tensor(scale).grad().max().item<double>(), 3 / std::sqrt(200.0), 1e-12);
  EXPECT_NEAR(sgd.clip_gradients(10), 1, 1e-12);
  set_gradient(net, scale, std::nan(""));
  EXPECT_TRUE(std::isnan(sgd.clip_gradients(1)));
  EXPECT_NEAR(net.tensor(shift).grad().max().item<double>(), 4 / std::sqrt(200.0), 1e-12);
}

TEST(Optimizer, Names) {
  EXPECT_EQ(optimizer_kind("adamw"), OptimizerKind::adamw);
  EXPECT_THROW(optimizer_kind("lion"), Error);
}

}  // namespace
}  // namespace yolov7::training
