#include "image/codec/file_kind.hpp"

#include <algorithm>
#include <array>

#include "core/text.hpp"

namespace yolov7 {
namespace {

struct Extension {
  std::string_view name;
  FileKind kind;
  std::string_view why = {};  ///< of kind `unread`
};

// Decoders find a small preview first in most of them, so that reading them as TIFF would give
// another image.
constexpr std::string_view raw = "a raw photograph of a camera";
// There is no one way to make 8-bit levels of them.
constexpr std::string_view light = "an image of light levels without an upper limit";

using enum FileKind;
constexpr std::array extensions = {
    // data 2, in its order
    Extension{"bmp", image},
    Extension{"jpg", image},
    Extension{"jpeg", image},
    Extension{"png", image},
    Extension{"tif", image},
    Extension{"tiff", image},
    Extension{"dng", image},
    Extension{"webp", image},
    Extension{"mpo", image},
    // JPEG under other names
    Extension{"jpe", image},
    Extension{"jfif", image},
    Extension{"heic", further},
    Extension{"heif", further},
    Extension{"hif", further},
    Extension{"avif", further},
    Extension{"jxl", further},
    Extension{"jp2", further},
    Extension{"j2k", further},
    Extension{"j2c", further},
    Extension{"jpc", further},
    Extension{"jpf", further},
    Extension{"jpx", further},
    Extension{"ppm", further},
    Extension{"pgm", further},
    Extension{"pbm", further},
    Extension{"pnm", further},
    Extension{"pam", further},
    Extension{"tga", further},
    Extension{"psd", further},
    Extension{"gif", animation},
    Extension{"cr2", unread, raw},
    Extension{"cr3", unread, raw},
    Extension{"crw", unread, raw},
    Extension{"nef", unread, raw},
    Extension{"nrw", unread, raw},
    Extension{"arw", unread, raw},
    Extension{"srf", unread, raw},
    Extension{"sr2", unread, raw},
    Extension{"orf", unread, raw},
    Extension{"rw2", unread, raw},
    Extension{"raf", unread, raw},
    Extension{"pef", unread, raw},
    Extension{"srw", unread, raw},
    Extension{"3fr", unread, raw},
    Extension{"iiq", unread, raw},
    Extension{"exr", unread, light},
    Extension{"hdr", unread, light},
    Extension{"pfm", unread, light},
    Extension{"svg", unread, "a drawing of lines without a size in pixels"},
    Extension{"ico", unread, "an icon of several images"},
    // evaluation 3.2, in its order
    Extension{"mov", video},
    Extension{"avi", video},
    Extension{"mp4", video},
    Extension{"mpg", video},
    Extension{"mpeg", video},
    Extension{"m4v", video},
    Extension{"wmv", video},
    Extension{"mkv", video},
    Extension{"webm", video},
    Extension{"flv", video},
    Extension{"3gp", video},
    Extension{"3g2", video},
    Extension{"mts", video},
    Extension{"m2ts", video},
    Extension{"ts", video},
    Extension{"asf", video},
    Extension{"vob", video},
    Extension{"ogv", video},
    Extension{"mxf", video},
    Extension{"mjpeg", video},
    Extension{"mjpg", video},
};

const Extension* find(const std::filesystem::path& path) {
  const std::string extension = text::lower(path.extension().string());
  if (extension.size() < 2) return nullptr;
  const std::string_view name = std::string_view(extension).substr(1);
  const auto found = std::find_if(extensions.begin(), extensions.end(),
                                  [&](const Extension& one) { return one.name == name; });
  return found == extensions.end() ? nullptr : &*found;
}

}  // namespace

FileKind file_kind(const std::filesystem::path& path) {
  const Extension* known = find(path);
  return known == nullptr ? other : known->kind;
}

bool is_picture_name(const std::filesystem::path& path) {
  const FileKind kind = file_kind(path);
  return kind != other && kind != video;
}

bool is_video_name(const std::filesystem::path& path) {
  const FileKind kind = file_kind(path);
  return kind == video || kind == animation;
}

std::string extensions_of(FileKind kind) {
  std::string all;
  for (const Extension& one : extensions)
    if (one.kind == kind) all += (all.empty() ? "" : ", ") + std::string(one.name);
  return all;
}

std::string_view what_is_unread(const std::filesystem::path& path) {
  const Extension* known = find(path);
  if (known == nullptr) return "";
  return known->kind == video ? "a video" : known->why;
}

}  // namespace yolov7
