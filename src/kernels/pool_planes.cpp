#include "kernels/pool_planes.hpp"

namespace yolov7::kernels::YOLOV7_INSTRUCTION_SET {
namespace {

YOLOV7_INLINE Lanes larger(Lanes a, Lanes b) {
  const Lanes number = b > a ? b : a;
  return b != b ? b : number;
}
YOLOV7_INLINE Pair larger(const Pair& a, const Pair& b) {
  return {larger(a.a, b.a), larger(a.b, b.b)};
}

/// Gives `gradient` to the lanes where value equals the window's maximum, and takes it away for
/// later positions.
YOLOV7_INLINE Lanes claim(Lanes value, Lanes maximum, Lanes& gradient) {
  const auto hit = value == maximum;
  const Lanes taken = hit ? gradient : Lanes{};
  gradient = hit ? Lanes{} : gradient;
  return taken;
}
YOLOV7_INLINE Pair claim(const Pair& value, const Pair& maximum, Pair& gradient) {
  return {claim(value.a, maximum.a, gradient.a), claim(value.b, maximum.b, gradient.b)};
}

template <bool whole, class T>
YOLOV7_INLINE void halve_group(const HalvedRow<T>& row, std::int64_t pixel, std::int64_t c,
                               std::int64_t some) {
  const std::int64_t from = 2 * pixel * row.channels + c, right = from + row.channels;
  const Pair top = larger(get<whole>(row.x + from, some), get<whole>(row.x + right, some));
  const Pair bottom =
      larger(get<whole>(row.below + from, some), get<whole>(row.below + right, some));
  put<whole>(row.y + pixel * row.channels + c, larger(top, bottom), some);
}

template <bool whole, class T>
YOLOV7_INLINE void halve_gradient_group(const HalvedRow<T>& row, std::int64_t pixel, std::int64_t c,
                                        std::int64_t some) {
  const std::int64_t from = 2 * pixel * row.channels + c, right = from + row.channels;
  const Pair maximum = get<whole>(row.y + pixel * row.channels + c, some);
  Pair gradient = get<whole>(row.dy + pixel * row.channels + c, some);
  put<whole>(row.dx + from, claim(get<whole>(row.x + from, some), maximum, gradient), some);
  put<whole>(row.dx + right, claim(get<whole>(row.x + right, some), maximum, gradient), some);
  put<whole>(row.dx_below + from, claim(get<whole>(row.below + from, some), maximum, gradient),
             some);
  put<whole>(row.dx_below + right, claim(get<whole>(row.below + right, some), maximum, gradient),
             some);
}

template <class T>
YOLOV7_INLINE void halve_body(const HalvedRow<T> row) {
  const std::int64_t whole = row.channels / group * group;
  for (std::int64_t pixel = 0; pixel < row.width / 2; ++pixel) {
    for (std::int64_t c = 0; c < whole; c += group) halve_group<true>(row, pixel, c, group);
    if (whole < row.channels) halve_group<false>(row, pixel, whole, row.channels - whole);
  }
}

template <class T>
YOLOV7_INLINE void halve_gradient_body(const HalvedRow<T> row) {
  const std::int64_t whole = row.channels / group * group;
  for (std::int64_t pixel = 0; pixel < row.width / 2; ++pixel) {
    for (std::int64_t c = 0; c < whole; c += group)
      halve_gradient_group<true>(row, pixel, c, group);
    if (whole < row.channels) halve_gradient_group<false>(row, pixel, whole, row.channels - whole);
  }
}

/// A line of `length` positions, `step` floats apart: to[i] = max of from[i − radius … i + radius]
/// inside the line.
YOLOV7_INLINE void slide_line(const float* from, float* to, std::int64_t length, std::int64_t step,
                              std::int64_t radius) {
  for (std::int64_t i = 0; i < length; ++i) {
    const std::int64_t first = i < radius ? 0 : i - radius,
                       last = i + radius < length ? i + radius : length - 1;
    Pair best = load(from + first * step);
    for (std::int64_t j = first + 1; j <= last; ++j) best = larger(best, load(from + j * step));
    store(to + i * step, best);
  }
}

/// Adds each gradient of the line to the first position of its window that holds the maximum.
YOLOV7_INLINE void slide_line_gradient(const float* from, const float* maximum,
                                       const float* gradient, float* to, std::int64_t length,
                                       std::int64_t step, std::int64_t radius) {
  for (std::int64_t i = 0; i < length; ++i) {
    const std::int64_t first = i < radius ? 0 : i - radius,
                       last = i + radius < length ? i + radius : length - 1;
    const Pair best = load(maximum + i * step);
    Pair left = load(gradient + i * step);
    for (std::int64_t j = first; j <= last; ++j) {
      const Pair taken = claim(load(from + j * step), best, left), sum = load(to + j * step);
      store(to + j * step, Pair{sum.a + taken.a, sum.b + taken.b});
    }
  }
}

template <class T>
YOLOV7_INLINE void read_plane(const T* from, float* to, const PoolPlane<T>& plane) {
  for (std::int64_t i = 0; i < plane.height * plane.width; ++i) {
    const T* pixel = from + i * plane.channels;
    store(to + i * group, plane.count == group ? load(pixel) : load_some(pixel, plane.count));
  }
}
template <class T>
YOLOV7_INLINE void write_plane(const float* from, T* to, const PoolPlane<T>& plane) {
  for (std::int64_t i = 0; i < plane.height * plane.width; ++i) {
    T* pixel = to + i * plane.channels;
    if (plane.count == group)
      store(pixel, load(from + i * group));
    else
      store_some(pixel, load(from + i * group), plane.count);
  }
}

/// across[r][c] = maximum along each row, down[r][c] = maximum of those along each column: the
/// window's maximum.
template <class T>
YOLOV7_INLINE void slide_both(const PoolPlane<T>& plane, const float* x, float* across,
                              float* down) {
  const std::int64_t line = plane.width * group, radius = plane.kernel / 2;
  for (std::int64_t r = 0; r < plane.height; ++r)
    slide_line(x + r * line, across + r * line, plane.width, group, radius);
  for (std::int64_t c = 0; c < plane.width; ++c)
    slide_line(across + c * group, down + c * group, plane.height, line, radius);
}

template <class T>
YOLOV7_INLINE void slide_body(const PoolPlane<T> plane) {
  const std::int64_t size = plane.height * plane.width * group;
  float *x = plane.scratch, *across = x + size, *down = across + size;
  read_plane(plane.x, x, plane);
  slide_both(plane, x, across, down);
  write_plane(down, plane.y, plane);
}

/// First to the first row of the window that holds the maximum, then in it to the first column: the
/// same position that a scan row by row finds.
template <class T>
YOLOV7_INLINE void slide_gradient_body(const PoolPlane<T> plane) {
  const std::int64_t size = plane.height * plane.width * group, line = plane.width * group,
                     radius = plane.kernel / 2;
  float *x = plane.scratch, *across = x + size, *down = across + size, *dy = down + size,
        *d_across = dy + size;
  read_plane(plane.x, x, plane);
  slide_both(plane, x, across, down);
  read_plane(plane.dy, dy, plane);
  std::memset(d_across, 0, sizeof(float) * static_cast<std::size_t>(size));
  for (std::int64_t c = 0; c < plane.width; ++c) {
    const std::int64_t at = c * group;
    slide_line_gradient(across + at, down + at, dy + at, d_across + at, plane.height, line, radius);
  }
  float* dx = dy;  // no longer needed
  std::memset(dx, 0, sizeof(float) * static_cast<std::size_t>(size));
  for (std::int64_t r = 0; r < plane.height; ++r) {
    const std::int64_t at = r * line;
    slide_line_gradient(x + at, across + at, d_across + at, dx + at, plane.width, group, radius);
  }
  write_plane(dx, plane.dx, plane);
}

template <class T>
void halve(const HalvedRow<T>& row) {
  halve_body<T>(row);
}
template <class T>
void halve_gradient(const HalvedRow<T>& row) {
  halve_gradient_body<T>(row);
}
template <class T>
void slide(const PoolPlane<T>& plane) {
  slide_body<T>(plane);
}
template <class T>
void slide_gradient(const PoolPlane<T>& plane) {
  slide_gradient_body<T>(plane);
}

}  // namespace

template <class T>
PoolKernels<T> pool_kernels() {
  return {&halve<T>, &halve_gradient<T>, &slide<T>, &slide_gradient<T>};
}

template PoolKernels<float> pool_kernels();
template PoolKernels<BFloat16> pool_kernels();

}  // namespace yolov7::kernels::YOLOV7_INSTRUCTION_SET
