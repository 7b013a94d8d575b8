// A writer of a version store, for tests that end it at any instant or let its disk be full:
//   version_worker create STORE DATA_YAML | gc STORE [REFERENCE …] | merge STORE OURS THEIRS
// VERSION_WORKER_FULL_AT=N: the Nth write of SQLite fails as on a full disk, and every later one.
#include <sqlite3.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "versions/collect.hpp"
#include "versions/create.hpp"
#include "versions/merge.hpp"

namespace {

using namespace yolov7;

/// Files of SQLite whose writes end. The methods of a file are copied and two of them exchanged.
long writes_left = -1;

bool full() { return writes_left >= 0 && writes_left-- <= 0 && (writes_left = 0, true); }

/// SQLite has several sets of methods: of databases, and of files without locks.
struct Methods {
  const sqlite3_io_methods* real = nullptr;
  sqlite3_io_methods ours{};
};
Methods known[4];
sqlite3_vfs* real_vfs = nullptr;
sqlite3_vfs our_vfs;

const sqlite3_io_methods* real_of(const sqlite3_file* file) {
  for (const Methods& one : known)
    if (file->pMethods == &one.ours) return one.real;
  std::abort();
}

int write(sqlite3_file* file, const void* bytes, int count, sqlite3_int64 at) {
  return full() ? SQLITE_FULL : real_of(file)->xWrite(file, bytes, count, at);
}

int sync(sqlite3_file* file, int flags) {
  return full() ? SQLITE_FULL : real_of(file)->xSync(file, flags);
}

int open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  const int code = real_vfs->xOpen(real_vfs, name, file, flags, out_flags);
  if (code != SQLITE_OK || file->pMethods == nullptr) return code;
  for (Methods& one : known) {
    if (one.real == nullptr) {
      one.real = file->pMethods;
      one.ours = *one.real;
      one.ours.xWrite = write;
      one.ours.xSync = sync;
    }
    if (one.real != file->pMethods) continue;
    file->pMethods = &one.ours;
    return code;
  }
  return code;
}

void starve() {
  const char* wanted = std::getenv("VERSION_WORKER_FULL_AT");
  if (wanted == nullptr) return;
  writes_left = std::atol(wanted) - 1;
  real_vfs = sqlite3_vfs_find(nullptr);
  our_vfs = *real_vfs;
  our_vfs.zName = "starved";
  our_vfs.xOpen = open;
  sqlite3_vfs_register(&our_vfs, 1);
}

void run(const std::vector<std::string>& arguments) {
  const std::string& what = arguments.at(0);
  if (what == "create") {
    versions::CreateOptions options;
    options.store = arguments.at(1);
    options.source = arguments.at(2);
    options.name = "pets", options.author = "worker", options.threads = 2;
    versions::create(options);
  } else if (what == "gc") {
    versions::Store store = versions::Store::open(arguments.at(1));
    versions::collect_garbage(store, {{arguments.begin() + 2, arguments.end()}, false, {}});
  } else if (what == "merge") {
    versions::Store store = versions::Store::open(arguments.at(1));
    versions::MergeOptions options;
    options.ours = arguments.at(2), options.theirs = arguments.at(3), options.author = "worker";
    versions::merge(store, options);
  } else {
    throw usage_error("version_worker: expected create, gc or merge");
  }
}

}  // namespace

int main(int count, char** values) {
  try {
    starve();
    run({values + 1, values + count});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
