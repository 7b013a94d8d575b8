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

/// The images of the entries, sorted by path, each once. An entry is a folder (with its
/// subfolders), a list file or one image. Hidden files (such as `._*`) are left out. The result
/// also holds videos, and images of formats that this program does not read; reading them later
/// gives the reason. If `absent` is given, it receives the lines of lists whose image does not
/// exist; otherwise their paths are in the result. Lines that name no image are left out with a
/// warning. Errors: an entry that does not exist or cannot be read, a list that is a binary file or
/// over 1 GiB, no image at all.
std::vector<std::filesystem::path> collect_pictures(
    const std::vector<std::filesystem::path>& entries,
    std::vector<AbsentPicture>* absent = nullptr);

}  // namespace yolov7::dataset
