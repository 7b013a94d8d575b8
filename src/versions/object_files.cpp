#include "versions/object_files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <set>
#include <system_error>
#include <utility>

#include "core/error.hpp"
#include "core/file.hpp"
#include "versions/steps.hpp"

namespace yolov7::versions {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t piece = std::size_t{1} << 18;

struct Descriptor {
  int fd = -1;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

Error failed(const fs::path& path, const char* what) {
  return Error(fmt::format("{}: {}: {}", path.string(), what, std::strerror(errno)));
}

std::int64_t nanoseconds(const timespec& time) {
  return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

Stamp stamp_of(const struct stat& info) {
  return {static_cast<std::uint64_t>(info.st_size), static_cast<std::uint64_t>(info.st_ino),
          nanoseconds(info.st_mtim), nanoseconds(info.st_ctim)};
}

Stamp stamp_of(int descriptor, const fs::path& path) {
  struct stat info {};
  if (::fstat(descriptor, &info) != 0) throw failed(path, "cannot stat");
  if (!S_ISREG(info.st_mode))
    throw Error(fmt::format("{}: expected a regular file, found something else", path.string()));
  return stamp_of(info);
}

/// The next bytes, 0 at the end.
std::size_t read_some(int descriptor, char* to, std::size_t most, const fs::path& path) {
  ssize_t count = 0;
  do count = ::read(descriptor, to, most);
  while (count < 0 && errno == EINTR);
  if (count < 0) throw failed(path, "cannot read");
  return static_cast<std::size_t>(count);
}

void write_all(int descriptor, std::string_view bytes, const fs::path& path) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(descriptor, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw failed(path, "cannot write");
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

void copy_bytes(int from, int to, const fs::path& source, const fs::path& target) {
  if (::lseek(from, 0, SEEK_SET) != 0) throw failed(source, "cannot read");
  std::vector<char> buffer(piece);
  while (const std::size_t count = read_some(from, buffer.data(), buffer.size(), source))
    write_all(to, {buffer.data(), count}, target);
}

Descriptor make_file(const fs::path& path, mode_t mode) {
  return {::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)};
}

/// Never one that is there: it could be a second name of an object.
Descriptor make_new_file(const fs::path& path) {
  return {::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666)};
}

/// True where the file system shares the blocks of the two files.
bool reflink(int from, int to) { return ::ioctl(to, FICLONE, from) == 0; }

/// A second name of the open file, whatever its path names by now.
bool link_open_file(int descriptor, const fs::path& to) {
  const std::string by_descriptor = fmt::format("/proc/self/fd/{}", descriptor);
  return ::linkat(AT_FDCWD, by_descriptor.c_str(), AT_FDCWD, to.c_str(), AT_SYMLINK_FOLLOW) == 0;
}

/// Nobody shall write into what the store knows by its content.
void make_read_only(int descriptor) {
  struct stat info {};
  if (::fstat(descriptor, &info) != 0) return;
  const mode_t wanted = info.st_mode & 07777 & ~static_cast<mode_t>(0222);
  if (wanted != (info.st_mode & 07777) && ::fchmod(descriptor, wanted) != 0)
    errno = 0;  // of another owner: `verify` finds what is changed all the same
}

bool full_or_denied(int problem) {
  return problem == ENOSPC || problem == EDQUOT || problem == EROFS || problem == EIO;
}

}  // namespace

std::optional<Stamp> stamp_of(const fs::path& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return std::nullopt;
  return stamp_of(info);
}

HashedFile::HashedFile(const fs::path& path, std::vector<char>& buffer) : path_(path) {
  if (buffer.size() < piece) buffer.resize(piece);
  Descriptor opened{::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)};
  if (opened.fd < 0) throw failed(path, "cannot open");
  stamp_ = stamp_of(opened.fd, path);
  Sha256 hash;
  std::uint64_t bytes = 0;
  while (const std::size_t count = read_some(opened.fd, buffer.data(), buffer.size(), path)) {
    hash.add({buffer.data(), count});
    bytes += count;
    if (count < buffer.size() && bytes >= stamp_.bytes) break;  // the usual end
  }
  digest_ = hash.finish();
  const Stamp after = stamp_of(opened.fd, path);
  if (bytes != stamp_.bytes || after.bytes != stamp_.bytes ||
      after.modified_ns != stamp_.modified_ns)
    throw Error(
        fmt::format("{}: expected a file that stays as it is, but it changed while it was "
                    "read",
                    path.string()));
  descriptor_ = std::exchange(opened.fd, -1);
}

HashedFile::~HashedFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Stamp HashedFile::stamp_now() const { return stamp_of(descriptor_, path_); }

ObjectFiles::ObjectFiles(fs::path folder) : folder_(std::move(folder)) {}

void ObjectFiles::make_folders() const {
  for (int i = 0; i < 256; ++i) file::make_folder(folder_ / fmt::format("{:02x}", i));
}

fs::path ObjectFiles::path_of(const Digest& digest) const {
  const std::string name = hex(digest);
  return folder_ / name.substr(0, 2) / name.substr(2);
}

fs::path ObjectFiles::temporary() const {
  return folder_ / fmt::format(".{}.{}.tmp", ::getpid(), ++number_);
}

/// Whether the object lies there and is right; a wrong one is removed.
bool ObjectFiles::in_place(const Digest& digest, const ObjectFacts* known) const {
  const fs::path path = path_of(digest);
  const auto stamp = versions::stamp_of(path);
  if (!stamp) return false;
  if (known != nullptr && known->bytes == stamp->bytes && known->modified_ns == stamp->modified_ns)
    return true;
  std::vector<char> buffer;
  if (HashedFile(path, buffer).digest() == digest) return true;
  std::error_code ignored;
  fs::remove(path, ignored);
  return false;
}

Transfer ObjectFiles::add(const HashedFile& file, const ObjectFacts* known) {
  const Transfer how = bring(file, known);
  if (how == Transfer::there) return how;
  const Stamp now = file.stamp_now();
  if (now.bytes == file.stamp().bytes && now.modified_ns == file.stamp().modified_ns) return how;
  std::error_code ignored;
  fs::remove(path_of(file.digest()), ignored);  // it has not the bytes of its name
  throw Error(
      fmt::format("{}: expected a file that stays as it is, but it changed while it came "
                  "into the store",
                  file.path().string()));
}

Transfer ObjectFiles::bring(const HashedFile& file, const ObjectFacts* known) {
  if (known != nullptr && in_place(file.digest(), known)) return Transfer::there;
  const fs::path path = path_of(file.digest());
  writing_step(path);
  if (reflinks_) {
    const fs::path beside = temporary();
    Descriptor made = make_file(beside, 0444);
    if (made.fd < 0) throw failed(beside, "cannot create");
    if (reflink(file.descriptor(), made.fd) && ::rename(beside.c_str(), path.c_str()) == 0)
      return Transfer::reflink;
    ::unlink(beside.c_str());
    reflinks_ = false;
  }
  for (int attempt = 0; attempt < 2; ++attempt) {
    if (link_open_file(file.descriptor(), path)) {
      make_read_only(file.descriptor());
      return Transfer::hard_link;
    }
    if (errno != EEXIST) break;
    const auto there = versions::stamp_of(path);
    if (there && there->inode == file.stamp().inode && there->bytes == file.stamp().bytes)
      return Transfer::hard_link;
    if (in_place(file.digest(), known)) return Transfer::there;
  }
  if (full_or_denied(errno)) throw failed(path, "cannot make a link");
  const fs::path beside = temporary();
  try {
    writing_step(beside);
    Descriptor made = make_file(beside, 0444);
    if (made.fd < 0) throw failed(beside, "cannot create");
    copy_bytes(file.descriptor(), made.fd, file.path(), path);
    if (::rename(beside.c_str(), path.c_str()) != 0) throw failed(path, "cannot rename onto it");
  } catch (...) {
    ::unlink(beside.c_str());
    throw;
  }
  return Transfer::copy;
}

Transfer ObjectFiles::add(std::string_view bytes, const Digest& digest, const ObjectFacts* known) {
  if (in_place(digest, known)) return Transfer::there;
  const fs::path path = path_of(digest), beside = temporary();
  try {
    writing_step(path);
    Descriptor made = make_file(beside, 0444);
    if (made.fd < 0) throw failed(beside, "cannot create");
    write_all(made.fd, bytes, path);
    if (::rename(beside.c_str(), path.c_str()) != 0) throw failed(path, "cannot rename onto it");
  } catch (...) {
    ::unlink(beside.c_str());
    throw;
  }
  return Transfer::copy;
}

ObjectFacts ObjectFiles::facts_of(const Digest& digest) const {
  const fs::path path = path_of(digest);
  const auto stamp = versions::stamp_of(path);
  if (!stamp) throw Error(fmt::format("{}: expected this object, found none", path.string()));
  return {stamp->bytes, stamp->modified_ns};
}

bool ObjectFiles::whole(const Digest& digest, const ObjectFacts& known) const {
  const fs::path path = path_of(digest);
  const auto stamp = versions::stamp_of(path);
  if (!stamp || stamp->bytes != known.bytes) return false;
  if (stamp->modified_ns == known.modified_ns) return true;
  std::vector<char> buffer;
  return HashedFile(path, buffer).digest() == digest;
}

Transfer ObjectFiles::take_out(const Digest& digest, const fs::path& to, bool copy) const {
  const fs::path path = path_of(digest);
  const bool try_reflink = reflinks_;  // another thread may learn meanwhile that there are none
  if (!copy && !try_reflink && ::link(path.c_str(), to.c_str()) == 0) return Transfer::hard_link;
  const Descriptor from{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (from.fd < 0) throw failed(path, "cannot open");
  {
    const Descriptor made = make_new_file(to);
    if (made.fd < 0) throw failed(to, "cannot create");
    if (try_reflink && reflink(from.fd, made.fd)) return Transfer::reflink;
    reflinks_ = false;
    if (copy || !try_reflink) {
      copy_bytes(from.fd, made.fd, path, to);
      return Transfer::copy;
    }
  }
  if (::unlink(to.c_str()) != 0) throw failed(to, "cannot remove");
  return take_out(digest, to, copy);  // now without reflinks
}

void ObjectFiles::sync(const KnownObjects& added) const {
  writing_step(folder_);
  constexpr std::size_t few = 1000;
  if (added.size() > few) {
    file::sync_file_system(folder_);
    return;
  }
  std::set<fs::path> all;
  for (const auto& one : added) {
    all.insert(path_of(one.first));
    all.insert(path_of(one.first).parent_path());
  }
  for (const fs::path& path : all) {
    const Descriptor opened{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
    if (opened.fd < 0) throw failed(path, "cannot open to sync");
    if (::fsync(opened.fd) != 0 && errno != EINVAL) throw failed(path, "cannot sync");
  }
}

std::vector<Digest> ObjectFiles::list(std::vector<fs::path>& others) const {
  std::vector<Digest> digests;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder_, error)) {
    if (!entry.is_directory(error)) {
      others.push_back(entry.path());
      continue;
    }
    const std::string first = entry.path().filename().string();
    for (const auto& one : fs::directory_iterator(entry.path(), error)) {
      if (const auto digest = digest_of(first + one.path().filename().string()))
        digests.push_back(*digest);
      else
        others.push_back(one.path());
    }
  }
  return digests;
}

}  // namespace yolov7::versions
