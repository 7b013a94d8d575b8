#pragma once
// The official program's own metric (evaluation 1.6–1.8), labelled "official" wherever it is shown:
// it differs from COCO's.
#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include "image/boxes/box.hpp"

namespace yolov7::evaluation {

struct Target {
  Xyxy box;
  int class_index = 0;
};

/// All predictions and targets of a split, in the order in which pictures and predictions were
/// visited.
struct MatchedPredictions {
  std::vector<std::array<bool, 10>> correct;  ///< by IoU threshold 0.5, 0.55 … 0.95
  std::vector<float> confidence;
  std::vector<int> predicted_class;
  std::vector<int> target_class;
};

/// Adds one picture: detections in descending score, both in pixels of the original picture.
void match_picture(std::span<const Detection> detections, std::span<const Target> targets,
                   MatchedPredictions& all);

struct YoloMetricOptions {
  bool v5_end = false;      ///< recall 1.0 as the end of the precision-recall curve
  bool continuous = false;  ///< exact area instead of 101 points
};

inline constexpr std::size_t metric_curve_points = 1000;

struct YoloMetric {
  std::vector<int>
      classes;  ///< those with targets, ascending; the vectors below go by their position
  std::vector<std::size_t> targets;
  std::vector<double> p, r, f1;  ///< at the common best confidence
  std::vector<double> ap50, ap;
  std::vector<std::array<double, 10>> ap_per_threshold;
  double mean_p = 0, mean_r = 0, map50 = 0, map = 0;
  std::size_t best_index = 0;  ///< q*: first maximum of the mean F1
  double confidence = 0;       ///< q* / 999
  /// Over confidence q / 999, and enveloped precision at IoU 0.5 over recall q / 999.
  std::vector<std::vector<double>> p_curve, r_curve, f1_curve, precision_curve;
};

YoloMetric yolo_metric(const MatchedPredictions& all, const YoloMetricOptions& options = {});

}  // namespace yolov7::evaluation
