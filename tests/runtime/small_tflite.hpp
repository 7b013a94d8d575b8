#pragma once
// The smallest whole TensorFlow Lite file, and the numbers in it.
#include <cstdint>
#include <initializer_list>
#include <string>

namespace yolov7::test {

inline std::string u32(std::uint32_t value) {
  return std::string(reinterpret_cast<const char*>(&value), 4);
}
inline std::string u16(std::initializer_list<std::uint16_t> values) {
  std::string all;
  for (const std::uint16_t value : values)
    all += std::string(reinterpret_cast<const char*>(&value), 2);
  return all;
}

/// By hand: a model with one operator code, one subgraph and one buffer, each the empty table
/// at 68.
inline std::string small_tflite() {
  return u32(24) + "TFL3" +                           // 0: the root is at 24
         u16({14, 16, 0, 4, 8, 0, 12, 0}) +           // 8: its fields
         u32(24 - 8) + u32(12) + u32(16) + u32(20) +  // 24: codes, graphs, buffers
         u32(1) + u32(68 - 44) +                      // 40: a list of one code
         u32(1) + u32(68 - 52) +                      // 48: of one graph
         u32(1) + u32(68 - 60) +                      // 56: of one buffer
         u16({4, 4}) + u32(4);                        // 64
}

}  // namespace yolov7::test
