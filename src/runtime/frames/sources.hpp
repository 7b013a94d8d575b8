#pragma once
// What to detect on: pictures, videos, cameras and streams, as sorted lists (evaluation 3.2).
#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "runtime/frames/video.hpp"

namespace yolov7::runtime {

struct SourcePicture {
  std::filesystem::path path;
  std::filesystem::path relative;  ///< where results go: the name; for patterns the path below
                                   ///< their fixed part, for lists the path below the common folder
};

/// A video, or with SourceList::streams a camera or a stream.
struct SourceVideo {
  std::string source;  ///< path, address, device, or "-"
  VideoOrigin origin = VideoOrigin::file;
  std::filesystem::path relative;  ///< where a video of results goes, *.mp4: as for pictures; for
                                   ///< addresses a file name made of them, without credentials
};

struct SourceList {
  std::vector<SourcePicture> pictures;  ///< sorted by path, lists in their order
  std::vector<SourceVideo> videos;      ///< read from beginning to end
  std::vector<SourceVideo> streams;     ///< live: the latest frame counts
};

/// A path, pattern, camera number, address, "-" (standard input), or a .txt file with one of these
/// a line. `*` and `?` match within one name, `**` as a whole name matches any number of folders;
/// links to folders are not followed by `**`. A path that exists is taken literally even if it
/// holds these characters. What counts as an image or a video is in image/codec/file_kind. A
/// character device "video..." is a camera; another device, a pipe or a socket is an Error if it is
/// named, and an error of that one frame if it lies in a folder. Hidden names (`.x`, `._x`) are
/// left out unless the path names one file. An address whose path ends like a picture or a video is
/// read as a video, others are streams. Two results that would have one name are told apart by a
/// number ("film.mp4", "film_2.mp4"). Errors: a path that does not exist; nothing found, with the
/// suffixes looked for; streams beside files; a list inside a list.
SourceList list_sources(const std::string& source);

/// The pictures of list_sources(); Error if there are none. `setting`: whose value the source is,
/// for messages.
std::vector<SourcePicture> list_pictures(const std::string& source,
                                         const std::string& setting = "source");

/// Whether `name` fits a pattern of `*` (any run) and `?` (one character, UTF-8); no separators
/// inside.
bool matches(std::string_view name, std::string_view pattern);

/// An address without "user:password@" and with "?..." for its query, for messages and file names;
/// anything else as it is.
std::string without_credentials(const std::string& source);
/// The same of each, for messages and tables; of addresses that are alike then the later ones have
/// " (2)", " (3)", … behind them.
std::vector<std::string> shown_names(const std::vector<SourceVideo>& videos);

}  // namespace yolov7::runtime
