#pragma once
// The store of versions: `.yolov7/versions.sqlite` and `.yolov7/objects` (data-services E3).
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/database.hpp"
#include "core/file.hpp"
#include "versions/content.hpp"
#include "versions/object_files.hpp"

namespace yolov7::versions {

/// One version of a data set in its history.
struct Entry {
  std::int64_t key = 0;
  std::string name;  ///< of the data set
  int number = 0;    ///< in its history, from 1
  Digest id{};
  std::optional<Digest> parent, second_parent;  ///< the latter of a merge
  std::string message, author, program;
  std::string created;  ///< UTC, "2026-11-30T01:02:03Z"
  std::size_t images = 0, boxes = 0, not_annotated = 0;
};
/// "name@v3 (0123456789ab)"
std::string label_of(const Entry& entry);
/// "name@<64 digits>", what `store:` takes.
std::string full_name(const Entry& entry);

struct Content {
  std::vector<Item> items;  ///< sorted
  ClassList classes;
  std::optional<std::string> recipe;
};

using Texts = std::unordered_map<Digest, std::string, DigestHash>;

struct NewVersion {
  std::string name;
  Content content;
  Texts texts;           ///< annotation texts that the store may lack
  KnownObjects objects;  ///< objects that came in for it
  std::optional<Digest> parent, second_parent;
  std::string message, author;
  std::string created, program;  ///< "": now, and this program
  std::size_t boxes = 0;
};

class Store {
 public:
  /// Error: no store there.
  static Store open(const std::filesystem::path& folder);
  /// Made where there is none.
  static Store open_or_make(const std::filesystem::path& folder);
  Store(Store&&) noexcept;
  ~Store();

  const std::filesystem::path& folder() const { return folder_; }
  ObjectFiles& objects() { return *objects_; }
  Database& database() { return *database_; }

  /// One writer at a time: waits for another process, which is said. Error: stopped_error().
  file::Lock lock(const std::stop_token& stop);
  /// Grows when contents were removed, so that caches of them end.
  std::uint64_t generation();

  bool has_text(const Digest& digest);
  /// Error: it lacks it, or it is not what its name says.
  std::string text(const Digest& digest);
  KnownObjects known_objects();
  std::optional<ObjectFacts> object(const Digest& digest);

  std::vector<Entry> history(const std::string& name = {});  ///< oldest first; of one name, or all
  std::optional<Entry> newest(const std::string& name);
  /// "NAME", "NAME@v3", "NAME@1a2b" (4 digits or more), or "1a2b…" alone. Errors: no such version,
  /// several (they are named).
  Entry find(const std::string& reference);

  Root root(const Digest& id);
  std::vector<Item> page(const Digest& digest);
  ClassList classes(const Digest& digest);
  Content content(const Digest& id);

  /// The caller holds the lock. Objects are made safe first, then all rows in one transaction: the
  /// version is there whole, or not at all. Where the newest version of the name has the same id
  /// it is returned and nothing is written. Error: an annotation or an object is nowhere.
  Entry add(const NewVersion& version, bool& already_there);

 private:
  explicit Store(std::filesystem::path folder);
  void make_tables();
  int next_number(const std::string& name);
  static void put_text(Statement& insert, const Digest& digest, std::string_view text);
  void write(Entry& entry, const NewVersion& version, const Texts& fresh,
             const std::string& root_text);
  std::filesystem::path folder_;
  std::unique_ptr<Database> database_;
  std::unique_ptr<ObjectFiles> objects_;
};

/// `given`, else YOLOV7_STORE, else the nearest folder `.yolov7` from the working folder upward
/// that holds a store, else `.yolov7` in the working folder.
std::filesystem::path store_folder(const std::string& given);
/// The id that this content has.
Digest id_of(const Content& content);
/// Error (usage) unless it consists of letters, digits, ".", "_" and "-".
void require_name(const std::string& name);

}  // namespace yolov7::versions
