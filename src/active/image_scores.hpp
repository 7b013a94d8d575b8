#pragma once
// What a detector's answer says about how much an image would teach it (docs/active.md).
#include <cstddef>
#include <span>
#include <vector>

#include "image/boxes/box.hpp"

namespace yolov7::active {

/// Detections from this confidence on are looked at.
inline constexpr double least_confidence = 0.05;
/// Detections from this confidence on count as boxes that a person will have to look at.
inline constexpr double counted_confidence = 0.25;

struct ImageScores {
  std::size_t looked_at = 0;        ///< detections of least_confidence and more
  std::vector<std::size_t> counts;  ///< by class, of counted_confidence and more
  double lowest = 1;                ///< lowest confidence of those looked at; 1 where there is none
  double mean_entropy = 0, max_entropy = 0, sum_entropy = 0;  ///< nats, of the confidences
  /// 0 = the mirrored image gives the same boxes, 1 = none of them (disagreement()).
  double disagreement = 0;
  std::size_t boxes() const;
};

/// −p·ln p − (1 − p)·ln(1 − p); 0 at 0 and 1.
double binary_entropy(double p);

/// Scores of one image. `detections`: after suppression, any order. `class_count`: length of
/// counts.
ImageScores score_image(std::span<const Detection> detections, std::size_t class_count);

/// How much two looks at one image disagree: 1 − the mean over all boxes of both looks of the IoU
/// with the best match of the same class in the other look (greedy by IoU, each box once); a box
/// without a match counts 0. Boxes of `mirrored` lie in the mirrored image of `width` pixels and
/// are turned back here. Boxes below `least` are left out. 0 where neither look has a box.
double disagreement(std::span<const Detection> plain, std::span<const Detection> mirrored,
                    double width, double least = counted_confidence);

}  // namespace yolov7::active
