#include "image/codec/codec.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <new>
#include <opencv2/core.hpp>
#include <optional>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/text.hpp"
#include "image/codec/codec_bmp.hpp"
#include "image/codec/codec_jpeg.hpp"
#include "image/codec/codec_png.hpp"
#include "image/codec/codec_tiff.hpp"
#include "image/codec/codec_webp.hpp"
#include "image/codec/exif.hpp"
#include "image/codec/planes.hpp"
#include "image/codec/truncated.hpp"

namespace yolov7 {
namespace {

struct Codec {
  PictureFormat format;
  StoredHeader (*read_header)(std::string_view bytes, const std::string& source);
  StoredPicture (*decode)(std::string_view bytes, const std::string& source);
};

/// Formats whose decoder takes whole files alone.
template <cv::Mat (*decode)(std::string_view, const std::string&)>
StoredPicture whole(std::string_view bytes, const std::string& source) {
  return {decode(bytes, source), {}};
}

constexpr std::array codecs = {
    Codec{PictureFormat::jpeg, jpeg::read_header, jpeg::decode},
    Codec{PictureFormat::png, png::read_header, whole<png::decode>},
    Codec{PictureFormat::bmp, bmp::read_header, whole<bmp::decode>},
    Codec{PictureFormat::webp, webp::read_header, whole<webp::decode>},
    Codec{PictureFormat::tiff, tiff::read_header, whole<tiff::decode>},
};

const Codec& codec_of(PictureFormat format) {
  return *std::find_if(codecs.begin(), codecs.end(),
                       [&](const Codec& codec) { return codec.format == format; });
}

using namespace std::string_view_literals;

std::atomic<const FurtherDecoder& (*)()> further_decoder = nullptr;

// Formats that people do try, by their first bytes; else those bytes.
std::string what_it_is(std::string_view bytes) {
  if (bytes.starts_with("GIF8"sv)) return "it is a GIF";
  if (bytes.size() >= 12 && bytes.substr(4, 4) == "ftyp"sv)
    return "it is an HEIF, AVIF or video file";
  if (bytes.starts_with("%PDF"sv)) return "it is a PDF";
  if (bytes.starts_with("\0\0\0\x0cjP"sv)) return "it is a JPEG 2000 file";
  std::string first;
  for (const char c : bytes.substr(0, 8))
    first += fmt::format(" {:02x}", static_cast<unsigned char>(c));
  return "it begins with the bytes" + first;
}

void require_bytes(std::string_view bytes, const std::string& source) {
  if (bytes.empty()) picture_error(source, "the file is empty (0 bytes), expected an image");
}

cv::Mat decode_further(std::string_view bytes, const std::string& source,
                       const DecodeLimits& limits) {
  const std::string problem = "expected a JPEG, PNG, BMP, WebP or TIFF image; " + what_it_is(bytes);
  const auto further = further_decoder.load();
  if (further == nullptr) picture_error(source, problem);
  const FurtherDecoder* decoder = nullptr;
  try {
    decoder = &further();
  } catch (const Error& error) {
    picture_error(source, problem + "; " + error.what());
  }
  return decoder->decode(bytes, source, limits);
}

void check_limits(const StoredHeader& header, const std::string& source,
                  const DecodeLimits& limits) {
  const auto side = static_cast<std::uint64_t>(std::max(limits.side, 0));
  if (header.width > side || header.height > side)
    picture_error(source, fmt::format("an image of {} x {} px is over the limit of {} px per side",
                                      header.width, header.height, limits.side));
  if (header.width * header.height > limits.pixels)
    picture_error(source, fmt::format("an image of {} x {} px is over the limit of {} pixels",
                                      header.width, header.height, limits.pixels));
}

PictureHeader upright(PictureFormat format, const StoredHeader& stored) {
  PictureHeader header{format, static_cast<int>(stored.width), static_cast<int>(stored.height),
                       stored.orientation};
  if (orientation_swaps_sides(stored.orientation)) std::swap(header.width, header.height);
  return header;
}

void check_file_size(std::string_view bytes, const std::string& source,
                     const DecodeLimits& limits) {
  if (bytes.size() > limits.file_bytes)
    picture_error(source, fmt::format("{} bytes are over the limit of {} bytes", bytes.size(),
                                      limits.file_bytes));
}

std::string extension_of(const std::filesystem::path& path) {
  const std::string extension = text::lower(path.extension().string());
  return extension.empty() ? extension : extension.substr(1);
}

void check_picture(const cv::Mat& bgr) {
  if (bgr.empty() || bgr.type() != CV_8UC3)
    throw Error(fmt::format(
        "cannot encode: expected an 8-bit image of 3 channels, found {} x {} px, {} channels",
        bgr.cols, bgr.rows, bgr.channels()));
}

}  // namespace

void set_further_decoder(const FurtherDecoder& (*decoder)()) { further_decoder = decoder; }

std::optional<PictureFormat> picture_format(std::string_view bytes) {
  if (bytes.starts_with("\xff\xd8\xff"sv)) return PictureFormat::jpeg;
  if (bytes.starts_with("\x89PNG\r\n\x1a\n"sv)) return PictureFormat::png;
  if (bytes.starts_with("BM"sv)) return PictureFormat::bmp;
  if (bytes.starts_with("RIFF"sv) && bytes.size() >= 12 && bytes.substr(8, 4) == "WEBP"sv)
    return PictureFormat::webp;
  // 42 is TIFF, 43 BigTIFF.
  for (const std::string_view magic : {"II*\0"sv, "MM\0*"sv, "II+\0"sv, "MM\0+"sv})
    if (bytes.starts_with(magic)) return PictureFormat::tiff;
  return std::nullopt;
}

std::string why_unread(const std::filesystem::path& path, std::string_view bytes) {
  const std::string_view what = what_is_unread(path);
  if (what.empty()) return "";
  if (file_kind(path) == FileKind::video) return "it is a video by its name, expected an image";
  const auto format = picture_format(bytes);
  if (format && *format != PictureFormat::tiff) return "";
  return fmt::format("it is {}, which is not read here; save it as JPEG, PNG or TIFF", what);
}

PictureHeader read_picture_header(std::string_view bytes, const std::string& source,
                                  const DecodeLimits& limits) {
  require_bytes(bytes, source);
  const auto format = picture_format(bytes);
  if (!format) {
    const cv::Mat picture = decode_further(bytes, source, limits);
    return {PictureFormat::further, picture.cols, picture.rows, 1};
  }
  const StoredHeader stored = codec_of(*format).read_header(bytes, source);
  check_limits(stored, source, limits);
  return upright(*format, stored);
}

namespace {

/// The largest fraction 1/d that leaves the long side at `long_side` px or more.
int denominator_for(const PictureHeader& header, int long_side) {
  const int longest = std::max(header.width, header.height);
  for (const int d : {8, 4, 2})
    if ((longest + d - 1) / d >= long_side) return d;
  return 1;
}

void require_rows(const DecodedRows& rows, const std::string& source, const DecodeLimits& limits) {
  const double least = limits.least_rows.value_or(truncated_rule().least_rows());
  if (!enough_rows(rows, least)) picture_error(source, describe_missing(rows, least));
}

}  // namespace

std::string describe(const DecodedRows& rows) {
  if (rows.decoded == rows.expected)
    return fmt::format("the end of the file is missing: all {} rows are decoded", rows.expected);
  return fmt::format(
      "the end of the file is missing: {} of {} rows are decoded, the others are gray",
      rows.decoded, rows.expected);
}

namespace {

/// Calls `decode`; an Error for what it asks in vain of the machine or of OpenCV.
template <class Decode>
auto with_limits(const PictureHeader& header, const std::string& source, const Decode& decode) {
  try {
    return decode();
  } catch (const std::bad_alloc&) {
    picture_error(source, fmt::format("not enough memory for an image of {} x {} px", header.width,
                                      header.height));
  } catch (const cv::Exception& error) {
    picture_error(
        source, fmt::format("an image of {} x {} px: {}", header.width, header.height, error.err));
  }
}

}  // namespace

ReducedPicture decode_reduced_picture(std::string_view bytes, const std::string& source,
                                      int long_side, const DecodeLimits& limits) {
  check_file_size(bytes, source, limits);
  require_bytes(bytes, source);
  if (!picture_format(bytes)) {
    const cv::Mat picture = decode_further(bytes, source, limits);
    return {picture, picture.cols, picture.rows, 1, {}};
  }
  const PictureHeader header = read_picture_header(bytes, source, limits);
  const bool reduced = long_side > 0 && header.format == PictureFormat::jpeg;
  return with_limits(header, source, [&]() -> ReducedPicture {
    const StoredPicture stored =
        reduced ? jpeg::decode_reduced(bytes, source, denominator_for(header, long_side))
                : codec_of(header.format).decode(bytes, source);
    require_rows(stored.rows, source, limits);
    return {apply_orientation(stored.pixels, header.orientation), header.width, header.height,
            header.orientation, stored.rows};
  });
}

PicturePlanes decode_planes(std::string_view bytes, const std::string& source, int long_side) {
  const DecodeLimits limits;
  if (picture_format(bytes) == PictureFormat::jpeg) {
    check_file_size(bytes, source, limits);
    const PictureHeader header = read_picture_header(bytes, source, limits);
    const auto stored = with_limits(header, source, [&] {
      return jpeg::decode_planes(bytes, source,
                                 long_side > 0 ? denominator_for(header, long_side) : 1);
    });
    if (stored) {
      require_rows(stored->rows, source, limits);
      PicturePlanes planes = joined_planes(*stored, header.orientation);
      planes.width = header.width, planes.height = header.height;
      return planes;
    }
  }
  const ReducedPicture picture = decode_reduced_picture(bytes, source, long_side, limits);
  PicturePlanes planes = planes_of(picture.bgr);
  planes.width = picture.width, planes.height = picture.height;
  planes.orientation = picture.orientation, planes.rows = picture.rows;
  return planes;
}

cv::Mat decode_picture(std::string_view bytes, const std::string& source,
                       const DecodeLimits& limits) {
  return decode_reduced_picture(bytes, source, 0, limits).bgr;
}

namespace {

std::string readable_bytes(const std::filesystem::path& path, const DecodeLimits& limits) {
  std::string bytes = file::read(path, limits.file_bytes);
  if (const std::string why = why_unread(path, bytes); !why.empty())
    picture_error(path.string(), why);
  return bytes;
}

}  // namespace

ReducedPicture read_reduced_picture(const std::filesystem::path& path, int long_side,
                                    const DecodeLimits& limits) {
  return decode_reduced_picture(readable_bytes(path, limits), path.string(), long_side, limits);
}

cv::Mat read_picture(const std::filesystem::path& path, const DecodeLimits& limits) {
  return read_reduced_picture(path, 0, limits).bgr;
}

PicturePlanes read_planes(const std::filesystem::path& path, int long_side) {
  return decode_planes(readable_bytes(path, {}), path.string(), long_side);
}

std::string encode_jpeg(const cv::Mat& bgr, int quality) {
  check_picture(bgr);
  if (quality < 1 || quality > 100)
    throw usage_error(fmt::format("JPEG quality {} is out of range 1..100", quality));
  return jpeg::encode(bgr, quality);
}

std::string encode_png(const cv::Mat& bgr) {
  check_picture(bgr);
  return png::encode(bgr);
}

bool is_writable_name(const std::filesystem::path& path) {
  static constexpr std::array names = {"jpg"sv, "jpeg"sv, "jpe"sv,  "jfif"sv, "png"sv,
                                       "bmp"sv, "tif"sv,  "tiff"sv, "webp"sv};
  const std::string extension = extension_of(path);
  return std::find(names.begin(), names.end(), extension) != names.end();
}

std::string encode_picture(std::string_view extension, const cv::Mat& bgr, int quality) {
  const std::string name =
      text::lower(extension.starts_with('.') ? extension.substr(1) : extension);
  if (name == "jpg" || name == "jpeg" || name == "jpe" || name == "jfif")
    return encode_jpeg(bgr, quality);
  if (name == "png") return encode_png(bgr);
  check_picture(bgr);
  if (name == "bmp") return bmp::encode(bgr);
  if (name == "tif" || name == "tiff") return tiff::encode(bgr);
  if (name != "webp")
    throw Error(fmt::format(
        "cannot write images as '{}': expected jpg, jpeg, png, bmp, webp, tif or tiff", name));
  if (quality < 1 || quality > 100)
    throw usage_error(fmt::format("WebP quality {} is out of range 1..100", quality));
  return webp::encode(bgr, quality);
}

void write_picture(const std::filesystem::path& path, const cv::Mat& bgr, int jpeg_quality,
                   file::Sync sync) {
  std::string bytes;
  try {
    bytes = encode_picture(extension_of(path), bgr, jpeg_quality);
  } catch (const Error& error) {
    throw Error(fmt::format("{}: {}", path.string(), error.what()), error.code());
  }
  file::write_atomically(path, bytes, sync);
}

}  // namespace yolov7
