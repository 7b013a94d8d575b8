#include "dataset/hsv.hpp"

#include <algorithm>
#include <cmath>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

namespace yolov7::dataset {

HsvTables hsv_tables(double hue_gain, double saturation_gain, double value_gain) {
  HsvTables t;
  for (std::size_t i = 0; i < 256; ++i) {
    const auto x = static_cast<double>(i);
    t.hue[i] = static_cast<std::uint8_t>(std::fmod(x * hue_gain, 180.0));
    t.saturation[i] = static_cast<std::uint8_t>(std::clamp(x * saturation_gain, 0.0, 255.0));
    t.value[i] = static_cast<std::uint8_t>(std::clamp(x * value_gain, 0.0, 255.0));
  }
  return t;
}

void apply_hsv(cv::Mat& bgr, const HsvTables& t) {
  constexpr int strip_rows = 16;  // a strip stays in the cache between its three passes
  cv::Mat hsv;
  for (int y = 0; y < bgr.rows; y += strip_rows) {
    cv::Mat strip = bgr.rowRange(y, std::min(bgr.rows, y + strip_rows));
    cv::cvtColor(strip, hsv, cv::COLOR_BGR2HSV);
    for (int row = 0; row < hsv.rows; ++row) {
      auto* p = hsv.ptr<std::uint8_t>(row);
      for (auto* const end = p + std::ptrdiff_t{3} * hsv.cols; p != end; p += 3) {
        p[0] = t.hue[p[0]];
        p[1] = t.saturation[p[1]];
        p[2] = t.value[p[2]];
      }
    }
    cv::cvtColor(hsv, strip, cv::COLOR_HSV2BGR);
  }
}

}  // namespace yolov7::dataset
