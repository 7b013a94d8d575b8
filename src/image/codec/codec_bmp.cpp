#include "image/codec/codec_bmp.hpp"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <cstring>
#include <opencv2/core.hpp>
#include <vector>

namespace yolov7::bmp {
namespace {

std::uint32_t little_endian(std::string_view bytes, std::size_t at, int count) {
  std::uint32_t value = 0;
  for (int k = count; k-- > 0;)
    value = value << 8 | static_cast<unsigned char>(bytes[at + static_cast<std::size_t>(k)]);
  return value;
}

constexpr std::size_t file_header_size = 14, core_header_size = 12, info_header_size = 40;
constexpr std::uint32_t rgb = 0, rle8 = 1, rle4 = 2, bitfields = 3;

struct Layout {
  std::uint64_t width = 0, height = 0;
  bool top_down = false;
  unsigned bits = 0;
  std::size_t pixels_at = 0;
  std::size_t palette_at = 0, palette_entry = 4, palette_count = 0;
  std::array<unsigned, 3> byte_of = {0, 1, 2};  // where B, G, R lie inside a pixel of 24 or 32 bits
  std::uint64_t row_bytes() const { return (width * bits + 31) / 32 * 4; }
};

void check_compression(std::uint32_t compression, unsigned bits, const std::string& source) {
  if (compression == rle8 || compression == rle4)
    picture_error(source, fmt::format("BMP with RLE{} compression is not supported",
                                      compression == rle8 ? 8 : 4));
  if (compression != rgb && !(compression == bitfields && bits == 32))
    picture_error(source, fmt::format("BMP with compression {} at {} bits is not supported",
                                      compression, bits));
}

void check_bits(unsigned bits, const std::string& source) {
  if (bits != 1 && bits != 4 && bits != 8 && bits != 24 && bits != 32)
    picture_error(
        source, fmt::format("BMP with {} bits per pixel is not supported (1, 4, 8, 24, 32)", bits));
}

void read_masks(std::string_view bytes, Layout& layout, const std::string& source) {
  constexpr std::size_t masks_at =
      file_header_size + info_header_size;  // R, G, B, inside or behind the header
  if (bytes.size() < masks_at + 12)
    picture_error(source, "truncated BMP: no room for the colour masks");
  for (std::size_t k = 0; k < 3; ++k) {
    const std::uint32_t mask = little_endian(bytes, masks_at + 4 * k, 4);
    const int shift = mask ? std::countr_zero(mask) : 0;
    if (shift % 8 != 0 || mask >> shift != 0xff)
      picture_error(
          source,
          fmt::format("BMP with colour mask {:#010x} is not supported (whole bytes only)", mask));
    layout.byte_of[2 - k] = static_cast<unsigned>(shift / 8);
  }
}

void read_info_header(std::string_view bytes, std::size_t size, Layout& layout,
                      const std::string& source) {
  const auto width = std::bit_cast<std::int32_t>(little_endian(bytes, 18, 4));
  const auto height = std::bit_cast<std::int32_t>(little_endian(bytes, 22, 4));
  if (width <= 0 || height == 0)
    picture_error(source, fmt::format("corrupt BMP: size {} x {} px", width, height));
  layout.width = static_cast<std::uint64_t>(width);
  layout.top_down = height < 0;
  layout.height =
      static_cast<std::uint64_t>(height < 0 ? -std::int64_t{height} : std::int64_t{height});
  layout.bits = little_endian(bytes, 28, 2);
  const std::uint32_t compression = little_endian(bytes, 30, 4);
  check_compression(compression, layout.bits, source);
  check_bits(layout.bits, source);
  layout.palette_at = file_header_size + size;
  if (compression == bitfields) {
    read_masks(bytes, layout, source);
    if (size == info_header_size) layout.palette_at += 12;
  }
  const std::uint32_t used = little_endian(bytes, 46, 4);
  if (layout.bits <= 8)
    layout.palette_count = used != 0 && used < 1u << layout.bits ? used : 1u << layout.bits;
}

Layout read_layout(std::string_view bytes, const std::string& source) {
  if (bytes.size() < file_header_size + core_header_size)
    picture_error(source, "truncated BMP: no complete header");
  const std::size_t size = little_endian(bytes, 14, 4);
  Layout layout;
  layout.pixels_at = little_endian(bytes, 10, 4);
  if (size == core_header_size) {
    layout.width = little_endian(bytes, 18, 2);
    layout.height = little_endian(bytes, 20, 2);
    layout.bits = little_endian(bytes, 24, 2);
    if (layout.width == 0 || layout.height == 0)
      picture_error(source,
                    fmt::format("corrupt BMP: size {} x {} px", layout.width, layout.height));
    check_bits(layout.bits, source);
    layout.palette_at = file_header_size + core_header_size;
    layout.palette_entry = 3;
    if (layout.bits <= 8) layout.palette_count = 1u << layout.bits;
  } else if (size >= info_header_size && size <= 1024) {
    if (bytes.size() < file_header_size + info_header_size)
      picture_error(source, "truncated BMP: no complete header");
    read_info_header(bytes, size, layout, source);
  } else {
    picture_error(source, fmt::format("BMP with a header of {} bytes is not supported", size));
  }
  return layout;
}

std::vector<cv::Vec3b> read_palette(std::string_view bytes, const Layout& layout,
                                    const std::string& source) {
  // A short palette ends where the pixels begin.
  std::size_t count = layout.palette_count;
  if (layout.pixels_at > layout.palette_at)
    count = std::min(count, (layout.pixels_at - layout.palette_at) / layout.palette_entry);
  if (bytes.size() < layout.palette_at + count * layout.palette_entry)
    picture_error(source, "truncated BMP: the palette is incomplete");
  std::vector<cv::Vec3b> palette(count);
  for (std::size_t i = 0; i < count; ++i)
    std::memcpy(palette[i].val, bytes.data() + layout.palette_at + i * layout.palette_entry, 3);
  return palette;
}

void row_from_palette(const unsigned char* in, const Layout& layout,
                      const std::vector<cv::Vec3b>& palette, cv::Vec3b* out,
                      const std::string& source) {
  const unsigned per_byte = 8 / layout.bits, mask = (1u << layout.bits) - 1;
  for (std::size_t x = 0; x < layout.width; ++x) {
    const unsigned shift = static_cast<unsigned>(per_byte - 1 - x % per_byte) *
                           layout.bits;  // leftmost in the high bits
    const unsigned index = in[x / per_byte] >> shift & mask;
    if (index >= palette.size())
      picture_error(
          source, fmt::format("corrupt BMP: colour {} of a palette of {}", index, palette.size()));
    out[x] = palette[index];
  }
}

void row_from_bytes(const unsigned char* in, const Layout& layout, cv::Vec3b* out) {
  const unsigned step = layout.bits / 8;
  for (std::size_t x = 0; x < layout.width; ++x, in += step)
    out[x] = {in[layout.byte_of[0]], in[layout.byte_of[1]], in[layout.byte_of[2]]};
}

void append(std::string& bytes, std::uint32_t value, int count) {
  for (int k = 0; k < count; ++k) bytes.push_back(static_cast<char>(value >> (8 * k) & 0xff));
}

}  // namespace

StoredHeader read_header(std::string_view bytes, const std::string& source) {
  const Layout layout = read_layout(bytes, source);
  return {layout.width, layout.height, 1};
}

cv::Mat decode(std::string_view bytes, const std::string& source) {
  const Layout layout = read_layout(bytes, source);
  const std::uint64_t needed = layout.pixels_at + layout.row_bytes() * layout.height;
  if (layout.pixels_at < layout.palette_at || needed > bytes.size())
    picture_error(source,
                  fmt::format("truncated BMP: {} bytes, expected {}", bytes.size(), needed));
  std::vector<cv::Vec3b> palette;
  if (layout.bits <= 8) palette = read_palette(bytes, layout, source);
  cv::Mat picture(static_cast<int>(layout.height), static_cast<int>(layout.width), CV_8UC3);
  for (int row = 0; row < picture.rows; ++row) {
    const auto* in = reinterpret_cast<const unsigned char*>(bytes.data()) + layout.pixels_at +
                     static_cast<std::uint64_t>(row) * layout.row_bytes();
    auto* out = picture.ptr<cv::Vec3b>(layout.top_down ? row : picture.rows - 1 - row);
    if (layout.bits <= 8)
      row_from_palette(in, layout, palette, out, source);
    else
      row_from_bytes(in, layout, out);
  }
  return picture;
}

std::string encode(const cv::Mat& bgr) {
  const std::uint64_t row_bytes = (static_cast<std::uint64_t>(bgr.cols) * 3 + 3) / 4 * 4;
  const std::uint64_t size =
      row_bytes * static_cast<std::uint64_t>(bgr.rows) + file_header_size + info_header_size;
  if (size > 0xffffffffu)
    throw Error(fmt::format("cannot encode a BMP of {} x {} px: over 4 GiB", bgr.cols, bgr.rows));
  std::string bytes = "BM";
  bytes.reserve(size);
  append(bytes, static_cast<std::uint32_t>(size), 4);
  append(bytes, 0, 4);
  append(bytes, file_header_size + info_header_size, 4);
  append(bytes, info_header_size, 4);
  append(bytes, static_cast<std::uint32_t>(bgr.cols), 4);
  append(bytes, static_cast<std::uint32_t>(bgr.rows), 4);  // positive: bottom-up
  append(bytes, 1, 2);
  append(bytes, 24, 2);
  for (int k = 0; k < 6; ++k) append(bytes, 0, 4);  // uncompressed; the rest may be 0
  for (int row = bgr.rows; row-- > 0;) {
    bytes.append(reinterpret_cast<const char*>(bgr.ptr(row)),
                 static_cast<std::size_t>(bgr.cols) * 3);
    bytes.append(row_bytes - static_cast<std::uint64_t>(bgr.cols) * 3, '\0');
  }
  return bytes;
}

}  // namespace yolov7::bmp
