#pragma once
// What is known about a picture file after it was read and decoded once (data 4).
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "image/codec/planes.hpp"

namespace yolov7::dataset {

/// Size and time of a file: the cheap sign that it did not change.
struct FileStamp {
  std::uint64_t size_bytes = 0;
  std::int64_t modified_ns = 0;  ///< since 1970
  bool operator==(const FileStamp&) const = default;
};

/// Nothing if there is no such regular file.
std::optional<FileStamp> file_stamp(const std::filesystem::path& path);

inline constexpr int look_side = 640;

struct PictureFacts {
  FileStamp stamp;            ///< taken before the file was read
  int width = 0, height = 0;  ///< after EXIF orientation
  std::string content_hash;   ///< of the file's bytes; empty if they could not be read
  std::string fault;          ///< why the picture cannot be used, or ""
  int orientation = 1;        ///< EXIF, 1 … 8
  DecodedRows rows;           ///< of a picture that is used although its file lacks the end
};

/// Reads, hashes and fully decodes a picture, so that a truncated one is found here and not in
/// training. Both sides must be at least `least_side_px` (data 4: more than 9 pixels). Never throws
/// for a bad picture: the reason is in `fault`.
/// `look` is given the file's bytes and its pixels while they are there. Of a JPEG every code is
/// read, but its pixels are made at a fraction of its size: for `look` with a long side of at least
/// `look_side`.
PictureFacts inspect_picture(
    const std::filesystem::path& path, int least_side_px = 10,
    const std::function<void(std::string_view bytes, const PicturePlanes& planes)>& look = {});

}  // namespace yolov7::dataset
