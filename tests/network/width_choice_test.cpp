// How many channels stay, by a share and by a table of times that is made up here.
#include "network/transform/width_choice.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <utility>
#include <vector>

#include "tests/network/pruning_fixture.hpp"

namespace yolov7::network {
namespace {

// Twelve units, a quarter of them goes: the three of least score are 0, 1 and 4 of the first group.
// Its five that stay are six with multiples of two.
TEST(WidthsByShare, TakesTheLeastScoresOfAllGroups) {
  const std::vector<std::vector<double>> scores{{.1, .2, 9, 9, .3, 9, 9, 9}, {1, 1, 1, .9}};
  EXPECT_EQ(widths_by_share(scores, .25, {1, .1}), (Widths{5, 4}));
  EXPECT_EQ(widths_by_share(scores, .25, {2, .1}), (Widths{6, 4}));
  EXPECT_EQ(widths_by_share(scores, .5, {1, .1}), (Widths{5, 1}));
  EXPECT_EQ(widths_by_share(scores, .5, {1, .5}), (Widths{5, 2})) << "half of a group stays";
  EXPECT_EQ(widths_by_share(scores, .5, {3, .1}), (Widths{6, 3}));
  EXPECT_EQ(widths_by_share(scores, 0, {16, .1}), (Widths{8, 4})) << "never more than there are";
}

// Of equal scores the later goes.
TEST(WidthsByShare, KeptChannelsAreTheBest) {
  const Network network =
      build(small_config("  - [-1, 1, Conv, [8, 3, 2]]\n  - [[-1], 1, Detect, [nc, anchors]]\n"),
            "x.yaml");
  const std::vector<ChannelGroup> groups = channel_groups(network);
  const std::vector<std::vector<double>> scores{{1, 0, 1, 1, .5, 1, 1, 1}};
  const KeptChannels kept = kept_channels(network, groups, scores, {5});
  const int out = network.operations.front().output;
  EXPECT_EQ(kept[static_cast<std::size_t>(out)], (std::vector<char>{1, 0, 1, 1, 0, 1, 1, 0}));
}

const char* chain =
    "  - [-1, 1, Conv, [64, 3, 2]]\n  - [-1, 1, Conv, [64, 3, 1]]\n  - [-1, 1, Conv, [64, 3, 1]]\n"
    "  - [[-1], 1, Detect, [nc, anchors]]\n";

/// Time in whole vectors of 16 channels on both sides, as wide units of arithmetic have it.
double steps_of_16(const TimedConvolution& one) {
  const auto vectors = [](int channels) { return (channels + 15) / 16; };
  return vectors(one.shape.in_channels) * vectors(one.shape.out_channels) * one.height * one.width;
}

TimedWidths chosen(const ConvolutionTime& time, double share, const WidthLimits& limits,
                   const std::vector<std::vector<double>>& scores) {
  const Network network = build(small_config(chain), "x.yaml");
  const Weights weights = numbered_weights(network);
  const NetworkAndWeights folded = fuse(network, weights);
  const std::vector<ChannelGroup> groups = channel_groups(network);
  WidthsByTime choice(folded.network, groups, scores, limits, 64, 64, time);
  return choice.choose(share * choice.choose(0).before);
}

std::vector<std::vector<double>> even_scores() {
  return std::vector<std::vector<double>>(3, std::vector<double>(64, 1.0));
}

// 60 channels take as long as 64 here: no group ends between multiples of 16, though it may be cut
// to any multiple of four.
TEST(WidthsByTime, ACutThatSavesNothingIsNotMade) {
  const TimedWidths result = chosen(steps_of_16, .35, {4, .1}, even_scores());
  EXPECT_GT(result.cuts, 0u);
  for (const std::size_t width : result.widths) EXPECT_EQ(width % 16, 0u) << width;
  EXPECT_LE(result.after, .65 * result.before);
  // before: layer 0 has one vector of the picture's three channels, the head one of its six: 32² ·
  // (4 + 16 + 16 + 4), at 64 pixels where layer 0 reads: 64² · 4 in its place.
  EXPECT_DOUBLE_EQ(result.before, 64. * 64 * 4 + 32. * 32 * (16 + 16 + 4));
}

// The time after is that of the widths, counted anew.
TEST(WidthsByTime, TheTableAddsUp) {
  const TimedWidths result = chosen(steps_of_16, .35, {16, .1}, even_scores());
  const auto vectors = [&](std::size_t g) { return static_cast<double>(result.widths[g] / 16); };
  EXPECT_DOUBLE_EQ(result.after,
                   64. * 64 * vectors(0) +
                       32. * 32 * (vectors(0) * vectors(1) + vectors(1) * vectors(2) + vectors(2)));
}

// Channels that count nothing go first.
TEST(WidthsByTime, WhatCountsLittleGoesFirst) {
  std::vector<std::vector<double>> scores = even_scores();
  for (std::size_t u = 0; u < 32; ++u) scores[1][u] = 0;
  const TimedWidths result = chosen(steps_of_16, .05, {16, .1}, scores);
  EXPECT_EQ(result.widths, (Widths{64, 32, 64}));
}

TEST(WidthsByTime, EndsWhereEveryGroupIsAtItsLeast) {
  const TimedWidths result = chosen(steps_of_16, .99, {16, .5}, even_scores());
  EXPECT_EQ(result.widths, (Widths{32, 32, 32}));
  EXPECT_GT(result.after, .01 * result.before);
}

/// One group of 64 channels, alike, in a network whose time is that of its first convolution.
struct MadeUpTable {
  MadeUpTable(const WidthLimits& limits, const std::function<double(int)>& time)
      : whole(build(small_config("  - [-1, 1, Conv, [64, 3, 2]]\n"
                                 "  - [[-1], 1, Detect, [nc, anchors]]\n"),
                    "x.yaml")),
        folded(fuse(whole, numbered_weights(whole))),
        groups(channel_groups(whole)),
        scores(1, std::vector<double>(64, 1.0)),
        choice(folded.network, groups, scores, limits, 64, 64, [time](const TimedConvolution& one) {
          return one.shape.in_channels == 3 ? time(one.shape.out_channels) : 0.0;
        }) {}

  Network whole;
  NetworkAndWeights folded;
  std::vector<ChannelGroup> groups;
  std::vector<std::vector<double>> scores;
  WidthsByTime choice;
};

/// A search in that table, and the widths that it measured.
struct TriedWidths {
  WidthSearch end;
  std::vector<std::size_t> measured;
};
TriedWidths searched(double wanted, MadeUpTable& table, double before,
                     const std::function<double(std::size_t)>& after) {
  TriedWidths tried;
  tried.end = search_widths(wanted, table.choice, [&](const TimedWidths& chosen) {
    tried.measured.push_back(chosen.widths.at(0));
    return std::pair<double, double>(before, after(tried.measured.back()));
  });
  return tried;
}

double falls_in_steps(int width) {
  if (width > 48) return 100;
  if (width > 32) return 61;
  return width > 16 ? 55 : 50;
}

// 35 % are wanted. By the table the cut to 48 channels saves 39 %; 33 % are measured, 2 % too
// little: 41 % by the table are more than it has reached, 37 % would not be.
TEST(WidthSearch, GoesOnFromWhatTheTableHasReached) {
  MadeUpTable table({16, .1}, falls_in_steps);
  const TriedWidths tried =
      searched(.35, table, 100, [](std::size_t width) { return width == 48 ? 67.0 : 64.0; });
  EXPECT_EQ(tried.measured, (std::vector<std::size_t>{48, 32}));
  EXPECT_TRUE(tried.end.reached);
  EXPECT_NEAR(tried.end.best, .36, 1e-12);
  EXPECT_EQ(tried.end.chosen.widths, Widths{32});
}

// 1 % at most is measured: 34 % too little, which takes all that the table has.
TEST(WidthSearch, EndsWhereNoCutIsLeft) {
  MadeUpTable table({16, .1}, falls_in_steps);
  const TriedWidths tried = searched(.35, table, 100, [](std::size_t) { return 99.0; });
  EXPECT_EQ(tried.measured, (std::vector<std::size_t>{48, 16}));
  EXPECT_FALSE(tried.end.reached);
  EXPECT_NEAR(tried.end.best, .01, 1e-12);
}

// Each channel takes 1 of 64, so 22.4 are wanted: six cuts of four. 22 are measured until the last
// cut: one cut a round, whatever number of rounds that takes.
TEST(WidthSearch, TakesAsManyRoundsAsThereAreCuts) {
  MadeUpTable table({4, .05}, [](int width) { return 1.0 * width; });
  const TriedWidths tried =
      searched(.35, table, 64, [](std::size_t width) { return width > 4 ? 42.0 : 41.0; });
  EXPECT_EQ(tried.measured, (std::vector<std::size_t>{40, 36, 32, 28, 24, 20, 16, 12, 8, 4}));
  EXPECT_TRUE(tried.end.reached);
}

// Unit 0 is dead; unit 1 has the score 0 as well and is not.
TEST(DeadUnits, GoBeforeOthersWithoutAScore) {
  std::vector<std::vector<double>> scores{{7, 0, 2}, {0, 0}};
  put_dead_first(scores, {{1, 0, 0}, {0, 0}});
  EXPECT_EQ(scores[0][0], 0);
  EXPECT_GT(scores[0][1], 0);
  EXPECT_LT(scores[0][1], 1e-300);
  EXPECT_EQ(scores[0][2], 2);
  EXPECT_EQ(scores[1][0], scores[1][1]);
}

}  // namespace
}  // namespace yolov7::network
