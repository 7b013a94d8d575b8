#include "versions/create.hpp"

#include <pwd.h>
#include <unistd.h>

#include <cstdlib>

namespace yolov7::versions {
namespace fs = std::filesystem;

std::string user_name() {
  if (const char* user = std::getenv("USER"); user != nullptr && *user != '\0') return user;
  const passwd* entry = ::getpwuid(::getuid());
  return entry == nullptr ? std::to_string(::getuid()) : entry->pw_name;
}

std::string name_of_folder(const fs::path& folder) {
  std::string name = folder.filename().string();
  for (char& c : name) {
    const bool good = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                      c == '.' || c == '_' || c == '-';
    if (!good) c = '_';
  }
  return name.empty() ? "data" : name;
}

Created create(const CreateOptions& options) {
  if (!options.name.empty()) require_name(options.name);
  WorkingSet set = read_working_set(options.source, options.from, options.threads, options.stop);
  if (options.accept) options.accept(set);
  Store store = Store::open_or_make(options.store);
  const file::Lock lock = store.lock(options.stop);
  Created result;
  result.snapshot =
      take_snapshot(set, store, {true, options.recheck, options.threads, options.stop});
  result.account = std::move(set.account);
  result.unpacked = set.unpacked;
  Snapshot& snapshot = result.snapshot;
  NewVersion version;
  version.name = options.name.empty() ? name_of_folder(set.root) : options.name;
  version.content = std::move(snapshot.content);
  version.texts = std::move(snapshot.texts);
  version.objects = std::move(snapshot.objects);
  version.boxes = snapshot.boxes;
  version.message = options.message;
  version.author = options.author.empty() ? user_name() : options.author;
  if (const auto last = store.newest(version.name)) version.parent = last->id;
  result.entry = store.add(version, result.already_there);
  remember_files(snapshot, store);
  return result;
}

}  // namespace yolov7::versions
