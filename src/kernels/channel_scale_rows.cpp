#include "kernels/channel_scale_rows.hpp"

namespace yolov7::kernels::YOLOV7_INSTRUCTION_SET {
namespace {

/// float32 values in the order of T's lanes, and back.
template <class T>
YOLOV7_INLINE Pair to_lane_order(const Pair& v) {
  if constexpr (sizeof(T) == sizeof(float))
    return v;
  else
    return {__builtin_shufflevector(v.a, v.b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28,
                                    30),
            __builtin_shufflevector(v.a, v.b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29,
                                    31)};
}
template <class T>
YOLOV7_INLINE Pair from_lane_order(const Pair& v) {
  if constexpr (sizeof(T) == sizeof(float))
    return v;
  else
    return {
        __builtin_shufflevector(v.a, v.b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23),
        __builtin_shufflevector(v.a, v.b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15,
                                31)};
}

template <bool whole, class T>
YOLOV7_INLINE void scale_group(const ScaledRows<T>& rows, std::int64_t at, std::int64_t c,
                               std::int64_t some) {
  const Pair x = get<whole>(rows.x + at, some), factor = load(rows.factor + c);
  put<whole>(rows.y + at, from_lane_order<T>(Pair{x.a * factor.a, x.b * factor.b}), some);
}

template <bool whole, class T>
YOLOV7_INLINE void gradient_group(const ScaledRows<T>& rows, float* sums, std::int64_t at,
                                  std::int64_t c, std::int64_t some) {
  const Pair x = get<whole>(rows.x + at, some), factor = load(rows.factor + c),
             sum = load(sums + c);
  const Pair dy = to_lane_order<T>(get<whole>(rows.dy + at, some));
  put<whole>(rows.dx + at, Pair{dy.a * factor.a, dy.b * factor.b}, some);
  store(sums + c, Pair{sum.a + dy.a * x.a, sum.b + dy.b * x.b});
}

template <class T>
YOLOV7_INLINE void scale_body(const ScaledRows<T> rows) {
  const std::int64_t whole = rows.channels / group * group;
  for (std::int64_t at = 0; at < rows.rows * rows.channels; at += rows.channels) {
    for (std::int64_t c = 0; c < whole; c += group) scale_group<true>(rows, at + c, c, group);
    if (whole < rows.channels) scale_group<false>(rows, at + whole, whole, rows.channels - whole);
  }
}

template <class T>
YOLOV7_INLINE void gradient_body(const ScaledRows<T> rows, float* sums) {
  const std::int64_t whole = rows.channels / group * group;
  std::memset(sums, 0, sizeof(float) * static_cast<std::size_t>(padded(rows.channels)));
  for (std::int64_t at = 0; at < rows.rows * rows.channels; at += rows.channels) {
    for (std::int64_t c = 0; c < whole; c += group)
      gradient_group<true>(rows, sums, at + c, c, group);
    if (whole < rows.channels)
      gradient_group<false>(rows, sums, at + whole, whole, rows.channels - whole);
  }
}

template <class T>
void scale(const ScaledRows<T>& rows) {
  scale_body<T>(rows);
}
template <class T>
void gradient(const ScaledRows<T>& rows, float* sums) {
  gradient_body<T>(rows, sums);
}

}  // namespace

template <class T>
ScaleKernels<T> scale_kernels() {
  return {&scale<T>, &gradient<T>};
}

template ScaleKernels<float> scale_kernels();
template ScaleKernels<BFloat16> scale_kernels();

}  // namespace yolov7::kernels::YOLOV7_INSTRUCTION_SET
