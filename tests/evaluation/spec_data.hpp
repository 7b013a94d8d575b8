#pragma once
// The common example of evaluation 1.17: three pictures, categories 1 and 2, eleven objects of
// which number 6 is a crowd.
#include <algorithm>
#include <vector>

#include "evaluation/metrics/coco.hpp"
#include "evaluation/metrics/yolo_metric.hpp"

namespace yolov7::evaluation::testing {

inline CocoGroundTruth spec_truth() {
  CocoGroundTruth truth;
  truth.images = {1, 2, 3};
  truth.categories = {{1, "one"}, {2, "two"}};
  const auto add = [&](std::int64_t id, std::int64_t image, std::int64_t category, Ltwh box,
                       bool crowd = false) {
    truth.annotations.push_back({id, image, category, box, box.width * box.height, crowd});
  };
  add(1, 1, 1, {10, 10, 100, 100});
  add(2, 1, 1, {200, 50, 80, 60});
  add(3, 1, 2, {300, 200, 50, 50});
  add(4, 2, 1, {20, 30, 20, 20});
  add(5, 2, 2, {100, 100, 150, 120});
  add(6, 2, 2, {400, 100, 200, 200}, true);
  add(7, 3, 1, {50, 60, 300, 200});
  add(8, 3, 1, {400, 300, 60, 40});
  add(9, 3, 2, {550, 400, 50, 50});
  add(10, 2, 1, {500, 350, 80, 80});
  add(11, 2, 2, {30, 300, 60, 60});
  return truth;
}

inline std::vector<CocoDetection> spec_detections() {
  return {{1, 1, {12, 12, 100, 100}, 0.95},   {1, 1, {10, 10, 110, 100}, 0.90},
          {1, 1, {205, 60, 80, 60}, 0.85},    {1, 1, {302, 198, 50, 50}, 0.80},
          {1, 2, {300, 225, 50, 50}, 0.70},   {2, 1, {22, 31, 20, 20}, 0.75},
          {2, 2, {100, 100, 140, 120}, 0.88}, {2, 2, {420, 120, 60, 60}, 0.60},
          {2, 2, {430, 150, 50, 40}, 0.55},   {3, 1, {60, 70, 300, 200}, 0.65},
          {3, 1, {50, 60, 300, 210}, 0.64},   {3, 1, {500, 20, 30, 30}, 0.50},
          {3, 2, {10, 400, 40, 40}, 0.45},    {1, 2, {305, 205, 50, 50}, 0.30},
          {3, 1, {405, 303, 60, 40}, 0.50},   {2, 1, {530, 380, 80, 80}, 0.58},
          {2, 1, {32, 302, 60, 60}, 0.52},    {2, 2, {515, 365, 80, 80}, 0.35},
          {2, 1, {540, 390, 80, 80}, 0.40}};
}

inline Xyxy corners(const Ltwh& box) {
  return {box.left, box.top, box.left + box.width, box.top + box.height};
}

/// One picture of the example as the official metric sees it: the crowd is no target, detections by
/// descending score.
struct SpecPicture {
  std::vector<Detection> detections;
  std::vector<Target> targets;
};
inline SpecPicture spec_picture(std::int64_t image) {
  SpecPicture picture;
  for (const CocoAnnotation& a : spec_truth().annotations)
    if (a.image == image && !a.crowd)
      picture.targets.push_back({corners(a.box), static_cast<int>(a.category) - 1});
  for (const CocoDetection& d : spec_detections())
    if (d.image == image)
      picture.detections.push_back(
          {corners(d.box), static_cast<float>(d.score), static_cast<int>(d.category) - 1});
  std::stable_sort(picture.detections.begin(), picture.detections.end(),
                   [](const Detection& a, const Detection& b) { return a.score > b.score; });
  return picture;
}

}  // namespace yolov7::evaluation::testing
