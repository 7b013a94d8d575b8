#pragma once
// Box types. The form and the unit are in the type, so that mixing them does not compile.
#include <algorithm>
#include <cstdint>
#include <vector>

namespace yolov7 {

/// Corners in pixels; width = x2 − x1 (no "+1").
struct Xyxy {
  double x1 = 0, y1 = 0, x2 = 0, y2 = 0;
  double width() const { return x2 - x1; }
  double height() const { return y2 - y1; }
  double area() const { return (x2 - x1) * (y2 - y1); }
  bool operator==(const Xyxy&) const = default;
};

/// Centre and size as fractions of the picture's width and height.
struct CxcywhNormalized {
  double cx = 0, cy = 0, w = 0, h = 0;
  bool operator==(const CxcywhNormalized&) const = default;
};

inline Xyxy to_pixels(const CxcywhNormalized& box, double width_px, double height_px) {
  return {(box.cx - box.w / 2) * width_px, (box.cy - box.h / 2) * height_px,
          (box.cx + box.w / 2) * width_px, (box.cy + box.h / 2) * height_px};
}
inline CxcywhNormalized to_normalized(const Xyxy& box, double width_px, double height_px) {
  return {(box.x1 + box.x2) / 2 / width_px, (box.y1 + box.y2) / 2 / height_px,
          box.width() / width_px, box.height() / height_px};
}
inline Xyxy clip(const Xyxy& box, double width_px, double height_px) {
  return {std::clamp(box.x1, 0.0, width_px), std::clamp(box.y1, 0.0, height_px),
          std::clamp(box.x2, 0.0, width_px), std::clamp(box.y2, 0.0, height_px)};
}
inline double intersection_area(const Xyxy& a, const Xyxy& b) {
  const double w = std::min(a.x2, b.x2) - std::max(a.x1, b.x1),
               h = std::min(a.y2, b.y2) - std::max(a.y1, b.y1);
  return w > 0 && h > 0 ? w * h : 0;
}
/// Intersection over union without an epsilon; 0/0 is NaN, which passes no comparison (evaluation
/// 0.2).
inline double iou(const Xyxy& a, const Xyxy& b) {
  const double i = intersection_area(a, b);
  return i / (a.area() + b.area() - i);
}

/// One detected object. Which frame the box lives in (letterboxed input or original picture) is
/// stated by whoever hands it out.
struct Detection {
  Xyxy box;
  float score = 0;
  int class_index = 0;
  std::uint64_t track = 0;  ///< number of the object over the frames of a video; 0 = not followed
};

/// Descending, equal scores in incoming order.
inline void sort_by_score(std::vector<Detection>& detections) {
  std::stable_sort(detections.begin(), detections.end(),
                   [](const Detection& a, const Detection& b) { return a.score > b.score; });
}

}  // namespace yolov7
