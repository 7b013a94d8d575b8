#pragma once
// Images of a converted set in their new places.
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "dataset/formats/format.hpp"

namespace yolov7::dataset {

/// Copies every image (hard links where the file system can and it is wanted) to
/// <folder>/<folder_of(split)>/<name>. Names are kept; where two images of a folder have one stem,
/// the later one gets "_2", "_3" …, which the account names. Returns the new paths, relative to
/// `folder`, in the order of the set. Errors: an image that cannot be copied, a full disk.
std::vector<std::filesystem::path> copy_images(
    const Writing& writing, const std::function<std::string(const std::string& split)>& folder_of);

/// The splits of the set, train, val and test first, each once.
std::vector<std::string> splits_of(const AnnotatedSet& set);
/// A text file of the output, made safe with the whole folder.
void write_text_file(const Writing& writing, const std::filesystem::path& relative,
                     const std::string& content);

}  // namespace yolov7::dataset
