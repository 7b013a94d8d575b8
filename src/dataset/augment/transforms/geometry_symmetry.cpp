#include <array>
#include <opencv2/core.hpp>
#include <vector>

#include "core/error.hpp"
#include "dataset/augment/transforms/boxes.hpp"
#include "dataset/augment/transforms/geometry.hpp"

namespace yolov7::dataset {
namespace {

using Context = const TransformContext&;

/// First mirrored left to right, then upside down, then the axes swapped.
void permute(Sample& sample, bool mirror, bool upside_down, bool transpose) {
  const double w = sample.picture.cols, h = sample.picture.rows;
  if (mirror || upside_down) {
    cv::Mat out;
    cv::flip(sample.picture, out, mirror && upside_down ? -1 : mirror ? 1 : 0);
    sample.picture = out;
    permute_objects(sample.objects, {mirror ? -1.0 : 1.0, 0, mirror ? w : 0, 0,
                                     upside_down ? -1.0 : 1.0, upside_down ? h : 0, 0, 0, 1});
  }
  if (transpose) {
    cv::Mat out;
    cv::transpose(sample.picture, out);
    sample.picture = out;
    permute_objects(sample.objects, {0, 1, 0, 1, 0, 0, 0, 0, 1});
  }
}

// Row 59.
struct HorizontalFlip {};
Settings settings(HorizontalFlip&) { return {"HorizontalFlip", {}}; }
void apply(const HorizontalFlip&, Sample& sample, Random&, Context) {
  permute(sample, true, false, false);
}

// Row 60.
struct VerticalFlip {};
Settings settings(VerticalFlip&) { return {"VerticalFlip", {}}; }
void apply(const VerticalFlip&, Sample& sample, Random&, Context) {
  permute(sample, false, true, false);
}

// Row 61.
struct Transpose {};
Settings settings(Transpose&) { return {"Transpose", {}}; }
void apply(const Transpose&, Sample& sample, Random&, Context) {
  permute(sample, false, false, true);
}

// Row 62.
struct RandomRotate90 {
  bool clockwise = true, counter_clockwise = true, upside_down = true;
};
Settings settings(RandomRotate90& o) {
  return Settings{
      "RandomRotate90",
      {
          setting("clockwise", o.clockwise, "a quarter turn to the right is allowed"),
          setting("counter_clockwise", o.counter_clockwise, "a quarter turn to the left"),
          setting("upside_down", o.upside_down, "half a turn"),
      }};
}
void apply(const RandomRotate90& o, Sample& sample, Random& random, Context) {
  std::vector<int> turns;
  if (o.clockwise) turns.push_back(1);
  if (o.upside_down) turns.push_back(2);
  if (o.counter_clockwise) turns.push_back(3);
  if (turns.empty())
    throw Error(
        "RandomRotate90: expected at least one of clockwise, counter_clockwise and upside_down, "
        "found none");
  const int quarter = turns[static_cast<std::size_t>(
      random.integer(0, static_cast<std::int64_t>(turns.size()) - 1))];
  permute(sample, quarter == 2 || quarter == 3, quarter == 1 || quarter == 2, quarter != 2);
}

// Row 63.
struct D4 {};
Settings settings(D4&) { return {"D4", {}}; }
void apply(const D4&, Sample& sample, Random& random, Context) {
  const std::int64_t one = random.integer(0, 7);
  permute(sample, (one & 1) != 0, (one & 2) != 0, (one & 4) != 0);
}

}  // namespace

std::vector<TransformEntry> symmetry_transforms() {
  constexpr auto exact = BoxRule::exact;
  constexpr auto stage = Stage::geometry;
  return {entry<HorizontalFlip>("HorizontalFlip", exact, stage, 0.5, "Mirrored left to right"),
          entry<VerticalFlip>("VerticalFlip", exact, stage, 0.5, "Upside down, mirrored"),
          entry<Transpose>("Transpose", exact, stage, 0.5, "Axes change places"),
          entry<RandomRotate90>("RandomRotate90", exact, stage, 0.5, "One of the allowed turns",
                                {"Rotate90"}),
          entry<D4>("D4", exact, stage, 1,
                    "One of the eight symmetries of a square, the identity among them")};
}

}  // namespace yolov7::dataset
