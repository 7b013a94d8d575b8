#pragma once
// Which version of an inner loop this processor runs. Each file of loops is compiled once per set
// with the flags of that set (yolov7_loops in cmake/module.cmake). Such a file defines nothing that
// another file could define as well: no inline function or template of the standard library, or the
// linker might take the version for the newest processor into the whole program.

namespace yolov7 {

enum class InstructionSet { portable, avx2, avx512 };
/// The best one that this processor has.
InstructionSet best_instruction_set();

/// Whether this processor multiplies pairs of bfloat16 values into float32 sums (AVX512_BF16),
/// besides InstructionSet::avx512.
bool has_bfloat16_products();
/// Whether it multiplies whole tiles of them (AMX-BF16), eight times as many at once.
bool has_bfloat16_tiles();

/// What the function of the set returns. Asking for a set that the processor lacks is the caller's
/// error.
template <class Portable, class Avx2, class Avx512>
auto choose(InstructionSet set, const Portable& portable, const Avx2& avx2, const Avx512& avx512) {
  if (set == InstructionSet::avx512) return avx512();
  if (set == InstructionSet::avx2) return avx2();
  return portable();
}

}  // namespace yolov7
