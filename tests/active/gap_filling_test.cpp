#include "active/gap_filling.hpp"

#include <gtest/gtest.h>

namespace yolov7::active {
namespace {

Detection box(double x, double y, float score, std::uint64_t track, int class_index = 0) {
  return {{x, y, x + 10, y + 20}, score, class_index, track};
}

std::vector<ClassRule> rules() {
  ClassRule annotated, left;
  annotated.annotated = true, annotated.threshold = 0.5;
  return {annotated, left};
}

struct Result {
  std::vector<FilledBox> filled;
  GapAccount account;
};

Result filled(const std::vector<TrackedFrame>& frames, GapOptions options = {}) {
  Result result;
  result.filled = fill_gaps(frames, rules(), options, result.account);
  return result;
}

/// Seen in frames 0, 1, 2 and 6.
std::vector<TrackedFrame> moving() {
  return {{0, {box(0, 0, 0.9F, 7)}},  {1, {box(4, 0, 0.9F, 7)}},
          {2, {box(8, 0, 0.75F, 7)}}, {3, {}},
          {4, {box(90, 0, 0.9F, 0)}}, {5, {}},
          {6, {box(24, 8, 0.5F, 7)}}};
}

TEST(GapFilling, AMissedObjectMovesOnAStraightLine) {
  const Result found = filled(moving());
  ASSERT_EQ(found.filled.size(), 3U);
  // From (8, 0) in frame 2 to (24, 8) in frame 6: (4, 2) a frame.
  for (std::size_t i = 0; i < 3; ++i) {
    const FilledBox& one = found.filled[i];
    const double step = static_cast<double>(i) + 1;
    EXPECT_EQ(one.frame, i + 3);
    EXPECT_DOUBLE_EQ(one.box.box.x1, 8 + 4 * step);
    EXPECT_DOUBLE_EQ(one.box.box.y1, 2 * step);
    EXPECT_DOUBLE_EQ(one.box.box.x2, 18 + 4 * step);
    EXPECT_DOUBLE_EQ(one.box.box.y2, 20 + 2 * step);
    EXPECT_EQ(one.box.score, 0.5F) << "the lower one of the ends";
    EXPECT_EQ(one.box.track, 7U);
  }
  EXPECT_EQ(found.account.tracks, 1U);
  EXPECT_EQ(found.account.confident, 1U);
  EXPECT_EQ(found.account.gaps, 1U);
  EXPECT_EQ(found.account.boxes, 3U);
}

TEST(GapFilling, LongGapsStay) {
  const Result found = filled(moving(), {.most = 2});
  EXPECT_TRUE(found.filled.empty());
  EXPECT_EQ(found.account.too_long, 1U);
  EXPECT_EQ(filled(moving(), {.most = 3}).filled.size(), 3U);
  EXPECT_TRUE(filled(moving(), {.most = 0}).filled.empty());
}

TEST(GapFilling, TracksWithFewLabelsAreNotConfident) {
  EXPECT_EQ(filled(moving(), {.least_labels = 4}).filled.size(), 3U);
  EXPECT_TRUE(filled(moving(), {.least_labels = 5}).filled.empty());
  // Three labels, and four boxes below the threshold: less than half.
  std::vector<TrackedFrame> faint = moving();
  faint[6].detections[0].score = 0.4F;
  for (std::int64_t frame = 7; frame < 10; ++frame) faint.push_back({frame, {box(30, 8, 0.3F, 7)}});
  const Result found = filled(faint);
  EXPECT_TRUE(found.filled.empty());
  EXPECT_EQ(found.account.confident, 0U);
  // A class that is not annotated.
  std::vector<TrackedFrame> other = moving();
  for (TrackedFrame& frame : other)
    for (Detection& one : frame.detections) one.class_index = 1;
  EXPECT_TRUE(filled(other).filled.empty());
}

TEST(GapFilling, WhereADetectionStandsNothingIsFilled) {
  std::vector<TrackedFrame> frames = moving();
  frames[3].detections.push_back(box(12, 2, 0.3F, 0));     // the same place: IoU 1
  frames[4].detections.push_back(box(16, 4, 0.3F, 0, 1));  // another class
  const Result found = filled(frames);
  ASSERT_EQ(found.filled.size(), 2U);
  EXPECT_EQ(found.filled[0].frame, 4U);
  EXPECT_EQ(found.account.covered, 1U);
}

TEST(GapFilling, FramesThatNobodyLookedAtAreCounted) {
  std::vector<TrackedFrame> frames = moving();
  frames.erase(frames.begin() + 4);
  const Result found = filled(frames);
  ASSERT_EQ(found.filled.size(), 2U);
  EXPECT_DOUBLE_EQ(found.filled[1].box.box.x1, 20) << "frame 5, the fourth in the list";
  EXPECT_EQ(found.filled[1].frame, 4U);
  EXPECT_EQ(found.account.without_image, 1U);
}

TEST(GapFilling, AccountsAddUp) {
  GapAccount sum;
  for (int i = 0; i < 2; ++i) sum += filled(moving()).account;
  EXPECT_EQ(sum.boxes, 6U);
  EXPECT_EQ(sum.tracks, 2U);
}

}  // namespace
}  // namespace yolov7::active
