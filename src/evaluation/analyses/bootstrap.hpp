#pragma once
// How sure a figure is: the pictures are drawn again, with replacement, many times (Efron and
// Tibshirani, "An Introduction to the Bootstrap", 1993). Intervals are percentiles of the draws,
// moved so that the draws' mean lies on the figure: AP of pictures some of which are there twice is
// too high (by .005 on 5,000 pictures), as much as the interval is wide. And whether one detector
// is better than another on the same pictures: both are measured on the same draws.
#include <cstddef>
#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "evaluation/metrics/coco.hpp"

namespace yolov7::evaluation {

struct BootstrapOptions {
  int draws = 1000;
  double level = 0.95;  ///< share of the draws that an interval holds
  std::uint64_t seed = 0;
  int threads = 0;            ///< 0 = usable cores; the result does not depend on it
  std::stop_token stop = {};  ///< looked at before each draw
};

/// mAP50 and mAP of COCO (all areas, last limit), −1 where there is no object.
struct Headline {
  double map50 = -1, map = -1;
};
/// With every picture counted `weights[place among the sorted ids]` times, as if it were there so
/// often under other names.
Headline weighted_headline(const CocoMatches& matches, const std::vector<std::uint32_t>& weights);

struct Interval {
  double value = 0;          ///< of the pictures as they are
  double low = 0, high = 0;  ///< of the draws, moved; within 0 … 1, a difference within −1 … 1
};
struct HeadlineIntervals {
  Interval map50, map;
};
/// Draws without any object have no mAP and are left out; without an object at all everything is 0.
/// Errors: no picture, fewer than 1 draw, a level outside 0 … 1, stopped_error().
HeadlineIntervals bootstrap(const CocoMatches& matches, const BootstrapOptions& options = {});

/// b − a.
struct Comparison {
  Interval map50, map;
  double map50_better = 0,
         map_better = 0;  ///< share of the draws in which b is better, ties counted half; of draws
                          ///< with an object
};
/// Errors: as bootstrap(); another number of pictures or other objects in a and b (the ids of the
/// pictures are not in them).
Comparison compare(const CocoMatches& a, const CocoMatches& b,
                   const BootstrapOptions& options = {});

/// Why intervals of so many pictures and draws show nothing, for people; empty where they may.
/// Draws: at least one is to lie outside an interval on either side (40 for 0.95). Pictures: if one
/// detector is better on each of n pictures, chance does that with probability 2 / 2ⁿ, which is to
/// be at most 1 − level (6 pictures for 0.95).
std::string too_few(std::size_t pictures, const BootstrapOptions& options);

/// How well scores are probabilities: of the detections that take part at an IoU of 0.5, in bins of
/// equal width by score (Guo et al., "On Calibration of Modern Neural Networks", ICML 2017).
struct Calibration {
  struct Bin {
    std::size_t count = 0;
    double confidence = 0, precision = 0;  ///< means; 0 in an empty bin
  };
  std::vector<Bin> bins;
  double expected_error = 0;  ///< Σ count / all · |precision − confidence|
  std::size_t detections = 0;
};
/// `bins`: at least 1.
Calibration calibration(const CocoMatches& matches, int bins = 10, double least_score = 0);

}  // namespace yolov7::evaluation
