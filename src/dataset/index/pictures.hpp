#pragma once
// The pictures behind the entries of a split (data 2).
#include <filesystem>
#include <vector>

namespace yolov7::dataset {

/// Pictures of the entries (folders, at any depth, list files, or single pictures), sorted by path,
/// each once; `._*` files and other hidden ones are left out. Images that are not read here, and
/// videos, are among them: reading them gives the reason. Errors: an entry that does not exist, a
/// list that is a binary file, no picture at all.
std::vector<std::filesystem::path> collect_pictures(
    const std::vector<std::filesystem::path>& entries);

}  // namespace yolov7::dataset
