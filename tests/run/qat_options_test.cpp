// What --qat makes of options that were not given, and what it refuses.
#include "run/qat_options.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "run/qat_recipe.hpp"
#include "run/recipe.hpp"

namespace yolov7::run {
namespace {

TrainOptions wanted() {
  TrainOptions o;
  o.qat.on = true;
  o.weights = "best.pt";
  return o;
}

TEST(QatOptions, AShortTrainingTaughtByItsOwnParent) {
  TrainOptions o = wanted();
  settle_qat(o, {"qat", "weights"});
  EXPECT_EQ(o.epochs, 10);
  EXPECT_EQ(o.distill.teacher, "best.pt");
  EXPECT_EQ(o.distill.off, 0);
  EXPECT_EQ(o.precision, "float32");
  EXPECT_TRUE(o.noautoanchor);
}

TEST(QatOptions, WhatIsGivenStays) {
  TrainOptions o = wanted();
  o.epochs = 3, o.distill.teacher = "large.pt", o.distill.off = 2;
  settle_qat(o, {"qat", "weights", "epochs", "teacher", "distill-off"});
  EXPECT_EQ(o.epochs, 3);
  EXPECT_EQ(o.distill.teacher, "large.pt");
  EXPECT_EQ(o.distill.off, 2);
}

TEST(QatOptions, WithoutItNothingChanges) {
  TrainOptions o;
  settle_qat(o, {"epochs"});
  EXPECT_EQ(o.epochs, TrainOptions().epochs);
  EXPECT_TRUE(o.distill.teacher.empty());
  EXPECT_EQ(o.precision, "auto");
}

// A third of the epochs, rounded down, unless said otherwise.
TEST(QatOptions, RangesAreLearnedFirstAndFrozenThen) {
  QatOptions o;
  EXPECT_EQ(frozen_epochs(o, 10), 3);
  EXPECT_EQ(frozen_epochs(o, 2), 0);
  EXPECT_TRUE(learns_ranges_in(o, 6, 10));
  EXPECT_FALSE(learns_ranges_in(o, 7, 10));
  o.freeze = 10;
  EXPECT_FALSE(learns_ranges_in(o, 0, 10));
  o.freeze = 0;
  EXPECT_TRUE(learns_ranges_in(o, 9, 10));
}

TEST(QatOptions, ATenthOfTheRates) {
  TrainOptions o = wanted();
  o.optimizer = "sgd";
  const Hyperparameters hyp;  // lr0 0.01, warmup_bias_lr 0.1
  EXPECT_DOUBLE_EQ(used_rates(o, hyp).lr0, 0.001);
  EXPECT_DOUBLE_EQ(used_rates(o, hyp).warmup_bias_lr, 0.001);
  EXPECT_DOUBLE_EQ(used_rates(o, hyp).weight_decay, hyp.weight_decay);
  o.optimizer = "adamw", o.sgd_rates = true;  // and a tenth again
  EXPECT_DOUBLE_EQ(used_rates(o, hyp).lr0, 0.0001);
}

void expect_refused(TrainOptions o, const std::vector<std::string>& given, const std::string& why) {
  try {
    settle_qat(o, given);
    FAIL() << why;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::usage);
    EXPECT_NE(std::string(error.what()).find(why), std::string::npos) << error.what();
  }
}

TEST(QatOptions, WhatDoesNotGoTogetherIsRefused) {
  for (const char* weights : {"", "auto", "synth"}) {
    TrainOptions o = wanted();
    o.weights = weights;
    expect_refused(o, {"qat"}, "a trained float32 network, found");
  }
  TrainOptions other = wanted();
  other.cfg = "yolov7-tiny.yaml";
  expect_refused(other, {"qat"}, "found yolov7-tiny.yaml");
  TrainOptions narrow = wanted();
  narrow.precision = "bfloat16";
  expect_refused(narrow, {"qat"}, "float32");
  narrow = wanted();
  narrow.amp = true;
  expect_refused(narrow, {"qat"}, "found bfloat16");
  expect_refused(TrainOptions(), {"qat-weights"}, "as well, found none");
}

}  // namespace
}  // namespace yolov7::run
