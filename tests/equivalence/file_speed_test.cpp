#include "equivalence/file_speed.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "tests/runtime/scripted_detector.hpp"
#include "tests/stopping.hpp"

namespace yolov7::equivalence {
namespace {

using testing::ScriptedDetector;

/// One object; each call takes so long.
ScriptedDetector slow(int milliseconds) {
  ScriptedDetector detector;
  detector.rows = {{20, 20, 10, 10, 0.9F, 0.8F, 0.1F}};
  detector.before = [milliseconds](const auto&) {
    std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
  };
  return detector;
}

}  // namespace

// A quarter of a second holds twelve calls of 20 ms, of which ten are made, before and after.
TEST(FileSpeed, BothByTurnsAndTheSlowerOneIsSlower) {
  ScriptedDetector parent = slow(20), file = slow(0);
  SpeedByTurns turns(noise_pictures(1, 32, 64)[0], 3, {});
  turns.time_parent(parent);
  EXPECT_TRUE(file.calls.empty());
  turns.time_file(file);
  const std::size_t half = parent.calls.size() - 1;  // the first call does not count
  EXPECT_GE(half, 2U);
  EXPECT_LE(half, 10U);
  turns.time_parent(parent);
  EXPECT_EQ(parent.calls.size(), 2 * half + 2);
  EXPECT_EQ(file.calls.size(), 2 * half + 1);
  EXPECT_EQ(file.calls[0].count, 3);
  EXPECT_EQ(file.calls[0].width, 64);
  const FileSpeed speed = turns.found();
  EXPECT_EQ(static_cast<std::size_t>(speed.calls), 2 * half);
  EXPECT_GE(speed.parent.latency, 20);
  EXPECT_LE(speed.parent.throughput, 3 / 0.02) << "three images in 20 ms at least";
  EXPECT_LT(speed.file.latency, speed.parent.latency);
}

TEST(FileSpeed, AFewCallsOfASlowOne) {
  ScriptedDetector parent = slow(300);
  SpeedByTurns turns(noise_pictures(1, 32, 32)[0], 1, {});
  turns.time_parent(parent);
  EXPECT_EQ(parent.calls.size(), 3U) << "one that does not count, and the least number";
}

TEST(FileSpeed, StopsBetweenCalls) {
  ScriptedDetector parent = slow(0);
  SpeedByTurns turns(noise_pictures(1, 32, 32)[0], 1, test::stopped());
  EXPECT_TRUE(test::is_stopped([&] { turns.time_parent(parent); }));
  EXPECT_TRUE(parent.calls.empty());
}

}  // namespace yolov7::equivalence
