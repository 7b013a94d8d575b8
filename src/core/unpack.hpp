#pragma once
// A zip archive of strangers into a folder. Everything that it claims is looked at before the first
// byte is written.
#include <cstdint>
#include <filesystem>
#include <stop_token>

namespace yolov7 {

struct UnpackLimits {
  std::uint64_t entries = 2'000'000;
  std::uint64_t entry_bytes = std::uint64_t{8} << 30;
  std::uint64_t total_bytes = std::uint64_t{1} << 40;
  /// The content may be this much larger than the archive. Images hardly shrink, label files by
  /// some ten times. Not asked below `free_bytes`.
  double ratio = 100;
  std::uint64_t free_bytes = std::uint64_t{64} << 20;
  int depth = 32;  ///< folders in folders
};

struct Unpacked {
  std::uint64_t files = 0, bytes = 0;
};

/// Into `folder`, which exists and is empty. Errors name the archive and the entry: no zip file or
/// one that was cut; a name that is absolute, leads out of the folder ("..", a backslash, a drive),
/// has control characters, stands there twice, or is a file and a folder; a symbolic link or a
/// device; an encrypted entry; a checksum that does not fit; anything over the limits, by what the
/// archive claims and by what comes out; entries that lie over one another; too little space on the
/// disk; stopped_error(). What was written until then is left to the caller, who removes the
/// folder.
Unpacked unpack_zip(const std::filesystem::path& archive, const std::filesystem::path& folder,
                    const UnpackLimits& limits = {}, const std::stop_token& stop = {});

}  // namespace yolov7
