#pragma once
// The inner loops of batch-norm with activation over rows of channels (one row = one pixel of an
// NHWC tensor). Free of LibTorch. The best version for this processor (AVX-512, AVX2, portable) is
// chosen when the table is asked for.
#include <cstdint>

#include "core/instruction_set.hpp"
#include "kernels/simd.hpp"
#include "network/graph/graph.hpp"

namespace yolov7::kernels {

/// `rows` × `channels` values. x, y and dx have their rows packed; those of dy lie dy_stride values
/// apart. The arrays per channel are in lane order and padded to whole groups of 32 (see simd.hpp).
/// With z = x · scale + shift, y = act(z), and g = dy · act'(z), all per channel:
template <class T>
struct RowBlock {
  const T* x = nullptr;
  T* y = nullptr;
  const T* dy = nullptr;
  std::int64_t dy_stride = 0;
  T* dx = nullptr;  ///< may be dy if its rows are packed
  std::int64_t rows = 0, channels = 0;
  const float* scale = nullptr;
  const float* shift = nullptr;
  const float* mean = nullptr;
  const float* slope = nullptr;     ///< a of dx
  const float* constant = nullptr;  ///< b of dx
  float negative_slope = 0;         ///< of leaky ReLU
  const T* second_dy = nullptr;     ///< joined_gradient_sums
  std::int64_t second_dy_stride = 0;
  T* joined_dy = nullptr;
};

template <class T>
struct RowKernels {
  /// first[c] = Σ (x − mean), second[c] = Σ (x − mean)², for any `mean` near the average
  void (*moments)(const RowBlock<T>&, float* first, float* second);
  /// y = act(z); y may be x
  void (*normalise)(const RowBlock<T>&);
  /// g_sums[c] = Σ g, product_sums[c] = Σ g · (x − mean)
  void (*gradient_sums)(const RowBlock<T>&, float* g_sums, float* product_sums);
  /// joined_dy = dy + second_dy (packed rows, rounded to T), then gradient_sums of that
  void (*joined_gradient_sums)(const RowBlock<T>&, float* g_sums, float* product_sums);
  /// dx = scale · g + a · x + b
  void (*input_gradient)(const RowBlock<T>&);
};

// Compiled once per instruction set, see CMakeLists.txt. T is float or BFloat16.
namespace portable {
template <class T>
RowKernels<T> row_kernels(network::ActivationKind activation);
}
namespace avx2 {
template <class T>
RowKernels<T> row_kernels(network::ActivationKind activation);
}
namespace avx512 {
template <class T>
RowKernels<T> row_kernels(network::ActivationKind activation);
}

template <class T>
RowKernels<T> row_kernels(network::ActivationKind activation, InstructionSet set) {
  return choose(
      set, [&] { return portable::row_kernels<T>(activation); },
      [&] { return avx2::row_kernels<T>(activation); },
      [&] { return avx512::row_kernels<T>(activation); });
}

}  // namespace yolov7::kernels
