#include "core/file_tree.hpp"

#include <algorithm>

namespace yolov7::file {
namespace fs = std::filesystem;

std::vector<fs::path> files_of(const fs::path& path) {
  if (!fs::is_directory(path)) return {path};
  std::vector<fs::path> all;
  for (const auto& entry : fs::recursive_directory_iterator(path))
    if (entry.is_regular_file()) all.push_back(entry.path());
  std::sort(all.begin(), all.end());
  return all;
}

std::uint64_t bytes_of(const fs::path& path) {
  std::uint64_t sum = 0;
  for (const fs::path& one : files_of(path)) sum += fs::file_size(one);
  return sum;
}

}  // namespace yolov7::file
