#include "runtime/detect.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <opencv2/core.hpp>

#include "core/error.hpp"
#include "image/letterbox.hpp"
#include "runtime/joined_detectors.hpp"

namespace yolov7::runtime {
namespace {

using Clock = std::chrono::steady_clock;

/// Milliseconds since `from`, which moves to now.
double lap(Clock::time_point& from) {
  const Clock::time_point now = Clock::now();
  const double passed = std::chrono::duration<double, std::milli>(now - from).count();
  from = now;
  return passed;
}

}  // namespace

std::vector<Setting> settings(LookOptions& o) {
  return joined(
      {group("Network",
             {setting("img-size", o.image_size,
                      "long side of the network input in pixels, rounded up to a multiple of the "
                      "stride")
                  .range(1, longest_input_side)
                  .basic()}),
       group("Tiles",
             {setting("tile", o.tile,
                      "look also at square parts of this many pixels, for small objects in large "
                      "images; 0 = none")
                  .range(0, 65535),
              setting("tile-overlap", o.tile_overlap, "of neighbouring parts").range(0, 0.9)})});
}

int rounded_image_size(int image_size, int stride) {
  if (image_size < 1)
    throw usage_error(fmt::format("image size: expected a positive number, found {}", image_size));
  return (image_size + stride - 1) / stride * stride;
}

namespace {

Letterbox geometry_of(const Detector& detector, const cv::Mat& bgr, int image_size) {
  if (bgr.empty() || bgr.type() != CV_8UC3)
    throw Error("expected an 8-bit image with three channels");
  LetterboxOptions shape;
  shape.stride = detector.stride();
  if (const InputSides sides = detector.sides(); sides.fixed()) {
    shape.automatic = false;
    return letterbox_geometry(bgr.size(), {sides.width, sides.height}, shape);
  }
  if (image_size < 1 || image_size % detector.stride() != 0)
    throw Error(fmt::format("image size: expected a multiple of {}, found {}", detector.stride(),
                            image_size));
  return letterbox_geometry(bgr.size(), {image_size, image_size}, shape);
}

/// Pictures of one input size, one call of the network.
void detect_group(Detector& detector, std::span<const cv::Mat> pictures,
                  std::span<const Letterbox> geometries, const NmsOptions& options,
                  DetectBuffers& buffers, std::vector<DetectResult>& results) {
  const auto count = pictures.size();
  const auto share = 1.0 / static_cast<double>(count);
  Clock::time_point clock = Clock::now();
  const cv::Size input = geometries[0].target;
  const std::size_t bytes = 3 * pixels_of(input);
  buffers.pixels.resize(count * bytes);
  for (std::size_t i = 0; i < count; ++i)
    letterbox_planes(pictures[i], geometries[i], buffers.pixels.data() + i * bytes);
  DetectTiming timing;
  timing.pre = lap(clock) * share;
  const PixelBatch batch{buffers.pixels, static_cast<int>(count), input.height, input.width};
  detector.prepare(batch.count, batch.height, batch.width);
  timing.compile = lap(clock) * share;
  detector.predict(batch, buffers.prediction);
  timing.inference = lap(clock) * share;
  for (std::size_t i = 0; i < count; ++i) {
    NmsResult kept =
        suppress(buffers.prediction, static_cast<int>(i), detector.class_count(), options);
    for (Detection& detection : kept.detections)
      detection.box = to_original(detection.box, input, pictures[i].size());
    DetectResult& result = results.emplace_back();
    result.detections = std::move(kept.detections);
    result.at_max_det =
        result.detections.size() >= static_cast<std::size_t>(std::max(options.max_det, 0));
    result.highest_score = kept.highest_score;
    result.rows = buffers.prediction.rows;
    result.dropped_not_finite = kept.dropped_not_finite;
    result.beyond_max_nms = kept.beyond_max_nms;
    result.input = input;
    result.timing = timing;
    result.timing.post = lap(clock);
  }
}

}  // namespace

DetectResult detect(Detector& detector, const cv::Mat& bgr, int image_size,
                    const NmsOptions& options, DetectBuffers& buffers) {
  return std::move(detect_whole(detector, {&bgr, 1}, image_size, options, buffers).front());
}

DetectResult detect(Detector& detector, const cv::Mat& bgr, int image_size,
                    const NmsOptions& options) {
  DetectBuffers buffers;
  return detect(detector, bgr, image_size, options, buffers);
}

std::vector<DetectResult> detect_whole(Detector& detector, std::span<const cv::Mat> pictures,
                                       int image_size, const NmsOptions& options,
                                       DetectBuffers& buffers) {
  std::vector<DetectResult> results;
  std::vector<Letterbox> geometries;
  for (const cv::Mat& picture : pictures)
    geometries.push_back(geometry_of(detector, picture, image_size));
  for (std::size_t from = 0, to = 0; from < pictures.size(); from = to) {
    while (to < pictures.size() && geometries[to].target == geometries[from].target) ++to;
    detect_group(detector, pictures.subspan(from, to - from),
                 std::span(geometries).subspan(from, to - from), options, buffers, results);
  }
  return results;
}

}  // namespace yolov7::runtime
