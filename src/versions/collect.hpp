#pragma once
// Removing what no version needs (data-services E5).
#include <cstddef>
#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "versions/store.hpp"

namespace yolov7::versions {

struct CollectOptions {
  std::vector<std::string> drop;  ///< versions to forget first
  bool dry_run = false;           ///< says what would go, and removes nothing
  std::stop_token stop = {};
};

struct Collected {
  std::vector<Entry> dropped;
  std::size_t texts = 0, objects = 0, leftovers = 0;  ///< leftovers: files and folders of
                                                      ///< ended processes, unneeded checkouts
  std::uint64_t text_bytes = 0, object_bytes = 0;
  std::size_t objects_of_others = 0;  ///< of those: files that a working folder shares, whose
                                      ///< removal frees nothing
};

/// Rows go first, in one transaction, then files: a kill leaves files that the next call removes.
/// Errors: a version to drop that a run, checkpoint or export was made from, or, by a recipe, a
/// version that stays (both are named); stopped_error().
Collected collect_garbage(Store& store, const CollectOptions& options);

}  // namespace yolov7::versions
