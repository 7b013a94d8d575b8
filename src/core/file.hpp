#pragma once
// Files that are never half-written: temporary in the same folder, fsync, rename. And locks.
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

namespace yolov7::file {

/// The whole file. Errors: missing, not a regular file, larger than `limit_bytes` (0 = no limit).
std::string read(const std::filesystem::path& path, std::uint64_t limit_bytes = 0);

/// When a file is safe from a power failure: before the call returns, or whenever the system gets
/// to it. For results that another run gives again, one by one in great number.
enum class Sync { now, later };

/// Writes through `write(temporary path)`, then fsync of the file, rename onto `path`, fsync of the
/// folder. If anything throws, the temporary is removed and `path` keeps its old content. A full
/// disk is one clear Error. With `previous`, what `path` held until now is kept under that name;
/// `path` exists at every instant.
void replace_atomically(const std::filesystem::path& path,
                        const std::function<void(const std::filesystem::path& temporary)>& write,
                        const std::filesystem::path& previous = {}, Sync sync = Sync::now);
/// Everything that was written to the file system which holds this folder, by anybody: for a folder
/// of many files at once.
void sync_file_system(const std::filesystem::path& folder);
/// What killed processes left of replace_atomically() in this folder. Only while nobody else writes
/// there.
void remove_temporaries(const std::filesystem::path& folder);
void write_atomically(const std::filesystem::path& path, std::string_view content,
                      Sync sync = Sync::now);
/// Appends one line (LF added) with a single write(2).
void append_line(const std::filesystem::path& path, std::string_view line);
/// With parents. True: it was not there before. Error names the folder.
bool make_folder(const std::filesystem::path& path);
bool writable_folder(const std::filesystem::path& path);

/// XXH3-128 of the bytes, 32 hexadecimal digits.
std::string content_hash(std::string_view bytes);
/// Folder for caches of this user: $XDG_CACHE_HOME/yolov7.cpp, else $HOME/.cache/yolov7.cpp, else
/// the temporary folder.
std::filesystem::path user_cache_folder();

/// An advisory lock on a file (flock), held until destruction. The file stays; it holds the owner's
/// process id.
class Lock {
 public:
  /// Waits. Errors: the file cannot be made; stopped_error() while waiting.
  static Lock acquire(const std::filesystem::path& path, const std::stop_token& stop = {});
  /// Nothing if another process holds it.
  static std::optional<Lock> try_acquire(const std::filesystem::path& path);
  Lock(Lock&& other) noexcept;
  Lock& operator=(Lock&& other) noexcept;
  ~Lock();

 private:
  explicit Lock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_ = -1;
};

}  // namespace yolov7::file
