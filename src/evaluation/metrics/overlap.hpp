#pragma once
// Intersection over union of boxes in COCO's form.
#include <algorithm>

#include "evaluation/metrics/coco_data.hpp"

namespace yolov7::evaluation {

/// Of a detection and an object; with a crowd, over the detection's area.
inline double overlap(const Ltwh& d, const Ltwh& g, bool crowd) {
  const double w = std::min(d.left + d.width, g.left + g.width) - std::max(d.left, g.left);
  const double h = std::min(d.top + d.height, g.top + g.height) - std::max(d.top, g.top);
  if (w <= 0 || h <= 0) return 0;
  const double i = w * h;
  return i / (crowd ? d.width * d.height : d.width * d.height + g.width * g.height - i);
}

}  // namespace yolov7::evaluation
