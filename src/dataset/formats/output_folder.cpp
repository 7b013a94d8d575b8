#include "dataset/formats/output_folder.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <set>
#include <system_error>
#include <vector>

#include "core/error.hpp"
#include "core/file.hpp"
#include "dataset/index/label.hpp"
#include "dataset/index/picture_folders.hpp"
#include "dataset/index/ready_set.hpp"

namespace yolov7::dataset {
namespace fs = std::filesystem;

fs::path output_place(const fs::path& folder) {
  fs::path result = fs::absolute(folder).lexically_normal();
  if (!result.has_filename()) result = result.parent_path();
  return result;
}

void require_empty(const fs::path& folder) {
  std::error_code error;
  const fs::file_status status = fs::symlink_status(folder, error);
  if (status.type() == fs::file_type::not_found) return;
  if (status.type() == fs::file_type::symlink)
    throw Error(fmt::format("{}: expected a new or empty folder for the output, found a link",
                            folder.string()));
  if (!fs::is_directory(folder, error))
    throw Error(fmt::format("{}: expected a new or empty folder for the output, found a file",
                            folder.string()));
  if (!fs::is_empty(folder, error) || error)
    throw Error(
        fmt::format("{}: expected a new or empty folder for the output, found files in it; nothing "
                    "is overwritten",
                    folder.string()));
}

void require_outside(const fs::path& folder, std::span<const fs::path> data) {
  const fs::path target = fs::weakly_canonical(output_place(folder));
  std::error_code error;
  for (const fs::path& one : data) {
    if (!fs::is_directory(one, error)) continue;  // a list names its files one by one
    const fs::path source = fs::canonical(one, error);
    if (error || std::mismatch(source.begin(), source.end(), target.begin(), target.end()).first !=
                     source.end())
      continue;
    throw Error(
        fmt::format("{}: expected a folder for the output outside the data that is read, "
                    "found it in {}",
                    folder.string(), one.string()));
  }
}

void require_outside(const fs::path& folder, const Description& data) {
  std::set<fs::path> folders;
  if (data.ready) {
    folders.insert(data.file);
    for (const auto& [split, images] : data.ready->splits)
      for (const ReadyImage& image : images)
        folders.insert(image.picture.has_parent_path() ? image.picture.parent_path()
                                                       : fs::path("."));
  } else {
    for (const char* split : {"train", "val", "test"})
      for (const fs::path& one : picture_folders(data.split(split))) {
        folders.insert(one);
        folders.insert(label_path(one / "any.png").parent_path());
      }
  }
  require_outside(folder, std::vector<fs::path>(folders.begin(), folders.end()));
}

void build_folder(const fs::path& folder, const std::function<void(const fs::path&)>& build) {
  require_empty(folder);
  const fs::path target = output_place(folder);
  file::make_folder(target.parent_path());
  const fs::path temporary =
      target.parent_path() / fmt::format(".{}.{}.tmp", target.filename().string(), ::getpid());
  std::error_code ignored;
  fs::remove_all(temporary, ignored);  // of a process with this number that was killed
  try {
    file::make_folder(temporary);
    build(temporary);
    file::sync_file_system(temporary);
    // rename(2) replaces an empty folder and refuses a filled one, so a second writer cannot be
    // overwritten.
    if (std::rename(temporary.c_str(), target.c_str()) != 0)
      throw Error(fmt::format("{}: cannot move the finished folder there: {}", target.string(),
                              std::strerror(errno)));
  } catch (...) {
    fs::remove_all(temporary, ignored);
    throw;
  }
}

}  // namespace yolov7::dataset
