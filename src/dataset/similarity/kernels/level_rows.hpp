#pragma once
// The inner loops of what is measured of an image's brightness, a row at a time. The best version
// for this processor is chosen when the table is asked for.
#include <cstdint>

#include "core/instruction_set.hpp"

namespace yolov7::dataset::kernels {

struct LevelRows {
  /// sums[i], i < count: of the 2 × 2 values of two rows from 2 · i on.
  void (*halve_bytes)(const std::uint8_t* top, const std::uint8_t* bottom, int count,
                      std::uint16_t* sums);
  void (*halve_sums)(const std::uint16_t* top, const std::uint16_t* bottom, int count,
                     std::uint16_t* sums);
  /// sums[i] += weight · row[i], i < count.
  void (*add_bytes)(const std::uint8_t* row, float weight, int count, float* sums);
  void (*add_sums)(const std::uint16_t* row, float weight, int count, float* sums);
  /// Σ weights[k] · rows[k][x] for 64 values x, k < taps: a column of a separable filter.
  void (*down)(const float* const* rows, const float* weights, int taps, float* result);
  /// Σ weights[k] · row[x + k] for 64 values x, k < taps. `row` has 63 + taps values.
  void (*across)(const float* row, const float* weights, int taps, float* result);
  /// Of the middle one of five rows, from its third to its last but two: the sum of the squares of
  /// 256 times what (1 6 1)/8 leaves and (1 4 6 4 1)/16 takes away, both along rows and columns.
  /// `scratch` holds 2 · count values.
  double (*band)(const std::uint16_t* const* rows, int count, std::int32_t* scratch);
  /// Of the middle one of three rows: half the sum of what the two Sobel operators give, without
  /// their signs, at most 255; the row goes on as its mirror image. `count` is at least 2,
  /// `scratch` holds 2 · count values.
  void (*edges)(const std::uint8_t* const* rows, int count, std::int16_t* scratch,
                std::uint8_t* result);
  /// sums[i], i ≤ count: of the first i pixels of this row and of all rows above it, which `above`
  /// has likewise. Four channels in turn.
  void (*integral)(const std::uint8_t* pixels, int count, const std::int32_t* above,
                   std::int32_t* sums);
};

namespace portable {
LevelRows level_rows();
}
namespace avx2 {
LevelRows level_rows();
}
namespace avx512 {
LevelRows level_rows();
}

inline LevelRows level_rows(InstructionSet set) {
  return choose(set, &portable::level_rows, &avx2::level_rows, &avx512::level_rows);
}

}  // namespace yolov7::dataset::kernels
