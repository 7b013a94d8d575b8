#pragma once
#include <string>
#include <type_traits>

namespace yolov7 {

/// Adds the bytes of a plain value as they lie in memory, for hashes and files of this machine.
template <class T>
void append_bytes(std::string& out, const T& value) {
  static_assert(std::is_trivially_copyable_v<T>);
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

}  // namespace yolov7
