#pragma once
// How close values that were read back from a file have to come.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "tests/exporting/networks.hpp"

namespace yolov7::testing {

// Some hundred float32 operations a value: 1e-5 of the largest is ten times their rounding, and a
// wrong operation is far beyond it.
inline constexpr double tolerance = 1e-5;

/// `relative` of the largest value, or of 1.
inline void expect_close(const std::vector<float>& found, const std::vector<double>& expected,
                         double relative, const std::string& what) {
  ASSERT_EQ(found.size(), expected.size()) << what;
  double scale = 1, gap = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    scale = std::max(scale, std::abs(expected[i]));
    gap = std::max(gap, std::abs(static_cast<double>(found[i]) - expected[i]));
  }
  EXPECT_LE(gap, relative * scale) << what;
}

inline std::vector<float> images(int batch, int height, int width) {
  return unit_noise(static_cast<std::size_t>(batch * 3 * height * width), 77);
}

}  // namespace yolov7::testing
