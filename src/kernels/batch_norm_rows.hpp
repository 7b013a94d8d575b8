#pragma once
// The inner loops of batch-norm with activation over rows of channels (one row = one pixel of an
// NHWC tensor). Free of LibTorch. Compiled once for each instruction set; row_kernels() returns the
// functions of the one asked for.
#include <cstdint>

#include "core/instruction_set.hpp"
#include "kernels/simd.hpp"
#include "network/graph/graph.hpp"

namespace yolov7::kernels {

/// Arguments of the kernels: `rows` × `channels` values. Rows of x, y, dx and joined_dy are
/// contiguous; rows of dy begin dy_stride values apart, those of second_dy second_dy_stride. Arrays
/// per channel hold padded(channels) values in lane order (simd.hpp). Per channel
/// z = x · scale + shift, y = act(z), g = dy · act'(z).
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
  const float* slope = nullptr;     ///< factor of x in input_gradient
  const float* constant = nullptr;  ///< added in input_gradient
  float negative_slope = 0;         ///< of leaky ReLU
  const T* second_dy = nullptr;     ///< this and the two below: for joined_gradient_sums only
  std::int64_t second_dy_stride = 0;
  T* joined_dy = nullptr;
};

template <class T>
struct RowKernels {
  /// first[c] = Σ (x − mean), second[c] = Σ (x − mean)²: right for any `mean`; rounding is least
  /// for one near the average. Reads x and mean only. Sums have padded(channels) values.
  void (*moments)(const RowBlock<T>&, float* first, float* second);
  /// y = act(z); y may be x
  void (*normalise)(const RowBlock<T>&);
  /// g_sums[c] = Σ g, product_sums[c] = Σ g · (x − mean)
  void (*gradient_sums)(const RowBlock<T>&, float* g_sums, float* product_sums);
  /// joined_dy = dy + second_dy (packed rows, rounded to T), then gradient_sums of that
  void (*joined_gradient_sums)(const RowBlock<T>&, float* g_sums, float* product_sums);
  /// dx = scale · g + slope · x + constant
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

/// Activations: identity, SiLU, ReLU, leaky ReLU; any other counts as identity. `set`: one that
/// this processor has (best_instruction_set()).
template <class T>
RowKernels<T> row_kernels(network::ActivationKind activation, InstructionSet set) {
  return choose(
      set, [&] { return portable::row_kernels<T>(activation); },
      [&] { return avx2::row_kernels<T>(activation); },
      [&] { return avx512::row_kernels<T>(activation); });
}

}  // namespace yolov7::kernels
