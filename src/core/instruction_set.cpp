#include "core/instruction_set.hpp"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace yolov7 {

InstructionSet best_instruction_set() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl")) {
    return InstructionSet::avx512;
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
      __builtin_cpu_supports("bmi2")) {
    return InstructionSet::avx2;
  }
#endif
  return InstructionSet::portable;
}

bool has_bfloat16_products() {
#if defined(__x86_64__)
  static const bool has =
      best_instruction_set() == InstructionSet::avx512 && __builtin_cpu_supports("avx512bf16");
  return has;
#else
  return false;
#endif
}

bool has_bfloat16_tiles() {
#if defined(__x86_64__)
  static const bool has = [] {  // cpuid leaves a virtual machine, and every convolution asks
    unsigned a = 0, b = 0, c = 0, d = 0;  // not all compilers know the name
    constexpr unsigned amx_bf16 = 1u << 22, amx_tile = 1u << 24;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (d & amx_bf16) != 0 &&
           (d & amx_tile) != 0;
  }();
  return has;
#else
  return false;
#endif
}

}  // namespace yolov7
