#pragma once
// The inner loops of fake_quantizer. Free of LibTorch.
#include <cstdint>

#include "core/instruction_set.hpp"

namespace yolov7::kernels {

/// `count` values; numbers are `low` … `high` (−z and n − z) times `scale`.
struct QuantizedRow {
  const float* x = nullptr;
  float* y = nullptr;         ///< forward: what the numbers stand for
  const float* dy = nullptr;  ///< backward
  float* dx = nullptr;
  std::int64_t count = 0;
  float scale = 1, low = 0, high = 255;
};

struct FakeQuantizerKernels {
  void (*quantize)(const QuantizedRow&);
  /// dx, and Σ dy · ∂y/∂scale
  float (*gradient)(const QuantizedRow&);
};

// Compiled once per instruction set, see CMakeLists.txt.
namespace portable {
FakeQuantizerKernels fake_quantizer_kernels();
}
namespace avx2 {
FakeQuantizerKernels fake_quantizer_kernels();
}
namespace avx512 {
FakeQuantizerKernels fake_quantizer_kernels();
}

inline FakeQuantizerKernels fake_quantizer_kernels(InstructionSet set) {
  return choose(set, &portable::fake_quantizer_kernels, &avx2::fake_quantizer_kernels,
                &avx512::fake_quantizer_kernels);
}

}  // namespace yolov7::kernels
