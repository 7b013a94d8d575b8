// Options of yolov7 val that a task does not look at are said; no model is read for that.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/cli/program.hpp"

using namespace yolov7::test;

TEST(ValOptions, WithoutEffectIsSaid) {
  const Outcome speed = run({"val", "--weights", "none.pt", "--task", "speed", "--conf-thres",
                             "0.5", "--save-json", "--batch-size", "2"});
  EXPECT_NE(speed.code, 0);
  EXPECT_TRUE(has(speed.err, "--conf-thres has no effect here (--task speed)")) << speed.err;
  EXPECT_TRUE(has(speed.err, "--save-json has no effect here (--task speed)")) << speed.err;
  EXPECT_FALSE(has(speed.err, "--batch-size has no effect")) << speed.err;
  const Outcome plain =
      run({"val", "--weights", "none.pt", "--study-sizes", "64", "--tide-pos", "0.7"});
  EXPECT_TRUE(has(plain.err, "--study-sizes has no effect here (--task val)")) << plain.err;
  EXPECT_TRUE(has(plain.err, "--tide-pos has no effect here (--task val)")) << plain.err;
  const Outcome errors =
      run({"val", "--weights", "none.pt", "--error-analysis", "--tide-pos", "0.7"});
  EXPECT_FALSE(has(errors.err, "has no effect")) << errors.err;
}

TEST(ValOptions, ABackgroundAboveTheForegroundIsRefused) {
  const Outcome outcome = run(
      {"val", "--weights", "none.pt", "--error-analysis", "--tide-pos", "0.1", "--tide-bg", "0.3"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_TRUE(has(outcome.err, "expected --tide-bg of at most --tide-pos, found 0.3 and 0.1"))
      << outcome.err;
}
