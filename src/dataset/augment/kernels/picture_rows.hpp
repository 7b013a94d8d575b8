#pragma once
// The inner loops of a training picture, a row at a time: the bilinear warp and the change of hue,
// saturation and value. A pixel of a row is a 32-bit word: B, G, R, 0 from the lowest byte up. The
// best version for this processor is chosen when the table is asked for.
#include <cstddef>
#include <cstdint>

#include "core/instruction_set.hpp"

namespace yolov7::dataset::kernels {

/// Positions in the source are in 1/1024 px, brought to 1/32 px: ((x0 + dx[i]) >> 5, (y0 + dy[i])
/// >> 5).
struct WarpRow {
  const std::uint8_t* source = nullptr;  ///< B G R rows
  std::ptrdiff_t stride = 0;             ///< bytes from row to row
  const std::int32_t* dx = nullptr;
  const std::int32_t* dy = nullptr;
  std::int32_t x0 = 0, y0 = 0;
  std::uint32_t* words = nullptr;
  std::uint16_t* scratch = nullptr;  ///< of warp_level: for a row of the source and 32 values more
};

/// Factors of hue (0 … 179), saturation and value, whose products are truncated; saturation and
/// value end at 255, hue goes round at 180.
struct ColourFactors {
  float hue = 1, saturation = 1, value = 1;
};

struct PictureRows {
  /// words[i] for i in from … to − 1, of which every source pixel lies at 0 ≤ x ≤ width − 3, 0 ≤ y
  /// ≤ height − 2: (Σ (32 − a or a)(32 − b or b) · pixel + 512) >> 10, with a and b the position's
  /// 32nds.
  void (*warp)(const WarpRow& row, int from, int to);
  /// The same where dy is 0 all along: one source row and the next, which are joined first.
  void (*warp_level)(const WarpRow& row, int from, int to);
  /// B G R words ↔ words of hue (0 … 179, in 2°), saturation and value: forward as OpenCV's 8-bit
  /// conversion; back with each channel rounded once, halves up (OpenCV truncates in its vector
  /// loop, a third of a level too dark on average, and rounds in the rest of a row). In place;
  /// `count` is a multiple of 16.
  void (*to_hsv)(std::uint32_t* words, int count);
  void (*from_hsv)(std::uint32_t* words, int count);
  /// to_hsv, the factors, from_hsv.
  void (*colours)(std::uint32_t* words, int count, const ColourFactors& factors);
  /// R G B planes of a row. `count` is a multiple of 16.
  void (*planes)(const std::uint32_t* words, int count, std::uint8_t* red, std::uint8_t* green,
                 std::uint8_t* blue);
};

namespace portable {
PictureRows picture_rows();
}
namespace avx2 {
PictureRows picture_rows();
}
namespace avx512 {
PictureRows picture_rows();
}

inline PictureRows picture_rows(InstructionSet set) {
  return choose(set, &portable::picture_rows, &avx2::picture_rows, &avx512::picture_rows);
}

}  // namespace yolov7::dataset::kernels
