#include "evaluation/metrics/tracking_metrics.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "core/error.hpp"
#include "core/file.hpp"
#include "tests/scratch_folder.hpp"

using namespace yolov7;
using namespace yolov7::evaluation;

namespace {

TrackedBox box(std::int64_t track, double x) { return {track, {x, 0, x + 10, 10}}; }

}  // namespace

// By hand. Objects 1 and 2 in four frames (8 boxes). Frame 1: both found as 1 and 2. Frame 2: 1 is
// missed. Frame 3: 1 comes back as 3 (a switch), 2 stays. Frame 4: both, and a prediction where
// nothing is.
TEST(TrackingMetrics, ByHand) {
  TrackedFrames truth, found;
  for (int f = 1; f <= 4; ++f) truth[f] = {box(1, 0), box(2, 100)};
  found[1] = {box(1, 0), box(2, 100)};
  found[2] = {box(2, 102)};  // IoU 80 / 120
  found[3] = {box(3, 0), box(2, 100)};
  found[4] = {box(3, 0), box(2, 100), box(9, 500)};
  const TrackingResult r = tracking_metrics(truth, found);
  EXPECT_EQ(r.objects, 8u);
  EXPECT_EQ(r.predictions, 8u);
  EXPECT_EQ(r.misses, 1u);
  EXPECT_EQ(r.false_positives, 1u);
  EXPECT_EQ(r.switches, 1u);
  EXPECT_DOUBLE_EQ(r.mota, 1 - 3.0 / 8);
  EXPECT_NEAR(r.motp, (1.0 / 3) / 7, 1e-12);
  // Identities: 2 ↔ 2 four frames, 1 ↔ 3 two (1 ↔ 1 only one): 6 of 8 and 8.
  EXPECT_EQ(r.identity_true_positives, 6u);
  EXPECT_DOUBLE_EQ(r.idf1, 12.0 / 16);
}

TEST(TrackingMetrics, TheLastPredictionIsKeptWhileItMay) {
  // Frame 2 offers a nearer one, but the first is still close enough: no switch, one false
  // positive.
  TrackedFrames truth{{1, {box(1, 0)}}, {2, {box(1, 0)}}},
      found{{1, {box(5, 0)}}, {2, {box(6, 0), box(5, 3)}}};
  const TrackingResult r = tracking_metrics(truth, found);
  EXPECT_EQ(r.switches, 0u);
  EXPECT_EQ(r.false_positives, 1u);
  EXPECT_EQ(r.matches, 2u);
}

TEST(TrackingMetrics, NothingFound) {
  const TrackingResult r = tracking_metrics({{1, {box(1, 0)}}}, {});
  EXPECT_EQ(r.mota, 0);
  EXPECT_TRUE(std::isnan(r.motp));
  EXPECT_EQ(r.idf1, 0);
}

TEST(TrackingMetrics, ReadsMotChallenge) {
  test::ScratchFolder scratch;
  file::write_atomically(scratch / "gt.txt",
                         "1,7,10,20,30,40,1,1,1\n1, 8,0,0,5,5,0,1,1\n\n3,7,1.5,2,3,4\n");
  const TrackedFrames truth = read_tracks(scratch / "gt.txt", true);
  ASSERT_EQ(truth.size(), 2u);
  ASSERT_EQ(truth.at(1).size(), 1u) << "the second is to be ignored";
  EXPECT_EQ(truth.at(1)[0].box, (Xyxy{10, 20, 40, 60}));
  EXPECT_EQ(read_tracks(scratch / "gt.txt", false).at(1).size(), 2u);
  for (const auto& [text, part] : std::vector<std::pair<std::string, std::string>>{
           {"1,2,3\n",
            "bad.txt:1: expected frame, track, left, top, width, height, found 3 values"},
           {"1,1,0,0,1,1\n1,1,0,0,1,1\n", ":2: "},
           {"1,x,0,0,1,1\n", "found 'x'"},
           {"1.5,1,0,0,1,1\n", "no whole number"}}) {
    file::write_atomically(scratch / "bad.txt", text);
    try {
      read_tracks(scratch / "bad.txt", false);
      FAIL() << text;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
    }
  }
}
