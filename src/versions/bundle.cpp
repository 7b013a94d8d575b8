#include "versions/bundle.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "core/earlier_result.hpp"
#include "core/error.hpp"
#include "core/file.hpp"
#include "core/json.hpp"
#include "core/progress.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "versions/annotations.hpp"
#include "versions/tar.hpp"

namespace yolov7::versions {
namespace fs = std::filesystem;
using nlohmann::json;
namespace {

constexpr std::string_view title = "yolov7.cpp bundle of data set versions, format 1";
constexpr std::uint64_t most_head_bytes = 64u << 20, most_text_bytes = 4ull << 30,
                        most_image_bytes = 1ull << 30;

std::string hex_or_none(const std::optional<Digest>& digest) {
  return digest ? hex(*digest) : std::string();
}

json entry_json(const Entry& entry) {
  return {{"name", entry.name},
          {"id", hex(entry.id)},
          {"message", entry.message},
          {"author", entry.author},
          {"program", entry.program},
          {"created", entry.created},
          {"boxes", entry.boxes},
          {"parent", hex_or_none(entry.parent)},
          {"second_parent", hex_or_none(entry.second_parent)}};
}

/// "<hash> <bytes>\n<text>\n" one after the other, sorted.
std::string joined(const std::map<Digest, std::string>& texts) {
  std::string out;
  for (const auto& [digest, text] : texts) {
    out += fmt::format("{} {}\n", hex(digest), text.size());
    out += text;
    out += '\n';
  }
  return out;
}

Texts parse_joined(std::string_view all, const fs::path& file) {
  const auto fail = [&] {
    return Error(
        fmt::format("{}: expected texts with their SHA-256 and length, found something "
                    "else or a damaged file",
                    file.string()));
  };
  Texts texts;
  while (!all.empty()) {
    const auto end = all.find('\n');
    if (end == std::string_view::npos || end < 66) throw fail();
    const auto digest = digest_of(all.substr(0, 64));
    const auto bytes = text::parse_int(all.substr(65, end - 65));
    all.remove_prefix(end + 1);
    if (!digest || !bytes || *bytes < 0 || static_cast<std::size_t>(*bytes) >= all.size())
      throw fail();
    std::string text(all.substr(0, static_cast<std::size_t>(*bytes)));
    if (sha256_digest(text) != *digest)
      throw Error(fmt::format("{}: the text {} is damaged: its SHA-256 is {}", file.string(),
                              hex(*digest), sha256(text)));
    all.remove_prefix(text.size() + 1);
    texts.emplace(*digest, std::move(text));
  }
  return texts;
}

void write_objects(Store& store, const std::set<Digest>& objects, TarWriter& tar, Bundled& result,
                   const std::stop_token& stop) {
  Progress progress("bundling", objects.size(), "images");
  for (const Digest& digest : objects) {
    check_stop(stop);
    const fs::path path = store.objects().path_of(digest);
    const std::string bytes = file::read(path, most_image_bytes);
    if (sha256_digest(bytes) != digest)
      throw Error(
          fmt::format("{}: the image is damaged: its SHA-256 is {}", path.string(), sha256(bytes)));
    tar.begin("objects/" + hex(digest), bytes.size());
    tar.write(bytes);
    result.bytes += bytes.size();
    ++result.objects;
    progress.advance();
  }
}

/// Parts of versions by their names.
struct Parts {
  std::map<Digest, std::string> texts;
  std::set<Digest> objects;
};

void add_parts(Store& store, const Digest& id, Parts& parts) {
  const auto add = [&](const Digest& digest) {
    if (!parts.texts.contains(digest)) parts.texts.emplace(digest, store.text(digest));
  };
  add(id);
  const Root root = store.root(id);
  add(root.classes);
  if (root.recipe) add(*root.recipe);
  for (const Digest& digest : root.pages) {
    add(digest);
    for (const Item& item : store.page(digest)) {
      if (item.annotations) add(*item.annotations);
      parts.objects.insert(item.image);
    }
  }
}

json read_head(TarReader& tar, const fs::path& file) {
  const auto first = tar.next();
  if (!first || first->name != "bundle.json")
    throw Error(
        fmt::format("{}: expected a bundle of versions, found another tar file", file.string()));
  json head = parse_json(tar.read_all(most_head_bytes), file.string() + ": bundle.json");
  if (!head.is_object() || head.value("format", "") != title || !head.contains("versions") ||
      !head["versions"].is_array())
    throw Error(fmt::format("{}: expected '{}', found another format", file.string(), title));
  return head;
}

/// A text of the bundle. Error: the bundle lacks it.
const std::string& text_in(const Texts& texts, const Digest& digest, const fs::path& file) {
  const auto found = texts.find(digest);
  if (found == texts.end())
    throw Error(fmt::format("{}: the bundle lacks the text {}", file.string(), hex(digest)));
  return found->second;
}

std::string member(const json& version, const char* name, const fs::path& file) {
  if (!version.is_object() || !version.contains(name) || !version[name].is_string())
    throw Error(fmt::format("{}: bundle.json: expected '{}' of a version as text, found none",
                            file.string(), name));
  return version[name].get<std::string>();
}

/// Bundles of earlier programs do not say it.
bool says_parents(const json& version) { return version.is_object() && version.contains("parent"); }

std::optional<Digest> parent_in(const json& version, const char* name, const fs::path& file) {
  const std::string text = member(version, name, file);
  if (text.empty()) return std::nullopt;
  const auto digest = digest_of(text);
  if (!digest)
    throw Error(
        fmt::format("{}: bundle.json: expected an id or nothing as '{}' of a version, "
                    "found '{}'",
                    file.string(), name, text::printable(text.substr(0, 80))));
  return digest;
}

/// Sorted, each once: else a checkout would write two images under one path.
void require_sorted(const std::vector<Item>& items, const Digest& id, const fs::path& file) {
  for (std::size_t i = 1; i < items.size(); ++i) {
    const Item &a = items[i - 1], &b = items[i];
    if (!before(a, b))
      throw Error(
          fmt::format("{}: version {}: expected images sorted by path and split, each "
                      "once, found {} ({}) behind {} ({})",
                      file.string(), hex(id).substr(0, 12), text::printable(b.path),
                      text::printable(b.split), text::printable(a.path), text::printable(a.split)));
  }
}

NewVersion version_of(const json& described, const Texts& texts, const fs::path& file) {
  NewVersion version;
  version.name = member(described, "name", file);
  require_name(version.name);
  version.message = member(described, "message", file);
  version.author = member(described, "author", file);
  version.program = member(described, "program", file);
  version.created = member(described, "created", file);
  const auto id = digest_of(member(described, "id", file));
  if (!id) throw Error(fmt::format("{}: bundle.json: expected the id of a version", file.string()));
  const Root root = parse_root(text_in(texts, *id, file), file.string());
  version.content.classes = parse_classes(text_in(texts, root.classes, file), file.string());
  if (root.recipe) version.content.recipe = text_in(texts, *root.recipe, file);
  for (const Digest& digest : root.pages)
    for (Item& item : parse_page(text_in(texts, digest, file), file.string())) {
      if (item.annotations) version.boxes += row_count(text_in(texts, *item.annotations, file));
      version.content.items.push_back(std::move(item));
    }
  if (says_parents(described)) {
    version.parent = parent_in(described, "parent", file);
    version.second_parent = parent_in(described, "second_parent", file);
  }
  require_sorted(version.content.items, *id, file);
  if (id_of(version.content) != *id)
    throw Error(fmt::format("{}: the version {} is not what its id says", file.string(),
                            hex(*id).substr(0, 12)));
  return version;
}

/// The newest entry of the name with this content.
std::optional<Entry> entry_in(Store& store, const NewVersion& version) {
  const Digest id = id_of(version.content);
  std::optional<Entry> found;
  for (Entry& entry : store.history(version.name))
    if (entry.id == id) found = std::move(entry);
  return found;
}

}  // namespace

Bundled write_bundle(Store& store, const std::vector<std::string>& versions, const fs::path& file,
                     const std::stop_token& stop) {
  require_earlier(file, "an earlier bundle", [&] {
    TarReader tar(file);
    read_head(tar, file);
  });
  Bundled result;
  Parts parts;
  json head = {{"format", std::string(title)}, {"versions", json::array()}};
  for (const std::string& reference : versions) {
    check_stop(stop);
    result.entries.push_back(store.find(reference));
    head["versions"].push_back(entry_json(result.entries.back()));
    add_parts(store, result.entries.back().id, parts);
  }
  result.texts = parts.texts.size();
  file::replace_atomically(file, [&](const fs::path& temporary) {
    TarWriter tar(temporary);
    const std::string first = json_text(head, 2) + "\n", texts = joined(parts.texts);
    tar.begin("bundle.json", first.size());
    tar.write(first);
    tar.begin("texts", texts.size());
    tar.write(texts);
    write_objects(store, parts.objects, tar, result, stop);
    tar.finish();
  });
  return result;
}

Bundled read_bundle(Store& store, const fs::path& file, const std::stop_token& stop) {
  TarReader tar(file);
  const json head = read_head(tar, file);
  const auto second = tar.next();
  if (!second || second->name != "texts")
    throw Error(fmt::format("{}: expected the texts of the versions, found none", file.string()));
  Texts texts = parse_joined(tar.read_all(most_text_bytes), file);
  std::vector<NewVersion> versions;
  std::map<std::string, Digest> last;  // of each name in this bundle
  for (const json& one : head["versions"]) {
    versions.push_back(version_of(one, texts, file));
    NewVersion& version = versions.back();
    // Never what this store has as the newest: nothing says that the version came from it.
    const auto earlier = last.find(version.name);
    if (!says_parents(one) && earlier != last.end()) version.parent = earlier->second;
    last.insert_or_assign(version.name, id_of(version.content));
  }
  const file::Lock lock = store.lock(stop);
  const KnownObjects known = store.known_objects();
  KnownObjects objects;
  Bundled result;
  result.texts = texts.size();
  while (const auto entry = tar.next()) {
    check_stop(stop);
    const auto digest =
        entry->name.starts_with("objects/") ? digest_of(entry->name.substr(8)) : std::nullopt;
    if (!digest)
      throw Error(fmt::format("{}: expected images by their SHA-256, found {}", file.string(),
                              text::printable(entry->name)));
    const std::string bytes = tar.read_all(most_image_bytes);
    if (sha256_digest(bytes) != *digest)
      throw Error(fmt::format("{}: the image {} is damaged: its SHA-256 is {}", file.string(),
                              hex(*digest), sha256(bytes)));
    const auto there = known.find(*digest);
    const Transfer how =
        store.objects().add(bytes, *digest, there == known.end() ? nullptr : &there->second);
    result.there += how == Transfer::there ? 1 : 0;
    objects.insert_or_assign(*digest, store.objects().facts_of(*digest));
    ++result.objects;
    result.bytes += bytes.size();
  }
  for (const NewVersion& version : versions)
    for (const Item& item : version.content.items)
      if (!objects.contains(item.image) && !known.contains(item.image))
        throw Error(fmt::format("{}: the image {} of {} is neither in the bundle nor in the store",
                                file.string(), hex(item.image), text::printable(item.path)));
  for (NewVersion& version : versions) {
    if (const auto entry = entry_in(store, version)) {
      result.entries.push_back(*entry);
      continue;
    }
    version.texts = texts;
    version.objects = objects;
    bool already_there = false;
    result.entries.push_back(store.add(version, already_there));
  }
  return result;
}

}  // namespace yolov7::versions
