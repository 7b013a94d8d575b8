#include "dataset/formats/cvat_tracks.hpp"

#include <algorithm>
#include <cmath>

#include "core/error.hpp"

namespace yolov7::dataset {
namespace {

double along(double a, double b, double t) { return a + (b - a) * t; }

Xyxy along(const Xyxy& a, const Xyxy& b, double t) {
  return {along(a.x1, b.x1, t), along(a.y1, b.y1, t), along(a.x2, b.x2, t), along(a.y2, b.y2, t)};
}

/// What stands between two key frames: boxes move on straight lines, also towards a key frame that
/// is outside; rotation takes the shorter way. Other shapes stay as they are.
AnnotatedObject between(const AnnotatedObject& a, const AnnotatedObject& b, int frame) {
  AnnotatedObject object = a;
  object.track->frame = frame;
  object.track->keyframe = false;
  const double t = static_cast<double>(frame - a.track->frame) /
                   static_cast<double>(b.track->frame - a.track->frame);
  if (!a.rings.empty() || a.mask || b.mask || !b.rings.empty()) return object;
  if (!a.rotation && !b.rotation) {
    object.box = along(a.box, b.box, t);
    return object;
  }
  const Rotation from = a.rotation.value_or(Rotation{a.box, 0}),
                 to = b.rotation.value_or(Rotation{b.box, 0});
  const double turn = std::remainder(to.degrees - from.degrees, 360);
  object.rotation = Rotation{along(from.box, to.box, t), from.degrees + turn * t};
  object.box = box_around({corners_of(*object.rotation)});
  return object;
}

}  // namespace

void add_track(std::vector<AnnotatedObject> shapes, CvatFrames& frames, ObjectsByFrame& result) {
  std::stable_sort(shapes.begin(), shapes.end(),
                   [](const AnnotatedObject& a, const AnnotatedObject& b) {
                     return a.track->frame < b.track->frame;
                   });
  constexpr int most_frames = 10'000'000;
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    const AnnotatedObject& shape = shapes[i];
    if (shape.track->outside) continue;
    const int first = shape.track->frame;
    const int end =
        i + 1 < shapes.size() ? shapes[i + 1].track->frame - 1 : std::min(frames.stop, most_frames);
    const auto count = static_cast<std::size_t>(std::max(0, end - first) / frames.step) + 1;
    if (count > frames.most_boxes)
      throw Error(frames.source +
                  ": expected at most 5,000,000 boxes in the tracks of a file, found more");
    frames.most_boxes -= count;
    result[first].push_back(shape);
    if (i + 1 < shapes.size()) {
      for (int frame = first + frames.step; frame < shapes[i + 1].track->frame;
           frame += frames.step)
        result[frame].push_back(between(shape, shapes[i + 1], frame));
      continue;
    }
    for (int frame = first + frames.step; frame <= std::min(frames.stop, most_frames);
         frame += frames.step) {
      AnnotatedObject held = shape;
      held.track->frame = frame;
      held.track->keyframe = false;
      result[frame].push_back(std::move(held));
    }
  }
}

}  // namespace yolov7::dataset
