#pragma once
// POSIX tar files (IEEE Std 1003.1, pax, "ustar Interchange Format"), as far as bundles need them:
// plain files of up to 8 GiB, one after the other.
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>

namespace yolov7::versions {

class TarWriter {
 public:
  explicit TarWriter(const std::filesystem::path& path);  ///< Error: it cannot be created
  /// Then exactly `bytes` bytes by write(). Errors: a name of more than 100 bytes, 8 GiB or more,
  /// an entry before it that lacks bytes, a full disk.
  void begin(const std::string& name, std::uint64_t bytes);
  void write(std::string_view bytes);  ///< Errors: more bytes than declared, a full disk
  void finish();                       ///< Error: a full disk, or fewer bytes than declared

 private:
  void require_complete() const;  ///< of the last entry
  void put(std::string_view bytes);
  void pad();
  std::filesystem::path path_;
  std::ofstream file_;
  std::uint64_t left_ = 0, size_ = 0;
};

struct TarEntry {
  std::string name;
  std::uint64_t bytes = 0;
};

class TarReader {
 public:
  explicit TarReader(const std::filesystem::path& path);
  /// The next entry; nothing at the end. What was not read of the last one is passed over. Errors:
  /// no tar file, a wrong checksum of an entry's head, an entry that is no plain file, a file that
  /// ends too soon.
  std::optional<TarEntry> next();
  /// The next bytes of the entry, at most `most`; empty at its end.
  std::string read(std::size_t most);
  std::string read_all(std::uint64_t limit_bytes);

 private:
  std::filesystem::path path_;
  std::ifstream file_;
  std::uint64_t left_ = 0, padding_ = 0, file_bytes_ = 0;
};

}  // namespace yolov7::versions
