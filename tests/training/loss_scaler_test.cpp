#include "training/precision/loss_scaler.hpp"

#include <gtest/gtest.h>

namespace yolov7::training {
namespace {

// 65,536 at first, halved by an overflow, doubled after 2,000 good steps in a row (training 11.1).
TEST(LossScaler, HalvesAndDoubles) {
  LossScaler scaler;
  EXPECT_EQ(scaler.scale(), 65'536);
  EXPECT_TRUE(scaler.update(false));
  EXPECT_EQ(scaler.scale(), 32'768);
  for (int i = 0; i < 1999; ++i) scaler.update(true);
  EXPECT_EQ(scaler.scale(), 32'768);
  EXPECT_TRUE(scaler.update(true));
  EXPECT_EQ(scaler.scale(), 65'536);
  for (int i = 0; i < 1500; ++i) scaler.update(true);
  scaler.update(false);  // begins to count anew
  for (int i = 0; i < 1999; ++i) scaler.update(true);
  EXPECT_EQ(scaler.scale(), 32'768);
  LossScaler resumed;
  resumed.set(scaler.scale(), scaler.good_steps());
  resumed.update(true);
  EXPECT_EQ(resumed.scale(), 65'536);
}

TEST(LossScaler, SaysWhenItIsNotTheScalesFault) {
  LossScaler scaler;
  int steps = 0;
  while (scaler.update(false)) ++steps;
  EXPECT_EQ(steps, 16);  // 65,536 = 2^16, down to 1
}

}  // namespace
}  // namespace yolov7::training
