#pragma once
// Versions in one file, to carry them to another machine (data-services E8).
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

#include "versions/store.hpp"

namespace yolov7::versions {

struct Bundled {
  std::vector<Entry> entries;  ///< imported: as they are in this store now
  std::size_t texts = 0, objects = 0;
  std::size_t there = 0;    ///< imported: objects that were there already
  std::uint64_t bytes = 0;  ///< of the objects
};

/// Writes a tar file with sorted entries and fixed times: the same versions give the same bytes.
/// `versions`: references. An earlier bundle there is replaced. Errors: another file is there, a
/// damaged object or text, a full disk (nothing is left), stopped_error().
Bundled write_bundle(Store& store, const std::vector<std::string>& versions,
                     const std::filesystem::path& file, const std::stop_token& stop);

/// Reads such a file into the store. The SHA-256 of each text and image is checked against its
/// name, and the id of each version against its content, before a version is added. Errors: the
/// file is not a bundle, is cut or damaged, or lacks a text or an image. No version is then added;
/// objects that were already copied stay until `gc` removes them.
Bundled read_bundle(Store& store, const std::filesystem::path& file, const std::stop_token& stop);

}  // namespace yolov7::versions
