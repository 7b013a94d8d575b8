#include "versions/collect.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <set>
#include <system_error>
#include <unordered_set>

#include "core/error.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "versions/recipe.hpp"
#include "versions/steps.hpp"

namespace yolov7::versions {
namespace fs = std::filesystem;
namespace {

using Digests = std::unordered_set<Digest, DigestHash>;

struct Reached {
  Digests texts, objects;
};

Reached reach(Store& store, const std::vector<Entry>& kept, const std::stop_token& stop) {
  Reached reached;
  for (const Entry& entry : kept) {
    check_stop(stop);
    if (!reached.texts.insert(entry.id).second) continue;
    const Root root = store.root(entry.id);
    reached.texts.insert(root.classes);
    if (root.recipe) reached.texts.insert(*root.recipe);
    for (const Digest& digest : root.pages) {
      if (!reached.texts.insert(digest).second) continue;
      for (const Item& item : store.page(digest)) {
        reached.objects.insert(item.image);
        if (item.annotations) reached.texts.insert(*item.annotations);
      }
    }
  }
  return reached;
}

/// What uses the version, or "".
std::string user_of(Store& store, const Digest& id) {
  Statement rows(store.database(),
                 "SELECT kind, path FROM lineage WHERE id = ? ORDER BY key LIMIT 1");
  return rows.bind(0, id).step() ? fmt::format("{} {}", rows.text(0), rows.text(1)) : std::string();
}

/// Without its parent a version that a recipe made cannot be made again.
void refuse_parents(Store& store, const std::vector<Entry>& kept,
                    const std::vector<Entry>& dropped) {
  const auto holds = [](const std::vector<Entry>& list, const Digest& id) {
    return std::any_of(list.begin(), list.end(), [&](const Entry& one) { return one.id == id; });
  };
  for (const Entry& made : kept) {
    const Root root = store.root(made.id);
    const auto parent =
        root.recipe ? parent_of_recipe(store.text(*root.recipe)) : std::optional<Digest>();
    if (!parent || holds(kept, *parent) || !holds(dropped, *parent)) continue;
    const auto entry = std::find_if(dropped.begin(), dropped.end(),
                                    [&](const Entry& one) { return one.id == *parent; });
    throw Error(
        fmt::format("{}: expected a version that nothing was made from, but a recipe made {} from "
                    "it, which could not be made again; drop both, or neither",
                    label_of(*entry), label_of(made)));
  }
}

/// The entries that stay; those to drop go to `dropped`.
std::vector<Entry> split_history(Store& store, const std::vector<std::string>& drop,
                                 std::vector<Entry>& dropped) {
  std::set<std::int64_t> keys;
  for (const std::string& reference : drop) {
    const Entry entry = store.find(reference);
    if (!keys.insert(entry.key).second) continue;
    dropped.push_back(entry);
  }
  std::vector<Entry> kept;
  for (Entry& entry : store.history())
    if (!keys.contains(entry.key)) kept.push_back(std::move(entry));
  for (const Entry& entry : dropped) {
    const bool elsewhere =
        std::any_of(kept.begin(), kept.end(), [&](const Entry& one) { return one.id == entry.id; });
    const std::string user = user_of(store, entry.id);
    if (!elsewhere && !user.empty())
      throw Error(fmt::format("{}: expected a version that nothing was made from, but the {} was",
                              label_of(entry), text::printable(user)));
  }
  refuse_parents(store, kept, dropped);
  return kept;
}

void remove_rows(Store& store, const std::vector<Entry>& dropped, const std::vector<Digest>& texts,
                 const std::vector<Digest>& objects) {
  if (dropped.empty() && texts.empty() && objects.empty()) return;
  Database& database = store.database();
  writing_step(database.path());
  Transaction transaction(database);
  Statement entry(database, "DELETE FROM history WHERE key = ?");
  for (const Entry& one : dropped) entry.bind(0, one.key).run();
  Statement text(database, "DELETE FROM text WHERE hash = ?");
  for (const Digest& digest : texts) text.bind(0, digest).run();
  Statement object(database, "DELETE FROM object WHERE hash = ?");
  for (const Digest& digest : objects) object.bind(0, digest).run();
  // Caches of what files held must not name what is gone.
  database.run("UPDATE fact SET value = CAST(value AS INTEGER) + 1 WHERE name = 'generation'");
  writing_step(database.path());
  transaction.commit();
}

/// Rows that are not reached, with their sizes summed up.
std::vector<Digest> unreached(Store& store, const char* sql, const Digests& reached,
                              std::uint64_t& bytes) {
  std::vector<Digest> result;
  Statement rows(store.database(), sql);
  while (rows.step()) {
    const Digest digest = rows.digest(0);
    if (reached.contains(digest)) continue;
    result.push_back(digest);
    bytes += static_cast<std::uint64_t>(rows.whole(1));
  }
  return result;
}

void remove_file(const fs::path& path) {
  writing_step(path);
  std::error_code error;
  fs::remove(path, error);
  if (error) throw Error(fmt::format("{}: cannot remove: {}", path.string(), error.message()));
}

void remove_files(Store& store, const Digests& reached, const CollectOptions& options,
                  Collected& result) {
  std::vector<fs::path> leftovers;
  for (const Digest& digest : store.objects().list(leftovers)) {
    check_stop(options.stop);
    if (reached.contains(digest)) continue;
    const fs::path path = store.objects().path_of(digest);
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) continue;
    ++result.objects;
    result.object_bytes += static_cast<std::uint64_t>(info.st_size);
    result.objects_of_others += info.st_nlink > 1 ? 1 : 0;
    if (!options.dry_run) remove_file(path);
  }
  for (const fs::path& path : leftovers) {
    ++result.leftovers;
    if (!options.dry_run) remove_file(path);
  }
}

/// A folder of this store that no process works in, with what is beside it.
void remove_folder(const fs::path& folder, const CollectOptions& options, Collected& result) {
  ++result.leftovers;
  if (options.dry_run) return;
  writing_step(folder);
  std::error_code error;
  fs::remove_all(folder, error);
  if (error) throw Error(fmt::format("{}: cannot remove: {}", folder.string(), error.message()));
}

/// Checkouts of versions that are gone, and what ended processes left. A checkout that is being
/// made is locked.
void remove_checkouts(Store& store, const std::vector<Entry>& kept, const CollectOptions& options,
                      Collected& result) {
  std::set<std::string> ids;
  for (const Entry& entry : kept) ids.insert(hex(entry.id));
  std::error_code error;
  std::vector<fs::path> folders;
  for (const auto& entry : fs::directory_iterator(store.folder(), error))
    if (entry.path().filename().string().starts_with("made.")) folders.push_back(entry.path());
  for (const auto& entry : fs::directory_iterator(store.folder() / "checkouts", error))
    if (entry.is_directory(error)) folders.push_back(entry.path());
  for (const fs::path& folder : folders) {
    const std::string name = folder.filename().string();
    const bool made = name.starts_with("made."), half = name.starts_with('.');
    const std::string id = half ? name.substr(1, 2 * Digest{}.size()) : name;
    if (!made && !half && ids.contains(id)) continue;
    const auto lock =
        made ? std::nullopt : file::Lock::try_acquire(folder.parent_path() / (id + ".lock"));
    if (!made && !lock) continue;
    remove_folder(folder, options, result);
    if (made || half || options.dry_run) continue;
    fs::remove(folder.parent_path() / (id + ".id"), error);
    fs::remove(folder.parent_path() / (id + ".lock"), error);
  }
}

}  // namespace

Collected collect_garbage(Store& store, const CollectOptions& options) {
  const file::Lock lock = store.lock(options.stop);
  Collected result;
  const std::vector<Entry> kept = split_history(store, options.drop, result.dropped);
  const Reached reached = reach(store, kept, options.stop);
  std::uint64_t ignored = 0;
  const std::vector<Digest> texts =
      unreached(store, "SELECT hash, LENGTH(content) FROM text", reached.texts, result.text_bytes);
  const std::vector<Digest> objects =
      unreached(store, "SELECT hash, bytes FROM object", reached.objects, ignored);
  result.texts = texts.size();
  if (!options.dry_run) remove_rows(store, result.dropped, texts, objects);
  remove_files(store, reached.objects, options, result);
  remove_checkouts(store, kept, options, result);
  return result;
}

}  // namespace yolov7::versions
