#include "runtime/tracker.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <set>

using namespace yolov7;
using namespace yolov7::runtime;

namespace {

Detection at(double cx, double cy, float score = 0.9f, int class_index = 0, double side = 40) {
  return {{cx - side / 2, cy - side / 2, cx + side / 2, cy + side / 2}, score, class_index};
}

// A filter of two values by the textbook, with 2 × 2 matrices written out.
struct Textbook {
  std::array<double, 2> x;
  std::array<std::array<double, 2>, 2> p;
  void predict(double q0, double q1) {
    const double f[2][2] = {{1, 1}, {0, 1}};
    std::array<double, 2> y{};
    std::array<std::array<double, 2>, 2> n{};
    for (int i = 0; i < 2; ++i)
      for (int j = 0; j < 2; ++j) {
        y[i] += f[i][j] * x[j];
        for (int k = 0; k < 2; ++k)
          for (int l = 0; l < 2; ++l) n[i][j] += f[i][k] * p[k][l] * f[j][l];
      }
    n[0][0] += q0, n[1][1] += q1;
    x = y, p = n;
  }
  void update(double z, double r) {
    const double s = p[0][0] + r, k0 = p[0][0] / s, k1 = p[1][0] / s, e = z - x[0];
    const auto old = p;
    x = {x[0] + k0 * e, x[1] + k1 * e};
    // (I − K H) P
    p = {{{(1 - k0) * old[0][0], (1 - k0) * old[0][1]},
          {old[1][0] - k1 * old[0][0], old[1][1] - k1 * old[0][1]}}};
  }
};

}  // namespace

TEST(EvenMotion, IsTheTextbooksFilter) {
  const double scale = 60;
  EvenMotion motion(100, scale);
  Textbook book{{100, 0}, {{{std::pow(2 * scale / 20, 2), 0}, {0, std::pow(10 * scale / 160, 2)}}}};
  for (int step = 1; step < 30; ++step) {
    motion.predict(scale);
    book.predict(std::pow(scale / 20, 2), std::pow(scale / 160, 2));
    EXPECT_NEAR(motion.value(), book.x[0], 1e-9);
    if (step % 4 == 0) continue;  // not seen
    const double z = 100 + 7 * step + (step % 3);
    motion.update(z, scale);
    book.update(z, std::pow(scale / 20, 2));
    EXPECT_NEAR(motion.value(), book.x[0], 1e-9);
    EXPECT_NEAR(motion.velocity(), book.x[1], 1e-9);
  }
  EXPECT_NEAR(motion.velocity(), 7, 0.5);
}

TEST(ByteTracker, ACrossingKeepsNumbers) {
  // Two objects of one class pass each other at eight pixels a frame, 10 px apart in height, in 40
  // frames.
  ByteTracker tracker({});
  for (int frame = 0; frame < 40; ++frame) {
    const std::vector<Detection> both{at(100 + 8 * frame, 100), at(420 - 8 * frame, 110)};
    const auto found = tracker.update(both);
    ASSERT_EQ(found.size(), 2u) << frame;
    EXPECT_EQ(found[0].track, 1u) << frame;
    EXPECT_EQ(found[1].track, 2u) << frame;
  }
  EXPECT_EQ(tracker.tracks(), 2u);
}

TEST(ByteTracker, FaintBoxesGoOnButDoNotBegin) {
  TrackOptions options;
  options.high = 0.6;
  ByteTracker tracker(options);
  EXPECT_TRUE(tracker.update(std::vector{at(100, 100, 0.5f)}).empty()) << "does not begin";
  ASSERT_EQ(tracker.update(std::vector{at(100, 100, 0.7f)}).size(), 1u);
  const auto occluded = tracker.update(std::vector{at(102, 100, 0.3f)});
  ASSERT_EQ(occluded.size(), 1u) << "goes on";
  EXPECT_EQ(occluded[0].track, 1u);
  EXPECT_TRUE(tracker.update(std::vector{at(104, 100, 0.05f)}).empty()) << "background";
  // Two frames out of sight: a faint box is no longer enough, a clear one is.
  tracker.update({});
  EXPECT_TRUE(tracker.update(std::vector{at(108, 100, 0.3f)}).empty());
  const auto back = tracker.update(std::vector{at(110, 100, 0.8f)});
  ASSERT_EQ(back.size(), 1u);
  EXPECT_EQ(back[0].track, 1u);
}

TEST(ByteTracker, RemembersForTheBuffer) {
  TrackOptions options;
  options.buffer = 5;
  for (const int gap : {5, 6}) {
    ByteTracker tracker(options);
    tracker.update(std::vector{at(100, 100)});
    tracker.update(std::vector{at(100, 100)});
    for (int i = 0; i < gap; ++i) tracker.update({});
    const auto back = tracker.update(std::vector{at(100, 100)});
    ASSERT_EQ(back.size(), 1u);
    EXPECT_EQ(back[0].track, gap <= 5 ? 1u : 2u) << gap;
  }
}

TEST(ByteTracker, ClassesStayApart) {
  for (const bool agnostic : {false, true}) {
    TrackOptions options;
    options.agnostic = agnostic;
    ByteTracker tracker(options);
    tracker.update(std::vector{at(100, 100, 0.9f, 0)});
    EXPECT_EQ(tracker.update(std::vector{at(100, 100, 0.9f, 1)}).at(0).track, agnostic ? 1u : 2u);
  }
}

TEST(ByteTracker, FarAwayIsAnother) {
  ByteTracker tracker({});
  tracker.update(std::vector{at(100, 100)});
  // Overlap 40 × 7 of 2 · 1600: IoU .096, below .2.
  EXPECT_EQ(tracker.update(std::vector{at(133, 100)}).at(0).track, 2u);
}

TEST(ByteTracker, ManyFramesOfManyObjects) {
  // A grid that drifts: numbers stay unique within a frame and none is lost.
  ByteTracker tracker({});
  for (int frame = 0; frame < 100; ++frame) {
    std::vector<Detection> all;
    for (int i = 0; i < 60; ++i)
      all.push_back(at(100 * (i % 10) + 3 * frame, 100 * (i / 10) + frame));
    const auto found = tracker.update(all);
    ASSERT_EQ(found.size(), 60u);
    std::set<std::uint64_t> numbers;
    for (const Detection& one : found) numbers.insert(one.track);
    ASSERT_EQ(numbers.size(), 60u);
  }
  EXPECT_EQ(tracker.tracks(), 60u);
}
