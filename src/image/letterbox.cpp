#include "image/letterbox.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include "core/error.hpp"

namespace yolov7 {
namespace {

// Halves go to the even number (the default rounding mode). At least 1 px: the scaled side of a
// very thin picture rounds to 0.
int round_side(double side) { return std::max(1, static_cast<int>(std::nearbyint(side))); }

}  // namespace

Letterbox letterbox_geometry(cv::Size source, cv::Size target, const LetterboxOptions& options) {
  if (source.width < 1 || source.height < 1 || target.width < 1 || target.height < 1 ||
      options.stride < 1)
    throw Error(
        fmt::format("letterbox: expected sides and stride of at least 1, found image {} x {}, "
                    "target {} x {}, "
                    "stride {}",
                    source.width, source.height, target.width, target.height, options.stride));
  Letterbox g;
  g.source = source;
  double ratio = std::min(static_cast<double>(target.height) / source.height,
                          static_cast<double>(target.width) / source.width);
  if (!options.scale_up) ratio = std::min(ratio, 1.0);
  g.ratio_x = g.ratio_y = ratio;
  g.resized = {round_side(source.width * ratio), round_side(source.height * ratio)};
  int pad_x = target.width - g.resized.width, pad_y = target.height - g.resized.height;
  if (options.automatic) {
    pad_x %= options.stride;
    pad_y %= options.stride;
  } else if (options.fill) {
    pad_x = pad_y = 0;
    g.resized = target;
    g.ratio_x = static_cast<double>(target.width) / source.width;
    g.ratio_y = static_cast<double>(target.height) / source.height;
  }
  g.dw = pad_x / 2.0;
  g.dh = pad_y / 2.0;
  // If the padding of an axis is odd, the extra pixel goes to the bottom or to the right.
  g.top = static_cast<int>(std::nearbyint(g.dh - 0.1));
  g.bottom = static_cast<int>(std::nearbyint(g.dh + 0.1));
  g.left = static_cast<int>(std::nearbyint(g.dw - 0.1));
  g.right = static_cast<int>(std::nearbyint(g.dw + 0.1));
  g.target = {g.left + g.resized.width + g.right, g.top + g.resized.height + g.bottom};
  return g;
}

namespace {

void require_fit(const cv::Mat& picture, const Letterbox& geometry) {
  if (picture.type() != CV_8UC3 || picture.size() != geometry.source)
    throw Error(
        fmt::format("letterbox: expected an 8-bit 3-channel image of {} x {} px, found {}, "
                    "{} x {} px",
                    geometry.source.width, geometry.source.height, cv::typeToString(picture.type()),
                    picture.cols, picture.rows));
}

cv::Rect inner(const Letterbox& geometry) {
  return {{geometry.left, geometry.top}, geometry.resized};
}

/// Writes the channels into the rectangle `place` of three planes of `size`, in the order R, G, B.
void write_planes(const cv::Mat& bgr, cv::Size size, const cv::Rect& place, std::uint8_t* planes) {
  const std::size_t plane = pixels_of(size);
  cv::Mat red(size, CV_8UC1, planes), green(size, CV_8UC1, planes + plane),
      blue(size, CV_8UC1, planes + 2 * plane);
  cv::Mat targets[] = {blue(place), green(place), red(place)};
  cv::split(bgr, targets);
}

}  // namespace

cv::Mat letterbox(const cv::Mat& picture, const Letterbox& geometry) {
  require_fit(picture, geometry);
  cv::Mat out(geometry.target, CV_8UC3);
  if (geometry.target != geometry.resized) out.setTo(cv::Scalar::all(letterbox_grey));
  cv::Mat place = out(inner(geometry));
  if (geometry.resized == geometry.source)
    picture.copyTo(place);
  else
    cv::resize(picture, place, geometry.resized, 0, 0, cv::INTER_LINEAR);
  return out;
}

void letterbox_planes(const cv::Mat& bgr, const Letterbox& geometry, std::uint8_t* planes) {
  require_fit(bgr, geometry);
  if (geometry.target != geometry.resized)
    std::fill(planes, planes + 3 * pixels_of(geometry.target),
              static_cast<std::uint8_t>(letterbox_grey));
  cv::Mat resized = bgr;
  if (geometry.resized != geometry.source)
    cv::resize(bgr, resized, geometry.resized, 0, 0, cv::INTER_LINEAR);
  write_planes(resized, geometry.target, inner(geometry), planes);
}

void to_planes(const cv::Mat& bgr, std::vector<std::uint8_t>& planes) {
  if (bgr.type() != CV_8UC3)
    throw Error(fmt::format("expected an 8-bit image with three channels, found {}",
                            cv::typeToString(bgr.type())));
  planes.resize(3 * bgr.total());
  write_planes(bgr, bgr.size(), {{0, 0}, bgr.size()}, planes.data());
}

Xyxy to_original(const Xyxy& letterboxed, cv::Size letterboxed_size, cv::Size original_size) {
  const double w1 = letterboxed_size.width, h1 = letterboxed_size.height;
  const double w0 = original_size.width, h0 = original_size.height;
  const double gain = std::min(h1 / h0, w1 / w0);
  const double pad_x = (w1 - w0 * gain) / 2, pad_y = (h1 - h0 * gain) / 2;
  return clip({(letterboxed.x1 - pad_x) / gain, (letterboxed.y1 - pad_y) / gain,
               (letterboxed.x2 - pad_x) / gain, (letterboxed.y2 - pad_y) / gain},
              w0, h0);
}

cv::Size resized_size(cv::Size original, int s) {
  const int longest = std::max(original.width, original.height);
  if (longest == s) return original;
  const double r = static_cast<double>(s) / longest;
  return {std::max(1, static_cast<int>(original.width * r)),
          std::max(1, static_cast<int>(original.height * r))};
}

}  // namespace yolov7
