#include "core/file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <system_error>
#include <thread>
#include <utility>

#include "core/error.hpp"
#include "core/stop.hpp"

namespace yolov7::file {
namespace fs = std::filesystem;
namespace {

std::string reason() { return std::strerror(errno); }

struct Descriptor {
  int fd = -1;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

void write_all(int fd, std::string_view content, const fs::path& path) {
  while (!content.empty()) {
    const ssize_t written = ::write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw Error(fmt::format("{}: cannot write: {}", path.string(), reason()));
    content.remove_prefix(static_cast<std::size_t>(written));
  }
}

/// A network disk may say only here that it has no room. After EINTR the descriptor is gone, too.
void close_written(Descriptor& d, const fs::path& path) {
  if (::close(std::exchange(d.fd, -1)) != 0 && errno != EINTR)
    throw Error(fmt::format("{}: cannot write: {}", path.string(), reason()));
}

void sync_path(const fs::path& path, int flags) {
  Descriptor d{::open(path.c_str(), flags | O_CLOEXEC)};
  if (d.fd < 0) throw Error(fmt::format("{}: cannot open to sync: {}", path.string(), reason()));
  // Some file systems do not know fsync of folders (EINVAL); that is no loss of data.
  if (::fsync(d.fd) != 0 && errno != EINVAL)
    throw Error(fmt::format("{}: cannot sync: {}", path.string(), reason()));
}

const char* kind_of(mode_t mode) {
  if (S_ISDIR(mode)) return "a folder";
  if (S_ISFIFO(mode)) return "a named pipe";
  if (S_ISCHR(mode) || S_ISBLK(mode)) return "a device";
  return "something else";
}

}  // namespace

std::string read(const fs::path& path, std::uint64_t limit_bytes) {
  // Without waiting for somebody who writes to a pipe.
  Descriptor d{::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)};
  if (d.fd < 0) throw Error(fmt::format("{}: cannot open: {}", path.string(), reason()));
  struct stat info {};
  if (::fstat(d.fd, &info) != 0)
    throw Error(fmt::format("{}: cannot stat: {}", path.string(), reason()));
  if (!S_ISREG(info.st_mode))
    throw Error(fmt::format("{}: expected a file, found {}", path.string(), kind_of(info.st_mode)));
  const auto size = static_cast<std::uint64_t>(info.st_size);
  if (limit_bytes != 0 && size > limit_bytes)
    throw Error(
        fmt::format("{}: expected at most {} bytes, found {}", path.string(), limit_bytes, size));
  std::string content(size, '\0');
  std::size_t done = 0;
  while (done < content.size()) {
    const ssize_t n = ::read(d.fd, content.data() + done, content.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw Error(fmt::format("{}: cannot read: {}", path.string(), reason()));
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  content.resize(done);
  return content;
}

namespace {

/// Beside `path`, so that a rename replaces it; remove_temporaries() knows the form.
fs::path temporary_for(const fs::path& path) {
  return path.parent_path() / fmt::format(".{}.{}.tmp", path.filename().string(), ::getpid());
}

/// A second name for the content of `path`, put in the place of whatever `previous` was.
void keep_previous(const fs::path& path, const fs::path& previous) {
  if (!fs::exists(path)) return;
  const fs::path temporary = temporary_for(previous);
  std::error_code error;
  fs::remove(temporary, error);
  fs::create_hard_link(path, temporary, error);
  if (error)
    fs::copy_file(path, temporary,
                  fs::copy_options::overwrite_existing);  // a file system without links
  if (::rename(temporary.c_str(), previous.c_str()) != 0)
    throw Error(fmt::format("{}: cannot rename onto it: {}", previous.string(), reason()));
}

}  // namespace

void replace_atomically(const fs::path& path, const std::function<void(const fs::path&)>& write,
                        const fs::path& previous, Sync sync) {
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  const fs::path temporary = temporary_for(path);
  try {
    write(temporary);
    if (sync == Sync::now) sync_path(temporary, O_RDONLY);
    if (!previous.empty()) keep_previous(path, previous);
    if (::rename(temporary.c_str(), path.c_str()) != 0)
      throw Error(fmt::format("{}: cannot rename onto it: {}", path.string(), reason()));
  } catch (...) {
    std::error_code ignored;
    fs::remove(temporary, ignored);
    throw;
  }
  if (sync == Sync::now) sync_path(folder, O_RDONLY | O_DIRECTORY);
}

void sync_file_system(const fs::path& folder) {
  Descriptor d{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (d.fd < 0) throw Error(fmt::format("{}: cannot open to sync: {}", folder.string(), reason()));
  if (::syncfs(d.fd) != 0)
    throw Error(fmt::format("{}: cannot sync: {}", folder.string(), reason()));
}

void remove_temporaries(const fs::path& folder) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    // libzip writes beside what it is given, with six characters more.
    const bool ours = name.ends_with(".tmp"),
               of_libzip = name.size() > 11 && name.compare(name.size() - 11, 5, ".tmp.") == 0;
    if (name.starts_with('.') && (ours || of_libzip)) fs::remove(entry.path(), error);
  }
}

void write_atomically(const fs::path& path, std::string_view content, Sync sync) {
  replace_atomically(
      path,
      [&](const fs::path& temporary) {
        Descriptor d{::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)};
        if (d.fd < 0) throw Error(fmt::format("{}: cannot create: {}", path.string(), reason()));
        write_all(d.fd, content, path);
        close_written(d, path);
      },
      {}, sync);
}

void append_line(const fs::path& path, std::string_view line) {
  Descriptor d{::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666)};
  if (d.fd < 0) throw Error(fmt::format("{}: cannot open to append: {}", path.string(), reason()));
  write_all(d.fd, std::string(line) + "\n", path);
  close_written(d, path);
}

bool make_folder(const fs::path& path) {
  std::error_code error;
  const bool made = fs::create_directories(path, error);
  if (error || !fs::is_directory(path))
    throw Error(fmt::format("{}: cannot make this folder: {}", path.string(),
                            error ? error.message() : "a file is in the way"));
  return made;
}

bool writable_folder(const fs::path& path) {
  return fs::is_directory(path) && ::access(path.c_str(), W_OK | X_OK) == 0;
}

std::string content_hash(std::string_view bytes) {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

fs::path user_cache_folder() {
  if (const char* xdg = std::getenv("XDG_CACHE_HOME"); xdg != nullptr && *xdg == '/')
    return fs::path(xdg) / "yolov7.cpp";
  if (const char* home = std::getenv("HOME"); home != nullptr && *home == '/')
    return fs::path(home) / ".cache" / "yolov7.cpp";
  return fs::temp_directory_path() / "yolov7.cpp-cache";
}

namespace {

int open_lock(const fs::path& path, int operation) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (fd < 0)
    throw Error(fmt::format("{}: cannot make this lock file: {}", path.string(), reason()));
  int result = 0;
  do result = ::flock(fd, operation);
  while (result != 0 && errno == EINTR);
  if (result != 0) {
    const int problem = errno;
    ::close(fd);
    errno = problem;
    return -1;
  }
  const std::string owner = fmt::format("{}\n", ::getpid());
  // The owner's number is a courtesy to people; a full disk must not stop the work here.
  if (::ftruncate(fd, 0) == 0 && ::pwrite(fd, owner.data(), owner.size(), 0) < 0) errno = 0;
  return fd;
}

[[noreturn]] void fail_to_lock(const fs::path& path) {
  throw Error(fmt::format("{}: cannot lock: {}", path.string(), reason()));
}

}  // namespace

Lock Lock::acquire(const fs::path& path, const std::stop_token& stop) {
  for (;;) {
    const int fd = open_lock(path, LOCK_EX | LOCK_NB);
    if (fd >= 0) return Lock(fd);
    if (errno != EWOULDBLOCK) fail_to_lock(path);
    check_stop(stop);  // a blocking flock would go on
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

std::optional<Lock> Lock::try_acquire(const fs::path& path) {
  const int fd = open_lock(path, LOCK_EX | LOCK_NB);
  if (fd >= 0) return Lock(fd);
  if (errno != EWOULDBLOCK) fail_to_lock(path);  // no locks on this file system
  return std::nullopt;
}

Lock::Lock(Lock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
Lock& Lock::operator=(Lock&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}
Lock::~Lock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace yolov7::file
