#include "versions/store.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <system_error>
#include <unordered_set>
#include <utility>

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "core/version.hpp"
#include "versions/steps.hpp"

namespace yolov7::versions {
namespace fs = std::filesystem;
namespace {

constexpr const char* database_name = "versions.sqlite";
constexpr const char* format_text = "1";

constexpr const char* tables = R"(
CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS text (hash BLOB PRIMARY KEY, content BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS object (hash BLOB PRIMARY KEY, bytes INTEGER NOT NULL,
  modified_ns INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS history (key INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL,
  number INTEGER NOT NULL, id BLOB NOT NULL, parent BLOB, second_parent BLOB,
  message TEXT NOT NULL, author TEXT NOT NULL, program TEXT NOT NULL, created TEXT NOT NULL,
  images INTEGER NOT NULL, boxes INTEGER NOT NULL, not_annotated INTEGER NOT NULL,
  UNIQUE (name, number));
CREATE TABLE IF NOT EXISTS lineage (key INTEGER PRIMARY KEY AUTOINCREMENT, id BLOB NOT NULL,
  kind TEXT NOT NULL, path TEXT NOT NULL, hash BLOB, made_from BLOB, created TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS lineage_by_hash ON lineage (hash);
)";

void bind_or_null(Statement& statement, int index, const std::optional<Digest>& digest) {
  if (digest)
    statement.bind(index, *digest);
  else
    statement.bind_null(index);
}

std::string utc_now() {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
}

/// Pages of a content with their hashes, and the root of all.
struct Pages {
  Root root;
  Texts texts;
  std::unordered_map<Digest, std::pair<std::size_t, std::size_t>, DigestHash> items;
};

Pages pages_of(const Content& content) {
  Pages pages;
  const auto keep = [&](std::string text) {
    const Digest digest = sha256_digest(text);
    pages.texts.emplace(digest, std::move(text));
    return digest;
  };
  pages.root.classes = keep(text_of(content.classes));
  if (content.recipe) pages.root.recipe = keep(*content.recipe);
  for_each_page(content.items, [&](std::string text, std::size_t first, std::size_t count) {
    const Digest digest = keep(std::move(text));
    pages.root.pages.push_back(digest);
    pages.items.emplace(digest, std::pair(first, count));
  });
  return pages;
}

/// Whether texts and objects are there, asked many times.
class Presence {
 public:
  explicit Presence(Database& database)
      : text_(database, "SELECT 1 FROM text WHERE hash = ?"),
        object_(database, "SELECT 1 FROM object WHERE hash = ?") {}
  bool text(const Digest& digest) { return ask(text_, digest); }
  bool object(const Digest& digest) { return ask(object_, digest); }

 private:
  static bool ask(Statement& statement, const Digest& digest) {
    const bool there = statement.bind(0, digest).step();
    statement.reset();
    return there;
  }
  Statement text_, object_;
};

/// The pages and lists that the store lacks. Error: something that they name is nowhere. A page
/// that is there already has all that it names.
Texts missing_texts(Store& store, Pages& pages, const NewVersion& version) {
  const Transaction reading(store.database());  // one look at the file for all questions
  Presence there(store.database());
  Texts missing;
  for (auto& [digest, text] : pages.texts) {
    if (there.text(digest)) continue;
    const auto items = pages.items.find(digest);
    const std::size_t first = items == pages.items.end() ? 0 : items->second.first;
    const std::size_t count = items == pages.items.end() ? 0 : items->second.second;
    for (std::size_t i = first; i < first + count; ++i) {
      const Item& item = version.content.items[i];
      if (item.annotations && !version.texts.contains(*item.annotations) &&
          !there.text(*item.annotations))
        throw Error(fmt::format("{}: the annotations {} of {} are not in the store",
                                store.folder().string(), hex(*item.annotations),
                                text::printable(item.path)));
      if (!version.objects.contains(item.image) && !there.object(item.image))
        throw Error(fmt::format("{}: the image {} of {} is not in the store",
                                store.folder().string(), hex(item.image),
                                text::printable(item.path)));
    }
    missing.emplace(digest, std::move(text));
  }
  return missing;
}

}  // namespace

Digest id_of(const Content& content) { return sha256_digest(text_of(pages_of(content).root)); }

void require_name(const std::string& name) {
  const bool good = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
           c == '_' || c == '-';
  });
  if (!good)
    throw usage_error(
        fmt::format("expected a name of a data set of letters, digits, '.', '_' and '-', found "
                    "'{}'",
                    text::printable(name)));
}

fs::path store_folder(const std::string& given) {
  if (!given.empty()) return given;
  if (const char* named = std::getenv("YOLOV7_STORE"); named != nullptr && *named != '\0')
    return named;
  std::error_code error;
  const fs::path here = fs::current_path(error);
  for (fs::path folder = here; !folder.empty(); folder = folder.parent_path()) {
    if (fs::exists(folder / ".yolov7" / database_name, error)) return folder / ".yolov7";
    if (folder == folder.root_path()) break;
  }
  return here / ".yolov7";
}

Store::Store(fs::path folder)
    : folder_(std::move(folder)),
      database_(std::make_unique<Database>(
          folder_ / database_name,
          DatabaseUse{"the database of a version store", std::chrono::seconds(60), true, 65536})),
      objects_(std::make_unique<ObjectFiles>(folder_ / "objects")) {
  make_tables();
}

Store::Store(Store&&) noexcept = default;
Store::~Store() = default;

Store Store::open(const fs::path& folder) {
  std::error_code error;
  if (!fs::exists(folder / database_name, error))
    throw Error(
        fmt::format("{}: expected a version store with {}, found none; YOLOV7_STORE names "
                    "one, and `yolov7 dataset version create` makes one",
                    folder.string(), database_name));
  return Store(folder);
}

Store Store::open_or_make(const fs::path& folder) {
  file::make_folder(folder);
  Store store(folder);
  store.objects_->make_folders();
  return store;
}

void Store::make_tables() {
  const auto format = [&] {
    Statement rows(*database_, "SELECT value FROM fact WHERE name = 'format'");
    return rows.step() ? rows.text(0) : std::string();
  };
  Statement known(*database_, "SELECT COUNT(*) FROM sqlite_schema WHERE name = 'lineage_by_hash'");
  known.step();
  const bool made = known.whole(0) > 0;
  known.reset();
  if (!made) {
    Transaction transaction(*database_);
    database_->run(tables);
    database_->run(fmt::format("INSERT OR IGNORE INTO fact VALUES ('format', '{}')", format_text));
    database_->run("INSERT OR IGNORE INTO fact VALUES ('generation', '1')");
    transaction.commit();
  }
  if (format() != format_text)
    throw Error(fmt::format("{}: expected a version store of format {}, found format '{}'",
                            database_->path().string(), format_text, text::printable(format())));
}

file::Lock Store::lock(const std::stop_token& stop) {
  const fs::path path = folder_ / "lock";
  if (auto lock = file::Lock::try_acquire(path)) return std::move(*lock);
  log::info(fmt::format("waiting: another process writes to {}", folder_.string()));
  return file::Lock::acquire(path, stop);
}

std::uint64_t Store::generation() {
  Statement rows(*database_, "SELECT value FROM fact WHERE name = 'generation'");
  if (!rows.step()) return 0;
  return static_cast<std::uint64_t>(text::parse_int(rows.text(0)).value_or(0));
}

bool Store::has_text(const Digest& digest) {
  Statement rows(*database_, "SELECT 1 FROM text WHERE hash = ?");
  return rows.bind(0, digest).step();
}

std::string Store::text(const Digest& digest) {
  Statement rows(*database_, "SELECT content FROM text WHERE hash = ?");
  if (!rows.bind(0, digest).step())
    throw Error(fmt::format("{}: expected the text {}, found none", database_->path().string(),
                            hex(digest)));
  std::string content = rows.text(0);
  if (sha256_digest(content) != digest)
    throw Error(fmt::format("{}: the text {} is damaged: its SHA-256 is {}",
                            database_->path().string(), hex(digest), sha256(content)));
  return content;
}

KnownObjects Store::known_objects() {
  KnownObjects known;
  Statement rows(*database_, "SELECT hash, bytes, modified_ns FROM object");
  while (rows.step())
    known.emplace(rows.digest(0),
                  ObjectFacts{static_cast<std::uint64_t>(rows.whole(1)), rows.whole(2)});
  return known;
}

std::optional<ObjectFacts> Store::object(const Digest& digest) {
  Statement rows(*database_, "SELECT bytes, modified_ns FROM object WHERE hash = ?");
  if (!rows.bind(0, digest).step()) return std::nullopt;
  return ObjectFacts{static_cast<std::uint64_t>(rows.whole(0)), rows.whole(1)};
}

Root Store::root(const Digest& id) { return parse_root(text(id), "version " + hex(id)); }

std::vector<Item> Store::page(const Digest& digest) {
  return parse_page(text(digest), "page " + hex(digest));
}

ClassList Store::classes(const Digest& digest) {
  return parse_classes(text(digest), "classes " + hex(digest));
}

Content Store::content(const Digest& id) {
  const Root root = this->root(id);
  Content content;
  content.classes = classes(root.classes);
  if (root.recipe) content.recipe = text(*root.recipe);
  for (const Digest& digest : root.pages)
    for (Item& item : page(digest)) content.items.push_back(std::move(item));
  return content;
}

void Store::put_text(Statement& insert, const Digest& digest, std::string_view text) {
  insert.bind(0, digest).bind_bytes(1, text).run();
}

Entry Store::add(const NewVersion& version, bool& already_there) {
  Pages pages = pages_of(version.content);
  const std::string root_text = text_of(pages.root);
  Entry entry;
  entry.name = version.name;
  entry.id = sha256_digest(root_text);
  const auto last = newest(version.name);
  already_there = last && last->id == entry.id;
  if (already_there) return *last;
  entry.number = next_number(version.name);
  entry.parent = version.parent;
  entry.second_parent = version.second_parent;
  entry.message = version.message;
  entry.author = version.author;
  entry.program =
      version.program.empty() ? fmt::format("yolov7.cpp {}", program_version()) : version.program;
  entry.created = version.created.empty() ? utc_now() : version.created;
  entry.images = version.content.items.size();
  entry.boxes = version.boxes;
  for (const Item& item : version.content.items) entry.not_annotated += item.annotations ? 0 : 1;

  Texts fresh = missing_texts(*this, pages, version);
  if (!version.objects.empty()) objects_->sync(version.objects);
  write(entry, version, fresh, root_text);
  return entry;
}

/// Numbers are never used again, also where a version was dropped.
int Store::next_number(const std::string& name) {
  Statement rows(*database_, "SELECT value FROM fact WHERE name = ?");
  const bool known = rows.bind(0, std::string_view("number of " + name)).step();
  return 1 + (known ? static_cast<int>(text::parse_int(rows.text(0)).value_or(0)) : 0);
}

void Store::write(Entry& entry, const NewVersion& version, const Texts& fresh,
                  const std::string& root_text) {
  writing_step(database_->path());
  Transaction transaction(*database_);
  Statement text(*database_, "INSERT OR IGNORE INTO text VALUES (?, ?)");
  std::vector<const Texts::value_type*> sorted;  // in the order of the tree
  for (const Texts* texts : {&version.texts, &fresh})
    for (const auto& one : *texts) sorted.push_back(&one);
  std::sort(sorted.begin(), sorted.end(),
            [](const auto* a, const auto* b) { return a->first < b->first; });
  for (const auto* one : sorted) put_text(text, one->first, one->second);
  put_text(text, entry.id, root_text);
  Statement object(*database_, "INSERT OR REPLACE INTO object VALUES (?, ?, ?)");
  std::vector<const KnownObjects::value_type*> objects;
  for (const auto& one : version.objects) objects.push_back(&one);
  std::sort(objects.begin(), objects.end(),
            [](const auto* a, const auto* b) { return a->first < b->first; });
  for (const auto* one : objects)
    object.bind(0, one->first)
        .bind(1, static_cast<std::int64_t>(one->second.bytes))
        .bind(2, one->second.modified_ns)
        .run();
  Statement row(*database_,
                "INSERT INTO history (name, number, id, parent, second_parent, message, author, "
                "program, created, images, boxes, not_annotated) VALUES (?, ?, ?, ?, ?, ?, ?, ?, "
                "?, ?, ?, ?)");
  row.bind(0, std::string_view(entry.name)).bind(1, entry.number).bind(2, entry.id);
  bind_or_null(row, 3, entry.parent);
  bind_or_null(row, 4, entry.second_parent);
  row.bind(5, std::string_view(entry.message))
      .bind(6, std::string_view(entry.author))
      .bind(7, std::string_view(entry.program))
      .bind(8, std::string_view(entry.created))
      .bind(9, static_cast<std::int64_t>(entry.images))
      .bind(10, static_cast<std::int64_t>(entry.boxes))
      .bind(11, static_cast<std::int64_t>(entry.not_annotated))
      .run();
  Statement number(*database_, "INSERT OR REPLACE INTO fact VALUES (?, ?)");
  number.bind(0, std::string_view("number of " + entry.name))
      .bind(1, std::string_view(std::to_string(entry.number)))
      .run();
  writing_step(database_->path());
  entry.key = database_->last_row();
  transaction.commit();
  writing_step(database_->path());
}

}  // namespace yolov7::versions
