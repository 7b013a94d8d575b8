#pragma once
// Point-wise maps in place.
#include <array>
#include <cstdint>
#include <opencv2/core.hpp>

#include "dataset/augment/hsv.hpp"
#include "dataset/augment/transforms/transform.hpp"

namespace yolov7::dataset {

/// Every value v of channel c becomes f(c, v), rounded and clipped.
template <class F>
void map_channels(cv::Mat& bgr, F f) {
  cv::Mat table(1, 256, CV_8UC3);
  for (int v = 0; v < 256; ++v)
    for (int c = 0; c < 3; ++c) table.at<cv::Vec3b>(0, v)[c] = to_byte(f(c, v));
  cv::LUT(bgr, table, bgr);
}
template <class F>
void map_values(cv::Mat& bgr, F f) {
  map_channels(bgr, [&](int, int v) { return f(v); });
}

/// Every pixel (doubles, B G R) becomes f(pixel, x, y), rounded and clipped.
template <class F>
void map_pixels(cv::Mat& bgr, F f) {
  for (int y = 0; y < bgr.rows; ++y) {
    auto* p = bgr.ptr<cv::Vec3b>(y);
    for (int x = 0; x < bgr.cols; ++x) {
      const cv::Vec3d v = f(cv::Vec3d(p[x]), x, y);
      p[x] = {to_byte(v[0]), to_byte(v[1]), to_byte(v[2])};
    }
  }
}

/// Hue of 8 bits (180 a turn) + shift, modulo; saturation and value by functions, rounded and
/// clipped.
template <class Saturation, class Value>
void map_hsv(cv::Mat& bgr, double hue_shift, Saturation saturation, Value value) {
  HsvTables tables;
  for (int v = 0; v < 256; ++v) {
    const auto i = static_cast<std::size_t>(v);
    const int hue = static_cast<int>(std::floor(v + hue_shift + 0.5)) % 180;
    tables.hue[i] = static_cast<std::uint8_t>(hue < 0 ? hue + 180 : hue);
    tables.saturation[i] = to_byte(saturation(v));
    tables.value[i] = to_byte(value(v));
  }
  apply_hsv(bgr, tables);
}

/// 0.299 R + 0.587 G + 0.114 B.
inline double luma(const cv::Vec3d& bgr) {
  return 0.114 * bgr[0] + 0.587 * bgr[1] + 0.299 * bgr[2];
}

}  // namespace yolov7::dataset
