// The loop by a clock of its own, one step against the formula, and the way back from batches that
// are not finite.
#include "training/trainer.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "network/checkpoint/checkpoint_file.hpp"
#include "tests/kept_messages.hpp"
#include "tests/stopping.hpp"
#include "tests/training/tiny_run.hpp"
#include "training/checkpoints.hpp"
#include "training/preflight.hpp"
#include "training/rollback.hpp"
#include "training/validation.hpp"

namespace yolov7::training {
namespace {

using std::chrono::seconds;

/// Every look at it takes so long.
Clock clock_of(seconds step) {
  return [step, now = std::chrono::steady_clock::time_point{}]() mutable { return now += step; };
}

void write_start(const PreparedRun& run) {
  write_last(run.context, run.data, run.model, run.state);
}

nlohmann::json state_of(const std::filesystem::path& checkpoint) {
  return nlohmann::json::parse(network::read_checkpoint(checkpoint).state);
}

at::Tensor parameter(const PreparedRun& run, const char* name) {
  return run.model.network->tensor(name);
}

void spoil(const PreparedRun& run) {
  at::NoGradGuard no_gradient;
  parameter(run, "model.0.conv.weight").fill_(std::numeric_limits<float>::quiet_NaN());
}

dataset::Batch first_batch_of(const PreparedRun& run) {
  run.data.loader->start(0);
  return *run.data.loader->next();
}

TEST(Trainer, NoEpochBeginsAfterTheHoursOfTime) {
  TinyRun tiny;
  tiny.request.options.epochs = 5;
  tiny.request.options.time = 1;
  PreparedRun& run = tiny.prepared();
  const TrainSummary summary = Trainer(run, clock_of(seconds(1000))).run();
  EXPECT_EQ(summary.epochs_done, 1);  // an epoch looks at the clock more than four times
  EXPECT_TRUE(run.state.ended);
  EXPECT_GE(summary.seconds, 3600);
  EXPECT_EQ(state_of(tiny.weights() / "last.pt")["epoch"], 1);
}

TEST(Trainer, LastIsWrittenWithinAnEpochWhenTheSecondsAreOver) {
  for (const int step : {0, 100}) {  // --checkpoint-seconds is 300
    TinyRun tiny;
    tiny.request.options.epochs = 1;
    Trainer(tiny.prepared(), clock_of(seconds(step))).run();
    const bool before = std::filesystem::exists(tiny.weights() / "last.previous.pt");
    EXPECT_EQ(before, step > 0);
    if (before) {
      EXPECT_GT(state_of(tiny.weights() / "last.previous.pt")["batch"], 0);
    }
    EXPECT_EQ(state_of(tiny.weights() / "last.pt")["batch"], 0);
  }
}

TEST(Trainer, ThreeBatchesInARowThatAreNotFiniteGoBackToTheLastGoodState) {
  TinyRun tiny;
  PreparedRun& run = tiny.prepared();
  write_start(run);
  spoil(run);
  Trainer(run).run();
  EXPECT_EQ(run.state.skipped, 3);
  EXPECT_EQ(run.state.rollbacks, 1);
  EXPECT_EQ(run.state.skipped_in_row, 0);
  EXPECT_TRUE(parameter(run, "model.0.conv.weight").isfinite().all().item<bool>());
}

// The first three of four batches are skipped, then the weights go back: the epoch's losses are the
// fourth one's.
TEST(Trainer, ABatchThatIsNotFiniteIsInNoMean) {
  TinyRun tiny;
  PreparedRun& run = tiny.prepared();
  write_start(run);
  run.data.loader->start(0, 3);
  const dataset::Batch fourth = *run.data.loader->next();
  nn::TorchNetwork twin(run.model.network->description());
  twin.load(run.model.network->store());
  twin.train(true);
  const at::Tensor images =
      nn::image_tensor(fourth.pixels, fourth.count, fourth.height, fourth.width);
  const LossValue value = (*run.model.loss)(twin.forward(images), fourth.targets);
  spoil(run);
  Trainer(run).run();
  EXPECT_EQ(run.state.skipped, 3);
  EXPECT_NEAR(run.state.records.at(0).train_loss[3], value.parts[3].item<double>(), 1e-5);
}

TEST(Trainer, SaysOnceThatTheFirstBatchIsDone) {
  TinyRun tiny;
  int calls = 0;
  tiny.request.started = [&] { ++calls; };
  PreparedRun& run = tiny.prepared();
  EXPECT_EQ(calls, 0);
  Trainer(run).run();
  EXPECT_EQ(calls, 1);
}

TEST(Trainer, AStopLeavesAResumableStateAtTheNextStep) {
  TinyRun tiny;
  std::stop_source stop;
  tiny.request.stop = stop.get_token();
  tiny.request.started = [&] { stop.request_stop(); };  // after the first of four batches
  const TrainSummary summary = Trainer(tiny.prepared()).run();
  EXPECT_TRUE(summary.interrupted);
  EXPECT_EQ(summary.epochs_done, 0);
  EXPECT_EQ(state_of(tiny.weights() / "last.pt")["epoch"], 0);
  EXPECT_EQ(state_of(tiny.weights() / "last.pt")["batch"], 1);
}

// Such a run goes on with the validation of the epoch, whose rates are those of its fourth batch.
TEST(Trainer, WhatWasStoppedBehindTheLastBatchOfAnEpochKnowsThatBatch) {
  TinyRun tiny;
  PreparedRun& run = tiny.prepared();
  run.state.batch = 4;
  run.state.last_batch = {3, 96};
  Trainer(run).run();
  const run::EpochRecord& record = run.state.records.at(0);
  EXPECT_EQ(record.rates, run.schedule->at(3).rates);
  EXPECT_EQ(record.targets, 3);
  EXPECT_EQ(record.image_size, 96);
  EXPECT_EQ(run.state.records.at(1).rates, run.schedule->at(7).rates);
  EXPECT_EQ(run.state.records.at(1).image_size, 64);
}

// Three of four batches were trained in 50 s, of which 20 s waited; the clock stands still now.
TEST(Trainer, AResumedEpochIsMeasuredAsAWhole) {
  TinyRun tiny;
  tiny.request.options.epochs = 1;
  PreparedRun& run = tiny.prepared();
  run.state.batch = 3;
  run.state.epoch_sums = {50, 20, 3};
  Trainer(run, clock_of(seconds(0))).run();
  const run::EpochRecord& record = run.state.records.at(0);
  EXPECT_EQ(record.train_seconds, 50);
  EXPECT_EQ(record.data_wait_seconds, 20);
  EXPECT_EQ(record.pictures_per_second, 4 / 50.0);
  EXPECT_EQ(state_of(tiny.weights() / "last.pt")["epoch_sums"][0], 0);
}

TEST(Trainer, TheStateHoldsTheSecondsOfTheEpochSoFar) {
  TinyRun tiny;
  std::stop_source stop;
  tiny.request.stop = stop.get_token();
  tiny.request.started = [&] { stop.request_stop(); };  // after the first of four batches
  PreparedRun& run = tiny.prepared();
  run.state.seconds = 100;
  run.state.epoch_sums = {50, 20, 3};
  Trainer(run, clock_of(seconds(0))).run();
  const auto sums = state_of(tiny.weights() / "last.pt")["epoch_sums"];
  EXPECT_EQ(sums[0], 50);
  EXPECT_EQ(sums[2], 4);
}

// Placeholders reach no label, so --noautoanchor (a tiny run has it) would train nothing. The
// labels have one size, which is too few for two anchors.
TEST(Options, NoAutoAnchorLeavesNoPlaceholders) {
  const test::ScratchFolder scratch;
  const std::string rows = "anchors:\n  - [16,16, 32,32]\n";
  std::string config = tiny_config;
  config.replace(config.find(rows), rows.size(), "anchors: 2\n");
  TinyRun tiny;
  tiny.request.options.cfg = scratch.write("placeholders.yaml", config).string();
  const std::string error = test::error_of([&] { tiny.prepared(); });
  EXPECT_TRUE(error.ends_with(
      "found 1: the sizes are too much alike, and the configuration has no anchors: label more "
      "objects, or write anchors into the configuration"))
      << error;
}

TEST(Options, ALabelSmoothingOfZeroTakesThePlaceOfTheFiles) {
  const test::ScratchFolder scratch;
  TinyRun of_file, given;
  of_file.request.options.hyp = given.request.options.hyp =
      scratch.write("hyp.yaml", "label_smoothing: 0.1\n").string();
  given.request.given = {"label-smoothing"};
  EXPECT_EQ(of_file.prepared().model.loss->options().label_smoothing, 0.1);
  EXPECT_EQ(given.prepared().model.loss->options().label_smoothing, 0);
}

TEST(Trainer, AStopBeforeTheFirstBatchIsAnError) {
  TinyRun tiny;
  tiny.request.stop = test::stopped();
  EXPECT_TRUE(test::is_stopped([&] { tiny.prepared(); }));
  EXPECT_FALSE(std::filesystem::exists(tiny.weights() / "last.pt"));
}

TEST(Preflight, ARunInFloat16DoesNotGoOnWithoutAGpu) {
  TinyRun tiny;
  PreparedRun& run = tiny.prepared();
  run.state.options.precision = "float16";
  EXPECT_EQ(test::error_of(
                [&] { preflight(run.context, run.data, run.model, run.state, /*resumed=*/true); }),
            "precision float16: expected a GPU; the processor's narrow type is bfloat16");
}

TEST(Rollback, HasLimits) {
  TinyRun tiny;
  PreparedRun& run = tiny.prepared();
  write_start(run);
  const at::Tensor before = parameter(run, "model.0.conv.weight").detach().clone();
  for (int time = 1; time <= most_rollbacks; ++time) {
    spoil(run);
    run.state.skipped_in_row = most_skipped_in_row;
    roll_back(run.context, run.model, run.state);
    EXPECT_TRUE(at::equal(parameter(run, "model.0.conv.weight"), before));
    EXPECT_EQ(run.state.rollbacks, time);
  }
  run.state.skipped_in_row = most_skipped_in_row;
  EXPECT_EQ(test::error_of([&] { roll_back(run.context, run.model, run.state); }),
            "3 batches in a row were not finite, after 3 times of going back to the last good "
            "state: lower lr0, or train with precision float32; last.pt holds it");
  run.state.options.nosave = true;
  EXPECT_EQ(test::error_of([&] { roll_back(run.context, run.model, run.state); }),
            "3 batches in a row were not finite, and nosave left nothing to go back to: lower "
            "lr0, or train with precision float32");
}

// SGD with Nesterov momentum at its first step: p − η(1 + μ)g; a bias has no decay. EMA at its
// first update: d = 0.9999 (1 − e^(−1/2000)).
TEST(Step, IsForwardLossBackwardStepAndAverage) {
  TinyRun tiny;
  PreparedRun& run = tiny.prepared();
  const dataset::Batch batch = first_batch_of(run);
  nn::TorchNetwork twin(run.model.network->description());
  twin.load(run.model.network->store());
  twin.train(true);
  run.model.network->train(true);
  const at::Tensor images = nn::image_tensor(batch.pixels, batch.count, batch.height, batch.width);
  const LossValue value = (*run.model.loss)(twin.forward(images), batch.targets);
  value.total.backward();
  constexpr const char* name = "model.3.m.0.bias";
  const at::Tensor before = parameter(run, name).detach().clone(),
                   gradient = twin.tensor(name).grad();
  ASSERT_GT(gradient.abs().max().item<double>(), 0);

  Step step(run.context, run.data, run.model, *run.schedule, run.state, 0);
  constexpr std::int64_t iteration = 3;
  const StepResult result = step.run(batch, iteration);
  const run::IterationSettings now = run.schedule->at(iteration);
  ASSERT_TRUE(now.steps);
  const at::Tensor expected = before - now.rates[2] * (1 + now.momentum) * gradient;
  EXPECT_TRUE(at::allclose(parameter(run, name), expected, 1e-6, 1e-8));
  EXPECT_NEAR(result.losses[3], value.parts[3].item<double>(), 1e-6);
  EXPECT_TRUE(result.stepped);
  EXPECT_FALSE(step.pending());
  const double d = 0.9999 * (1 - std::exp(-1 / 2000.0));
  EXPECT_TRUE(at::allclose(run.model.ema->average().tensor(name), d * before + (1 - d) * expected,
                           1e-5, 1e-7));
}

TEST(Step, ABatchThatIsNotFiniteLeavesNoTrace) {
  TinyRun tiny;
  PreparedRun& run = tiny.prepared();
  const dataset::Batch batch = first_batch_of(run);
  run.model.network->train(true);
  spoil(run);
  const at::Tensor mean = parameter(run, "model.1.bn.running_mean").detach().clone(),
                   bias = parameter(run, "model.3.m.0.bias").detach().clone();
  Step step(run.context, run.data, run.model, *run.schedule, run.state, 0);
  const StepResult result = step.run(batch, 0);
  EXPECT_TRUE(result.skipped);
  EXPECT_EQ(result.losses[3], 0);
  EXPECT_EQ(run.state.skipped_in_row, 1);
  EXPECT_EQ(run.model.ema->updates(), 0);
  EXPECT_TRUE(at::equal(parameter(run, "model.1.bn.running_mean"), mean));
  EXPECT_TRUE(at::equal(parameter(run, "model.3.m.0.bias"), bias));
}

TEST(Step, GoesOnInThePartsThatMemorySufficedFor) {
  TinyRun tiny;
  PreparedRun& run = tiny.prepared();
  const auto parts = [&](int planned) {
    return Step(run.context, run.data, run.model, *run.schedule, run.state, planned).micro_batch();
  };
  EXPECT_EQ(parts(0), 0);
  run.state.micro_batch = 4;
  EXPECT_EQ(parts(0), 4);
  EXPECT_EQ(parts(2), 2);
  EXPECT_EQ(parts(8), 4);
}

// Two batches a step: in the warm-up of 1,000 iterations lerp(1, 2, 501 / 1000) rounds to 2.
TEST(Step, CountsTheBatchesThatWaitedForASkippedOneAndNotItself) {
  TinyRun tiny;
  tiny.request.options.nbs = 2;
  PreparedRun& run = tiny.prepared();
  const dataset::Batch batch = first_batch_of(run);
  run.model.network->train(true);
  Step step(run.context, run.data, run.model, *run.schedule, run.state, 0);
  const auto spoiled_step = [&](std::int64_t iteration) {
    at::Tensor bias = parameter(run, "model.3.m.0.bias");
    bias.mutable_grad() = at::full_like(bias.detach(), std::numeric_limits<double>::infinity());
    return test::messages_of([&] { EXPECT_TRUE(step.run(batch, iteration).skipped); });
  };
  step.run(batch, 501);
  ASSERT_TRUE(step.pending());
  const std::string second = spoiled_step(502), alone = spoiled_step(504);
  EXPECT_NE(second.find("a gradient is not finite; the batch is skipped, and with it 1 that waited "
                        "for the same step (1 so far, 1 in a row)"),
            std::string::npos)
      << second;
  EXPECT_NE(alone.find("a gradient is not finite; the batch is skipped (2 so far, 2 in a row)"),
            std::string::npos)
      << alone;
}

TEST(Validation, FillsTheRecordAndGivesTheClassesAveragePrecision) {
  TinyRun tiny;
  PreparedRun& run = tiny.prepared();
  run::EpochRecord record;
  const std::vector<double> class_ap =
      validate(run.context, run.data, run.model, run.state.options, record);
  EXPECT_EQ(class_ap.size(), 2u);
  EXPECT_TRUE(record.validated);
  EXPECT_GT(record.val_loss[1], 0);
  EXPECT_DOUBLE_EQ(record.fitness, 0.1 * record.coco_map50 + 0.9 * record.coco_map);
  run::EpochRecord next;
  repeat_validation(next, record);
  EXPECT_FALSE(next.validated);
  EXPECT_EQ(next.val_loss, record.val_loss);
}

TEST(Checkpoints, TheOneBeforeServesWhereLastIsDamaged) {
  TinyRun tiny;
  PreparedRun& run = tiny.prepared();
  run.state.batch = 1;
  write_start(run);
  run.state.batch = 2;
  write_start(run);
  EXPECT_EQ(nlohmann::json::parse(read_last(run.context).state)["batch"], 2);
  std::filesystem::resize_file(tiny.weights() / "last.pt", 100);
  EXPECT_EQ(nlohmann::json::parse(read_last(run.context).state)["batch"], 1);
  std::filesystem::resize_file(tiny.weights() / "last.pt", 100);
  std::filesystem::remove(tiny.weights() / "last.previous.pt");
  EXPECT_NE(test::error_of([&] { read_last(run.context); }), "no error");
}

// Else the next last.pt would move the damaged one over the good one before it.
TEST(Checkpoints, ADamagedLastDoesNotTakeThePlaceOfTheOneBefore) {
  TinyRun tiny;
  PreparedRun& run = tiny.prepared();
  for (const int batch : {1, 2}) {
    run.state.batch = batch;
    write_start(run);
  }
  std::filesystem::resize_file(tiny.weights() / "last.pt", 100);
  read_last(run.context);
  EXPECT_EQ(state_of(tiny.weights() / "last.pt")["batch"], 1);
  EXPECT_EQ(state_of(tiny.weights() / "last.previous.pt")["batch"], 1);
  EXPECT_EQ(std::filesystem::file_size(tiny.weights() / "last.damaged.pt"), 100u)
      << "nothing is lost";
  run.state.batch = 3;
  write_start(run);
  EXPECT_EQ(state_of(tiny.weights() / "last.pt")["batch"], 3);
  EXPECT_EQ(state_of(tiny.weights() / "last.previous.pt")["batch"], 1);
}

// Else a run that was killed in between would know of a best epoch whose best.pt was never written.
TEST(Checkpoints, LastIsWrittenAfterTheOthers) {
  TinyRun tiny;
  PreparedRun& run = tiny.prepared();
  std::filesystem::create_directory(tiny.weights() / "best.pt");  // a file cannot take its place
  run.state.options.epochs = 300;
  EXPECT_NE(test::error_of([&] {
              write_epoch_checkpoints(run.context, run.data, run.model, run.state, 10, true, false);
            }),
            "no error");
  EXPECT_FALSE(std::filesystem::exists(tiny.weights() / "last.pt"));
}

// An extended run without a better epoch. Without weights of the last layer both forms score alike.
TEST(Checkpoints, ABestInHalfPrecisionIsNotCalledFloat32) {
  TinyRun tiny;
  PreparedRun& run = tiny.prepared();
  {
    at::NoGradGuard no_gradient;
    run.model.ema->average().tensor("model.3.m.0.weight").zero_();
  }
  write_epoch_checkpoints(run.context, run.data, run.model, run.state, 0, true, false);
  const auto said = [&] {
    return test::messages_of(
        [&] { finish_run(run.context, run.data, run.model, run.state.options); });
  };
  const std::string first = said(), again = said();
  EXPECT_NE(first.find("(float32: "), std::string::npos) << first;
  EXPECT_EQ(again.find("(float32: "), std::string::npos) << again;
  EXPECT_NE(again.find("half precision since an earlier end of this run"), std::string::npos)
      << again;
}

TEST(Checkpoints, OfEpochsAreKeptAsTheOptionsAsk) {
  TinyRun tiny;
  PreparedRun& run = tiny.prepared();
  const auto exists = [&](const char* name) {
    return std::filesystem::exists(tiny.weights() / name);
  };
  const auto write = [&](int epoch, bool best, bool last) {
    write_epoch_checkpoints(run.context, run.data, run.model, run.state, epoch, best, last);
  };
  run.state.options.epochs = 300;
  run.state.options.nosave = true;
  write(0, true, false);
  EXPECT_FALSE(exists("last.pt"));
  run.state.options.nosave = false;
  write(10, false, false);
  EXPECT_TRUE(exists("last.pt"));
  EXPECT_FALSE(exists("epoch_010.pt"));
  write(24, true, false);  // every 25th
  EXPECT_TRUE(exists("epoch_024.pt") && exists("best.pt"));
  EXPECT_FALSE(exists("best_024.pt"));
  write(200, true, false);  // best from epoch 200 on
  EXPECT_TRUE(exists("best_200.pt"));
  write(295, false, false);  // the last five
  EXPECT_TRUE(exists("epoch_295.pt"));
}

}  // namespace
}  // namespace yolov7::training
