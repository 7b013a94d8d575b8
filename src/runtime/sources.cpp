#include "runtime/sources.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/error.hpp"
#include "core/text.hpp"
#include "image/codec.hpp"

namespace yolov7::runtime {
namespace {

namespace fs = std::filesystem;

constexpr const char* picture_suffixes = "bmp, jpg, jpeg, png, tif, tiff, dng, webp, mpo";
constexpr std::size_t file_limit = 5'000'000;

bool is_video_name(const fs::path& path) {
  static constexpr std::array<std::string_view, 8> suffixes{".mov", ".avi", ".mp4", ".mpg", ".mpeg", ".m4v", ".wmv", ".mkv"};
  return std::find(suffixes.begin(), suffixes.end(), text::lower(path.extension().string())) != suffixes.end();
}
bool is_hidden(const fs::path& path) { return path.filename().string().rfind('.', 0) == 0; }
bool has_wildcard(std::string_view s) { return s.find_first_of("*?") != std::string_view::npos; }

void refuse_streams(const std::string& source) {
  if (source.empty()) throw usage_error("--source: expected a picture, a folder or a pattern, found an empty text");
  const auto later = [&](const char* what) {
    throw usage_error(fmt::format("--source {}: {} come in a later version; expected a picture, a folder or a pattern", source, what));
  };
  if (source.find_first_not_of("0123456789") == std::string::npos) later("cameras");
  if (source.size() > 4 && text::lower(source.substr(source.size() - 4)) == ".txt") later("lists of streams");
  for (const char* scheme : {"rtsp://", "rtmp://", "http://", "https://"})
    if (text::starts_with_ignoring_case(source, scheme)) later("streams and URLs");
}

/// The entries of a folder, sorted by name. An unreadable folder is an Error: leaving it out would be silent loss.
std::vector<fs::path> entries(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> found;
  for (fs::directory_iterator it(folder.empty() ? fs::path(".") : folder, error), end; !error && it != end; it.increment(error)) {
    found.push_back(folder / it->path().filename());
    if (found.size() > file_limit) throw Error(fmt::format("{}: more than {} entries", folder.string(), file_limit));
  }
  if (error) throw Error(fmt::format("{}: cannot list this folder: {}", folder.string(), error.message()));
  std::sort(found.begin(), found.end());
  return found;
}

class Collector {
 public:
  void take(const fs::path& path, const fs::path& relative) {
    if (is_video_name(path)) {
      ++list.videos;
    } else if (is_picture_name(path)) {
      list.pictures.push_back({path, relative});
    }
  }

  /// Everything below `folder` that fits components [at …); `relative` runs beside it.
  void expand(const fs::path& folder, const fs::path& relative, const std::vector<fs::path>& components, std::size_t at) {
    const std::string pattern = components[at].string();
    const bool last = at + 1 == components.size();
    if (pattern == "**") {
      // Zero folders, then one more and the same again.
      if (last) take_files(folder, relative, "*");
      else expand(folder, relative, components, at + 1);
      for (const fs::path& entry : entries(folder))
        if (!is_hidden(entry) && fs::is_directory(entry) && !fs::is_symlink(entry)) expand(entry, relative / entry.filename(), components, at);
    } else if (last) {
      take_files(folder, relative, pattern);
    } else if (!has_wildcard(pattern)) {
      const fs::path next = folder / pattern;
      if (fs::is_directory(next)) expand(next, relative / pattern, components, at + 1);
    } else {
      for (const fs::path& entry : entries(folder))
        if (!is_hidden(entry) && matches(entry.filename().string(), pattern) && fs::is_directory(entry))
          expand(entry, relative / entry.filename(), components, at + 1);
    }
  }

  SourceList list;

 private:
  void take_files(const fs::path& folder, const fs::path& relative, std::string_view pattern) {
    for (const fs::path& entry : entries(folder))
      if (!is_hidden(entry) && matches(entry.filename().string(), pattern) && fs::is_regular_file(entry)) take(entry, relative / entry.filename());
  }
};

void expand_pattern(const std::string& source, Collector& collector) {
  fs::path fixed;
  std::vector<fs::path> components;
  for (const fs::path& component : fs::path(source)) {
    if (components.empty() && !has_wildcard(component.string())) fixed /= component;
    else if (!component.empty()) components.push_back(component);
  }
  if (!fixed.empty() && !fs::is_directory(fixed)) throw Error(fmt::format("--source {}: no such folder: {}", source, fixed.string()));
  collector.expand(fixed, {}, components, 0);
}

}  // namespace

bool matches(std::string_view name, std::string_view pattern) {
  // Greedy with one point of return: on a mismatch the latest `*` swallows one byte more.
  std::size_t n = 0, p = 0, star = std::string_view::npos, resume = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = n;
    } else if (p < pattern.size() && pattern[p] == '?') {
      ++p, ++n;
      while (n < name.size() && (static_cast<unsigned char>(name[n]) & 0xC0) == 0x80) ++n;
    } else if (p < pattern.size() && pattern[p] == name[n]) {
      ++p, ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

SourceList list_sources(const std::string& source) {
  Collector collector;
  std::error_code error;
  const fs::path path(source);
  if (source.empty() || !fs::exists(path, error)) refuse_streams(source);
  if (fs::is_directory(path, error)) {
    for (const fs::path& entry : entries(path))
      if (!is_hidden(entry) && fs::is_regular_file(entry)) collector.take(entry, entry.filename());
  } else if (fs::exists(path, error)) {
    if (text::lower(path.extension().string()) == ".txt") refuse_streams(source);
    collector.take(path, path.filename());
  } else if (has_wildcard(source)) {
    expand_pattern(source, collector);
  } else {
    throw Error(fmt::format("--source {}: no such file or folder", source));
  }
  SourceList& list = collector.list;
  if (list.pictures.empty())
    throw Error(fmt::format("--source {}: no picture found; expected names ending in {}{}", source, picture_suffixes,
                            list.videos > 0 ? " (videos come in a later version)" : ""));
  std::sort(list.pictures.begin(), list.pictures.end(), [](const SourcePicture& a, const SourcePicture& b) { return a.path.string() < b.path.string(); });
  // Two `**` can reach one file twice.
  list.pictures.erase(std::unique(list.pictures.begin(), list.pictures.end(), [](const auto& a, const auto& b) { return a.path == b.path; }),
                      list.pictures.end());
  return std::move(collector.list);
}

}  // namespace yolov7::runtime
