#pragma once
// Picture files made by code: each kind that the decoder has to accept or to refuse.
#include <cstdint>
#include <opencv2/core/mat.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace yolov7::fixture {

/// Smooth and different in every corner and channel, so that lossy formats come close and turning
/// it shows.
cv::Mat gradient(int width, int height);
/// Every pixel different (up to 65,536 of them).
cv::Mat numbered(int width, int height);

std::string little(std::uint64_t value, int bytes);
std::string big(std::uint64_t value, int bytes);

/// An Exif block (without "Exif\0\0") whose first directory holds the orientation, after one other
/// entry.
std::string exif_block(int orientation, bool big_endian);
/// JPEG with an APP1 Exif segment behind SOI.
std::string jpeg_with_exif(const std::string& jpeg, const std::string& block);

struct JpegOptions {
  int components = 3;        ///< 1 gray, 3 B G R, 4 C M Y K as stored
  bool ycck = false;         ///< 4 components: as YCCK instead of CMYK
  bool adobe_marker = true;  ///< 4 components
  bool progressive = false;
  bool full_colour = false;     ///< 3 components: 4:4:4 instead of 4:2:0
  bool separate_scans = false;  ///< one scan per component, not progressive
  bool arithmetic = false;
  int restart_rows = 0;  ///< a restart marker after so many MCU rows
};
std::string jpeg_of(const cv::Mat& samples, const JpegOptions& options);

struct PngOptions {
  int colour_type = 2;  ///< 0 gray, 2 RGB, 3 palette, 4 gray and alpha, 6 RGBA
  int bits = 8;
  bool interlaced = false;
  std::vector<std::uint8_t> palette_rgb;
  std::string exif;  ///< an eXIf chunk, "" for none
};
/// `rows`: the bytes of each line as PNG stores them.
std::string png_of(int width, int height, const std::vector<std::string>& rows,
                   const PngOptions& options);

struct TiffOptions {
  int bits = 8, samples = 3, photometric = 2, compression = 1, planar = 1, sample_format = 1,
      orientation = 0, tile = 0;
  bool dng = false, preview = false;
  std::vector<std::uint16_t> palette;  ///< 3 · 2^bits values: all R, all G, all B
};
/// `pixels`: contiguous samples in native byte order, line after line (bytes per line rounded up).
std::string tiff_of(int width, int height, const std::string& pixels, const TiffOptions& options);

/// A chunk of a RIFF file, padded to an even length.
std::string riff_chunk(std::string_view name, const std::string& data);
/// RIFF … WEBP around chunks.
std::string webp_of(const std::string& chunks);
/// The VP8X chunk. Flags: 2 animation, 8 EXIF, 16 alpha.
std::string vp8x(int flags, int width, int height);

struct BmpOptions {
  int bits = 24, header = 40, compression = 0;
  bool top_down = false;
  std::string palette;  ///< entries as stored
  std::string masks;    ///< behind a header of 40 bytes, inside a longer one
};
/// `rows` from the top, unpadded.
std::string bmp_of(int width, int height, const std::vector<std::string>& rows,
                   const BmpOptions& options);

/// The message of the Error that decoding throws; fails the test and gives "" if it throws none.
std::string decode_error(std::string_view bytes);

}  // namespace yolov7::fixture
