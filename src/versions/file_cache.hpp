#pragma once
// What is known of the files of a working folder since the last time: a file whose size, times and
// inode are as they were is not read again.
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/sha256.hpp"
#include "versions/object_files.hpp"

namespace yolov7::versions {

/// One image with its label file, by its path relative to the folder.
struct FileRecord {
  std::string path;
  Stamp image_stamp;
  Digest image{};
  Stamp label_stamp;  ///< all 0: no label file
  Digest label{};
  std::uint32_t rows = 0, odd = 0;
};

class FileCache {
 public:
  /// Loads `file`. A cache of another `generation` of the store, one that was cut or changed, or
  /// none at all is an empty one.
  FileCache(std::filesystem::path file, std::uint64_t generation);

  const FileRecord* find(const std::string& path) const;
  /// Replaces the content by `records`, sorted by path. Left out is what changed less than two
  /// seconds before `started_ns`: a further change might not show in its times. A cache that cannot
  /// be written is no error: files are read again.
  void save(const std::vector<FileRecord>& records, std::int64_t started_ns) const;

 private:
  std::filesystem::path file_;
  std::uint64_t generation_;
  std::vector<FileRecord> records_;
};

std::int64_t now_ns();  ///< since 1970

}  // namespace yolov7::versions
