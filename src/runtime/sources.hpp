#pragma once
// What to detect on: a picture, a folder (not recursive) or a pattern, as a sorted list (evaluation 3.2).
#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace yolov7::runtime {

struct SourcePicture {
  std::filesystem::path path;
  std::filesystem::path relative;  ///< where results go: the name, or for patterns the path below their fixed part
};

struct SourceList {
  std::vector<SourcePicture> pictures;  ///< sorted by path
  std::size_t videos = 0;               ///< found beside them and left out
};

/// `*` and `?` match within one name, `**` as a whole name matches any number of folders; links to folders are not
/// followed by `**`. A path that exists is taken literally even if it holds these characters. Hidden names (`.x`,
/// `._x`) are left out unless the path names one file. Errors: cameras, streams, URLs and videos, by name as work of
/// a later version; a path that does not exist; nothing found, with the suffixes looked for.
SourceList list_sources(const std::string& source);

/// Whether `name` fits a pattern of `*` (any run) and `?` (one character, UTF-8); no separators inside.
bool matches(std::string_view name, std::string_view pattern);

}  // namespace yolov7::runtime
