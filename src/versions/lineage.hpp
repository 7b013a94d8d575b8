#pragma once
// Which versions models come from, and which models come from a version (data-services E6).
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "versions/store.hpp"

namespace yolov7::versions {

/// Something that was made from a version.
struct Made {
  Digest id{};                      ///< of the version
  std::string kind;                 ///< "run", "checkpoint", "export", "derived model"
  std::string path;                 ///< where it was, absolute
  std::optional<Digest> hash;       ///< of the file
  std::optional<Digest> made_from;  ///< the file that it was made from
  std::string created;
};

/// Two records of one file and kind are one, the newer.
void record(Store& store, const Made& made);
std::vector<Made> made_of_version(Store& store, const Digest& id);
std::vector<Made> made_with_hash(Store& store, const Digest& hash);

/// Where an image is: the entries of all histories whose version holds it, with its paths.
struct ImageUse {
  Entry entry;
  std::vector<Item> items;
};
std::vector<ImageUse> uses_of_image(Store& store, const Digest& image);

/// Whether store_folder({}) holds a store.
bool store_in_reach();
/// For verbs that write models: if there is a store that knows the file `from` (by its SHA-256), or
/// `data` is "store:NAME@ID", then `file` (a file, or a folder for a run) goes into its lineage.
/// What goes wrong is a warning: the model is there. An empty `from` or `data` says nothing.
void record_model(const std::filesystem::path& file, const std::string& kind,
                  const std::filesystem::path& from, const std::string& data);

}  // namespace yolov7::versions
