// A library that stands for NVIDIA's driver: stand_in_driver.cpp.
#include "core/gpu_driver.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

namespace yolov7::test {

TEST(GpuDriver, TellsWhatTheDriverTells) {
  ::setenv("STAND_IN_GPUS", "2", 1);
  const GpuDriver driver = gpu_driver(YOLOV7_STAND_IN_DRIVER);
  EXPECT_EQ(driver.why_none, "");
  EXPECT_EQ(driver.cuda, 12040);
  ASSERT_EQ(driver.gpus.size(), 2u);
  EXPECT_EQ(driver.gpus[0].name, "Stand-in 0");
  EXPECT_EQ(driver.gpus[1].name, "Stand-in 1");
  EXPECT_EQ(driver.gpus[1].memory_bytes, 24'000'000'001u);
  EXPECT_EQ(driver.gpus[1].major, 8);
  EXPECT_EQ(driver.gpus[1].minor, 6);
}

TEST(GpuDriver, SaysWhyThereIsNone) {
  EXPECT_EQ(gpu_driver("libno-such-driver.so").why_none, "no driver of NVIDIA is installed");
  ::setenv("STAND_IN_GPUS", "0", 1);
  const GpuDriver none = gpu_driver(YOLOV7_STAND_IN_DRIVER);
  EXPECT_EQ(none.why_none, "NVIDIA's driver is installed and shows no GPU");
  EXPECT_EQ(none.cuda, 12040);
  ::setenv("STAND_IN_GPUS", "-1", 1);
  EXPECT_EQ(gpu_driver(YOLOV7_STAND_IN_DRIVER).why_none,
            "NVIDIA's driver is installed and finds no GPU (error 100)");
}

}  // namespace yolov7::test
