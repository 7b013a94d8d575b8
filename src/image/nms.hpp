#pragma once
// Non-maximum suppression; the one implementation for validation, detection and training.
#include <cstddef>
#include <span>
#include <vector>

#include "image/box.hpp"

namespace yolov7 {

struct NmsOptions {
  double conf_thres = 0.25;  ///< strict, compared in float32: score > float(conf_thres)
  double iou_thres = 0.45;   ///< strict: suppressed where IoU > iou_thres
  bool multi_label = false;  ///< every class above the threshold; ignored for one class
  bool agnostic = false;     ///< suppress across classes
  std::vector<int> classes;  ///< keep only these; empty = all
  int max_det = 300;
  int max_nms = 30000;
};

struct NmsResult {
  std::vector<Detection> detections;  ///< descending score, in the frame of the rows
  std::size_t dropped_not_finite = 0; ///< rows with NaN or Inf in box or score
  float highest_score = 0;            ///< best objectness × class probability of all rows, also below the threshold
};

/// Decoded rows of one picture, `rows` × (5 + class_count) floats: cx, cy, w, h in pixels, objectness, class
/// probabilities (evaluation 0.3, 2.1). One class: score = objectness, and the class column is not
/// looked at. Suppression per class without shifting boxes. Errors: class_count below 1, a class to keep out of range.
NmsResult non_maximum_suppression(const float* decoded, std::size_t rows, int class_count, const NmsOptions& options);

/// Indices of the kept boxes, descending score, stable: greedy suppression among equal class indices (all classes
/// together if `agnostic`).
std::vector<std::size_t> suppress(std::span<const Detection> candidates, double iou_thres, bool agnostic,
                                  std::size_t max_det);

}  // namespace yolov7
