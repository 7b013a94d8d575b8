#pragma once
// Where a detector is good and where not: the threshold that suits each class, objects by size,
// shape and crowding, and the pictures with the most errors, by the COCO metric's own matches.
#include <cstdint>
#include <string>
#include <vector>

#include "evaluation/metrics/coco.hpp"

namespace yolov7::evaluation {

/// The confidence threshold with the largest F1 at IoU 0.5. It is the mean of the lowest score
/// above it and the highest score below it (0 if there is none).
struct BestThreshold {
  double confidence = 0, f1 = 0, precision = 0, recall = 0;
  std::size_t objects = 0;
};

/// Objects of one kind.
struct ObjectBin {
  std::string property, name;  ///< "size", "16 to 32 px"
  std::size_t objects = 0;
  double recall50 = 0;          ///< share found at IoU 0.5 by any detection
  double recall50_at_best = 0;  ///< share found at IoU 0.5 with a score above overall.confidence
  double average_recall =
      0;  ///< mean over IoU 0.5 … 0.95 (like COCO's AR, but averaged over objects)
};

struct PictureErrors {
  std::int64_t image = 0;
  std::size_t objects = 0, missed = 0,
              false_detections = 0;  ///< above the best threshold of all classes together, IoU 0.5
  /// Which, for the first `detailed_pictures` of them.
  std::vector<CocoAnnotation> missed_objects;
  std::vector<CocoDetection> false_boxes;
};
inline constexpr std::size_t detailed_pictures = 16;

struct Breakdown {
  BestThreshold overall;                   ///< all classes counted together
  std::vector<CocoCategory> categories;    ///< sorted by id
  std::vector<BestThreshold> by_category;  ///< in the order of `categories`; zeros without objects
  std::vector<ObjectBin> bins;             ///< empty ones are left out
  std::vector<PictureErrors> pictures;     ///< with errors; most errors first, then by id
};

/// Crowd regions do not count as objects. A detection inside a crowd region of its own category
/// does not count as an error. Size: √area. Shape: width over height. Crowding: other objects of
/// any category that overlap with IoU > 0.1. `matches`: match_coco() of the same two.
Breakdown break_down(const CocoGroundTruth& truth, const std::vector<CocoDetection>& detections,
                     const CocoMatches& matches);
inline Breakdown break_down(const CocoGroundTruth& truth,
                            const std::vector<CocoDetection>& detections,
                            const CocoOptions& options = {}) {
  return break_down(truth, detections, match_coco(truth, detections, options));
}

}  // namespace yolov7::evaluation
