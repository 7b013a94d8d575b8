#include "run/used_folder.hpp"

#include <fmt/format.h>

#include <system_error>

#include "core/error.hpp"
#include "core/output_guard.hpp"
#include "dataset/index/label.hpp"

namespace yolov7::run {
namespace fs = std::filesystem;
namespace {

std::vector<fs::path> files_of(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const fs::path& place : {folder, folder / "weights"}) {
    std::error_code error, unknown;
    if (!fs::exists(place, unknown)) continue;
    for (fs::directory_iterator entry(place, error), end; !error && entry != end;
         entry.increment(error))
      if (!entry->is_directory(unknown) && entry->path().filename() != ".lock")
        files.push_back(entry->path());
    if (error)
      throw Error(fmt::format("{}: expected a run folder that can be read: {}", place.string(),
                              error.message()));
  }
  return files;
}

void check_all(const std::vector<fs::path>& files, const OutputGuard& guard) {
  for (const fs::path& file : files) guard.check(file);
}

}  // namespace

void require_inputs_elsewhere(const fs::path& folder, const std::vector<NamedInput>& inputs) {
  OutputGuard guard;
  for (const NamedInput& input : inputs)
    if (!input.file.empty()) guard.protect(input.file, input.what);
  check_all(files_of(folder), guard);
}

void require_images_elsewhere(const fs::path& folder, const dataset::Index& index) {
  const std::vector<fs::path> files = files_of(folder);
  if (files.empty()) return;
  OutputGuard guard;
  for (const dataset::Entry& entry : index.entries) {
    const std::string name = entry.picture.string();
    guard.protect(entry.picture, "the image " + name);
    if (entry.has_label_file)
      guard.protect(dataset::label_path(entry.picture), "the label file of " + name);
  }
  check_all(files, guard);
}

}  // namespace yolov7::run
