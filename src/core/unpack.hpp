#pragma once
// Unpacks a zip archive from an untrusted source into a folder. The archive's list of entries is
// checked completely before anything is written.
#include <cstdint>
#include <filesystem>
#include <stop_token>

namespace yolov7 {

struct UnpackLimits {
  std::uint64_t entries = 2'000'000;                   ///< files and folders
  std::uint64_t entry_bytes = std::uint64_t{8} << 30;  ///< unpacked, of one entry
  std::uint64_t total_bytes = std::uint64_t{1} << 40;  ///< unpacked, of all
  /// Most unpacked bytes per byte of the archive. Images compress little, label files about ten
  /// times. Checked only if the content exceeds `unchecked_bytes`.
  double ratio = 100;
  std::uint64_t unchecked_bytes = std::uint64_t{64} << 20;
  int depth = 32;  ///< most parts of a path, the name of the file included
};

/// What was written; folders are not counted.
struct Unpacked {
  std::uint64_t files = 0, bytes = 0;
};

/// Into `folder`, which exists and is empty. Errors name the archive and the entry: not a zip file,
/// or a truncated one; a name that is absolute, points outside of the folder ("..", a backslash, a
/// drive), has an empty part or ".", a part of more than 255 bytes or control characters, occurs
/// twice, or is a file and a folder; a symbolic link or a device; an encrypted entry; a checksum
/// that does not fit; a limit exceeded by what the archive declares; an entry that unpacks to
/// another size than it declares; overlapping entries; too little space on the disk; a file that
/// cannot be written; stopped_error(). After an error the folder may hold some files; the caller
/// removes it.
Unpacked unpack_zip(const std::filesystem::path& archive, const std::filesystem::path& folder,
                    const UnpackLimits& limits = {}, const std::stop_token& stop = {});

}  // namespace yolov7
