#pragma once
// Non-maximum suppression; the one implementation for validation, detection and training.
#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "image/boxes/box.hpp"
#include "image/boxes/box_fusion.hpp"
#include "image/boxes/suppression.hpp"

namespace yolov7 {

struct Setting;

struct NmsOptions {
  double conf_thres = 0.25;  ///< strict, compared in float32: score > float(conf_thres)
  double iou_thres = 0.45;   ///< strict: suppressed where IoU > iou_thres
  bool multi_label = false;  ///< every class above the threshold; ignored for one class
  bool agnostic = false;     ///< suppress across classes
  std::vector<int> classes;  ///< keep only these; empty = all
  int max_det = 300;
  int max_nms = 30000;
  NmsKind kind = NmsKind::hard;
  bool merge = false;    ///< hard: kept boxes become means of what they suppress, where 1 <
                         ///< candidates < 3000 (evaluation 2.2)
  CrowdOptions crowd;    ///< what the other kinds look at
  FusionOptions fusion;  ///< wbf; its `agnostic` is the one above
};

// The options of a command line that these members are (nms_settings.cpp).
std::vector<Setting> threshold_settings(NmsOptions& options);  ///< --conf-thres, --iou-thres
std::vector<Setting> filter_settings(NmsOptions& options);     ///< which classes count, and how
std::vector<Setting> limit_settings(NmsOptions& options);      ///< --max-det, --max-nms
std::vector<Setting> kind_settings(NmsOptions& options);  ///< --nms, and what only some kinds have
/// Error (usage) on options that exclude each other; `verb` stands in front.
void require_possible(const NmsOptions& options, std::string_view verb);

struct NmsResult {
  std::vector<Detection> detections;   ///< descending score, in the frame of the rows
  std::size_t dropped_not_finite = 0;  ///< rows with NaN or Inf in box or score
  std::size_t beyond_max_nms = 0;      ///< candidates that were left out
  float highest_score =
      0;  ///< best objectness × class probability of all rows, also below the threshold
};

/// Decoded rows of one picture, `rows` × (5 + class_count) floats: cx, cy, w, h in pixels,
/// objectness, class probabilities (evaluation 0.3, 2.1). One class: score = objectness, and the
/// class column is not looked at. Suppression per class without shifting boxes. Errors: class_count
/// below 1, a class to keep out of range.
NmsResult non_maximum_suppression(const float* decoded, std::size_t rows, int class_count,
                                  const NmsOptions& options);

/// Steps 1 to 8 of evaluation 2.1: the candidates of these rows, descending score, at most max_nms.
NmsResult nms_candidates(const float* decoded, std::size_t rows, int class_count,
                         const NmsOptions& options);

/// Steps 8 to 11 by the chosen kind, over candidates of several passes or models in one common
/// frame. `wbf` fuses the lists, each after greedy suppression if there are several; the other
/// kinds take all boxes together.
std::vector<Detection> select_detections(std::span<const std::vector<Detection>> lists,
                                         const NmsOptions& options);

/// Indices of the kept boxes, descending score, stable: greedy suppression among equal class
/// indices (all classes together if `agnostic`).
std::vector<std::size_t> suppress(std::span<const Detection> candidates, double iou_thres,
                                  bool agnostic, std::size_t max_det);

}  // namespace yolov7
