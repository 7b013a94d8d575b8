#pragma once
// What a detector found on one picture next to what is there: all that the metrics need, so that
// several processes can share the pictures.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "evaluation/metrics/yolo_metric.hpp"
#include "image/boxes/box.hpp"

namespace yolov7::evaluation {

struct PictureOutcome {
  std::size_t batch = 0, entry = 0;   ///< number of the batch; index into Index::entries
  std::vector<Detection> detections;  ///< in pixels of the original picture
  std::vector<Target> targets;        ///< the same
  float highest_score = 0;            ///< of all rows, also below the threshold
  std::size_t dropped_not_finite = 0;
};

/// Bytes for another process of the same program on the same kind of machine, and back. Error:
/// bytes that are not whole.
std::string to_bytes(const std::vector<PictureOutcome>& outcomes);
std::vector<PictureOutcome> outcomes_of(std::string_view bytes);

}  // namespace yolov7::evaluation
