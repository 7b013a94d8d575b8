#pragma once
// What this machine says of its processor: a time means nothing without it.
#include <string>
#include <string_view>
#include <vector>

namespace yolov7 {

/// The value of the first line of /proc/cpuinfo that begins with `key` ("model name"); "unknown"
/// where there is none.
std::string processor_fact(std::string_view key);

/// What narrow numbers the processor multiplies fast, by the words that /proc/cpuinfo lists.
struct ProcessorSpeed {
  bool avx2 = false, avx512 = false;
  bool int8 = false;            ///< AVX512-VNNI or AVX-VNNI
  bool bfloat16 = false;        ///< AVX512-BF16
  bool int8_tiles = false;      ///< AMX-INT8
  bool bfloat16_tiles = false;  ///< AMX-BF16
};
/// `flags`: the value of the line "flags".
ProcessorSpeed processor_speed(std::string_view flags);

}  // namespace yolov7
