#pragma once
// The pictures behind the entries of a split (data 2).
#include <filesystem>
#include <string>
#include <vector>

namespace yolov7::dataset {

/// A line of a list whose image does not exist.
struct AbsentPicture {
  std::filesystem::path list;
  int line = 0;
  std::string name;  ///< as it is written
};

/// Pictures of the entries (folders, at any depth, list files, or single pictures), sorted by path,
/// each once; `._*` files and other hidden ones are left out. Images that are not read here, and
/// videos, are among them: reading them gives the reason. `absent`: where the lines of lists go
/// whose image does not exist; without, they are among the pictures. Errors: an entry that does not
/// exist, a list that is a binary file, no picture at all.
std::vector<std::filesystem::path> collect_pictures(
    const std::vector<std::filesystem::path>& entries,
    std::vector<AbsentPicture>* absent = nullptr);

}  // namespace yolov7::dataset
