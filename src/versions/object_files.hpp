#pragma once
// Images by the SHA-256 of their bytes: objects/ab/cdef…, as reflinks or hard links where the file
// system can, so that nothing is copied.
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/sha256.hpp"

namespace yolov7::versions {

/// The cheap signs that a file did not change.
struct Stamp {
  std::uint64_t bytes = 0, inode = 0;
  std::int64_t modified_ns = 0, changed_ns = 0;  ///< since 1970
  bool operator==(const Stamp&) const = default;
};
/// Nothing if there is no such regular file.
std::optional<Stamp> stamp_of(const std::filesystem::path& path);

struct ObjectFacts {
  std::uint64_t bytes = 0;
  std::int64_t modified_ns = 0;
};
using KnownObjects = std::unordered_map<Digest, ObjectFacts, DigestHash>;

/// How an object came into the store, or a file out of it.
enum class Transfer { there, reflink, hard_link, copy };

/// A file that is open and was read once from its beginning to its end.
class HashedFile {
 public:
  /// Errors: it cannot be read, is no regular file, or changes meanwhile.
  HashedFile(const std::filesystem::path& path, std::vector<char>& buffer);
  ~HashedFile();
  HashedFile(const HashedFile&) = delete;
  HashedFile& operator=(const HashedFile&) = delete;

  const std::filesystem::path& path() const { return path_; }
  const Digest& digest() const { return digest_; }
  const Stamp& stamp() const { return stamp_; }
  int descriptor() const { return descriptor_; }
  Stamp stamp_now() const;

 private:
  std::filesystem::path path_;
  int descriptor_ = -1;
  Digest digest_{};
  Stamp stamp_;
};

class ObjectFiles {
 public:
  explicit ObjectFiles(std::filesystem::path folder);
  /// The folders objects/00 … objects/ff.
  void make_folders() const;

  std::filesystem::path path_of(const Digest& digest) const;
  /// Puts the file in, by the cheapest way. `known`: what the database says of the object, if it
  /// has it; one that lies there all the same, or is not as it should be, is looked at and replaced
  /// where its content is another. Not safe from a power failure before sync(). Errors: a full
  /// disk, no permission, a file that changed since it was read (the object is not there then).
  Transfer add(const HashedFile& file, const ObjectFacts* known);
  /// The same for bytes that were made here.
  Transfer add(std::string_view bytes, const Digest& digest, const ObjectFacts* known);
  /// Facts of an object that is there. Error: it is not.
  ObjectFacts facts_of(const Digest& digest) const;
  /// Whether the object is there with its content; by size and time where they agree with `known`.
  bool whole(const Digest& digest, const ObjectFacts& known) const;
  /// Brings the object to `to`: reflink, else hard link (unless `copy`), else copy. Error: it is
  /// not there, something is at `to` already, a full disk.
  Transfer take_out(const Digest& digest, const std::filesystem::path& to, bool copy) const;
  /// These objects are safe from a power failure afterwards.
  void sync(const KnownObjects& added) const;
  /// Digests of all files that lie there, and files that are no objects (of killed processes).
  std::vector<Digest> list(std::vector<std::filesystem::path>& others) const;

 private:
  Transfer bring(const HashedFile& file, const ObjectFacts* known);
  bool in_place(const Digest& digest, const ObjectFacts* known) const;
  std::filesystem::path temporary() const;
  std::filesystem::path folder_;
  mutable std::atomic<bool> reflinks_{true};  ///< until one was refused
  mutable std::atomic<std::uint64_t> number_{0};
};

}  // namespace yolov7::versions
