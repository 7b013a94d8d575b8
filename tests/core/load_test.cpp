#include "core/load.hpp"

#include <gtest/gtest.h>

namespace yolov7 {
namespace {

// Columns of proc(5): user nice system idle iowait irq softirq steal guest guest_nice.
constexpr const char* stat =
    "cpu  600 60 60 9000 90 6 6 9 0 0\n"
    "cpu0 100 10 20 3000 30 1 2 3 0 0\n"
    "cpu1 200 20 10 3000 30 2 1 4 0 0\n"
    "cpu10 300 30 30 3000 30 3 3 2 0 0\n"
    "intr 12345 0 1\n";

TEST(BusyTicks, AreThoseOfTheNamedCoresWithoutIdleAndWaiting) {
  EXPECT_EQ(busy_ticks(stat, {0}), 136U);            // 100 + 10 + 20 + 1 + 2 + 3
  EXPECT_EQ(busy_ticks(stat, {0, 1}), 136U + 237U);  // 200 + 20 + 10 + 2 + 1 + 4
  EXPECT_EQ(busy_ticks(stat, {10}), 368U);
}

TEST(BusyTicks, AreUnknownWhereTheTextLacksThem) {
  EXPECT_EQ(busy_ticks(stat, {0, 2}), std::nullopt) << "no core 2";
  EXPECT_EQ(busy_ticks(stat, {}), std::nullopt);
  EXPECT_EQ(busy_ticks("", {0}), std::nullopt);
  EXPECT_EQ(busy_ticks("cpu0", {0}), std::nullopt);
  EXPECT_EQ(busy_ticks("cpu0 1 2 3 4 5 6 7\n", {0}), std::nullopt) << "seven columns";
  EXPECT_EQ(busy_ticks("cpu0 1 2 x 4 5 6 7 8\n", {0}), std::nullopt);
}

TEST(LoadMeter, SaysNothingBeforeATenthOfASecondHasPassed) {
  LoadMeter meter;
  EXPECT_EQ(meter.others(), std::nullopt);
}

TEST(ThreadsBeside, OneForEachCoreThatIsLeft) {
  EXPECT_EQ(threads_beside(2, 0), 2);
  EXPECT_EQ(threads_beside(2, 0.4), 2);
  EXPECT_EQ(threads_beside(2, 1), 1);
  EXPECT_EQ(threads_beside(2, 2), 1) << "never none";
  EXPECT_EQ(threads_beside(8, 1.6), 6);
  EXPECT_EQ(threads_beside(1, 0), 1);
}

}  // namespace
}  // namespace yolov7
