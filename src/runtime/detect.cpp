#include "runtime/detect.hpp"

#include <fmt/format.h>

#include <chrono>
#include <opencv2/core.hpp>

#include "core/error.hpp"
#include "image/letterbox.hpp"

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

int rounded_image_size(int image_size, int stride) {
  if (image_size < 1) throw usage_error(fmt::format("image size: expected a positive number, found {}", image_size));
  return (image_size + stride - 1) / stride * stride;
}

void to_planes(const cv::Mat& bgr, std::vector<std::uint8_t>& planes) {
  if (bgr.type() != CV_8UC3) throw Error("expected an 8-bit picture with three channels");
  const std::size_t plane = bgr.total();
  planes.resize(3 * plane);
  cv::Mat red(bgr.size(), CV_8UC1, planes.data()), green(bgr.size(), CV_8UC1, planes.data() + plane),
      blue(bgr.size(), CV_8UC1, planes.data() + 2 * plane);
  cv::Mat targets[] = {blue, green, red};
  cv::split(bgr, targets);
}

DetectResult detect(Detector& detector, const cv::Mat& bgr, int image_size, const NmsOptions& options, DetectBuffers& buffers) {
  if (bgr.empty() || bgr.type() != CV_8UC3) throw Error("expected an 8-bit picture with three channels");
  if (image_size < 1 || image_size % detector.stride() != 0)
    throw Error(fmt::format("image size: expected a multiple of {}, found {}", detector.stride(), image_size));
  DetectResult result;
  Clock::time_point clock = Clock::now();
  LetterboxOptions shape;
  shape.stride = detector.stride();
  const Letterbox geometry = letterbox_geometry(bgr.size(), {image_size, image_size}, shape);
  result.input = geometry.target;
  to_planes(letterbox(bgr, geometry), buffers.pixels);
  result.timing.pre = lap(clock);
  const PixelBatch batch{buffers.pixels, 1, geometry.target.height, geometry.target.width};
  detector.prepare(1, batch.height, batch.width);
  result.timing.compile = lap(clock);
  detector.predict(batch, buffers.prediction);
  result.timing.inference = lap(clock);
  NmsResult kept = non_maximum_suppression(buffers.prediction.picture(0), buffers.prediction.rows, detector.class_count(), options);
  for (Detection& detection : kept.detections) detection.box = to_original(detection.box, geometry.target, bgr.size());
  result.detections = std::move(kept.detections);
  result.highest_score = kept.highest_score;
  result.dropped_not_finite = kept.dropped_not_finite;
  result.timing.post = lap(clock);
  return result;
}

DetectResult detect(Detector& detector, const cv::Mat& bgr, int image_size, const NmsOptions& options) {
  DetectBuffers buffers;
  return detect(detector, bgr, image_size, options, buffers);
}

}  // namespace yolov7::runtime
