#include "runtime/frames/sources.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/output_names.hpp"
#include "core/setting_name.hpp"
#include "core/text.hpp"
#include "image/codec/codec.hpp"

namespace yolov7::runtime {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t file_limit = 5'000'000;

std::string picture_suffixes() {
  return extensions_of(FileKind::image) + ", " + extensions_of(FileKind::further);
}
std::string video_suffixes() {
  return extensions_of(FileKind::video) + ", " + extensions_of(FileKind::animation);
}
bool is_hidden(const fs::path& path) { return path.filename().string().rfind('.', 0) == 0; }
bool has_wildcard(std::string_view s) { return s.find_first_of("*?") != std::string_view::npos; }

bool is_number(std::string_view s) {
  return !s.empty() && s.size() < 4 && s.find_first_not_of("0123456789") == std::string_view::npos;
}
bool is_address(std::string_view s) {
  for (const char* scheme :
       {"rtsp://", "rtsps://", "rtmp://", "http://", "https://", "udp://", "tcp://"})
    if (text::starts_with_ignoring_case(s, scheme)) return true;
  return false;
}
bool is_list_name(const fs::path& path) { return text::lower(path.extension().string()) == ".txt"; }

/// A file name for a stream (evaluation 3.2), path separators included.
std::string stream_name(const std::string& source) {
  std::string name = without_credentials(source);
  if (name.ends_with("?...")) name.resize(name.size() - 4);
  for (const char* special : {"\u00a1", "\u00b7", "\u20ac", "\u00bf", "\u00a8", "\u00b4"}) {
    const std::string_view text(special);
    for (std::size_t at; (at = name.find(text)) != std::string::npos;)
      name.replace(at, text.size(), "_");
  }
  for (char& c : name)
    if (std::string_view("|@#!$%&()=?^*;:,><+/\\\"").find(c) != std::string_view::npos) c = '_';
  return yolov7::text::file_name(name);
}

/// The entries of a folder, sorted by name. An unreadable folder is an Error: leaving it out would
/// be silent loss.
std::vector<fs::path> entries(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> found;
  for (fs::directory_iterator it(folder.empty() ? fs::path(".") : folder, error), end;
       !error && it != end; it.increment(error)) {
    found.push_back(folder / it->path().filename());
    if (found.size() > file_limit)
      throw Error(fmt::format("{}: more than {} entries", folder.string(), file_limit));
  }
  if (error)
    throw Error(fmt::format("{}: cannot list this folder: {}", folder.string(), error.message()));
  std::sort(found.begin(), found.end());
  return found;
}

/// A link to nothing or to itself is none. Error: it cannot be told, as below a folder that may not
/// be entered.
bool is_folder(const fs::path& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (status.type() == fs::file_type::none && error != std::errc::too_many_symbolic_link_levels)
    throw Error(fmt::format("{}: cannot be looked at: {}", path.string(), error.message()));
  return fs::is_directory(status);
}

class Collector {
 public:
  /// By its name. What turns out to be a pipe, a socket or a device, or a link to nothing, is an
  /// error of that one when its turn comes.
  void take(const fs::path& path, const fs::path& relative) {
    if (is_video_name(path)) {
      list.videos.push_back(
          {path.string(), VideoOrigin::file, fs::path(relative).replace_extension(".mp4")});
    } else if (is_picture_name(path)) {
      list.pictures.push_back({path, relative});
    }
  }

  /// Everything below `folder` that fits components [at …); `relative` runs beside it.
  void expand(const fs::path& folder, const fs::path& relative,
              const std::vector<fs::path>& components, std::size_t at) {
    const std::string pattern = components[at].string();
    const bool last = at + 1 == components.size();
    if (pattern == "**") {
      // Zero folders, then one more and the same again.
      if (last)
        take_files(folder, relative, "*");
      else
        expand(folder, relative, components, at + 1);
      for (const fs::path& entry : entries(folder))
        if (!is_hidden(entry) && is_folder(entry) && !fs::is_symlink(entry))
          expand(entry, relative / entry.filename(), components, at);
    } else if (last) {
      take_files(folder, relative, pattern);
    } else if (!has_wildcard(pattern)) {
      const fs::path next = folder / pattern;
      if (is_folder(next)) expand(next, relative / pattern, components, at + 1);
    } else {
      for (const fs::path& entry : entries(folder))
        if (!is_hidden(entry) && matches(entry.filename().string(), pattern) && is_folder(entry))
          expand(entry, relative / entry.filename(), components, at + 1);
    }
  }

  SourceList list;

 private:
  void take_files(const fs::path& folder, const fs::path& relative, std::string_view pattern) {
    for (const fs::path& entry : entries(folder))
      if (!is_hidden(entry) && matches(entry.filename().string(), pattern) && !is_folder(entry))
        take(entry, relative / entry.filename());
  }
};

void expand_pattern(const std::string& source, Collector& collector) {
  fs::path fixed;
  std::vector<fs::path> components;
  for (const fs::path& component : fs::path(source)) {
    if (components.empty() && !has_wildcard(component.string()))
      fixed /= component;
    else if (!component.empty())
      components.push_back(component);
  }
  if (!fixed.empty() && !is_folder(fixed))
    throw Error(
        fmt::format("{} {}: no such folder: {}", setting_name("source"), source, fixed.string()));
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

std::string without_credentials(const std::string& source) {
  const std::size_t start = source.find("://");
  if (start == std::string::npos) return source;
  const std::size_t host = start + 3,
                    end = std::min(source.find_first_of("/?#", host), source.size()),
                    query = std::min(source.find_first_of("?#", host), source.size());
  const std::size_t at = source.rfind('@', end),
                    from = at == std::string::npos || at < host || at >= end ? host : at + 1;
  return source.substr(0, host) + source.substr(from, query - from) +
         (query < source.size() ? "?..." : "");
}

std::vector<std::string> shown_names(const std::vector<SourceVideo>& videos) {
  std::map<std::string, std::size_t> known;
  std::vector<std::string> names;
  for (const SourceVideo& one : videos) {
    std::string name = without_credentials(one.source);
    const std::size_t same = one.origin == VideoOrigin::address ? ++known[name] : 1;
    names.push_back(same > 1 ? fmt::format("{} ({})", name, same) : name);
  }
  return names;
}

namespace {

void sort_and_unify(SourceList& list) {
  // Two `**` can reach one file twice.
  std::sort(list.pictures.begin(), list.pictures.end(),
            [](const auto& a, const auto& b) { return a.path.string() < b.path.string(); });
  list.pictures.erase(std::unique(list.pictures.begin(), list.pictures.end(),
                                  [](const auto& a, const auto& b) { return a.path == b.path; }),
                      list.pictures.end());
  std::sort(list.videos.begin(), list.videos.end(),
            [](const auto& a, const auto& b) { return a.source < b.source; });
  list.videos.erase(std::unique(list.videos.begin(), list.videos.end(),
                                [](const auto& a, const auto& b) { return a.source == b.source; }),
                    list.videos.end());
}

/// A pipe that is meant comes through standard input.
void require_file(const std::string& source) {
  std::error_code error;
  if (fs::is_regular_file(source, error)) return;
  throw Error(fmt::format("{} {}: expected a file or folder, found a {}; {} - reads standard input",
                          setting_name("source"), source,
                          fs::is_fifo(source, error)     ? "named pipe"
                          : fs::is_socket(source, error) ? "socket"
                                                         : "device",
                          setting_name("source")));
}

/// Everything but lists.
SourceList list_one(const std::string& source) {
  const fs::path path(source);
  std::error_code error;
  if (source == "-") return {{}, {{source, VideoOrigin::input, "stdin.mp4"}}, {}};
  if (is_address(source)) {
    const fs::path name(source.substr(0, source.find_first_of("?#")));
    SourceVideo one{source, VideoOrigin::address, stream_name(source) + ".mp4"};
    return is_picture_name(name) || is_video_name(name) ? SourceList{{}, {one}, {}}
                                                        : SourceList{{}, {}, {one}};
  }
  if (is_number(source) && !fs::exists(path, error))
    return {{}, {}, {{"/dev/video" + source, VideoOrigin::camera, "camera" + source + ".mp4"}}};
  if (fs::is_character_file(path, error) && path.filename().string().starts_with("video"))
    return {{}, {}, {{source, VideoOrigin::camera, stream_name(source) + ".mp4"}}};
  Collector collector;
  if (fs::is_directory(path, error)) {
    for (const fs::path& entry : entries(path))
      if (!is_hidden(entry) && !fs::is_directory(entry, error))
        collector.take(entry, entry.filename());
  } else if (fs::exists(path, error)) {
    require_file(source);
    collector.take(path, path.filename());
  } else if (has_wildcard(source)) {
    expand_pattern(source, collector);
  } else {
    throw Error(fmt::format("{} {}: no such file or folder", setting_name("source"), source));
  }
  if (collector.list.pictures.empty() && collector.list.videos.empty())
    throw Error(fmt::format("{} {}: nothing found; expected names ending in {} or {}",
                            setting_name("source"), source, picture_suffixes(), video_suffixes()));
  sort_and_unify(collector.list);
  return std::move(collector.list);
}

/// The lines of a list come from several folders: results keep those below the common one.
void keep_folders(SourceList& list) {
  std::vector<fs::path> folders;
  std::vector<fs::path*> names;
  const auto add = [&](fs::path folder, fs::path& relative) {
    for ([[maybe_unused]] const fs::path& component : relative) folder = folder.parent_path();
    folders.push_back(folder);
    names.push_back(&relative);
  };
  for (SourcePicture& one : list.pictures) add(one.path, one.relative);
  for (SourceVideo& one : list.videos)
    if (one.origin == VideoOrigin::file) add(one.source, one.relative);
  const fs::path common = common_folder(folders);
  for (std::size_t i = 0; i < names.size(); ++i) *names[i] = below(common, folders[i]) / *names[i];
}

SourceList list_lines(const std::string& source) {
  SourceList all;
  std::size_t number = 0;
  const std::string content = file::read(source, 64u << 20);
  for (const std::string_view line : text::lines(content)) {
    ++number;
    const std::string one(text::trim(line));
    if (one.empty()) continue;
    try {
      if (is_list_name(one))
        throw Error(fmt::format("expected no list inside a list, found {}", one));
      SourceList list = list_one(one);
      all.pictures.insert(all.pictures.end(), list.pictures.begin(), list.pictures.end());
      all.videos.insert(all.videos.end(), list.videos.begin(), list.videos.end());
      all.streams.insert(all.streams.end(), list.streams.begin(), list.streams.end());
    } catch (const Error& error) {
      throw Error(fmt::format("{}:{}: {}", source, number, error.what()), error.code());
    }
  }
  if (all.pictures.empty() && all.videos.empty() && all.streams.empty())
    throw Error(fmt::format("{} {}: expected a source in each line, found none",
                            setting_name("source"), source));
  keep_folders(all);
  return all;
}

/// Different sources never write to one name.
void tell_apart(SourceList& list) {
  OutputNames names;
  const auto unique = [&](fs::path& relative) {
    relative = names.take((relative.parent_path() / relative.stem()).generic_string(), Results::one,
                          relative.extension().string());
  };
  for (SourcePicture& one : list.pictures) unique(one.relative);
  for (SourceVideo& one : list.videos) unique(one.relative);
  for (SourceVideo& one : list.streams) unique(one.relative);
}

}  // namespace

SourceList list_sources(const std::string& source) {
  if (source.empty())
    throw usage_error(
        setting_name("source") +
        ": expected an image, folder, pattern, video, camera number, address, list or -, "
        "found an empty text");
  std::error_code error;
  SourceList list = is_list_name(source) && fs::is_regular_file(source, error) ? list_lines(source)
                                                                               : list_one(source);
  if (!list.streams.empty() && !(list.pictures.empty() && list.videos.empty()))
    throw usage_error(
        fmt::format("{} {}: expected either files or streams, found {} files and {} streams; run "
                    "detect for each",
                    setting_name("source"), source, list.pictures.size() + list.videos.size(),
                    list.streams.size()));
  tell_apart(list);
  return list;
}

std::vector<SourcePicture> list_pictures(const std::string& source, const std::string& setting) {
  SourceList list;
  try {
    list = list_sources(source);
  } catch (const Error& error) {
    // Messages begin with the setting that such texts usually are.
    const std::string what = error.what(), usual = setting_name("source");
    if (setting == "source" || !what.starts_with(usual)) throw;
    throw Error(setting_name(setting) + what.substr(usual.size()), error.code());
  }
  if (list.pictures.empty())
    throw Error(fmt::format("{} {}: no image found; expected names ending in {}",
                            setting_name(setting), source, picture_suffixes()));
  return std::move(list.pictures);
}

}  // namespace yolov7::runtime
