#pragma once
// HSV gains (data 8.6).
#include <array>
#include <cstdint>
#include <opencv2/core/mat.hpp>

namespace yolov7::dataset {

/// Tables of 256 for hue (0 … 179, wraps), saturation and value (saturate), truncated. The hue is multiplied (K D19).
struct HsvTables {
  std::array<std::uint8_t, 256> hue{}, saturation{}, value{};
};

HsvTables hsv_tables(double hue_gain, double saturation_gain, double value_gain);
/// B G R → HSV → tables → B G R, in place.
void apply_hsv(cv::Mat& bgr, const HsvTables& tables);

}  // namespace yolov7::dataset
