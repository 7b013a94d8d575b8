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

void decode(const std::string& bytes, const std::string& source, int least_side,
            const std::function<void(std::string_view, const cv::Mat&)>& look,
            PictureFacts& facts) {
  const PictureHeader header = read_picture_header(bytes, source);
  facts.width = header.width;
  facts.height = header.height;
  facts.orientation = header.orientation;
  if (header.width < least_side || header.height < least_side)
    throw Error(fmt::format("expected both sides to be at least {} px, found {} × {}", least_side,
                            header.width, header.height));
  const auto [pixels, width, height, orientation, rows] = decode_reduced_picture(bytes, source, 0);
  facts.rows = rows;
  if (pixels.cols != header.width || pixels.rows != header.height)
    throw Error(fmt::format("expected {} × {} px as in the header, found {} × {}", header.width,
                            header.height, pixels.cols, pixels.rows));
  if (look) look(bytes, pixels);
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

PictureFacts inspect_picture(
    const fs::path& path, int least_side_px,
    const std::function<void(std::string_view bytes, const cv::Mat& bgr)>& look) {
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
