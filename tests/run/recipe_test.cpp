#include "run/recipe.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"

namespace yolov7::run {
namespace {

TrainOptions run(int epochs, int batch = 16) {
  TrainOptions o;
  o.epochs = epochs;
  o.batch_size = batch;
  return o;
}

TEST(Recipe, StepsOfTheOfficialRecipe) {
  EXPECT_EQ(steps_of(run(150), 60), 150);           // 4 batches of 60 pictures, a step every 4
  EXPECT_EQ(steps_of(run(300), 118'287), 554'475);  // ⌈118287 / 16⌉ = 7393, × 300 / 4
  EXPECT_EQ(steps_of(run(1, 24), 24), 0);           // one batch, a step every round(64 / 24) = 3
}

TEST(Recipe, TheBatchStaysAMultipleOfTheProcesses) {
  TrainOptions o = run(150);
  o.batch_size = 18;
  apply_recipe(o, {}, 60, 3);  // 18 → 9 → 6, the first multiple of 3 from 4 on
  EXPECT_EQ(o.batch_size, 6);
  o = run(150);
  apply_recipe(o, {}, 60, 8);
  EXPECT_EQ(o.batch_size, 8);
}

TEST(Recipe, EnoughStepsChangeNothing) {
  TrainOptions o = run(300);
  EXPECT_EQ(apply_recipe(o, {}, 118'287), "");
  EXPECT_EQ(o.nbs, 64);
  EXPECT_EQ(o.batch_size, 16);
  EXPECT_EQ(o.warmup_cap, 0.2);
}

TEST(Recipe, FewPicturesGetMoreSteps) {
  TrainOptions o = run(150);  // 60 pictures: 600 steps of 16, 1200 of 8, 2250 of 4
  EXPECT_NE(apply_recipe(o, {}, 60), "");
  EXPECT_EQ(o.nbs, 4);
  EXPECT_EQ(o.batch_size, 4);
  o = run(100);  // 205 pictures: 325, 650, 1300 steps of 16, then 2600 of 8
  apply_recipe(o, {}, 205);
  EXPECT_EQ(o.nbs, 8);
  EXPECT_EQ(o.batch_size, 8);
  o = run(100);  // 1000 pictures: 63 batches: 1575 steps of 64, 3150 of 32
  apply_recipe(o, {}, 1000);
  EXPECT_EQ(o.nbs, 32);
  EXPECT_EQ(o.batch_size, 16);
}

TEST(Recipe, WhatIsGivenIsKept) {
  TrainOptions o = run(150);
  apply_recipe(o, {"batch-size"}, 60);
  EXPECT_EQ(o.batch_size, 16);
  EXPECT_EQ(o.nbs, 16);
  o = run(150);
  EXPECT_EQ(apply_recipe(o, {"nbs"}, 60).find("batch of"), std::string::npos);
  EXPECT_EQ(o.batch_size, 16);
  EXPECT_EQ(o.nbs, 64);
  EXPECT_EQ(o.optimizer, "adamw");
}

TEST(Recipe, FewStepsAreAdamWs) {
  TrainOptions o = run(150);
  EXPECT_NE(apply_recipe(o, {}, 60).find("AdamW"), std::string::npos);
  EXPECT_EQ(o.optimizer, "adamw");
  EXPECT_TRUE(o.sgd_rates);
  o = run(300);
  apply_recipe(o, {}, 118'287);
  EXPECT_EQ(o.optimizer, "sgd");
  EXPECT_FALSE(o.sgd_rates);
  o = run(150);
  o.optimizer = "sgd";
  EXPECT_EQ(apply_recipe(o, {"optimizer"}, 60).find("AdamW"), std::string::npos);
  EXPECT_EQ(o.optimizer, "sgd");
  o = run(150);
  o.adam = true;
  apply_recipe(o, {"adam"}, 60);
  EXPECT_EQ(optimizer_of(o), "adam");
  EXPECT_FALSE(o.sgd_rates) << "who asks for Adam brings its rates";
}

// The files' 0.01, 0.1 and 0.0005: a tenth, at most the rate, twenty times.
TEST(Recipe, RatesOfAFileThatIsMeantForSgd) {
  Hyperparameters h;
  h.lr0 = 0.01, h.warmup_bias_lr = 0.1, h.weight_decay = 0.0005;
  TrainOptions o;
  o.optimizer = "adamw";
  const UsedRates as_given = used_rates(o, h);
  EXPECT_EQ(as_given.lr0, 0.01);
  EXPECT_EQ(as_given.warmup_bias_lr, 0.1);
  EXPECT_EQ(as_given.weight_decay, 0.0005);
  o.sgd_rates = true;
  const UsedRates converted = used_rates(o, h);
  EXPECT_DOUBLE_EQ(converted.lr0, 0.001);
  EXPECT_DOUBLE_EQ(converted.warmup_bias_lr, 0.001);
  EXPECT_DOUBLE_EQ(converted.weight_decay, 0.01);
  o.optimizer = "adam";
  EXPECT_DOUBLE_EQ(used_rates(o, h).lr0, 0.001);
  EXPECT_DOUBLE_EQ(used_rates(o, h).weight_decay, 0.0005)
      << "in the gradient, which Adam divides by its size";
  o.optimizer = "sgd";
  EXPECT_EQ(used_rates(o, h).lr0, 0.01);
  o.adam = true;  // a run of before that holds both: Adam it is
  EXPECT_DOUBLE_EQ(used_rates(o, h).lr0, 0.001);
}

TEST(Recipe, Official) {
  TrainOptions o = run(150);
  o.recipe = "official";
  EXPECT_EQ(apply_recipe(o, {}, 60), "");
  EXPECT_EQ(o.optimizer, "sgd");
  EXPECT_EQ(o.nbs, 64);
  EXPECT_EQ(o.warmup_cap, 0);
  o.warmup_cap = 0.3;
  apply_recipe(o, {"warmup-cap"}, 60);
  EXPECT_EQ(o.warmup_cap, 0.3);
}

}  // namespace
}  // namespace yolov7::run
