#pragma once
// Pictures in and out of files. Decoding checks the limits in the header before memory is spent,
// goes by the content and not by the extension, and applies EXIF orientation 1–8.
#include <cstdint>
#include <filesystem>
#include <opencv2/core/mat.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "core/file.hpp"
#include "image/codec/codec_format.hpp"
#include "image/codec/file_kind.hpp"

namespace yolov7 {

struct DecodeLimits {
  std::uint64_t file_bytes = 512u << 20;
  std::uint64_t pixels = 178'956'970;  ///< width × height
  int side = 65'535;
  /// A file that ends too soon must hold this share of its rows; the others become gray. Nothing:
  /// truncated_rule() says it.
  std::optional<double> least_rows;
};

enum class PictureFormat { jpeg, png, bmp, webp, tiff, further };

struct PictureHeader {
  PictureFormat format = PictureFormat::jpeg;
  int width = 0, height = 0;  ///< after EXIF orientation
  int orientation = 1;
};

/// What decodes the images that this module does not: HEIC, AVIF, GIF, JPEG 2000 and others.
struct FurtherDecoder {
  /// 8-bit B G R, upright. Errors name `source`: unknown, corrupt, over the limits.
  cv::Mat (*decode)(std::string_view bytes, const std::string& source, const DecodeLimits& limits);
};
/// Once, at the start of the program. `decoder` is asked when the first bytes are of no format that
/// this module decodes; it throws the Error that says why there is none.
void set_further_decoder(const FurtherDecoder& (*decoder)());

/// Of those that this module decodes, by the first bytes.
std::optional<PictureFormat> picture_format(std::string_view bytes);
/// From the first bytes and the header alone; a further format is decoded for it. Errors name
/// `source`: empty, unknown format, over the limits.
PictureHeader read_picture_header(std::string_view bytes, const std::string& source,
                                  const DecodeLimits& limits = {});
/// 8-bit, 3 channels, B G R. Gray, palette, 16-bit (scaled), alpha (dropped), CMYK (converted) are
/// accepted. A corrupt picture is an Error, and so is one whose file ends too soon, except that a
/// JPEG may lack its end by DecodeLimits::least_rows.
cv::Mat decode_picture(std::string_view bytes, const std::string& source,
                       const DecodeLimits& limits = {});
/// Why the file is no image here; empty where it may be one. An image that this module decodes is
/// read under any name but that of a video, except for a TIFF that is named as a raw photograph:
/// what stands first in it is a small preview.
std::string why_unread(const std::filesystem::path& path, std::string_view bytes);
/// Besides, refuses what its name says is not read (why_unread()).
cv::Mat read_picture(const std::filesystem::path& path, const DecodeLimits& limits = {});

/// A picture that may have been decoded at a fraction of its size.
struct ReducedPicture {
  cv::Mat bgr;
  int width = 0, height = 0;  ///< of the whole picture, after EXIF orientation
  int orientation = 1;
  DecodedRows rows;  ///< not whole(): tell the user by describe()
};
/// "the end of the file is missing: 1072 of 1080 rows are decoded, the others are gray".
std::string describe(const DecodedRows& rows);
/// As read_picture(), but a JPEG is decoded at 1/2, 1/4 or 1/8 of its size where its long side
/// keeps `long_side` px: less work, and other pixels than those of decoding it whole and shrinking
/// it. Other formats are decoded whole, and with 0 all are.
ReducedPicture decode_reduced_picture(std::string_view bytes, const std::string& source,
                                      int long_side, const DecodeLimits& limits = {});
ReducedPicture read_reduced_picture(const std::filesystem::path& path, int long_side,
                                    const DecodeLimits& limits = {});
/// Whether write_picture() knows the extension; the others are read only.
bool is_writable_name(const std::filesystem::path& path);
/// Format by extension as in encode_picture(). Written atomically.
void write_picture(const std::filesystem::path& path, const cv::Mat& bgr, int jpeg_quality = 95,
                   file::Sync sync = file::Sync::now);
std::string encode_jpeg(const cv::Mat& bgr, int quality = 95);
std::string encode_png(const cv::Mat& bgr);
/// By extension, with or without dot, any case: jpg, jpeg, jpe, jfif, png, bmp, webp (lossy,
/// `quality`), tif, tiff (LZW). Errors: another extension, another type than 8-bit 3-channel,
/// quality outside 1 … 100.
std::string encode_picture(std::string_view extension, const cv::Mat& bgr, int quality = 95);

}  // namespace yolov7
