#include "tests/image/picture_fixture.hpp"

#include <gtest/gtest.h>
#include <jpeglib.h>
#include <png.h>
#include <tiffio.h>

#include <csetjmp>
#include <cstdio>
#include <cstdlib>
#include <opencv2/core.hpp>

#include "core/error.hpp"
#include "image/codec/codec.hpp"
#include "image/codec/tiff_memory.hpp"

namespace yolov7::fixture {

cv::Mat gradient(int width, int height) {
  cv::Mat picture(height, width, CV_8UC3);
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      picture.at<cv::Vec3b>(y, x) = cv::Vec3b(
          static_cast<uchar>(40 + 160 * x / width), static_cast<uchar>(30 + 180 * y / height),
          static_cast<uchar>(200 - 90 * (x + y) / (width + height)));
  return picture;
}

cv::Mat numbered(int width, int height) {
  cv::Mat picture(height, width, CV_8UC3);
  for (int i = 0; i < width * height; ++i)
    picture.at<cv::Vec3b>(i / width, i % width) =
        cv::Vec3b(static_cast<uchar>(i), static_cast<uchar>(i >> 8), static_cast<uchar>(255 - i));
  return picture;
}

std::string little(std::uint64_t value, int bytes) {
  std::string text;
  for (int k = 0; k < bytes; ++k) text += static_cast<char>(value >> (8 * k) & 0xff);
  return text;
}
std::string big(std::uint64_t value, int bytes) {
  std::string text = little(value, bytes);
  return {text.rbegin(), text.rend()};
}

std::string exif_block(int orientation, bool big_endian) {
  const auto n = big_endian ? big : little;
  const auto value = static_cast<std::uint64_t>(orientation);
  return (big_endian ? "MM" : "II") + n(42, 2) + n(8, 4) + n(2, 2)  // two entries
         + n(0x0100, 2) + n(4, 2) + n(1, 4) + n(77, 4)              // width, a LONG
         + n(0x0112, 2) + n(3, 2) + n(1, 4) + n(value, 2) + n(0, 2) +
         n(0, 4);  // orientation, a SHORT
}

std::string jpeg_with_exif(const std::string& jpeg, const std::string& block) {
  const std::string data = std::string("Exif\0\0", 6) + block;
  return jpeg.substr(0, 2) + "\xff\xe1" + big(data.size() + 2, 2) + data + jpeg.substr(2);
}

std::string jpeg_of(const cv::Mat& samples, const JpegOptions& options) {
  jpeg_compress_struct info{};
  jpeg_error_mgr errors{};
  info.err = jpeg_std_error(&errors);
  jpeg_create_compress(&info);
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&info, &bytes, &size);
  info.image_width = static_cast<unsigned>(samples.cols);
  info.image_height = static_cast<unsigned>(samples.rows);
  info.input_components = options.components;
  info.in_color_space = options.components == 1   ? JCS_GRAYSCALE
                        : options.components == 3 ? JCS_EXT_BGR
                                                  : JCS_CMYK;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, 100, TRUE);
  if (options.ycck) jpeg_set_colorspace(&info, JCS_YCCK);
  if (options.components == 4 && !options.adobe_marker) info.write_Adobe_marker = FALSE;
  if (options.progressive) jpeg_simple_progression(&info);
  if (options.full_colour) info.comp_info[0].h_samp_factor = info.comp_info[0].v_samp_factor = 1;
  jpeg_scan_info scans[3]{};
  if (options.separate_scans) {
    for (int c = 0; c < 3; ++c) scans[c] = {1, {c, 0, 0, 0}, 0, 63, 0, 0};
    info.scan_info = scans;
    info.num_scans = 3;
  }
  info.arith_code = options.arithmetic;
  info.restart_in_rows = options.restart_rows;
  jpeg_start_compress(&info, TRUE);
  while (info.next_scanline < info.image_height) {
    auto* row = const_cast<unsigned char*>(samples.ptr(static_cast<int>(info.next_scanline)));
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  jpeg_destroy_compress(&info);
  std::string result(reinterpret_cast<char*>(bytes), size);
  std::free(bytes);
  return result;
}

namespace {
void append(png_structp png, png_bytep data, std::size_t count) {
  static_cast<std::string*>(png_get_io_ptr(png))->append(reinterpret_cast<char*>(data), count);
}
}  // namespace

std::string png_of(int width, int height, const std::vector<std::string>& rows,
                   const PngOptions& options) {
  std::string bytes;
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  if (setjmp(png_jmpbuf(png))) {
    ADD_FAILURE() << "libpng could not write the fixture";
    return bytes;
  }
  png_set_write_fn(png, &bytes, append, [](png_structp) {});
  png_set_IHDR(png, info, static_cast<unsigned>(width), static_cast<unsigned>(height), options.bits,
               options.colour_type, options.interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  if (!options.palette_rgb.empty())
    png_set_PLTE(png, info, reinterpret_cast<png_const_colorp>(options.palette_rgb.data()),
                 static_cast<int>(options.palette_rgb.size() / 3));
  if (!options.exif.empty())
    png_set_eXIf_1(png, info, static_cast<unsigned>(options.exif.size()),
                   reinterpret_cast<png_bytep>(const_cast<char*>(options.exif.data())));
  png_write_info(png, info);
  std::vector<png_bytep> pointers;
  for (const std::string& row : rows)
    pointers.push_back(reinterpret_cast<png_bytep>(const_cast<char*>(row.data())));
  png_write_image(png, pointers.data());
  png_write_end(png, info);
  png_destroy_write_struct(&png, &info);
  return bytes;
}

namespace {

void set_tags(TIFF* tif, int width, int height, const TiffOptions& o) {
  TIFFSetField(tif, TIFFTAG_IMAGEWIDTH, width);
  TIFFSetField(tif, TIFFTAG_IMAGELENGTH, height);
  TIFFSetField(tif, TIFFTAG_BITSPERSAMPLE, o.bits);
  TIFFSetField(tif, TIFFTAG_SAMPLESPERPIXEL, o.samples);
  TIFFSetField(tif, TIFFTAG_PHOTOMETRIC, o.photometric);
  TIFFSetField(tif, TIFFTAG_COMPRESSION, o.compression);
  TIFFSetField(tif, TIFFTAG_PLANARCONFIG, o.planar);
  TIFFSetField(tif, TIFFTAG_SAMPLEFORMAT, o.sample_format);
  if (o.orientation) TIFFSetField(tif, TIFFTAG_ORIENTATION, o.orientation);
  if (o.preview) TIFFSetField(tif, TIFFTAG_SUBFILETYPE, FILETYPE_REDUCEDIMAGE);
  const std::uint8_t version[4] = {1, 4, 0, 0};
  if (o.dng) TIFFSetField(tif, TIFFTAG_DNGVERSION, version);
  if (!o.palette.empty()) {
    const std::size_t third = o.palette.size() / 3;
    TIFFSetField(tif, TIFFTAG_COLORMAP, o.palette.data(), o.palette.data() + third,
                 o.palette.data() + 2 * third);
  }
  const int colours = o.photometric == PHOTOMETRIC_RGB         ? 3
                      : o.photometric == PHOTOMETRIC_SEPARATED ? 4
                                                               : 1;
  if (o.samples > colours) {
    const std::vector<std::uint16_t> extra(static_cast<std::size_t>(o.samples - colours),
                                           EXTRASAMPLE_UNASSALPHA);
    TIFFSetField(tif, TIFFTAG_EXTRASAMPLES, static_cast<int>(extra.size()), extra.data());
  }
  if (o.tile) {
    TIFFSetField(tif, TIFFTAG_TILEWIDTH, o.tile);
    TIFFSetField(tif, TIFFTAG_TILELENGTH, o.tile);
  } else {
    TIFFSetField(tif, TIFFTAG_ROWSPERSTRIP, 5);
  }
}

// Sample (x, y, s) of `pixels` to its place in a strip or tile of `columns` pixels.
std::string piece(const std::string& pixels, int width, int height, const TiffOptions& o, int x0,
                  int y0, int columns, int lines, int plane) {
  const int bytes = o.bits / 8, samples = o.planar == PLANARCONFIG_CONTIG ? o.samples : 1;
  std::string out(static_cast<std::size_t>(columns * lines * samples * bytes), '\0');
  for (int y = 0; y < lines && y0 + y < height; ++y)
    for (int x = 0; x < columns && x0 + x < width; ++x)
      for (int s = 0; s < samples; ++s)
        for (int b = 0; b < bytes; ++b) {
          const int from = (((y0 + y) * width + x0 + x) * o.samples + s + plane) * bytes + b;
          out[static_cast<std::size_t>(((y * columns + x) * samples + s) * bytes + b)] =
              pixels[static_cast<std::size_t>(from)];
        }
  return out;
}

}  // namespace

std::string tiff_of(int width, int height, const std::string& pixels, const TiffOptions& o) {
  std::string bytes;
  TiffMemory memory(&bytes);
  TIFF* tif = memory.get();
  set_tags(tif, width, height, o);
  const int planes = o.planar == PLANARCONFIG_CONTIG ? 1 : o.samples;
  if (o.bits < 8) {
    const std::size_t line = (static_cast<std::size_t>(width * o.samples * o.bits) + 7) / 8;
    for (int y = 0; y < height; ++y) {
      std::string row = pixels.substr(static_cast<std::size_t>(y) * line, line);
      TIFFWriteScanline(tif, row.data(), static_cast<unsigned>(y), 0);
    }
  } else if (o.tile) {
    for (int plane = 0; plane < planes; ++plane)
      for (int y = 0; y < height; y += o.tile)
        for (int x = 0; x < width; x += o.tile) {
          std::string data = piece(pixels, width, height, o, x, y, o.tile, o.tile, plane);
          TIFFWriteTile(tif, data.data(), static_cast<unsigned>(x), static_cast<unsigned>(y), 0,
                        static_cast<std::uint16_t>(plane));
        }
  } else {
    for (int plane = 0; plane < planes; ++plane)
      for (int y = 0; y < height; ++y) {
        std::string data = piece(pixels, width, height, o, 0, y, width, 1, plane);
        TIFFWriteScanline(tif, data.data(), static_cast<unsigned>(y),
                          static_cast<std::uint16_t>(plane));
      }
  }
  memory.close();
  EXPECT_EQ(memory.error(), "");
  return bytes;
}

std::string riff_chunk(std::string_view name, const std::string& data) {
  return std::string(name) + little(data.size(), 4) + data + std::string(data.size() & 1, '\0');
}
std::string webp_of(const std::string& chunks) {
  return "RIFF" + little(chunks.size() + 4, 4) + "WEBP" + chunks;
}
std::string vp8x(int flags, int width, int height) {
  return riff_chunk("VP8X", little(static_cast<unsigned>(flags), 4) +
                                little(static_cast<unsigned>(width - 1), 3) +
                                little(static_cast<unsigned>(height - 1), 3));
}

std::string bmp_of(int width, int height, const std::vector<std::string>& rows,
                   const BmpOptions& o) {
  std::string pixels;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::string& row = rows[o.top_down ? i : rows.size() - 1 - i];
    pixels += row + std::string((4 - row.size() % 4) % 4, '\0');
  }
  const bool masks_inside = o.header > 40;
  const std::string behind = (masks_inside ? std::string() : o.masks) + o.palette;
  const std::size_t at = 14 + static_cast<std::size_t>(o.header) + behind.size();
  std::string header = "BM" + little(at + pixels.size(), 4) + little(0, 4) + little(at, 4);
  const auto w = static_cast<unsigned>(width),
             h = static_cast<unsigned>(o.top_down ? -height : height);
  const auto bits = static_cast<unsigned>(o.bits);
  if (o.header == 12)
    header += little(12, 4) + little(w, 2) + little(h, 2) + little(1, 2) + little(bits, 2);
  else
    header += little(static_cast<unsigned>(o.header), 4) + little(w, 4) + little(h, 4) +
              little(1, 2) + little(bits, 2) + little(static_cast<unsigned>(o.compression), 4) +
              little(pixels.size(), 4) + std::string(16, '\0');
  if (masks_inside)
    header += o.masks + std::string(static_cast<std::size_t>(o.header) - 40 - o.masks.size(), '\0');
  return header + behind + pixels;
}

std::string decode_error(std::string_view bytes) {
  try {
    decode_picture(bytes, "p");
  } catch (const Error& error) {
    return error.what();
  }
  ADD_FAILURE() << "decoding gave an image, expected an Error";
  return {};
}

}  // namespace yolov7::fixture
