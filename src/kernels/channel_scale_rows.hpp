#pragma once
// The inner loops of channel_scale. Free of LibTorch.
#include <cstdint>

#include "core/instruction_set.hpp"
#include "kernels/simd.hpp"

namespace yolov7::kernels {

/// `rows` × `channels` packed values; y and dy are float32. `factor` is in the lane order of T and
/// padded.
template <class T>
struct ScaledRows {
  const T* x = nullptr;
  float* y = nullptr;
  const float* dy = nullptr;
  T* dx = nullptr;
  std::int64_t rows = 0, channels = 0;
  const float* factor = nullptr;
};

template <class T>
struct ScaleKernels {
  void (*scale)(const ScaledRows<T>&);
  /// dx = dy · factor; sums[c] = Σ dy · x, in lane order of T
  void (*gradient)(const ScaledRows<T>&, float* sums);
};

// Compiled once per instruction set, see CMakeLists.txt. T is float or BFloat16.
namespace portable {
template <class T>
ScaleKernels<T> scale_kernels();
}
namespace avx2 {
template <class T>
ScaleKernels<T> scale_kernels();
}
namespace avx512 {
template <class T>
ScaleKernels<T> scale_kernels();
}

template <class T>
ScaleKernels<T> scale_kernels(InstructionSet set) {
  return choose(set, &portable::scale_kernels<T>, &avx2::scale_kernels<T>,
                &avx512::scale_kernels<T>);
}

}  // namespace yolov7::kernels
