#include "versions/verify.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <set>

#include "core/error.hpp"
#include "core/progress.hpp"
#include "core/stop.hpp"
#include "core/threads.hpp"

namespace yolov7::versions {
namespace {

constexpr std::size_t most_paths = 10;

/// Who needs a text or an object.
struct Users {
  std::set<std::string> versions;
  std::vector<std::string> paths;
  void add(const std::string& version, const std::string& path) {
    versions.insert(version);
    if (!path.empty() && paths.size() < most_paths &&
        std::find(paths.begin(), paths.end(), path) == paths.end())
      paths.push_back(path);
  }
};
using UsersByDigest = std::unordered_map<Digest, Users, DigestHash>;

struct Checking {
  Store& store;
  Verified result;
  UsersByDigest texts, objects;
  std::unordered_map<Digest, std::vector<Item>, DigestHash> pages;

  void damaged(std::string what, const Users& users) {
    result.damages.push_back(
        {std::move(what), {users.versions.begin(), users.versions.end()}, users.paths});
  }
  /// Reads the parts of a version; a part that cannot be read is a damage, and what hangs on it
  /// stays unknown.
  void walk(const Entry& entry);
  void check_texts(const std::stop_token& stop);
  void check_objects(const VerifyOptions& options);
};

void Checking::walk(const Entry& entry) {
  const std::string label = label_of(entry);
  Users own;
  own.add(label, "");
  try {
    const Root root = store.root(entry.id);
    store.classes(root.classes);
    if (root.recipe) store.text(*root.recipe);
    result.texts += root.recipe ? 3 : 2;
    for (const Digest& digest : root.pages) {
      auto page = pages.find(digest);
      if (page == pages.end()) {
        page = pages.emplace(digest, store.page(digest)).first;
        ++result.texts;
      }
      for (const Item& item : page->second) {
        objects[item.image].add(label, item.path);
        if (item.annotations) texts[*item.annotations].add(label, item.path);
      }
    }
  } catch (const Error& error) {
    damaged(error.what(), own);
  }
}

void Checking::check_texts(const std::stop_token& stop) {
  for (const auto& [digest, users] : texts) {
    check_stop(stop);
    ++result.texts;
    try {
      store.text(digest);
    } catch (const Error& error) {
      damaged(error.what(), users);
    }
  }
}

void Checking::check_objects(const VerifyOptions& options) {
  std::vector<const UsersByDigest::value_type*> list;
  for (const auto& one : objects) list.push_back(&one);
  std::mutex mutex;
  Progress progress("verifying", list.size(), "images");
  parallel_for(list.size(), threads_or_all(options.threads), [&](std::size_t i) {
    check_stop(options.stop);
    thread_local std::vector<char> buffer;
    const auto& [digest, users] = *list[i];
    std::string fault;
    std::uint64_t bytes = 0;
    try {
      const HashedFile file(store.objects().path_of(digest), buffer);
      bytes = file.stamp().bytes;
      if (file.digest() != digest)
        fault = fmt::format("{}: the image is damaged: its SHA-256 is {}", file.path().string(),
                            hex(file.digest()));
    } catch (const Error& error) {
      fault = error.what();
    }
    const std::lock_guard lock(mutex);
    ++result.objects;
    result.bytes += bytes;
    if (!fault.empty()) damaged(std::move(fault), users);
    progress.advance();
  });
}

}  // namespace

Verified verify(Store& store, const VerifyOptions& options) {
  Checking work{store, {}, {}, {}, {}};
  for (const Entry& entry : store.history()) {
    check_stop(options.stop);
    if (!options.only.empty() &&
        std::find(options.only.begin(), options.only.end(), entry.id) == options.only.end())
      continue;
    ++work.result.versions;
    work.walk(entry);
  }
  work.check_texts(options.stop);
  work.check_objects(options);
  std::sort(work.result.damages.begin(), work.result.damages.end(),
            [](const Damage& a, const Damage& b) { return a.what < b.what; });
  return std::move(work.result);
}

}  // namespace yolov7::versions
