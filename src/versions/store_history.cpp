// Names of versions.
#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

#include "core/error.hpp"
#include "core/text.hpp"
#include "versions/store.hpp"

namespace yolov7::versions {
namespace {

constexpr std::size_t least_digits = 4;

constexpr const char* entry_columns =
    "SELECT key, name, number, id, parent, second_parent, message, author, program, created, "
    "images, boxes, not_annotated FROM history";

std::optional<Digest> digest_or_none(const Statement& rows, int column) {
  if (rows.is_null(column)) return std::nullopt;
  return rows.digest(column);
}

Entry entry_of(const Statement& rows) {
  Entry entry;
  entry.key = rows.whole(0);
  entry.name = rows.text(1);
  entry.number = static_cast<int>(rows.whole(2));
  entry.id = rows.digest(3);
  entry.parent = digest_or_none(rows, 4);
  entry.second_parent = digest_or_none(rows, 5);
  entry.message = rows.text(6);
  entry.author = rows.text(7);
  entry.program = rows.text(8);
  entry.created = rows.text(9);
  entry.images = static_cast<std::size_t>(rows.whole(10));
  entry.boxes = static_cast<std::size_t>(rows.whole(11));
  entry.not_annotated = static_cast<std::size_t>(rows.whole(12));
  return entry;
}

}  // namespace

std::string label_of(const Entry& entry) {
  return fmt::format("{}@v{} ({})", entry.name, entry.number, hex(entry.id).substr(0, 12));
}

std::string full_name(const Entry& entry) { return entry.name + "@" + hex(entry.id); }

std::vector<Entry> Store::history(const std::string& name) {
  std::vector<Entry> entries;
  Statement rows(*database_, fmt::format("{}{} ORDER BY key", entry_columns,
                                         name.empty() ? "" : " WHERE name = ?"));
  if (!name.empty()) rows.bind(0, std::string_view(name));
  while (rows.step()) entries.push_back(entry_of(rows));
  return entries;
}

std::optional<Entry> Store::newest(const std::string& name) {
  Statement rows(*database_,
                 fmt::format("{} WHERE name = ? ORDER BY number DESC LIMIT 1", entry_columns));
  if (!rows.bind(0, std::string_view(name)).step()) return std::nullopt;
  return entry_of(rows);
}

namespace {

bool is_hex(std::string_view text) {
  return text.size() >= least_digits && text.size() <= 64 &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

/// The entries that the reference means; of one version with several names the newest entry.
std::vector<Entry> meant(const std::vector<Entry>& all, const std::string& name,
                         const std::string& which) {
  std::vector<Entry> found;
  std::unordered_set<Digest, DigestHash> seen;
  for (auto entry = all.rbegin(); entry != all.rend(); ++entry) {
    if (!name.empty() && entry->name != name) continue;
    const bool fits = which.starts_with('v') ? which == fmt::format("v{}", entry->number)
                                             : is_hex(which) && hex(entry->id).starts_with(which);
    if (fits && seen.insert(entry->id).second) found.push_back(*entry);
  }
  return found;
}

}  // namespace

Entry Store::find(const std::string& reference) {
  const auto at = reference.find('@');
  const std::string name = reference.substr(0, at);
  const std::vector<Entry> all = history();
  std::vector<std::string> names;
  for (const Entry& entry : all)
    if (!text::contains(names, entry.name)) names.push_back(entry.name);
  const bool known = text::contains(names, name);
  if (at == std::string::npos && known) return *newest(name);
  if (at != std::string::npos && !known)
    throw Error(fmt::format("{}: expected a data set of {}, found '{}'{}", folder_.string(),
                            names.empty() ? "a store that has one" : text::join(names, ", "),
                            text::printable(name), text::did_you_mean(name, names)));
  const std::string which = at == std::string::npos ? reference : reference.substr(at + 1);
  const std::vector<Entry> found =
      meant(all, at == std::string::npos ? std::string() : name, text::lower(which));
  if (found.size() == 1) return found.front();
  if (found.empty())
    throw Error(
        fmt::format("{}: expected a version as NAME, NAME@v3 or NAME@ID with {} digits of "
                    "the id or more, found '{}', which is none{}",
                    folder_.string(), least_digits, text::printable(reference),
                    names.empty() ? "" : " (data sets: " + text::join(names, ", ") + ")"));
  throw Error(fmt::format("{}: '{}' fits several versions: {} and {}", folder_.string(),
                          text::printable(reference), full_name(found[0]), full_name(found[1])));
}

}  // namespace yolov7::versions
