#pragma once
// COCO box metrics, number for number those of pycocotools (evaluation 6.2). All arithmetic in
// double precision.
#include <array>
#include <cstdint>
#include <vector>

#include "evaluation/metrics/coco_data.hpp"

namespace yolov7::evaluation {

/// Errors: a detection on a picture that the ground truth does not know. Detections and annotations
/// of categories that are not listed are left out.
CocoResult evaluate_coco(const CocoGroundTruth& ground_truth,
                         const std::vector<CocoDetection>& detections,
                         const CocoOptions& options = {});

/// What became of each detection, all areas, at the last limit: what resampling and calibration
/// begin with.
struct CocoMatches {
  /// By falling score over all pictures, as the metric sees them. Bits are IoU thresholds, from 0.5
  /// up.
  struct Detection {
    double score;
    std::uint32_t picture;         ///< place among the sorted picture ids
    std::uint16_t found, ignored;  ///< took an object; takes no part
  };
  /// What found an object that counts.
  struct Object {
    std::size_t annotation;  ///< index in the order given
    std::array<double, coco_ious>
        by;  ///< the score of the detection that took it at each IoU threshold; −1 = missed
  };
  struct Category {
    std::int64_t id;
    std::vector<Detection> detections;
    std::vector<std::uint32_t> objects;  ///< the picture of each object that counts
    std::vector<std::size_t> indices;    ///< of each detection, in the order given
    std::vector<Object> found;           ///< in the order of `objects`
  };
  std::vector<Category> categories;
  std::size_t pictures = 0;
};
CocoMatches match_coco(const CocoGroundTruth& ground_truth,
                       const std::vector<CocoDetection>& detections,
                       const CocoOptions& options = {});

}  // namespace yolov7::evaluation
