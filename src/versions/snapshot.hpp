#pragma once
// From files to the content of a version: every image and label file is read once and hashed; what
// did not change since the last time is not read again.
#include <array>
#include <cstddef>
#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "versions/file_cache.hpp"
#include "versions/store.hpp"
#include "versions/working_set.hpp"

namespace yolov7::versions {

struct SnapshotOptions {
  bool keep = true;      ///< images go into the store; off: hashes alone, nothing is written
  bool recheck = false;  ///< read every file, whatever size and times say
  int threads = 0;       ///< 0 = usable cores
  std::stop_token stop = {};
};

struct Snapshot {
  Content content;
  Texts texts;            ///< annotations that were read now
  KnownObjects objects;   ///< images that came into the store now
  std::size_t boxes = 0;  ///< rows and objects
  std::size_t images_read = 0, labels_read = 0;
  std::array<std::size_t, 4> by_transfer{};  ///< images read now, by Transfer
  std::uint64_t bytes_copied = 0, bytes_shared = 0;
  std::size_t odd_rows = 0;            ///< rows that are no numbers
  std::vector<std::string> odd_files;  ///< where they are
  std::vector<std::string> left_out;   ///< images that do not exist, and those of the set
  std::vector<FileRecord> files;       ///< for the next time
  std::filesystem::path cache_file;
  std::int64_t started_ns = 0;
};

/// Errors: a file that cannot be read or changes meanwhile, a full disk, stopped_error().
Snapshot take_snapshot(const WorkingSet& set, Store& store, const SnapshotOptions& options);
/// What the files were, for the next time. To be called when the store has the version.
void remember_files(const Snapshot& snapshot, Store& store);

}  // namespace yolov7::versions
