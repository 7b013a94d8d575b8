#pragma once
// The inner loop of doubling an NHWC tensor's sides, backward. Free of LibTorch.
#include <cstdint>

#include "core/instruction_set.hpp"
#include "kernels/simd.hpp"

namespace yolov7::kernels {

/// dx = the sum of the four gradients of a pixel, for a row of `width` pixels; pixels of dy lie
/// `dy_stride` values apart, `below` is dy's next row.
template <class T>
struct DoubledRow {
  const T* dy = nullptr;
  const T* below = nullptr;
  std::int64_t dy_stride = 0;
  T* dx = nullptr;  ///< packed
  std::int64_t width = 0, channels = 0;
};

// Compiled once per instruction set, see CMakeLists.txt. T is float or BFloat16.
namespace portable {
template <class T>
void double_gradient(const DoubledRow<T>& row);
}
namespace avx2 {
template <class T>
void double_gradient(const DoubledRow<T>& row);
}
namespace avx512 {
template <class T>
void double_gradient(const DoubledRow<T>& row);
}

template <class T>
auto double_gradient(InstructionSet set) {
  return choose(
      set, [] { return &portable::double_gradient<T>; }, [] { return &avx2::double_gradient<T>; },
      [] { return &avx512::double_gradient<T>; });
}

}  // namespace yolov7::kernels
