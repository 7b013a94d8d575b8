// Training by several processes next to one process that has all pictures.
#include <gtest/gtest.h>

#include <mutex>

#include "core/error.hpp"
#include "kernels/batch_norm_activation.hpp"
#include "kernels/joint_batch_norm.hpp"
#include "tests/nn/small_network.hpp"
#include "tests/training/ranks.hpp"
#include "training/distributed/gradient_sums.hpp"
#include "training/loss/loss.hpp"
#include "training/optim/optimizer.hpp"
#include "training/step.hpp"

namespace yolov7::training {
namespace {

TEST(Communicator, TellsEveryRankTheSame) {
  std::mutex mutex;
  run_ranks(3, [&](Communicator& group) {
    const double rank = group.rank();
    const std::vector<double> sum = group.sum({rank, 1});
    const std::vector<std::string> bytes = group.gather(std::string(
        static_cast<std::size_t>(group.rank()), 'x'));  // of different lengths, one empty
    const std::string first = group.from_first(group.rank() == 0 ? "zero" : "not zero");
    at::Tensor values = at::full({2, 3}, rank);
    group.copy_from_first({values});
    const double least = group.least(5 - rank);
    const bool any = group.any(group.rank() == 2), none = group.any(false);
    std::lock_guard lock(mutex);
    EXPECT_EQ(sum, (std::vector<double>{3, 3}));
    EXPECT_EQ(bytes, (std::vector<std::string>{"", "x", "xx"}));
    EXPECT_EQ(first, "zero");
    EXPECT_TRUE(at::equal(values, at::zeros({2, 3})));
    EXPECT_EQ(least, 3);
    EXPECT_TRUE(any);
    EXPECT_FALSE(none);
  });
}

TEST(Communicator, AloneAnswersAtOnce) {
  const auto group = Communicator::alone();
  EXPECT_EQ(group->sum({2.0}), std::vector<double>{2});
  EXPECT_EQ(group->gather("a"), std::vector<std::string>{"a"});
  EXPECT_EQ(group->from_first("a"), "a");
  EXPECT_EQ(group->least(7), 7);
  EXPECT_TRUE(group->any(true));
  EXPECT_TRUE(group->writes());
}

/// Ranks read it while others join: one run in 160 died where joining set a variable and the array
/// had to move.
TEST(Communicator, LeavesTheEnvironmentAlone) {
  const auto variables = [] {
    std::vector<std::string> result;
    for (char** variable = environ; *variable != nullptr; ++variable)
      result.emplace_back(*variable);
    return result;
  };
  const std::vector<std::string> before = variables();
  char** const array = environ;
  run_ranks(2, [](Communicator& group) { group.any(false); });
  EXPECT_EQ(variables(), before);
  EXPECT_EQ(environ, array);
}

TEST(Communicator, NamesTheRankThatDoesNotCome) {
  try {
    Communicator::join({0, 2, 0, 2, "127.0.0.1", free_port()}, std::chrono::seconds(1));
    FAIL() << "expected an error";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "training by several processes: rank 1 of 2 did not come within 1 s");
  }
}

TEST(Communicator, NamesTheRankThatKeepsTheOthersWaiting) {
  std::string message;
  const auto body = [&](Communicator& group) {
    if (group.rank() == 1) {
      std::this_thread::sleep_for(
          std::chrono::seconds(12));  // alive, but it does not make the call
      throw Error("late");
    }
    try {
      group.any(false);
    } catch (const Error& error) {
      message = error.what();
      throw;
    }
  };
  EXPECT_THROW(run_ranks(2, body, std::chrono::seconds(1)), Error);
  EXPECT_NE(message.find("rank 1 of 2 is stuck"), std::string::npos) << message;
}

TEST(Communicator, RepeatsWhatTheRankThatFailedSaid) {
  std::string message;
  const auto body = [&](Communicator& group) {
    if (group.rank() == 1) {
      group.fail("the disk is full");
      throw Error("the disk is full");
    }
    try {
      group.any(false);
    } catch (const Error& error) {
      message = error.what();
      throw;
    }
  };
  EXPECT_THROW(run_ranks(2, body, std::chrono::seconds(20)), Error);
  EXPECT_NE(message.find("rank 1 of 2 ended: the disk is full"), std::string::npos) << message;
}

// Batch-norm

struct NormResult {
  at::Tensor y, dx, dweight, dbias, mean, variance;
};

/// One forward and backward pass over x with dy; `fast`: the fused kernel, else LibTorch's
/// operations. `missing`: what each channel of x lacks.
NormResult normalise(const at::Tensor& input, const at::Tensor& dy, kernels::JointStatistics* joint,
                     bool fast, const at::Tensor& missing = {}) {
  const std::int64_t channels = input.size(1);
  const auto type = fast ? at::kFloat : input.scalar_type();
  const auto ramp = at::arange(channels, at::kDouble);
  at::Tensor x = input.detach().clone(at::MemoryFormat::ChannelsLast).requires_grad_(true);
  at::Tensor weight = (ramp * 0.1 + 0.5).to(type).requires_grad_(true),
             bias = (ramp * 0.05 - 0.2).to(type).requires_grad_(true);
  kernels::BatchNormActivation norm{weight,
                                    bias,
                                    at::zeros({channels}, type),
                                    at::ones({channels}, type),
                                    {network::ActivationKind::identity, 0}};
  norm.joint = joint;
  norm.missing = missing;
  const at::Tensor y =
      fast || joint == nullptr
          ? (fast ? kernels::batch_norm_activation(x, norm)
                  : at::batch_norm(x, weight, bias, norm.running_mean, norm.running_var, true,
                                   norm.momentum, norm.epsilon, false))
          : kernels::joint_batch_norm(x, norm);
  y.backward(dy);
  return {y.detach(), x.grad(), weight.grad(), bias.grad(), norm.running_mean, norm.running_var};
}

class JointBatchNorm : public testing::TestWithParam<bool> {};

TEST_P(JointBatchNorm, EqualsOneProcessWithAllPictures) {
  const bool fast = GetParam();
  const auto type = fast ? at::kFloat : at::kDouble;
  // Values far from zero: a variance from Σx² would have lost its digits.
  const at::Tensor x = (nn::test_images(6, 8, 8).reshape({6, 12, 4, 4}) + 30)
                           .to(type)
                           .contiguous(at::MemoryFormat::ChannelsLast);
  const at::Tensor dy = at::arange(x.numel(), at::kDouble)
                            .mul_(0.13)
                            .sin_()
                            .view(x.sizes())
                            .to(type)
                            .contiguous(at::MemoryFormat::ChannelsLast);
  const NormResult whole = normalise(x, dy, nullptr, fast);
  std::vector<NormResult> parts(3);
  run_ranks(3, [&](Communicator& group) {
    const int r = group.rank();  // unequal shares
    const std::int64_t first = std::vector<std::int64_t>{0, 1, 3}[static_cast<std::size_t>(r)],
                       last = std::vector<std::int64_t>{1, 3, 6}[static_cast<std::size_t>(r)];
    // The fused kernel's ranks lack another constant each.
    const at::Tensor missing =
        fast ? at::full({x.size(1)}, 20.0F + static_cast<float>(r)) : at::Tensor();
    const at::Tensor own = x.slice(0, first, last);
    parts[static_cast<std::size_t>(r)] = normalise(fast ? own - missing.view({1, -1, 1, 1}) : own,
                                                   dy.slice(0, first, last), &group, fast, missing);
  });
  const auto all = [&](auto member) {
    return at::cat({parts[0].*member, parts[1].*member, parts[2].*member});
  };
  const auto sum = [&](auto member) {
    return parts[0].*member + parts[1].*member + parts[2].*member;
  };
  const double tolerance =
      fast ? 2e-5 : 1e-11;  // float32: rounding of values near 30 with a deviation of .35, once
  EXPECT_TRUE(at::allclose(all(&NormResult::y), whole.y, tolerance, tolerance));
  EXPECT_TRUE(at::allclose(all(&NormResult::dx), whole.dx, tolerance, tolerance * 10));
  EXPECT_TRUE(at::allclose(sum(&NormResult::dweight), whole.dweight, tolerance, tolerance * 10));
  EXPECT_TRUE(at::allclose(sum(&NormResult::dbias), whole.dbias, tolerance, tolerance * 10));
  for (const NormResult& part : parts) {
    EXPECT_TRUE(at::allclose(part.mean, whole.mean, tolerance, tolerance));
    EXPECT_TRUE(at::allclose(part.variance, whole.variance, tolerance, tolerance));
    EXPECT_TRUE(at::equal(part.mean, parts[0].mean));
  }
}

INSTANTIATE_TEST_SUITE_P(Kernels, JointBatchNorm, testing::Bool(),
                         [](const auto& tested) { return tested.param ? "Fused" : "LibTorch"; });

// Whole steps

constexpr int pictures = 6, side = 64, steps = 4;

std::vector<Target> targets_for_all() {
  std::vector<Target> targets;
  for (int i = 0; i < pictures; ++i)
    for (int k = 0; k <= i % 3;
         ++k)  // unequal numbers, so that the processes' means differ from the mean over all
      targets.push_back({static_cast<float>(i), static_cast<float>((i + k) % 2),
                         0.2F + 0.2F * static_cast<float>(k), 0.3F + 0.07F * static_cast<float>(i),
                         0.2F + 0.1F * static_cast<float>(k), 0.4F});
  return targets;
}

std::vector<Target> part_of(const std::vector<Target>& targets, int first, int count) {
  dataset::Batch batch;
  batch.targets.assign(targets.begin(), targets.end());
  return targets_of(batch, first, count);
}

struct Case {
  const char* name;
  bool auxiliary, joint_loss;
  int ranks;
};

class SeveralProcesses : public testing::TestWithParam<Case> {
 protected:
  static nn::TorchNetwork network() {
    nn::TorchNetwork net(GetParam().auxiliary ? nn::small_auxiliary_network()
                                              : nn::small_network());
    nn::randomize(net, 3);
    net.train(true);
    return net;
  }
  static Loss loss(const nn::TorchNetwork& net) {
    LossOptions options;
    options.kind = GetParam().auxiliary ? LossOptions::Kind::auxiliary : LossOptions::Kind::ota;
    options.autobalance =
        GetParam().joint_loss;  // else the reference's parts would each have their own balance
    return Loss(options, net.description());
  }
  static Optimizer optimizer(const nn::TorchNetwork& net) {
    Optimizer result(net, OptimizerOptions{});
    result.set_rates({0.01, 0.01, 0.01});
    return result;
  }
  static at::Tensor images() {
    return nn::test_images(pictures, side, side, at::kFloat)
        .contiguous(at::MemoryFormat::ChannelsLast);
  }
};

/// Parameters after every step. One process: the loss of the whole batch, or the sum of its parts'
/// losses.
std::vector<std::vector<at::Tensor>> snapshots_of_one(nn::TorchNetwork net, Loss loss,
                                                      Optimizer optimizer, const at::Tensor& images,
                                                      int parts) {
  std::vector<std::vector<at::Tensor>> result;
  std::vector<Loss> losses(static_cast<std::size_t>(parts), loss);
  const std::vector<Target> targets = targets_for_all();
  for (int step = 0; step < steps; ++step) {
    const std::vector<at::Tensor> maps = net.forward(images);
    at::Tensor total = at::zeros({});
    for (int part = 0; part < parts; ++part) {
      const int count = pictures / parts;
      std::vector<at::Tensor> own;
      for (const at::Tensor& map : maps)
        own.push_back(map.slice(0, part * count, (part + 1) * count));
      total =
          total +
          losses[static_cast<std::size_t>(part)](own, part_of(targets, part * count, count)).total;
    }
    total.backward();
    optimizer.step();
    optimizer.clear_gradients();
    auto& now = result.emplace_back();
    for (const auto& entry : net.entries()) now.push_back(entry.tensor.detach().clone());
  }
  return result;
}

TEST_P(SeveralProcesses, EqualOneStepByStep) {
  const auto& [name, auxiliary, joint, count_of_ranks] = GetParam();
  const bool joint_loss = joint;  // clang 14 captures no bindings
  const int ranks = count_of_ranks;
  nn::TorchNetwork reference = network();
  Loss reference_loss = loss(reference);
  Optimizer reference_optimizer = optimizer(reference);
  const auto expected =
      snapshots_of_one(std::move(reference), reference_loss, std::move(reference_optimizer),
                       images(), joint_loss ? 1 : ranks);
  std::vector<double> worst(static_cast<std::size_t>(ranks), 0);
  std::vector<std::vector<at::Tensor>> last(static_cast<std::size_t>(ranks));
  run_ranks(ranks, [&](Communicator& group) {
    nn::TorchNetwork net = network();
    net.set_joint_statistics(&group);
    Loss own_loss = loss(net);
    own_loss.join(group, joint_loss);
    Optimizer own_optimizer = optimizer(net);
    GradientSums sums(net, group, 2000);  // several buckets even here
    const int count = pictures / ranks, first = group.rank() * count;
    const std::vector<Target> targets = part_of(targets_for_all(), first, count);
    for (int step = 0; step < steps; ++step) {
      const at::Tensor total =
          own_loss(net.forward(images()
                                   .slice(0, first, first + count)
                                   .contiguous(at::MemoryFormat::ChannelsLast)),
                   targets)
              .total;
      sums.arm();
      total.backward();
      sums.finish();
      own_optimizer.step();
      own_optimizer.clear_gradients();
      for (std::size_t i = 0; i < net.entries().size(); ++i) {
        const at::Tensor& wanted = expected[static_cast<std::size_t>(step)][i];
        const double difference =
            (net.entries()[i].tensor.detach() - wanted).abs().max().item<double>() /
            std::max(1.0, wanted.abs().max().item<double>());
        worst[static_cast<std::size_t>(group.rank())] =
            std::max(worst[static_cast<std::size_t>(group.rank())], difference);
      }
    }
    for (const auto& entry : net.entries())
      last[static_cast<std::size_t>(group.rank())].push_back(entry.tensor.detach().clone());
  });
  for (int rank = 0; rank < ranks; ++rank) {
    EXPECT_LT(worst[static_cast<std::size_t>(rank)], 1e-5) << name << ", rank " << rank;
    for (std::size_t i = 0; i < last[0].size(); ++i)
      ASSERT_TRUE(at::equal(last[static_cast<std::size_t>(rank)][i], last[0][i]))
          << "the ranks' own copies differ";
  }
  std::printf("%s: largest relative difference to one process over %d steps %.2g\n", name, steps,
              *std::max_element(worst.begin(), worst.end()));
}

INSTANTIATE_TEST_SUITE_P(Distributed, SeveralProcesses,
                         testing::Values(Case{"OtaTwo", false, false, 2},
                                         Case{"OtaThree", false, false, 3},
                                         Case{"OtaJointLoss", false, true, 2},
                                         Case{"OtaJointLossThree", false, true, 3},
                                         Case{"AuxiliaryTwo", true, false, 2},
                                         Case{"AuxiliaryJointLoss", true, true, 3}),
                         [](const auto& tested) { return tested.param.name; });

TEST(GradientSums, LeavesFrozenParametersAlone) {
  run_ranks(2, [&](Communicator& group) {
    nn::TorchNetwork net(nn::small_network());
    nn::randomize(net, 1);
    net.train(true);
    net.freeze(std::vector<int>{0, 2});
    GradientSums sums(net, group, 1000);
    const at::Tensor images = nn::test_images(2, side, side, at::kFloat)
                                  .slice(0, group.rank(), group.rank() + 1)
                                  .contiguous(at::MemoryFormat::ChannelsLast);
    const auto backward = [&] {
      at::Tensor total = at::zeros({});
      for (const at::Tensor& map : net.forward(images)) total = total + map.square().sum();
      total.backward();
    };
    backward();  // not armed: stays here
    std::vector<at::Tensor> own;
    for (const auto& entry : net.entries())
      own.push_back(entry.tensor.grad().defined() ? entry.tensor.grad().clone() : at::Tensor());
    sums.arm();
    backward();  // added to what was there, and then summed
    sums.finish();
    for (std::size_t i = 0; i < net.entries().size(); ++i) {
      const auto& entry = net.entries()[i];
      ASSERT_EQ(entry.tensor.grad().defined(), own[i].defined()) << entry.spec.name;
      if (!own[i].defined()) continue;
      at::Tensor expected = own[i] * 2;
      group.sum(expected);
      EXPECT_TRUE(at::allclose(entry.tensor.grad(), expected, 1e-4, 1e-4)) << entry.spec.name;
    }
  });
}

}  // namespace
}  // namespace yolov7::training
