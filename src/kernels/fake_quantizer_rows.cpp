#include "kernels/fake_quantizer_rows.hpp"

#include <cstring>

#include "kernels/simd.hpp"

namespace yolov7::kernels::YOLOV7_INSTRUCTION_SET {
namespace {

constexpr std::int64_t lanes = group / 2;

/// The first `count` of sixteen values; the others are 0 and are not written.
template <bool whole>
YOLOV7_INLINE Lanes load_lanes(const float* from, std::int64_t count) {
  Lanes v{};
  std::memcpy(&v, from, whole ? sizeof v : static_cast<std::size_t>(count) * sizeof(float));
  return v;
}
template <bool whole>
YOLOV7_INLINE void store_lanes(float* to, const Lanes& v, std::int64_t count) {
  std::memcpy(to, &v, whole ? sizeof v : static_cast<std::size_t>(count) * sizeof(float));
}

/// To the next integer, halves to the even one; |v| < 2^22. Not a number stays what it is.
YOLOV7_INLINE Lanes to_integer(const Lanes& v) {
  constexpr float far = 12582912;  // 1.5 · 2^23: what lies beside it is a whole number apart
  return (v + broadcast(far)) - broadcast(far);
}

YOLOV7_INLINE Lanes bounded(const Lanes& v, const Lanes& low, const Lanes& high) {
  const Lanes raised = v < low ? low : v;
  return raised > high ? high : raised;
}

struct Ends {
  Lanes scale, low, high;
};
YOLOV7_INLINE Ends ends_of(const QuantizedRow& row) {
  return {broadcast(row.scale), broadcast(row.low), broadcast(row.high)};
}

/// The bounds are integers, so rounding first and bounding first give the same number.
template <bool whole>
YOLOV7_INLINE void quantize_some(const QuantizedRow& row, const Ends& ends, std::int64_t at,
                                 std::int64_t count) {
  const Lanes v = load_lanes<whole>(row.x + at, count) / ends.scale;
  store_lanes<whole>(row.y + at, to_integer(bounded(v, ends.low, ends.high)) * ends.scale, count);
}

void quantize(const QuantizedRow& row) {
  const Ends ends = ends_of(row);
  const std::int64_t whole = row.count / lanes * lanes;
  for (std::int64_t at = 0; at < whole; at += lanes) quantize_some<true>(row, ends, at, lanes);
  if (whole < row.count) quantize_some<false>(row, ends, whole, row.count - whole);
}

/// What it adds to the sums.
template <bool whole>
YOLOV7_INLINE Lanes gradient_of_some(const QuantizedRow& row, const Ends& ends, std::int64_t at,
                                     std::int64_t count) {
  const Lanes v = load_lanes<whole>(row.x + at, count) / ends.scale,
              dy = load_lanes<whole>(row.dy + at, count), inside = bounded(v, ends.low, ends.high),
              number = to_integer(inside);
  store_lanes<whole>(row.dx + at, v == inside ? dy : Lanes{}, count);
  return dy * (v == inside ? number - v : number);
}

float gradient(const QuantizedRow& row) {
  const Ends ends = ends_of(row);
  const std::int64_t whole = row.count / lanes * lanes;
  Lanes sums{};
  for (std::int64_t at = 0; at < whole; at += lanes)
    sums += gradient_of_some<true>(row, ends, at, lanes);
  if (whole < row.count) sums += gradient_of_some<false>(row, ends, whole, row.count - whole);
  float sum = 0;
  for (std::int64_t i = 0; i < lanes; ++i) sum += sums[i];
  return sum;
}

}  // namespace

FakeQuantizerKernels fake_quantizer_kernels() { return {quantize, gradient}; }

}  // namespace yolov7::kernels::YOLOV7_INSTRUCTION_SET
