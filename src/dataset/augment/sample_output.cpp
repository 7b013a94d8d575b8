#include "dataset/augment/sample_output.hpp"

#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

namespace yolov7::dataset {
namespace {

CxcywhNormalized flipped_box(const Object& object, cv::Size picture, Flips flips) {
  CxcywhNormalized b = to_normalized(object.box, picture.width, picture.height);
  if (flips.vertical) b.cy = 1 - b.cy;
  if (flips.horizontal) b.cx = 1 - b.cx;
  return b;
}

/// A box of the i-th of four pictures that lie together; `x` is the first of its four numbers.
void into_quad(float* x, std::size_t i) {
  if (i >= 2) x[0] += 1;
  if (i % 2 == 1) x[1] += 1;
  for (std::size_t k = 0; k < 4; ++k) x[k] *= 0.5f;
}

}  // namespace

std::vector<std::array<float, 6>> write_targets(std::span<const Object> objects, cv::Size picture,
                                                Flips flips) {
  std::vector<std::array<float, 6>> targets;
  targets.reserve(objects.size());
  for (const Object& object : objects) {
    if (object.ignored) continue;
    const CxcywhNormalized b = flipped_box(object, picture, flips);
    targets.push_back({0, static_cast<float>(object.class_index), static_cast<float>(b.cx),
                       static_cast<float>(b.cy), static_cast<float>(b.w), static_cast<float>(b.h)});
  }
  return targets;
}

TargetMarks write_marks(std::span<const Object> objects, cv::Size picture, Flips flips) {
  TargetMarks marks;
  bool weighted = false;
  for (const Object& object : objects) {
    if (!object.ignored) {
      weighted |= object.weight != 1;
      marks.weights.push_back(object.weight);
      continue;
    }
    const CxcywhNormalized b = flipped_box(object, picture, flips);
    marks.ignored.push_back({0, static_cast<float>(b.cx), static_cast<float>(b.cy),
                             static_cast<float>(b.w), static_cast<float>(b.h)});
  }
  if (!weighted) marks.weights.clear();
  return marks;
}

void quad_planes(const std::uint8_t* samples, int height, int width, bool alone,
                 std::uint8_t* planes) {
  const std::size_t area = static_cast<std::size_t>(height) * static_cast<std::size_t>(width);
  const auto plane = [&](std::size_t sample, std::size_t channel) {
    return cv::Mat(
        height, width, CV_8UC1,
        const_cast<std::uint8_t*>(samples) + (sample * 3 + channel) * area);  // read only
  };
  for (std::size_t c = 0; c < 3; ++c) {
    cv::Mat target(2 * height, 2 * width, CV_8UC1, planes + c * 4 * area);
    if (alone) {
      cv::resize(plane(0, c), target, target.size(), 0, 0, cv::INTER_LINEAR);
      continue;
    }
    for (std::size_t i = 0; i < 4; ++i)
      plane(i, c).copyTo(
          target(cv::Rect(i >= 2 ? width : 0, i % 2 == 1 ? height : 0, width, height)));
  }
}

std::vector<std::array<float, 6>> quad_targets(
    std::span<const std::vector<std::array<float, 6>>, 4> targets, bool alone) {
  if (alone) return targets[0];
  std::vector<std::array<float, 6>> all;
  for (std::size_t i = 0; i < 4; ++i)
    for (std::array<float, 6> t : targets[i]) {
      into_quad(&t[2], i);
      all.push_back(t);
    }
  return all;
}

TargetMarks quad_marks(std::span<const TargetMarks, 4> marks,
                       std::span<const std::size_t, 4> counts, bool alone) {
  if (alone) return marks[0];
  TargetMarks all;
  std::size_t before = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    TargetMarks one = marks[i];
    for (IgnoredBox& box : one.ignored) into_quad(&box[1], i);
    append(all, before, one, counts[i], 0);
    before += counts[i];
  }
  return all;
}

}  // namespace yolov7::dataset
