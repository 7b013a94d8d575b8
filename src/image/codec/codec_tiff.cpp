#include "image/codec/codec_tiff.hpp"

#include <fmt/format.h>
#include <tiffio.h>

#include <algorithm>
#include <opencv2/core.hpp>
#include <vector>

#include "image/codec/tiff_memory.hpp"

namespace yolov7::tiff {
namespace {

constexpr unsigned photometric_linear_raw = 34892;
constexpr unsigned most_samples = 16;

struct Layout {
  std::uint32_t width = 0, height = 0;
  std::uint16_t bits = 1, samples = 1, photometric = PHOTOMETRIC_MINISBLACK,
                planar = PLANARCONFIG_CONTIG, sample_format = SAMPLEFORMAT_UINT,
                orientation = ORIENTATION_TOPLEFT;
  bool dng = false, preview = false;
  bool colour() const { return photometric == PHOTOMETRIC_RGB; }
  // Gray and colour of whole bytes are read by us: libtiff's own conversion multiplies by alpha.
  bool plain() const {
    const bool gray =
        photometric == PHOTOMETRIC_MINISBLACK || photometric == PHOTOMETRIC_MINISWHITE;
    return (bits == 8 || bits == 16) && (gray || (colour() && samples >= 3));
  }
};

[[noreturn]] void corrupt(const TiffMemory& memory, const std::string& source) {
  picture_error(source, fmt::format("truncated or corrupt TIFF: {}",
                                    memory.error().empty() ? "its image data do not decode"
                                                           : memory.error()));
}

void refuse_unsupported(const Layout& layout, const std::string& source) {
  if (layout.photometric == PHOTOMETRIC_CFA || layout.photometric == photometric_linear_raw)
    picture_error(source,
                  "DNG with raw sensor data is not supported: expected a finished RGB image");
  if (layout.dng && layout.preview)
    picture_error(source,
                  "DNG whose first image is only a preview is not supported: expected a finished "
                  "RGB image");
  if (layout.sample_format != SAMPLEFORMAT_UINT && layout.sample_format != SAMPLEFORMAT_VOID)
    picture_error(
        source,
        fmt::format("TIFF with {} samples is not supported (unsigned integers only)",
                    layout.sample_format == SAMPLEFORMAT_IEEEFP ? "floating-point" : "signed"));
  if (layout.samples < 1 || layout.samples > most_samples)
    picture_error(source, fmt::format("TIFF with {} samples per pixel is not supported (1 to {})",
                                      layout.samples, most_samples));
}

Layout read_layout(const TiffMemory& memory, const std::string& source) {
  TIFF* tif = memory.get();
  if (!tif) corrupt(memory, source);
  Layout layout;
  if (!TIFFGetField(tif, TIFFTAG_IMAGEWIDTH, &layout.width) ||
      !TIFFGetField(tif, TIFFTAG_IMAGELENGTH, &layout.height))
    picture_error(source, "corrupt TIFF: no width or no height");
  TIFFGetFieldDefaulted(tif, TIFFTAG_BITSPERSAMPLE, &layout.bits);
  TIFFGetFieldDefaulted(tif, TIFFTAG_SAMPLESPERPIXEL, &layout.samples);
  TIFFGetFieldDefaulted(tif, TIFFTAG_PLANARCONFIG, &layout.planar);
  TIFFGetFieldDefaulted(tif, TIFFTAG_SAMPLEFORMAT, &layout.sample_format);
  TIFFGetFieldDefaulted(tif, TIFFTAG_ORIENTATION, &layout.orientation);
  TIFFGetField(tif, TIFFTAG_PHOTOMETRIC, &layout.photometric);
  std::uint8_t* version = nullptr;
  layout.dng = TIFFGetField(tif, TIFFTAG_DNGVERSION, &version) != 0;
  std::uint32_t kind = 0;
  layout.preview =
      TIFFGetField(tif, TIFFTAG_SUBFILETYPE, &kind) != 0 && (kind & FILETYPE_REDUCEDIMAGE) != 0;
  if (layout.width == 0 || layout.height == 0)
    picture_error(source,
                  fmt::format("corrupt TIFF: size {} x {} px", layout.width, layout.height));
  refuse_unsupported(layout, source);
  return layout;
}

// A strip or a tile: a rectangle of samples that is stored as one piece.
struct Blocks {
  std::uint32_t width = 0, height = 0;
  std::size_t bytes = 0;
  bool tiled = false;
};

Blocks blocks_of(TIFF* tif, const Layout& layout, const std::string& source) {
  Blocks blocks;
  blocks.tiled = TIFFIsTiled(tif) != 0;
  blocks.width = layout.width;
  if (blocks.tiled) {
    TIFFGetField(tif, TIFFTAG_TILEWIDTH, &blocks.width);
    TIFFGetField(tif, TIFFTAG_TILELENGTH, &blocks.height);
  } else {
    TIFFGetFieldDefaulted(tif, TIFFTAG_ROWSPERSTRIP, &blocks.height);
    blocks.height = std::min(blocks.height, layout.height);
  }
  const std::uint64_t samples = layout.planar == PLANARCONFIG_CONTIG ? layout.samples : 1u;
  const std::uint64_t area = std::uint64_t{blocks.width} * blocks.height;
  // A tile may reach over the picture's edge, but not far: this bounds what a header can make us
  // allocate.
  const std::uint64_t most =
      std::uint64_t{layout.width} * layout.height * 4 + (std::uint64_t{1} << 24);
  if (area == 0 || area > most)
    picture_error(source,
                  fmt::format("corrupt TIFF: pieces of {} x {} px", blocks.width, blocks.height));
  blocks.bytes = static_cast<std::size_t>(area * samples * (layout.bits / 8u));
  return blocks;
}

unsigned char to_8_bits(const unsigned char* sample, unsigned bits) {
  if (bits == 8) return *sample;
  std::uint16_t value;
  std::copy(sample, sample + 2,
            reinterpret_cast<unsigned char*>(&value));  // libtiff gave native byte order
  return static_cast<unsigned char>((value + 128u) / 257u);
}

// Copies the part of a block that lies in the picture. `plane` is the colour (0 R, 1 G, 2 B) of a
// block of one plane; contiguous colour copies all three.
void copy_block(const std::vector<unsigned char>& block, const Blocks& blocks, const Layout& layout,
                std::uint32_t x0, std::uint32_t y0, unsigned plane, cv::Mat& picture) {
  const bool contiguous = layout.planar == PLANARCONFIG_CONTIG;
  const std::size_t sample_bytes = layout.bits / 8u,
                    step = sample_bytes * (contiguous ? layout.samples : 1u);
  const unsigned char invert = layout.photometric == PHOTOMETRIC_MINISWHITE ? 0xff : 0;
  const std::uint32_t columns = std::min(blocks.width, layout.width - x0);
  const std::uint32_t lines = std::min(blocks.height, layout.height - y0);
  for (std::uint32_t y = 0; y < lines; ++y) {
    const unsigned char* in = block.data() + std::size_t{y} * blocks.width * step;
    auto* out = picture.ptr<cv::Vec3b>(static_cast<int>(y0 + y)) + x0;
    for (std::uint32_t x = 0; x < columns; ++x, in += step) {
      if (!layout.colour())
        out[x] = cv::Vec3b::all(static_cast<unsigned char>(to_8_bits(in, layout.bits) ^ invert));
      else if (contiguous)
        for (int k = 0; k < 3; ++k)
          out[x][2 - k] = to_8_bits(in + static_cast<std::size_t>(k) * sample_bytes, layout.bits);
      else
        out[x][static_cast<int>(2 - plane)] = to_8_bits(in, layout.bits);
    }
  }
}

bool read_block(TIFF* tif, const Blocks& blocks, const Layout& layout, std::uint32_t x,
                std::uint32_t y, unsigned plane, std::vector<unsigned char>& block) {
  const auto size = static_cast<tmsize_t>(block.size());
  const auto sample = static_cast<std::uint16_t>(plane);
  if (blocks.tiled)
    return TIFFReadEncodedTile(tif, TIFFComputeTile(tif, x, y, 0, sample), block.data(), size) ==
           size;
  const std::uint32_t lines = std::min(blocks.height, layout.height - y);
  const tmsize_t needed =
      size / static_cast<tmsize_t>(blocks.height) * static_cast<tmsize_t>(lines);
  return TIFFReadEncodedStrip(tif, TIFFComputeStrip(tif, y, sample), block.data(), needed) ==
         needed;
}

cv::Mat read_plain(const TiffMemory& memory, const Layout& layout, const std::string& source) {
  TIFF* tif = memory.get();
  const Blocks blocks = blocks_of(tif, layout, source);
  std::vector<unsigned char> block(blocks.bytes);
  cv::Mat picture(static_cast<int>(layout.height), static_cast<int>(layout.width), CV_8UC3);
  const unsigned planes = layout.planar == PLANARCONFIG_SEPARATE && layout.colour() ? 3 : 1;
  for (unsigned plane = 0; plane < planes; ++plane)
    for (std::uint64_t y = 0; y < layout.height; y += blocks.height)
      for (std::uint64_t x = 0; x < layout.width; x += blocks.width) {
        const auto x0 = static_cast<std::uint32_t>(x), y0 = static_cast<std::uint32_t>(y);
        if (!read_block(tif, blocks, layout, x0, y0, plane, block)) corrupt(memory, source);
        copy_block(block, blocks, layout, x0, y0, plane, picture);
      }
  return picture;
}

struct RgbaImage {
  TIFFRGBAImage image{};
  bool open = false;
  ~RgbaImage() {
    if (open) TIFFRGBAImageEnd(&image);
  }
};

// Palette, bilevel, 2 and 4 bits, CMYK, YCbCr, Lab: libtiff's conversion.
cv::Mat read_converted(const TiffMemory& memory, const Layout& layout, const std::string& source) {
  char reason[1024] = {};
  if (!TIFFRGBAImageOK(memory.get(), reason))
    picture_error(source, fmt::format("TIFF is not supported: {}", reason));
  RgbaImage rgba;
  rgba.open = TIFFRGBAImageBegin(&rgba.image, memory.get(), 1, reason) != 0;
  if (!rgba.open) picture_error(source, fmt::format("TIFF is not supported: {}", reason));
  rgba.image.req_orientation = rgba.image.orientation;  // stored order; we turn it ourselves
  std::vector<std::uint32_t> raster(std::size_t{layout.width} * layout.height);
  if (!TIFFRGBAImageGet(&rgba.image, raster.data(), layout.width, layout.height))
    corrupt(memory, source);
  cv::Mat picture(static_cast<int>(layout.height), static_cast<int>(layout.width), CV_8UC3);
  for (std::size_t i = 0; i < raster.size(); ++i) {
    const std::uint32_t p = raster[i];
    picture.ptr<cv::Vec3b>()[i] = {static_cast<unsigned char>(TIFFGetB(p)),
                                   static_cast<unsigned char>(TIFFGetG(p)),
                                   static_cast<unsigned char>(TIFFGetR(p))};
  }
  return picture;
}

}  // namespace

StoredHeader read_header(std::string_view bytes, const std::string& source) {
  const TiffMemory memory(bytes);
  const Layout layout = read_layout(memory, source);
  return {layout.width, layout.height,
          layout.orientation >= 1 && layout.orientation <= 8 ? layout.orientation : 1};
}

cv::Mat decode(std::string_view bytes, const std::string& source) {
  const TiffMemory memory(bytes);
  const Layout layout = read_layout(memory, source);
  cv::Mat picture =
      layout.plain() ? read_plain(memory, layout, source) : read_converted(memory, layout, source);
  if (!memory.error().empty()) corrupt(memory, source);
  return picture;
}

std::string encode(const cv::Mat& bgr) {
  std::string bytes;
  TiffMemory memory(&bytes);
  TIFF* tif = memory.get();
  bool done = tif != nullptr;
  if (done) {
    TIFFSetField(tif, TIFFTAG_IMAGEWIDTH, static_cast<std::uint32_t>(bgr.cols));
    TIFFSetField(tif, TIFFTAG_IMAGELENGTH, static_cast<std::uint32_t>(bgr.rows));
    TIFFSetField(tif, TIFFTAG_BITSPERSAMPLE, 8);
    TIFFSetField(tif, TIFFTAG_SAMPLESPERPIXEL, 3);
    TIFFSetField(tif, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_RGB);
    TIFFSetField(tif, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
    TIFFSetField(tif, TIFFTAG_COMPRESSION, COMPRESSION_LZW);
    TIFFSetField(tif, TIFFTAG_PREDICTOR, PREDICTOR_HORIZONTAL);
    TIFFSetField(tif, TIFFTAG_ROWSPERSTRIP, TIFFDefaultStripSize(tif, 0));
  }
  std::vector<cv::Vec3b> line(static_cast<std::size_t>(bgr.cols));
  for (int y = 0; y < bgr.rows && done; ++y) {
    const auto* in = bgr.ptr<cv::Vec3b>(y);
    for (int x = 0; x < bgr.cols; ++x)
      line[static_cast<std::size_t>(x)] = {in[x][2], in[x][1], in[x][0]};
    done = TIFFWriteScanline(tif, line.data(), static_cast<std::uint32_t>(y), 0) == 1;
  }
  memory.close();
  if (!done || !memory.error().empty())
    throw Error(
        fmt::format("cannot encode a TIFF of {} x {} px: {}", bgr.cols, bgr.rows, memory.error()));
  return bytes;
}

}  // namespace yolov7::tiff
