#pragma once
// Numbers in files that scripts read.
#include <filesystem>
#include <fstream>
#include <vector>

namespace yolov7::testing {

/// The values as they lie in memory, without a head.
template <class T>
void write_values(const std::filesystem::path& path, const std::vector<T>& values) {
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(values.data()),
             static_cast<std::streamsize>(values.size() * sizeof(T)));
}

}  // namespace yolov7::testing
