#include "run/schedule.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "run/options.hpp"
#include "tests/scratch_folder.hpp"

namespace yolov7::run {
namespace {

TEST(Factor, Cosine) {  // training 21.2, eight decimals
  const std::vector<std::pair<int, double>> expected{
      {0, 1}, {1, 0.99997533}, {75, 0.86819805}, {150, 0.55}, {225, 0.23180195}, {299, 0.10002467}};
  for (const auto& [epoch, value] : expected)
    EXPECT_NEAR(cosine_factor(epoch, 300, 0.1), value, 5.1e-9) << epoch;
}

TEST(Factor, Linear) {
  EXPECT_NEAR(linear_factor(1, 300, 0.1), 0.99698997, 5.1e-9);
  EXPECT_NEAR(linear_factor(150, 300, 0.1), 0.54849498, 5.1e-9);
  EXPECT_NEAR(linear_factor(299, 300, 0.1), 0.1, 1e-15);
  EXPECT_EQ(linear_factor(0, 1, 0.1), 1);  // training F06
}

TEST(Accumulation, AndWeightDecay) {  // training 6
  const std::vector<std::array<double, 3>> expected{
      {1, 64, 5e-4}, {8, 8, 5e-4},    {16, 4, 5e-4},  {32, 2, 5e-4}, {48, 1, 3.75e-4},
      {64, 1, 5e-4}, {96, 1, 7.5e-4}, {128, 1, 1e-3}, {256, 1, 2e-3}};
  for (const auto& [batch, accumulate, decay] : expected) {
    EXPECT_EQ(accumulation(static_cast<int>(batch)), static_cast<int>(accumulate)) << batch;
    EXPECT_NEAR(scaled_weight_decay(5e-4, static_cast<int>(batch)), decay, 1e-15) << batch;
  }
}

/// nb batches per epoch, so that warm-up is over before the epoch of interest.
ScheduleOptions options(int epochs, std::int64_t batches) {
  ScheduleOptions result;
  result.epochs = epochs;
  result.batches_per_epoch = batches;
  result.warmup_cap = 0;
  return result;
}

TEST(Schedule, LagsOneEpoch) {
  ScheduleOptions o = options(10, 2000);
  o.warmup_epochs = 0.1;  // 1000 iterations: inside epoch 0
  const Schedule schedule(o);
  EXPECT_EQ(schedule.warmup_iterations(), 1000);
  const std::vector<double> expected{0.01,       0.01,   0.00977975, 0.00914058, 0.00814503,
                                     0.00689058, 0.0055, 0.00410942, 0.00285497, 0.00185942};
  for (int epoch = 0; epoch < 10; ++epoch)
    for (const double rate : schedule.at(epoch * 2000 + 1500).rates)
      EXPECT_NEAR(rate, expected[static_cast<std::size_t>(epoch)], 5.1e-9) << epoch;
}

TEST(Schedule, KeepsTheLastWarmupRateUntilTheEpochEnds) {
  const Schedule schedule(
      options(100, 400));  // warm-up: max(1200, 1000) = 1200 = first iteration of epoch 3
  EXPECT_EQ(schedule.warmup_iterations(), 1200);
  EXPECT_NEAR(schedule.at(1200).rates[1], 0.01 * cosine_factor(3, 100, 0.1), 1e-15);
  EXPECT_NEAR(schedule.at(1599).rates[1], 0.01 * cosine_factor(3, 100, 0.1), 1e-15);
  EXPECT_NEAR(schedule.at(1600).rates[1], 0.01 * cosine_factor(3, 100, 0.1),
              1e-15);  // epoch 4 by the lag
  EXPECT_NEAR(schedule.at(2000).rates[1], 0.01 * cosine_factor(4, 100, 0.1), 1e-15);  // epoch 5
}

TEST(Schedule, WarmupAccumulates) {  // training 21.2, nw = 1000
  const Schedule sixteen(options(300, 100));
  ASSERT_EQ(sixteen.warmup_iterations(), 1000);
  const std::vector<std::pair<int, int>> expected{{166, 1}, {167, 2}, {499, 2},  {500, 2}, {501, 3},
                                                  {833, 3}, {834, 4}, {1000, 4}, {1001, 4}};
  for (const auto& [iteration, accumulate] : expected)
    EXPECT_EQ(sixteen.at(iteration).accumulate, accumulate) << iteration;
  ScheduleOptions large = options(300, 100);
  large.total_batch = 128;
  for (const int iteration : {0, 500, 1000, 5000})
    EXPECT_EQ(Schedule(large).at(iteration).accumulate, 1);
}

TEST(Schedule, WarmupMidway) {  // training 21.2: t = 0.5, f = 1
  ScheduleOptions o = options(300, 1000);
  o.warmup_epochs = 1;
  const IterationSettings at = Schedule(o).at(500);
  EXPECT_NEAR(at.rates[2], 0.055, 1e-15);
  EXPECT_NEAR(at.rates[0], 0.005, 1e-15);
  EXPECT_NEAR(at.rates[1], 0.005, 1e-15);
  EXPECT_NEAR(at.momentum, 0.8685, 1e-15);
}

TEST(Schedule, StepsAtTheFirstBatchOfAGroup) {  // training K05
  const Schedule schedule(options(300, 1000));
  EXPECT_TRUE(schedule.at(0).steps);
  EXPECT_EQ(schedule.at(8000).accumulate, 4);
  EXPECT_TRUE(schedule.at(8000).steps);
  for (const int rest : {1, 2, 3}) EXPECT_FALSE(schedule.at(8000 + rest).steps);
}

TEST(Schedule, CapShortensWarmup) {  // training F09
  ScheduleOptions o = options(
      100, 8);  // 115 pictures, batch 16: 800 iterations, all of them warm-up by the old rule
  EXPECT_EQ(Schedule(o).warmup_iterations(), 1000);
  o.warmup_cap = 0.2;
  const Schedule capped(o);
  EXPECT_EQ(capped.iterations(), 800);
  EXPECT_EQ(capped.warmup_iterations(), 160);
  EXPECT_NEAR(capped.at(80).momentum, 0.8685, 1e-15);
  o = options(300, 1000);
  o.warmup_cap = 0.2;
  EXPECT_EQ(Schedule(o).warmup_iterations(), 3000);  // a long run is not affected
  o.epochs = o.batches_per_epoch = 1;
  EXPECT_NEAR(Schedule(o).at(0).rates[2], 0.01, 1e-15);  // no warm-up at all
}

TEST(Schedule, LinearRun) {
  ScheduleOptions o = options(1, 10);
  o.kind = ScheduleKind::linear;
  o.warmup_cap = 0.1;
  EXPECT_NEAR(Schedule(o).at(5).rates[0], 0.01, 1e-15);
}

TEST(Schedule, RefusesNonsense) {
  EXPECT_THROW(Schedule(options(0, 10)), Error);
  EXPECT_THROW(Schedule(options(10, 0)), Error);
  ScheduleOptions o = options(1, 1);
  o.warmup_cap = 1.5;
  EXPECT_THROW(Schedule{o}, Error);
}

TEST(StepSchedule, MultipliesAtTheGivenEpochs) {
  const std::vector<int> steps{3, 5};
  EXPECT_EQ(step_factor(2, steps, 0.1), 1);
  EXPECT_EQ(step_factor(3, steps, 0.1), 0.1);
  EXPECT_EQ(step_factor(4, steps, 0.1), 0.1);
  EXPECT_NEAR(step_factor(5, steps, 0.1), 0.01, 1e-15);
  ScheduleOptions o;
  o.kind = ScheduleKind::step;
  o.steps = steps;
  o.epochs = 10;
  o.batches_per_epoch = 4;
  o.warmup_cap = 0.1;  // 4 iterations: epoch 0
  const Schedule schedule(o);
  EXPECT_EQ(schedule.at(2 * 4 + 3).rates[0], 0.01);
  EXPECT_NEAR(schedule.at(3 * 4).rates[0], 0.001, 1e-15);  // no lag of an epoch
  EXPECT_NEAR(schedule.at(5 * 4).rates[2], 0.0001, 1e-15);
}

TEST(StepSchedule, AndItsEpochsGoTogether) {
  TrainOptions o;
  o.cfg = "yolov7-tiny.yaml";
  const auto refusal = [&] { return test::error_of([&] { require_possible(o, "train"); }); };
  EXPECT_EQ(refusal(), "no error");
  o.schedule = "step";
  EXPECT_EQ(refusal(), "train: schedule step: expected lr-steps as well, found none");
  o.lr_steps = {3};
  EXPECT_EQ(refusal(), "no error");
  o.linear_lr = true;
  EXPECT_EQ(
      refusal(),
      "train: linear-lr is the same as schedule linear: expected one schedule, found schedule "
      "step as well");
  o.linear_lr = false;
  o.schedule = "plateau";
  EXPECT_EQ(refusal(), "train: lr-steps: expected schedule step as well, found schedule plateau");
  o.lr_steps.clear();
  EXPECT_EQ(refusal(), "no error");
  o.notest = true;
  EXPECT_EQ(refusal(),
            "train: schedule plateau: expected trainings with validations, found notest");
}

TEST(PlateauSchedule, FallsWhenTheFitnessStandsStill) {
  const PlateauOptions o{2, 0.5, 0.2};
  EXPECT_EQ(plateau_factor({}, o), 1);
  EXPECT_EQ(plateau_factor(std::vector<double>{0.1, 0.2, 0.2}, o),
            1);  // one epoch without a better one
  EXPECT_EQ(plateau_factor(std::vector<double>{0.1, 0.2, 0.2, 0.1}, o), 0.5);  // two
  EXPECT_EQ(plateau_factor(std::vector<double>{0.1, 0.2, 0.2, 0.1, 0.3}, o), 0.5);
  EXPECT_EQ(plateau_factor(std::vector<double>{0.3, 0.2, 0.2, 0.1, 0.1}, o), 0.25);
  EXPECT_EQ(plateau_factor(std::vector<double>{0.3, 0.2, 0.2, 0.1, 0.1, 0.1, 0.1}, o),
            0.2);  // the floor
  ScheduleOptions plan;
  plan.kind = ScheduleKind::plateau;
  plan.plateau = o;
  plan.epochs = 10;
  plan.warmup_cap = 0.01;
  Schedule schedule(plan);
  EXPECT_EQ(schedule.at(7).rates[0], 0.01);
  schedule.observe(std::vector<double>{0.3, 0.2, 0.2});
  EXPECT_EQ(schedule.at(7).rates[0], 0.005);
}

TEST(ConstantSchedule, StaysAtLr0) {
  ScheduleOptions o;
  o.kind = ScheduleKind::constant;
  o.epochs = 50;
  o.warmup_cap = 0.01;
  const Schedule schedule(o);
  for (const int i : {5, 20, 49}) EXPECT_EQ(schedule.at(i).rates[1], 0.01);
}

// 16 pictures per step at a batch of 4 are four micro-batches; decay 0.0005 · 4 · 4 / 16.
TEST(NominalBatch, DecidesAccumulationAndDecay) {
  EXPECT_EQ(accumulation(4, 16), 4);
  EXPECT_EQ(accumulation(16, 16), 1);
  EXPECT_EQ(scaled_weight_decay(0.0005, 4, 16), 0.0005);
  EXPECT_EQ(scaled_weight_decay(0.0005, 32, 16), 0.001);
  EXPECT_THROW(schedule_kind("sawtooth"), Error);
}

}  // namespace
}  // namespace yolov7::run
