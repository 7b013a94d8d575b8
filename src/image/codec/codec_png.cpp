#include "image/codec/codec_png.hpp"

#include <fmt/format.h>
#include <png.h>

#include <algorithm>
#include <csetjmp>
#include <cstring>
#include <opencv2/core.hpp>
#include <vector>

#include "image/codec/exif.hpp"

namespace yolov7::png {
namespace {

constexpr std::size_t signature_size = 8, chunk_overhead = 12;
constexpr int fast_compression = 3;  // of zlib's 1 … 9: speed before size

std::uint32_t big_endian(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t k = 0; k < 4; ++k)
    value = value << 8 | static_cast<unsigned char>(bytes[at + k]);
  return value;
}

// As in the JPEG module: the callbacks jump into the function that called setjmp, whose frame holds
// no C++ object with a destructor.
struct State {
  std::string_view in;
  std::string* out = nullptr;
  std::size_t at = 0;
  char text[200] = {};
};

[[noreturn]] void on_error(png_structp png, png_const_charp message) {
  auto* state = static_cast<State*>(png_get_error_ptr(png));
  std::strncpy(state->text, message, sizeof state->text - 1);
  png_longjmp(png, 1);
}
void on_warning(png_structp, png_const_charp) {}

void read_bytes(png_structp png, png_bytep to, std::size_t count) {
  auto* state = static_cast<State*>(png_get_io_ptr(png));
  if (count > state->in.size() - state->at) png_error(png, "the data end too soon");
  std::memcpy(to, state->in.data() + state->at, count);
  state->at += count;
}

void write_bytes(png_structp png, png_bytep from, std::size_t count) {
  auto* state = static_cast<State*>(png_get_io_ptr(png));
  bool done = true;
  try {
    state->out->append(reinterpret_cast<const char*>(from), count);
  } catch (const std::exception&) {
    done = false;
  }
  if (!done) png_error(png, "out of memory");
}
void flush_nothing(png_structp) {}

struct Reader {
  State state;
  png_structp png = nullptr;
  png_infop info = nullptr;
  explicit Reader(std::string_view bytes) {
    state.in = bytes;
    png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &state, on_error, on_warning);
    info = png ? png_create_info_struct(png) : nullptr;
  }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  ~Reader() { png_destroy_read_struct(&png, &info, nullptr); }
};

// Everything becomes 8-bit B G R.
bool open(Reader& r) {
  if (setjmp(png_jmpbuf(r.png))) return false;
  png_set_read_fn(r.png, &r.state, read_bytes);
  png_read_info(r.png, r.info);
  png_set_scale_16(r.png);
  png_set_expand(r.png);  // palette, 1, 2, 4 bits, transparent colour
  if (!(png_get_color_type(r.png, r.info) & PNG_COLOR_MASK_COLOR)) png_set_gray_to_rgb(r.png);
  png_set_strip_alpha(r.png);
  png_set_bgr(r.png);
  png_set_interlace_handling(r.png);
  png_read_update_info(r.png, r.info);
  return true;
}

bool read_rows(Reader& r, unsigned char** rows) {
  if (setjmp(png_jmpbuf(r.png))) return false;
  png_read_image(r.png, rows);
  png_read_end(r.png, nullptr);
  return true;
}

struct Writer {
  State state;
  png_structp png = nullptr;
  png_infop info = nullptr;
  explicit Writer(std::string& out) {
    state.out = &out;
    png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &state, on_error, on_warning);
    info = png ? png_create_info_struct(png) : nullptr;
  }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  ~Writer() { png_destroy_write_struct(&png, &info); }
};

bool write_rows(Writer& w, unsigned width, unsigned height, unsigned char** rows) {
  if (setjmp(png_jmpbuf(w.png))) return false;
  png_set_write_fn(w.png, &w.state, write_bytes, flush_nothing);
  png_set_compression_level(w.png, fast_compression);
  png_set_IHDR(w.png, w.info, width, height, 8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_write_info(w.png, w.info);
  png_set_bgr(w.png);
  png_write_image(w.png, rows);
  png_write_end(w.png, nullptr);
  return true;
}

std::vector<unsigned char*> row_pointers(const cv::Mat& picture) {
  std::vector<unsigned char*> rows(static_cast<std::size_t>(picture.rows));
  for (int y = 0; y < picture.rows; ++y)
    rows[static_cast<std::size_t>(y)] = const_cast<unsigned char*>(picture.ptr(y));
  return rows;
}

}  // namespace

StoredHeader read_header(std::string_view bytes, const std::string& source) {
  if (bytes.size() < signature_size + chunk_overhead + 13 || bytes.substr(12, 4) != "IHDR" ||
      big_endian(bytes, 8) != 13)
    picture_error(source, "truncated or corrupt PNG: no complete IHDR chunk at the start");
  StoredHeader header;
  header.width = big_endian(bytes, 16);
  header.height = big_endian(bytes, 20);
  if (header.width == 0 || header.height == 0 || header.width > 0x7fffffff ||
      header.height > 0x7fffffff)
    picture_error(source, fmt::format("corrupt PNG: size {} x {} px", header.width, header.height));
  for (std::size_t at = signature_size; bytes.size() - at >= chunk_overhead;) {
    const std::size_t length = big_endian(bytes, at);
    if (length > bytes.size() - at - chunk_overhead) break;
    if (bytes.substr(at + 4, 4) == "eXIf") {
      header.orientation = exif_orientation(bytes.substr(at + 8, length));
      break;
    }
    at += chunk_overhead + length;
  }
  return header;
}

cv::Mat decode(std::string_view bytes, const std::string& source) {
  Reader r(bytes);
  if (!r.png || !r.info) picture_error(source, "out of memory for the PNG decoder");
  if (!open(r)) picture_error(source, fmt::format("truncated or corrupt PNG: {}", r.state.text));
  const auto width = png_get_image_width(r.png, r.info),
             height = png_get_image_height(r.png, r.info);
  if (png_get_rowbytes(r.png, r.info) != std::size_t{width} * 3)
    picture_error(
        source, fmt::format("PNG: expected 3 bytes per pixel after conversion, found {} for {} px",
                            png_get_rowbytes(r.png, r.info), width));
  cv::Mat picture(static_cast<int>(height), static_cast<int>(width), CV_8UC3);
  std::vector<unsigned char*> rows = row_pointers(picture);
  if (!read_rows(r, rows.data()))
    picture_error(source, fmt::format("truncated or corrupt PNG: {}", r.state.text));
  return picture;
}

std::string encode(const cv::Mat& bgr) {
  std::string bytes;
  Writer w(bytes);
  std::vector<unsigned char*> rows = row_pointers(bgr);
  if (!w.png || !w.info ||
      !write_rows(w, static_cast<unsigned>(bgr.cols), static_cast<unsigned>(bgr.rows), rows.data()))
    throw Error(
        fmt::format("cannot encode a PNG of {} x {} px: {}", bgr.cols, bgr.rows, w.state.text));
  return bytes;
}

}  // namespace yolov7::png
