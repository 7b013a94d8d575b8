#pragma once
// HSV gains (data 8.6).
#include <array>
#include <cstdint>
#include <opencv2/core/mat.hpp>

#include "dataset/augment/kernels/picture_rows.hpp"

namespace yolov7::dataset {

/// Tables of 256 for hue (0 … 179, wraps), saturation and value (saturate), truncated. The hue is
/// multiplied (data K19).
struct HsvTables {
  std::array<std::uint8_t, 256> hue{}, saturation{}, value{};
};

HsvTables hsv_tables(double hue_gain, double saturation_gain, double value_gain);

/// A change of hue, saturation and value, each by itself, of rows of words
/// (kernels/picture_rows.hpp).
class ColourChange {
 public:
  ColourChange(const HsvTables& tables);  // NOLINT: tables are a change
  /// The tables of these gains; by arithmetic where products in float32 truncate to the same whole
  /// numbers, which they nearly always do.
  ColourChange(double hue_gain, double saturation_gain, double value_gain);
  /// `count` is a multiple of 16.
  void operator()(std::uint32_t* words, int count) const;

 private:
  HsvTables tables_;
  kernels::ColourFactors factors_;
  bool by_factors_ = false;
};

/// B G R → HSV → change → B G R, in place.
void apply_hsv(cv::Mat& bgr, const ColourChange& change);

}  // namespace yolov7::dataset
