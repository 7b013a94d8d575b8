#pragma once
// What a file is by its name. The one table of extensions: data sets, detection and imports ask
// here.
#include <filesystem>
#include <string>
#include <string_view>

namespace yolov7 {

enum class FileKind {
  other,
  image,      ///< read by this program alone
  further,    ///< an image that the further decoder reads (libyolov7-video)
  animation,  ///< GIF: a video for detection; elsewhere its first image, by the further decoder
  unread,     ///< an image that is named and not read
  video
};

/// By the extension, any case.
FileKind file_kind(const std::filesystem::path& path);
/// Whether the name is that of an image, read here or not: everything but `other` and `video`.
bool is_picture_name(const std::filesystem::path& path);
/// Videos and animations.
bool is_video_name(const std::filesystem::path& path);
/// "bmp, jpg, ..." for messages.
std::string extensions_of(FileKind kind);
/// What a file of kind `unread` or `video` is: "a raw photograph of a camera"; empty for others.
std::string_view what_is_unread(const std::filesystem::path& path);

}  // namespace yolov7
