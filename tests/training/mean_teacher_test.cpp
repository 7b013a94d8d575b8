// The averaged network as the teacher on images without labels (training 25).
#include "training/mean_teacher.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "network/checkpoint/checkpoint_file.hpp"
#include "network/transform/reparameterize.hpp"
#include "tests/kept_messages.hpp"
#include "tests/training/tiny_run.hpp"
#include "training/checkpoints.hpp"
#include "training/step.hpp"
#include "training/trainer.hpp"

namespace yolov7::training {
namespace {

namespace fs = std::filesystem;

// Of 100 × 50 px: 10 … 30 × 20 … 40 is 0.2, 0.6, 0.2, 0.4.
TEST(PseudoLabels, AreTargetsOrRegionsByTheirScore) {
  dataset::Batch batch;
  batch.count = 2, batch.width = 100, batch.height = 50;
  const std::vector<Detection> first{
      {{10, 20, 30, 40}, 0.9f, 1}, {{10, 20, 30, 40}, 0.3f, 0}, {{10, 20, 30, 40}, 0.05f, 0}},
      second{{{-20, 0, 20, 100}, 0.6f, 0}, {{200, 0, 220, 10}, 0.9f, 0}};
  take_pseudo_labels(batch, 0, first, {});
  take_pseudo_labels(batch, 1, second, {});
  ASSERT_EQ(batch.targets.size(), 2u);
  EXPECT_EQ(batch.targets[0], (std::array<float, 6>{0, 1, 0.2f, 0.6f, 0.2f, 0.4f}));
  EXPECT_EQ(batch.targets[1], (std::array<float, 6>{1, 0, 0.1f, 0.5f, 0.2f, 1})) << "clipped";
  EXPECT_EQ(batch.marks.ignored, (std::vector<dataset::IgnoredBox>{{0, 0.2f, 0.6f, 0.2f, 0.4f}}));
  EXPECT_TRUE(batch.marks.weights.empty());
  dataset::Batch weighted = batch;
  weighted.targets.clear();
  take_pseudo_labels(weighted, 0, first, {.by_confidence = true});
  EXPECT_EQ(weighted.marks.weights, std::vector<float>{0.9f});
}

void with_unlabelled(TinyRun& tiny) {
  const fs::path data = fs::path(tiny.request.options.data).parent_path();
  fs::create_directories(data / "pool");
  for (int i = 0; i < 3; ++i) {
    cv::Mat picture(64, 64, CV_8UC3, cv::Scalar(80, 90 + i, 90));
    cv::rectangle(picture, {20, 10 + 4 * i, 24, 24}, cv::Scalar(20, 200, 40 * i), cv::FILLED);
    write_picture(data / "pool" / (std::to_string(i) + ".png"), picture);
  }
  tiny.request.options.semi.unlabelled = (data / "pool").string();
  tiny.request.options.semi.burn_in = 1;
  // What an untrained network finds.
  tiny.request.options.semi.pseudo_conf = 1e-4;
  tiny.request.options.semi.pseudo_ignore = 1e-5;
}

network::Checkpoint trained(TinyRun& tiny) {
  Trainer(tiny.prepared()).run();
  return network::read_checkpoint(tiny.weights() / "last.pt");
}

bool same(const network::Weights& a, const network::Weights& b) {
  return network::tensors_hash(a) == network::tensors_hash(b);
}

TEST(MeanTeacher, TrainsTwoEpochs) {
  test::KeptMessages kept;
  TinyRun tiny, plain;
  with_unlabelled(tiny);
  tiny.request.options.semi.unlabelled_ratio = 2;
  const network::Checkpoint found = trained(tiny);
  EXPECT_FALSE(same(found.model, trained(plain).model));
  const std::string said = kept.text();
  EXPECT_NE(said.find("images without labels: 3 used, 0 cannot be read; 0 of them are training "
                      "images, 0 are validation images; from epoch 1 on"),
            std::string::npos)
      << said;
  EXPECT_NE(said.find("images without labels: 2 beside the 1 labelled ones of a batch"),
            std::string::npos);
  // Four batches, two images beside each; the third batch of two has one.
  EXPECT_EQ(said.find("epoch 0: "), std::string::npos) << "burn-in";
  EXPECT_NE(said.find("epoch 1: 6 images without labels, "), std::string::npos) << said;
  EXPECT_EQ(said.find("images without labels, 0 labels"), std::string::npos) << said;
}

TEST(MeanTeacher, AWeightOfZeroIsPlainTrainingToTheBit) {
  TinyRun plain, zero, burnt;
  for (TinyRun* one : {&zero, &burnt}) with_unlabelled(*one);
  zero.request.options.semi.unlabelled_weight = 0;
  burnt.request.options.semi.burn_in = 2;  // never over
  const network::Checkpoint expected = trained(plain);
  for (TinyRun* one : {&zero, &burnt}) {
    const network::Checkpoint found = trained(*one);
    EXPECT_TRUE(same(found.model, expected.model));
    EXPECT_TRUE(same(found.ema, expected.ema));
    EXPECT_TRUE(same(found.optimizer, expected.optimizer));
  }
}

TEST(MeanTeacher, AResumedRunIsTheSameToTheBit) {
  TinyRun whole, cut;
  for (TinyRun* one : {&whole, &cut}) {
    with_unlabelled(*one);
    one->request.options.epochs = 3;
  }
  const network::Checkpoint wanted = trained(whole);
  cut.request.options.stop_after = 2;
  trained(cut);
  cut.release();
  TrainRequest again;
  again.options.resume = cut.weights().parent_path().string();
  const auto group = Communicator::alone();
  {
    const auto run = prepare(again, *group);
    Trainer(*run).run();
  }
  const network::Checkpoint found = network::read_checkpoint(cut.weights() / "last.pt");
  EXPECT_TRUE(same(wanted.model, found.model));
  EXPECT_TRUE(same(wanted.ema, found.ema));
  EXPECT_TRUE(same(wanted.optimizer, found.optimizer));
}

TEST(MeanTeacher, ABatchIsAFunctionOfTheIteration) {
  TinyRun tiny;
  with_unlabelled(tiny);
  tiny.request.options.semi.unlabelled_ratio = 2;
  PreparedRun& run = tiny.prepared();
  MeanTeacher one(run.data, run.model, run.state);
  EXPECT_FALSE(one.batch(3, 4)) << "burn-in: four batches";
  std::vector<dataset::Batch> all;
  for (std::int64_t iteration = 4; iteration < 9; ++iteration)
    all.push_back(*one.batch(iteration, 4));
  EXPECT_EQ(all[0].count, 2);
  EXPECT_EQ(all[1].count, 1) << "of three images";
  for (const std::int64_t iteration : {7, 5, 8}) {
    MeanTeacher other(run.data, run.model, run.state);
    const dataset::Batch again = *other.batch(iteration, 1);
    const dataset::Batch& wanted = all[static_cast<std::size_t>(iteration - 4)];
    EXPECT_TRUE(again.pixels == wanted.pixels);
    EXPECT_EQ(again.targets.size(), wanted.targets.size());
    EXPECT_EQ(again.marks.ignored.size(), wanted.marks.ignored.size());
  }
}

// One step on the labelled and the unlabelled batch: the bias moves against the sum of the
// gradients of both losses, λ before the second, which counts as if its images were as many as the
// labelled.
TEST(MeanTeacher, ItsLabelsGetIntoTheLoss) {
  TinyRun tiny;
  with_unlabelled(tiny);
  tiny.request.options.semi.burn_in = 0;
  tiny.request.options.semi.unlabelled_ratio = 2;
  tiny.request.options.semi.unlabelled_weight = 3;
  PreparedRun& run = tiny.prepared();
  run.data.loader->start(0);
  const dataset::Batch batch = *run.data.loader->next();
  constexpr std::int64_t iteration = 3;
  MeanTeacher teacher(run.data, run.model, run.state);
  // The surer half of what it finds is labels, the other half regions.
  run::SemiOptions& semi = run.state.options.semi;
  semi.machine_weight = "confidence";
  semi.pseudo_conf = semi.pseudo_ignore = 0;
  std::vector<float> scores = teacher.batch(iteration, 16)->marks.weights;
  ASSERT_GT(scores.size(), 4u);
  std::nth_element(scores.begin(), scores.begin() + static_cast<std::ptrdiff_t>(scores.size() / 2),
                   scores.end());
  semi.pseudo_conf = scores[scores.size() / 2];
  const dataset::Batch pseudo = *teacher.batch(iteration, 16);
  ASSERT_FALSE(pseudo.targets.empty());
  ASSERT_FALSE(pseudo.marks.ignored.empty());
  ASSERT_EQ(pseudo.marks.weights.size(), pseudo.targets.size());
  nn::TorchNetwork twin(run.model.network->description());
  twin.load(run.model.network->store());
  twin.train(true);
  run.model.network->train(true);
  const auto images = [](const dataset::Batch& of) {
    return nn::image_tensor(of.pixels, of.count, of.height, of.width);
  };
  const LossValue own = (*run.model.loss)(twin.forward(images(batch)), batch.targets),
                  other =
                      (*run.model.loss)(twin.forward(images(pseudo)), pseudo.targets, pseudo.marks);
  (own.total + other.total * (3.0 * batch.count / pseudo.count)).backward();
  constexpr const char* name = "model.3.m.0.bias";
  const at::Tensor before = run.model.network->tensor(name).detach().clone(),
                   gradient = twin.tensor(name).grad();
  Step step(run.context, run.data, run.model, *run.schedule, run.state, 0);
  const StepResult result = step.run(batch, iteration);
  const run::IterationSettings now = run.schedule->at(iteration);
  ASSERT_TRUE(now.steps);
  EXPECT_TRUE(at::allclose(run.model.network->tensor(name),
                           before - now.rates[2] * (1 + now.momentum) * gradient, 1e-5, 1e-7));
  EXPECT_NEAR(result.losses[3], own.parts[3].item<double>(), 1e-6);
  EXPECT_NEAR(result.unlabelled[0], other.parts[3].item<double>(), 1e-6);
  EXPECT_EQ(result.unlabelled[1], pseudo.count);
  EXPECT_EQ(result.unlabelled[2], static_cast<double>(pseudo.targets.size()));
  EXPECT_EQ(result.unlabelled[3], static_cast<double>(pseudo.marks.ignored.size()));
}

TEST(MeanTeacher, OtherImagesAreRefusedOnResume) {
  TinyRun tiny;
  with_unlabelled(tiny);
  {
    PreparedRun& run = tiny.prepared();
    write_last(run.context, run.data, run.model, run.state);
  }
  tiny.release();
  fs::remove(fs::path(tiny.request.options.semi.unlabelled) / "1.png");
  TrainRequest again;
  again.options.resume = (tiny.weights() / "last.pt").string();
  const auto group = Communicator::alone();
  const std::string message = test::error_of([&] { prepare(again, *group); });
  EXPECT_NE(message.find("expected the images that this run began with, found others"),
            std::string::npos)
      << message;
}

}  // namespace
}  // namespace yolov7::training
