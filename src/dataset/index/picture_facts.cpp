#include "dataset/index/picture_facts.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <exception>

#include "core/error.hpp"
#include "core/file.hpp"
#include "image/codec/codec.hpp"

namespace yolov7::dataset {
namespace fs = std::filesystem;
namespace {

using LookAt = std::function<void(std::string_view, const PicturePlanes&)>;

/// Whether an image has the size of the header, or that of a JPEG decoded at a fraction.
bool is_size_of(const PictureHeader& header, const cv::Size& size) {
  for (const int d : {1, 2, 4, 8})
    if (size.width == (header.width + d - 1) / d && size.height == (header.height + d - 1) / d)
      return true;
  return false;
}

void decode(const std::string& bytes, const std::string& source, int least_side, const LookAt& look,
            PictureFacts& facts) {
  const PictureHeader header = read_picture_header(bytes, source);
  facts.width = header.width;
  facts.height = header.height;
  facts.orientation = header.orientation;
  if (header.width < least_side || header.height < least_side)
    throw Error(fmt::format("expected both sides to be at least {} px, found {} × {}", least_side,
                            header.width, header.height));
  cv::Size found;
  PicturePlanes planes;
  if (look) {
    planes = decode_planes(bytes, source, look_side);
    facts.rows = planes.rows, found = planes.luma.size();
  } else {
    const ReducedPicture picture = decode_reduced_picture(bytes, source, 1);
    facts.rows = picture.rows, found = picture.bgr.size();
  }
  if (!is_size_of(header, found))
    throw Error(fmt::format("expected {} × {} px as in the header, found {} × {}", header.width,
                            header.height, found.width, found.height));
  if (look) look(bytes, planes);
}

/// The codec puts the path before its message; the path is told by whoever shows the fault.
std::string without_source(std::string message, const std::string& source) {
  if (message.starts_with(source + ": ")) message.erase(0, source.size() + 2);
  return message;
}

}  // namespace

std::optional<FileStamp> file_stamp(const fs::path& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return std::nullopt;
  return FileStamp{
      static_cast<std::uint64_t>(info.st_size),
      static_cast<std::int64_t>(info.st_mtim.tv_sec) * 1'000'000'000 + info.st_mtim.tv_nsec};
}

PictureFacts inspect_picture(const fs::path& path, int least_side_px, const LookAt& look) {
  PictureFacts facts;
  if (const auto stamp = file_stamp(path)) facts.stamp = *stamp;
  const std::string source = path.string();
  try {
    if (file_kind(path) == FileKind::video) throw Error(why_unread(path, {}));
    const std::string bytes = file::read(path, DecodeLimits{}.file_bytes);
    facts.content_hash = file::content_hash(bytes);
    if (const std::string why = why_unread(path, bytes); !why.empty()) throw Error(why);
    decode(bytes, source, least_side_px, look, facts);
  } catch (const std::exception& error) {
    facts.fault = without_source(error.what(), source);
    if (facts.fault.empty()) facts.fault = "cannot be decoded";
  }
  return facts;
}

}  // namespace yolov7::dataset
