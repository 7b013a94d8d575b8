#pragma once
// A small valid source in every format that is read: what broken ones are made from.
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace yolov7::test {

/// Formats that are read and have boxes.
std::vector<std::string> read_formats();
/// Writes the images a.png, b.png and c.png (100 × 50 px) and annotations of that format to
/// `folder`, in which two or three boxes are right.
void write_format_seed(const std::filesystem::path& folder, const std::string& format);
/// The files below `folder` that are no images, sorted.
std::vector<std::filesystem::path> annotation_files(const std::filesystem::path& folder);

}  // namespace yolov7::test
