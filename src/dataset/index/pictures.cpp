#include "dataset/index/pictures.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <set>
#include <system_error>
#include <utility>

#include "core/encoding.hpp"
#include "core/error.hpp"
#include "core/file.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "dataset/index/picture_folders.hpp"
#include "image/codec/codec.hpp"

namespace yolov7::dataset {
namespace fs = std::filesystem;
namespace {

bool hidden(const fs::path& path) { return path.filename().native().starts_with('.'); }

using Visited = std::set<std::pair<dev_t, ino_t>>;

/// Links to folders are followed; a folder is entered once, so that circles end.
void walk(const fs::path& folder, Visited& visited, std::vector<fs::path>& pictures) {
  struct stat info {};
  if (::stat(folder.c_str(), &info) != 0 || !visited.emplace(info.st_dev, info.st_ino).second)
    return;
  std::error_code error;
  fs::directory_iterator entries(folder, error);
  if (error)
    throw Error(fmt::format("{}: cannot read this folder: {}", folder.string(), error.message()));
  for (const fs::directory_entry& entry : entries) {
    if (hidden(entry.path())) continue;
    if (entry.is_directory(error))
      walk(entry.path(), visited, pictures);
    else if (file_kind(entry.path()) != FileKind::other)
      pictures.push_back(entry.path());
  }
}

/// One line of a list file: "./" stands for the list's folder; else the working directory, then the
/// list's folder.
fs::path listed(std::string_view line, const fs::path& folder) {
  if (line.starts_with("./")) return folder / line.substr(2);
  const fs::path path(line);
  std::error_code error;
  if (path.is_absolute() || fs::exists(path, error)) return path;
  return fs::exists(folder / path, error) ? folder / path : path;
}

/// What else stands in a list.
struct OtherLines {
  std::size_t count = 0;
  std::string first;
};

OtherLines read_list(const fs::path& file, std::vector<fs::path>& pictures,
                     std::vector<AbsentPicture>* absent) {
  constexpr std::uint64_t most_bytes = 1u << 30;
  const std::string content = text::as_utf8(file::read(file, most_bytes), file.string());
  if (content.find('\0') != std::string::npos)
    throw Error(
        fmt::format("{}: expected a text file with the path of one image in each line, "
                    "found a binary file",
                    file.string()));
  OtherLines others;
  int number = 0;
  for (const std::string_view raw : text::lines(content)) {
    const std::string_view line = text::trim(raw);
    ++number;
    if (line.empty()) continue;
    std::error_code error;
    fs::path path = listed(line, file.parent_path());
    const bool picture = file_kind(path) != FileKind::other && !hidden(path);
    if (picture && absent != nullptr && !fs::exists(path, error))
      absent->push_back({file, number, std::string(line)});
    else if (picture)
      pictures.push_back(std::move(path));
    else if (others.count++ == 0)
      others.first = line;
  }
  return others;
}

}  // namespace

std::vector<fs::path> collect_pictures(const std::vector<fs::path>& entries,
                                       std::vector<AbsentPicture>* absent) {
  std::vector<fs::path> pictures;
  std::vector<std::string> sources;
  for (const fs::path& entry : entries) {
    sources.push_back(entry.string());
    std::error_code error;
    Visited visited;
    if (fs::is_directory(entry, error))
      walk(entry, visited, pictures);
    else if (fs::is_regular_file(entry, error) && is_picture_name(entry))
      pictures.push_back(entry);  // one image, named as such
    else if (fs::is_regular_file(entry, error)) {
      const OtherLines others = read_list(entry, pictures, absent);
      if (others.count > 0)
        log::warning(
            fmt::format("{}: {} lines are not names of images and are left out, the first is '{}'",
                        entry.string(), others.count, others.first));
    } else
      throw Error(
          fmt::format("{}: expected a folder of images or a list of them, but it does not exist",
                      entry.string()));
  }
  if (pictures.empty()) {
    std::string message =
        fmt::format("no images found in {}",
                    sources.empty() ? "an empty list of sources" : text::join(sources, ", "));
    if (absent != nullptr && !absent->empty())
      message += fmt::format(": {} lines name images that do not exist, the first is {}:{}: '{}'",
                             absent->size(), absent->front().list.string(), absent->front().line,
                             absent->front().name);
    throw Error(message);
  }
  std::sort(pictures.begin(), pictures.end(),
            [](const fs::path& a, const fs::path& b) { return a.native() < b.native(); });
  const auto repeated =
      std::unique(pictures.begin(), pictures.end(),
                  [](const fs::path& a, const fs::path& b) { return a.native() == b.native(); });
  if (const auto count = pictures.end() - repeated; count > 0)
    log::warning(fmt::format("{}: {} images are named more than once; each is taken once",
                             text::join(sources, ", "), count));
  pictures.erase(repeated, pictures.end());
  return pictures;
}

std::vector<fs::path> picture_folders(const std::vector<fs::path>& entries) {
  std::set<fs::path> folders;
  for (const fs::path& entry : entries) {
    std::error_code error;
    std::vector<fs::path> listed;
    if (fs::is_directory(entry, error)) {
      folders.insert(entry);
    } else if (is_picture_name(entry)) {
      listed.push_back(entry);
    } else {
      try {
        read_list(entry, listed, nullptr);
      } catch (const Error&) {
        continue;  // whoever reads the data says so
      }
    }
    for (const fs::path& one : listed) folders.insert(one.parent_path());
  }
  return {folders.begin(), folders.end()};
}

}  // namespace yolov7::dataset
