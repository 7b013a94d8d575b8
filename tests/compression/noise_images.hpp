#pragma once
// Images of noise for calibrations: image i is the same in every call.
#include <string>

#include "compression/plan/calibration.hpp"
#include "tests/exporting/networks.hpp"

namespace yolov7::testing {

inline compression::CalibrationImages noise_images(std::size_t count, int side) {
  compression::CalibrationImages all;
  all.count = count, all.height = side, all.width = side;
  all.name = [](std::size_t i) { return "image " + std::to_string(i); };
  all.load = [side](std::size_t i, std::vector<std::uint8_t>& planes) {
    planes.clear();
    for (const float x : unit_noise(3 * side * side, static_cast<std::uint32_t>(i)))
      planes.push_back(static_cast<std::uint8_t>(255 * x));
  };
  return all;
}

}  // namespace yolov7::testing
