#pragma once
// Precision over recall of one category, at all IoU thresholds at once, as pycocotools samples it.
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "evaluation/metrics/coco_data.hpp"

namespace yolov7::evaluation {

/// Detections by falling score. A bit of `found` and `ignored` for each threshold. The envelope of
/// precision is highest where an object is found, so only those places are kept.
class PrecisionEnvelope {
 public:
  /// `weight` of them at the same place: the last of them has the highest precision.
  void add(std::uint16_t found, std::uint16_t ignored, std::size_t weight = 1);
  /// Best precision at or beyond each recall 0, 0.01 … 1 of `objects`; 0 where it is not reached.
  /// Once, after the last detection.
  std::array<double, coco_recalls> sample(std::size_t threshold, std::size_t objects);

 private:
  struct Place {
    std::size_t found;  ///< objects up to here
    double precision;
  };
  std::array<std::vector<Place>, coco_ious> places_;
  std::array<std::size_t, coco_ious> found_{}, ignored_{};
  std::size_t seen_ = 0;
};

}  // namespace yolov7::evaluation
