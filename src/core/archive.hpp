#pragma once
// The zip container of PyTorch files, with bounds on everything that a file can claim.
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace yolov7::network {

/// Stored entries only, fixed time stamps: equal content gives equal bytes.
class ArchiveWriter {
 public:
  explicit ArchiveWriter(const std::filesystem::path& path);
  ~ArchiveWriter();
  /// `bytes` must stay alive until finish().
  void add(const std::string& name, std::span<const std::byte> bytes);
  void finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Entries of a TorchScript file are data, stored as they are, and source text, compressed.
enum class ArchiveEntries { stored, stored_and_compressed };

class ArchiveReader {
 public:
  /// Errors name the file: missing, no zip file, cut, entries that are too many, duplicate,
  /// encrypted, compressed where that is not asked for, or to less than a thousandth, larger
  /// together than the file, or named with "..".
  explicit ArchiveReader(const std::filesystem::path& path,
                         ArchiveEntries entries = ArchiveEntries::stored);
  ~ArchiveReader();
  bool has(const std::string& name) const;
  std::uint64_t size(const std::string& name) const;
  /// The whole entry, its checksum verified. Error: no such entry, larger than `limit_bytes`,
  /// damaged.
  std::vector<std::byte> read(const std::string& name, std::uint64_t limit_bytes) const;
  /// Reads everything once. Error: an entry whose checksum does not fit.
  void check_all() const;
  /// Compiled programs instead of data: constants.pkl or a folder code/ in it.
  bool holds_torchscript() const;
  /// "archive" in "archive/data.pkl"; Error if there is no or more than one data.pkl.
  std::string root() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace yolov7::network
