#pragma once
// A model, or another result, that is a file or a folder of files.
#include <cstdint>
#include <filesystem>
#include <vector>

namespace yolov7::file {

/// The file itself; of a folder all regular files below it, in the order of their paths. Errors:
/// std::filesystem::filesystem_error.
std::vector<std::filesystem::path> files_of(const std::filesystem::path& path);
/// Their sizes together.
std::uint64_t bytes_of(const std::filesystem::path& path);

}  // namespace yolov7::file
