#pragma once
// The inner loops of max-pooling over NHWC tensors. Free of LibTorch.
#include <cstdint>

#include "core/instruction_set.hpp"
#include "kernels/simd.hpp"

namespace yolov7::kernels {

/// Two rows of `width` pixels to one of width / 2: kernel 2, stride 2. All rows packed; `below` is
/// the row after x.
template <class T>
struct HalvedRow {
  const T* x = nullptr;
  const T* below = nullptr;
  T* y = nullptr;  ///< forward: written; backward: read
  const T* dy = nullptr;
  T* dx = nullptr;  ///< same two rows; every value of whole windows is written
  T* dx_below = nullptr;
  std::int64_t width = 0, channels = 0;
};

/// One group of up to 32 channels of a picture: kernel × kernel (odd), stride 1, the map's size
/// kept, −∞ outside.
template <class T>
struct PoolPlane {
  const T* x =
      nullptr;     ///< first value of the group; pixels lie `channels` apart, as in y, dy and dx
  T* y = nullptr;  ///< forward
  const T* dy = nullptr;  ///< backward
  T* dx = nullptr;
  std::int64_t height = 0, width = 0, channels = 0;
  std::int64_t count = group;  ///< channels of this group
  std::int64_t kernel = 5;
  float* scratch = nullptr;  ///< plane_scratch() values, 64-byte aligned
};
/// The backward pass needs the most.
YOLOV7_INLINE constexpr std::int64_t plane_scratch(std::int64_t height, std::int64_t width) {
  return 5 * height * width * group;
}

/// NaN wins over every number. The gradient goes to the first largest value of a window, row by
/// row.
template <class T>
struct PoolKernels {
  void (*halve)(const HalvedRow<T>&);
  void (*halve_gradient)(const HalvedRow<T>&);
  void (*slide)(const PoolPlane<T>&);
  void (*slide_gradient)(const PoolPlane<T>&);
};

// Compiled once per instruction set, see CMakeLists.txt. T is float or BFloat16.
namespace portable {
template <class T>
PoolKernels<T> pool_kernels();
}
namespace avx2 {
template <class T>
PoolKernels<T> pool_kernels();
}
namespace avx512 {
template <class T>
PoolKernels<T> pool_kernels();
}

template <class T>
PoolKernels<T> pool_kernels(InstructionSet set) {
  return choose(set, &portable::pool_kernels<T>, &avx2::pool_kernels<T>, &avx512::pool_kernels<T>);
}

}  // namespace yolov7::kernels
