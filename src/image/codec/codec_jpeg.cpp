#include "image/codec/codec_jpeg.hpp"

#include <fmt/format.h>
#include <jerror.h>
#include <jpeglib.h>

#include <algorithm>
#include <csetjmp>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <opencv2/core.hpp>
#include <vector>

#include "image/codec/exif.hpp"

namespace yolov7::jpeg {
namespace {

// libjpeg reports through callbacks that must not return. They jump back into the function that
// called setjmp; between that call and the jump no C++ object with a destructor may live in its
// frame.
struct Failure {
  jpeg_error_mgr manager{};
  std::jmp_buf jump;
  char text[JMSG_LENGTH_MAX] = {};
  bool rows_begun = false;    // from here on a file may end too soon
  bool source_ended = false;  // libjpeg asked for bytes behind the last one
  int groups = -1;  // MCU rows that were decoded before bits were missing; -1: none are missing
};

[[noreturn]] void fail(j_common_ptr info) {
  auto* failure = reinterpret_cast<Failure*>(info->err);
  failure->manager.format_message(info, failure->text);
  std::longjmp(failure->jump, 1);
}

// Warnings after which the pixels are as meant.
bool harmless(int code) {
  return code == JWRN_EXTRANEOUS_DATA || code == JWRN_ADOBE_XFORM || code == JWRN_JFIF_MAJOR ||
         code == JWRN_BOGUS_ICC;
}

// Whether the scans so far, the present one included, give every bit of every coefficient.
bool has_every_scan(const jpeg_decompress_struct& info) {
  for (int c = 0; c < info.num_components; ++c) {
    if (info.comp_info[c].quant_table == nullptr)
      return false;                           // latched at a component's first scan
    if (info.coef_bits == nullptr) continue;  // not progressive
    for (int k = 0; k < DCTSIZE2; ++k)
      if (info.coef_bits[c][k] != 0) return false;
  }
  return true;
}

void note_missing(const jpeg_decompress_struct& info, Failure& failure) {
  if (failure.groups < 0)
    failure.groups = has_every_scan(info) ? static_cast<int>(info.input_iMCU_row) : 0;
}

// Whether a warning tells of nothing but a file that ends too soon. libjpeg says JWRN_JPEG_EOF when
// it asks for bytes behind the last one, which may be read-ahead, and puts an end marker there.
// That bits are missing it says by JWRN_HIT_MARKER, or by JWRN_MUST_RESYNC where a restart marker
// is due; what follows comes of the missing bits.
bool tells_of_the_end(jpeg_decompress_struct& info, Failure& failure) {
  if (!failure.rows_begun) return false;
  const int code = info.err->msg_code;
  if (code == JWRN_JPEG_EOF) {
    failure.source_ended = true;
    // The arithmetic decoder puts zeros for missing bytes without a word.
    if (info.arith_code && info.input_iMCU_row < info.total_iMCU_rows) note_missing(info, failure);
    return true;
  }
  if (failure.source_ended && info.unread_marker == JPEG_EOI &&
      (code == JWRN_HIT_MARKER || code == JWRN_MUST_RESYNC))
    note_missing(info, failure);
  return failure.groups >= 0;
}

// libjpeg would fill what does not decode with gray; here it is an error.
void on_message(j_common_ptr info, int level) {
  if (level >= 0 || harmless(info->err->msg_code)) return;
  auto* failure = reinterpret_cast<Failure*>(info->err);
  if (!info->is_decompressor ||
      !tells_of_the_end(*reinterpret_cast<jpeg_decompress_struct*>(info), *failure))
    fail(info);
}

jpeg_error_mgr* prepare(Failure& failure) {
  jpeg_std_error(&failure.manager);
  failure.manager.error_exit = fail;
  failure.manager.emit_message = on_message;
  return &failure.manager;
}

struct Decompressor {
  jpeg_decompress_struct info{};
  Failure failure;
  Decompressor() { info.err = prepare(failure); }
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;
  ~Decompressor() { jpeg_destroy_decompress(&info); }
};

// Some programs reserve a file's place with zeros. They would decode as picture data.
std::string_view without_padding(std::string_view bytes) {
  constexpr std::size_t least = 16;
  const std::size_t last = bytes.find_last_not_of('\0');
  const std::size_t size = last == std::string_view::npos ? 0 : last + 1;
  return bytes.size() - size >= least ? bytes.substr(0, size) : bytes;
}

bool open(Decompressor& d, std::string_view bytes) {
  if (setjmp(d.failure.jump)) return false;
  jpeg_create_decompress(&d.info);
  jpeg_mem_src(&d.info, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  jpeg_save_markers(&d.info, JPEG_APP0 + 1, 0xFFFF);
  jpeg_read_header(&d.info, TRUE);
  return true;
}

// Sets info.output_width and output_height.
bool reduce(Decompressor& d, int denominator) {
  if (setjmp(d.failure.jump)) return false;
  d.info.scale_num = 1;
  d.info.scale_denom = static_cast<unsigned>(denominator);
  jpeg_calc_output_dimensions(&d.info);
  return true;
}

// `rows` has one pointer per line of the picture.
bool read_rows(Decompressor& d, J_COLOR_SPACE space, unsigned char** rows) {
  if (setjmp(d.failure.jump)) return false;
  d.failure.rows_begun = true;
  d.info.out_color_space = space;
  jpeg_start_decompress(&d.info);
  while (d.info.output_scanline < d.info.output_height)
    jpeg_read_scanlines(&d.info, rows + d.info.output_scanline,
                        d.info.output_height - d.info.output_scanline);
  // All scans were read by now if there are several.
  if (d.failure.source_ended && !has_every_scan(d.info)) d.failure.groups = 0;
  jpeg_finish_decompress(&d.info);
  return true;
}

// Samples of one unit of decoding, which is a row of blocks of each component.
unsigned block_side(const jpeg_decompress_struct& info) {
#if JPEG_LIB_VERSION >= 70
  return static_cast<unsigned>(info.min_DCT_v_scaled_size);
#else
  return static_cast<unsigned>(info.min_DCT_scaled_size);
#endif
}

struct BlockSize {
  unsigned width, height;
};

BlockSize block_of(const jpeg_component_info& component) {
#if JPEG_LIB_VERSION >= 70
  return {static_cast<unsigned>(component.DCT_h_scaled_size),
          static_cast<unsigned>(component.DCT_v_scaled_size)};
#else
  return {static_cast<unsigned>(component.DCT_scaled_size),
          static_cast<unsigned>(component.DCT_scaled_size)};
#endif
}

// The bottom and right blocks of a plane are whole, and so is its last MCU row.
cv::Mat padded_plane(const Decompressor& d, const jpeg_component_info& component) {
  const BlockSize block = block_of(component);
  const unsigned group = static_cast<unsigned>(component.v_samp_factor) * block.height;
  return cv::Mat(static_cast<int>(d.info.total_iMCU_rows * group),
                 static_cast<int>(component.width_in_blocks * block.width), CV_8UC1);
}

// What of a padded plane is the picture's.
cv::Rect extent(const jpeg_component_info& component) {
  return {0, 0, static_cast<int>(component.downsampled_width),
          static_cast<int>(component.downsampled_height)};
}

// `rows` has for each component one pointer per line of its padded plane.
bool read_planes(Decompressor& d, unsigned char*** rows) {
  if (setjmp(d.failure.jump)) return false;
  d.failure.rows_begun = true;
  d.info.out_color_space = d.info.jpeg_color_space;
  d.info.raw_data_out = TRUE;
  jpeg_start_decompress(&d.info);
  const unsigned lines = static_cast<unsigned>(d.info.max_v_samp_factor) * block_side(d.info);
  while (d.info.output_scanline < d.info.output_height) {
    unsigned char** group[3] = {};
    for (int c = 0; c < d.info.num_components; ++c) {
      const jpeg_component_info& component = d.info.comp_info[c];
      const unsigned height =
          static_cast<unsigned>(component.v_samp_factor) * block_of(component).height;
      group[c] = rows[c] + d.info.output_scanline / lines * height;
    }
    jpeg_read_raw_data(&d.info, group, lines);
  }
  if (d.failure.source_ended && !has_every_scan(d.info)) d.failure.groups = 0;
  jpeg_finish_decompress(&d.info);
  return true;
}

// Of `height` rows those above the first MCU row with missing bits, at `rows_per_block` rows per
// block. Where colours have fewer rows the last one is mixed with the next MCU row's.
int decoded_rows(const Decompressor& d, int rows_per_block, int height) {
  const int groups = d.failure.groups;
  if (groups < 0) return height;
  const int mixed = d.info.max_v_samp_factor > 1 && groups > 0 ? 1 : 0;
  return std::min(groups * d.info.max_v_samp_factor * rows_per_block - mixed, height);
}

void open_or_throw(Decompressor& d, std::string_view bytes, const std::string& source) {
  if (!open(d, without_padding(bytes)))
    picture_error(source, fmt::format("truncated or corrupt JPEG: {}", d.failure.text));
}

std::vector<unsigned char*> row_pointers(const cv::Mat& picture) {
  std::vector<unsigned char*> rows(static_cast<std::size_t>(picture.rows));
  for (int y = 0; y < picture.rows; ++y)
    rows[static_cast<std::size_t>(y)] = const_cast<unsigned char*>(picture.ptr(y));
  return rows;
}

// Ink to light: R = (1 − C)(1 − K), likewise G and B; `inverted` means that 255 − ink is stored.
cv::Mat bgr_from_cmyk(const cv::Mat& cmyk, bool inverted) {
  cv::Mat bgr(cmyk.size(), CV_8UC3);
  const unsigned flip = inverted ? 0 : 255;
  for (int y = 0; y < cmyk.rows; ++y) {
    const auto* in = cmyk.ptr<cv::Vec4b>(y);
    auto* out = bgr.ptr<cv::Vec3b>(y);
    for (int x = 0; x < cmyk.cols; ++x) {
      const unsigned light = in[x][3] ^ flip;
      for (int k = 0; k < 3; ++k) {
        const unsigned value = ((in[x][k] ^ flip) * light + 127) / 255;
        out[x][2 - k] = static_cast<unsigned char>(value);
      }
    }
  }
  return bgr;
}

struct Compressor {
  jpeg_compress_struct info{};
  Failure failure;
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
  Compressor() { info.err = prepare(failure); }
  Compressor(const Compressor&) = delete;
  Compressor& operator=(const Compressor&) = delete;
  ~Compressor() {
    jpeg_destroy_compress(&info);
    std::free(bytes);
  }
};

bool write_rows(Compressor& c, unsigned width, unsigned height, int quality, unsigned char** rows) {
  if (setjmp(c.failure.jump)) return false;
  jpeg_create_compress(&c.info);
  jpeg_mem_dest(&c.info, &c.bytes, &c.size);
  c.info.image_width = width;
  c.info.image_height = height;
  c.info.input_components = 3;
  c.info.in_color_space = JCS_EXT_BGR;
  jpeg_set_defaults(&c.info);  // 4:2:0
  jpeg_set_quality(&c.info, quality, TRUE);
  jpeg_start_compress(&c.info, TRUE);
  while (c.info.next_scanline < c.info.image_height)
    jpeg_write_scanlines(&c.info, rows + c.info.next_scanline,
                         c.info.image_height - c.info.next_scanline);
  jpeg_finish_compress(&c.info);
  return true;
}

}  // namespace

StoredHeader read_header(std::string_view bytes, const std::string& source) {
  Decompressor d;
  open_or_throw(d, bytes, source);
  StoredHeader header;
  header.width = d.info.image_width;
  header.height = d.info.image_height;
  for (const jpeg_marker_struct* marker = d.info.marker_list; marker; marker = marker->next) {
    const std::string_view data(reinterpret_cast<const char*>(marker->data), marker->data_length);
    if (!data.starts_with(std::string_view("Exif\0\0", 6))) continue;
    header.orientation = exif_orientation(data);
    break;
  }
  return header;
}

StoredPicture decode(std::string_view bytes, const std::string& source) {
  return decode_reduced(bytes, source, 1);
}

StoredPicture decode_reduced(std::string_view bytes, const std::string& source, int denominator) {
  Decompressor d;
  open_or_throw(d, bytes, source);
  const J_COLOR_SPACE stored = d.info.jpeg_color_space;
  if (stored == JCS_UNKNOWN)
    picture_error(source, fmt::format("JPEG with {} components is not supported (1, 3 or 4)",
                                      d.info.num_components));
  const bool ink = stored == JCS_CMYK || stored == JCS_YCCK;
  if (!reduce(d, denominator))
    picture_error(source, fmt::format("truncated or corrupt JPEG: {}", d.failure.text));
  cv::Mat picture(static_cast<int>(d.info.output_height), static_cast<int>(d.info.output_width),
                  ink ? CV_8UC4 : CV_8UC3);
  std::vector<unsigned char*> rows = row_pointers(picture);
  if (!read_rows(d, ink ? JCS_CMYK : JCS_EXT_BGR, rows.data()))
    picture_error(source, fmt::format("truncated or corrupt JPEG: {}", d.failure.text));
  if (ink) picture = bgr_from_cmyk(picture, d.info.saw_Adobe_marker);
  if (!d.failure.source_ended) return {picture, {}};
  const int decoded = decoded_rows(d, DCTSIZE / denominator, picture.rows);
  picture.rowRange(decoded, picture.rows).setTo(cv::Scalar::all(114));
  const int height = static_cast<int>(d.info.image_height);
  return {picture, {decoded_rows(d, DCTSIZE, height), height}};
}

std::optional<StoredPlanes> decode_planes(std::string_view bytes, const std::string& source,
                                          int denominator) {
  Decompressor d;
  open_or_throw(d, bytes, source);
  const J_COLOR_SPACE stored = d.info.jpeg_color_space;
  if (stored != JCS_YCbCr && stored != JCS_GRAYSCALE) return std::nullopt;
  if (!reduce(d, denominator))
    picture_error(source, fmt::format("truncated or corrupt JPEG: {}", d.failure.text));
  std::vector<cv::Mat> planes;
  std::vector<cv::Rect> extents;  // now: libjpeg frees its components when it has finished
  std::vector<std::vector<unsigned char*>> lines;
  std::vector<unsigned char**> rows;
  for (int c = 0; c < d.info.num_components; ++c) {
    planes.push_back(padded_plane(d, d.info.comp_info[c]));
    extents.push_back(extent(d.info.comp_info[c]));
    lines.push_back(row_pointers(planes.back()));
  }
  for (auto& one : lines) rows.push_back(one.data());
  if (!read_planes(d, rows.data()))
    picture_error(source, fmt::format("truncated or corrupt JPEG: {}", d.failure.text));
  for (std::size_t c = 0; c < planes.size(); ++c) planes[c] = planes[c](extents[c]);
  StoredPlanes result{planes[0], {}, {}, {}};
  if (planes.size() == 3) result.blue = planes[1], result.red = planes[2];
  if (!d.failure.source_ended) return result;
  const int height = static_cast<int>(d.info.image_height);
  result.rows = {decoded_rows(d, DCTSIZE, height), height};
  for (std::size_t c = 0; c < planes.size(); ++c) {
    cv::Mat& plane = planes[c];
    const int decoded =
        static_cast<int>(static_cast<std::int64_t>(plane.rows) * result.rows.decoded / height);
    plane.rowRange(decoded, plane.rows).setTo(c == 0 ? 114 : 128);
  }
  return result;
}

std::string encode(const cv::Mat& bgr, int quality) {
  Compressor c;
  std::vector<unsigned char*> rows = row_pointers(bgr);
  if (!write_rows(c, static_cast<unsigned>(bgr.cols), static_cast<unsigned>(bgr.rows), quality,
                  rows.data()))
    throw Error(
        fmt::format("cannot encode a JPEG of {} x {} px: {}", bgr.cols, bgr.rows, c.failure.text));
  return {reinterpret_cast<const char*>(c.bytes), c.size};
}

}  // namespace yolov7::jpeg
