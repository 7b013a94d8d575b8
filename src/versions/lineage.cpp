#include "versions/lineage.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>
#include <system_error>

#include "core/error.hpp"
#include "core/log.hpp"
#include "versions/store_data.hpp"

namespace yolov7::versions {
namespace fs = std::filesystem;
namespace {

std::optional<Digest> digest_or_none(const Statement& rows, int column) {
  if (rows.is_null(column)) return std::nullopt;
  return rows.digest(column);
}

std::vector<Made> all_of(Statement& rows) {
  std::vector<Made> result;
  while (rows.step())
    result.push_back({rows.digest(0), rows.text(1), rows.text(2), digest_or_none(rows, 3),
                      digest_or_none(rows, 4), rows.text(5)});
  return result;
}

void bind_or_null(Statement& statement, int index, const std::optional<Digest>& digest) {
  if (digest)
    statement.bind(index, *digest);
  else
    statement.bind_null(index);
}

Digest hash_of(const fs::path& file) {
  std::vector<char> buffer;
  return HashedFile(file, buffer).digest();
}

/// The version that `data` names, else the one that `from` was made from.
std::optional<Digest> version_behind(Store& store, const fs::path& from, const std::string& data,
                                     std::optional<Digest>& made_from) {
  if (!from.empty()) made_from = hash_of(from);
  if (is_store_name(data)) return store.find(reference_of(data)).id;
  if (!made_from) return std::nullopt;
  const std::vector<Made> known = made_with_hash(store, *made_from);
  if (known.empty()) return std::nullopt;
  return known.back().id;
}

}  // namespace

void record(Store& store, const Made& made) {
  Transaction transaction(store.database());
  Statement before(store.database(),
                   "DELETE FROM lineage WHERE kind = ? AND path = ? AND hash IS ?");
  before.bind(0, std::string_view(made.kind)).bind(1, std::string_view(made.path));
  bind_or_null(before, 2, made.hash);
  before.run();
  Statement row(store.database(),
                "INSERT INTO lineage (id, kind, path, hash, made_from, created) VALUES (?, ?, ?, "
                "?, ?, ?)");
  row.bind(0, made.id).bind(1, std::string_view(made.kind)).bind(2, std::string_view(made.path));
  bind_or_null(row, 3, made.hash);
  bind_or_null(row, 4, made.made_from);
  const std::string now = fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
  row.bind(5, std::string_view(made.created.empty() ? now : made.created)).run();
  transaction.commit();
}

std::vector<Made> made_of_version(Store& store, const Digest& id) {
  Statement rows(store.database(),
                 "SELECT id, kind, path, hash, made_from, created FROM lineage WHERE id = ? ORDER "
                 "BY key");
  rows.bind(0, id);
  return all_of(rows);
}

std::vector<Made> made_with_hash(Store& store, const Digest& hash) {
  Statement rows(store.database(),
                 "SELECT id, kind, path, hash, made_from, created FROM lineage WHERE hash = ? "
                 "ORDER BY key");
  rows.bind(0, hash);
  return all_of(rows);
}

std::vector<ImageUse> uses_of_image(Store& store, const Digest& image) {
  std::unordered_map<Digest, std::vector<Item>, DigestHash> by_page;
  std::vector<ImageUse> uses;
  for (const Entry& entry : store.history()) {
    ImageUse use{entry, {}};
    for (const Digest& digest : store.root(entry.id).pages) {
      auto page = by_page.find(digest);
      if (page == by_page.end()) {
        page = by_page.emplace(digest, std::vector<Item>()).first;
        for (Item& item : store.page(digest))
          if (item.image == image) page->second.push_back(std::move(item));
      }
      use.items.insert(use.items.end(), page->second.begin(), page->second.end());
    }
    if (!use.items.empty()) uses.push_back(std::move(use));
  }
  return uses;
}

bool store_in_reach() {
  std::error_code error;
  return fs::exists(store_folder({}) / "versions.sqlite", error);
}

void record_model(const fs::path& file, const std::string& kind, const fs::path& from,
                  const std::string& data) {
  if (!store_in_reach()) return;
  std::error_code error;
  try {
    Store store = Store::open(store_folder({}));
    Made made;
    const auto id = version_behind(store, from, data, made.made_from);
    if (!id) return;
    made.id = *id;
    made.kind = kind;
    made.path = fs::absolute(file).lexically_normal().string();
    if (fs::is_regular_file(file, error)) made.hash = hash_of(file);
    record(store, made);
  } catch (const Error& failure) {
    log::warning(
        fmt::format("the version store does not know of {}: {}", file.string(), failure.what()));
  }
}

}  // namespace yolov7::versions
