#pragma once
// Confusion matrix (evaluation 1.9, the fixed version): rows predicted, columns true, background
// last in both.
#include <cstddef>
#include <span>
#include <vector>

#include "evaluation/metrics/yolo_metric.hpp"

namespace yolov7::evaluation {

class ConfusionMatrix {
 public:
  explicit ConfusionMatrix(int class_count = 0, double conf_thres = 0.25, double iou_thres = 0.45);

  /// One picture, also without targets or without detections.
  void add(std::span<const Detection> detections, std::span<const Target> targets);
  std::size_t at(int predicted, int truth) const { return counts_[index(predicted, truth)]; }
  int class_count() const { return class_count_; }
  int background() const { return class_count_; }
  double conf_thres() const { return conf_thres_; }
  double iou_thres() const { return iou_thres_; }
  /// Every column with its background entry sums to the targets of the class, every row with its
  /// own to the detections above the threshold. Error (a defect of this program) if not.
  void check() const;

 private:
  std::size_t index(int predicted, int truth) const {
    return static_cast<std::size_t>(predicted) * static_cast<std::size_t>(class_count_ + 1) +
           static_cast<std::size_t>(truth);
  }
  int class_count_;
  double conf_thres_, iou_thres_;
  std::vector<std::size_t> counts_, targets_, predictions_;
};

}  // namespace yolov7::evaluation
