#pragma once
// Tensors as places in a list of 256 numbers, which is how Core ML stores 8-bit weights.
#include <cstdint>
#include <span>
#include <vector>

namespace yolov7::exporting {

struct Palette {
  std::vector<float> numbers;        ///< 256, ascending
  std::vector<std::uint8_t> places;  ///< one a value
  std::vector<float> dense() const;
};

/// The squared error of the values is a local minimum (Lloyd, "Least squares quantization in PCM",
/// 1982). The search starts at numbers that are as dense as the cube root of the values' density,
/// which is the best for many numbers (Panter and Dite 1951). Up to 256 different values are
/// exact. The same for the same values. Error: a value that is not finite.
Palette palette_of(std::span<const float> values);

}  // namespace yolov7::exporting
