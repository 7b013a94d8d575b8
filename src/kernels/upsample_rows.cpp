#include "kernels/upsample_rows.hpp"

namespace yolov7::kernels::YOLOV7_INSTRUCTION_SET {
namespace {

template <bool whole, class T>
YOLOV7_INLINE void double_gradient_group(const DoubledRow<T>& row, std::int64_t pixel,
                                         std::int64_t c, std::int64_t some) {
  const std::int64_t from = 2 * pixel * row.dy_stride + c, right = from + row.dy_stride;
  const Pair a = get<whole>(row.dy + from, some), b = get<whole>(row.dy + right, some);
  const Pair d = get<whole>(row.below + from, some), e = get<whole>(row.below + right, some);
  put<whole>(row.dx + pixel * row.channels + c,
             Pair{(a.a + b.a) + (d.a + e.a), (a.b + b.b) + (d.b + e.b)}, some);
}

}  // namespace

template <class T>
void double_gradient(const DoubledRow<T>& given) {
  const DoubledRow<T> row = given;
  const std::int64_t whole = row.channels / group * group;
  for (std::int64_t pixel = 0; pixel < row.width; ++pixel) {
    for (std::int64_t c = 0; c < whole; c += group)
      double_gradient_group<true>(row, pixel, c, group);
    if (whole < row.channels) double_gradient_group<false>(row, pixel, whole, row.channels - whole);
  }
}

template void double_gradient(const DoubledRow<float>&);
template void double_gradient(const DoubledRow<BFloat16>&);

}  // namespace yolov7::kernels::YOLOV7_INSTRUCTION_SET
