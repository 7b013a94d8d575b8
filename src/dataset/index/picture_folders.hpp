#pragma once
// Where the images of a split lie (data 2).
#include <filesystem>
#include <vector>

namespace yolov7::dataset {

/// The folders in which collect_pictures() finds images: those that are entries, and those of the
/// images in lists, each once. Says nothing; an entry that cannot be read is passed over.
std::vector<std::filesystem::path> picture_folders(
    const std::vector<std::filesystem::path>& entries);

}  // namespace yolov7::dataset
