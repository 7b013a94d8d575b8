#include <gtest/gtest.h>
#include <tiffio.h>

#include <opencv2/core.hpp>

#include "image/codec/codec.hpp"
#include "tests/image/picture_fixture.hpp"

using namespace yolov7;
using fixture::decode_error;
using fixture::tiff_of;
using fixture::TiffOptions;

namespace {

constexpr int width = 21, height = 13;

// Sample s of pixel i, 16 bits.
unsigned value_of(int i, int s) { return static_cast<unsigned>(i * 997 + s * 20011) & 0xffff; }

std::string samples(int per_pixel, int bits) {
  std::string pixels;
  for (int i = 0; i < width * height; ++i)
    for (int s = 0; s < per_pixel; ++s)
      pixels +=
          bits == 16 ? fixture::little(value_of(i, s), 2) : fixture::little(value_of(i, s) >> 8, 1);
  return pixels;  // little-endian machines only, as everything here
}

int expected(int i, int s, int bits) {
  const unsigned v = value_of(i, s);
  return bits == 16 ? static_cast<int>(v * 255.0 / 65535.0 + 0.5) : static_cast<int>(v >> 8);
}

std::string describe(const TiffOptions& o) {
  return "bits " + std::to_string(o.bits) + " samples " + std::to_string(o.samples) +
         " photometric " + std::to_string(o.photometric) + " compression " +
         std::to_string(o.compression) + " planar " + std::to_string(o.planar) + " tile " +
         std::to_string(o.tile);
}

void expect_picture(const TiffOptions& o) {
  SCOPED_TRACE(describe(o));
  const cv::Mat picture =
      decode_picture(tiff_of(width, height, samples(o.samples, o.bits), o), "p");
  ASSERT_EQ(picture.size(), cv::Size(width, height));
  for (int i = 0; i < width * height; ++i) {
    const cv::Vec3b pixel = picture.at<cv::Vec3b>(i / width, i % width);
    for (int k = 0; k < 3; ++k) {
      const int stored = expected(i, o.photometric == PHOTOMETRIC_RGB ? 2 - k : 0, o.bits);
      ASSERT_EQ(pixel[k], o.photometric == PHOTOMETRIC_MINISWHITE ? 255 - stored : stored)
          << "pixel " << i << " channel " << k;
    }
  }
}

}  // namespace

TEST(CodecTiff, GrayAndColourInEveryArrangement) {
  for (const int bits : {8, 16})
    for (const int per_pixel : {1, 2, 3, 4})
      for (const int compression :
           {COMPRESSION_NONE, COMPRESSION_LZW, COMPRESSION_ADOBE_DEFLATE, COMPRESSION_PACKBITS})
        for (const int planar : {PLANARCONFIG_CONTIG, PLANARCONFIG_SEPARATE})
          for (const int tile : {0, 16}) {
            TiffOptions o;
            o.bits = bits;
            o.samples = per_pixel;
            o.compression = compression;
            o.planar = planar;
            o.tile = tile;
            o.photometric = per_pixel >= 3 ? PHOTOMETRIC_RGB : PHOTOMETRIC_MINISBLACK;
            expect_picture(o);  // 2 and 4 samples: the last is alpha, dropped
            if (per_pixel == 1) {
              o.photometric = PHOTOMETRIC_MINISWHITE;
              expect_picture(o);
            }
          }
}

TEST(CodecTiff, PaletteAndBilevel) {
  TiffOptions o;
  o.samples = 1;
  o.photometric = PHOTOMETRIC_PALETTE;
  o.palette.assign(768, 0);
  o.palette[1] = 250 * 257, o.palette[256 + 1] = 128 * 257, o.palette[512 + 1] = 7 * 257;
  const cv::Mat picture = decode_picture(tiff_of(2, 1, std::string("\x01\x00", 2), o), "p");
  EXPECT_EQ(picture.at<cv::Vec3b>(0, 0), cv::Vec3b(7, 128, 250));
  EXPECT_EQ(picture.at<cv::Vec3b>(0, 1), cv::Vec3b(0, 0, 0));
  TiffOptions bilevel;
  bilevel.bits = bilevel.samples = 1;
  bilevel.photometric = PHOTOMETRIC_MINISBLACK;
  const cv::Mat bits =
      decode_picture(tiff_of(3, 2, std::string("\x40\xa0", 2), bilevel), "p");  // 010, 101
  for (int i = 0; i < 6; ++i)
    EXPECT_EQ(bits.at<cv::Vec3b>(i / 3, i % 3), cv::Vec3b::all(i % 2 ? 255 : 0)) << i;
}

TEST(CodecTiff, Cmyk) {
  TiffOptions o;
  o.samples = 4;
  o.photometric = PHOTOMETRIC_SEPARATED;
  const cv::Mat picture = decode_picture(tiff_of(1, 1, std::string("\x37\x9b\xcd\x23", 4), o), "p");
  // Ink (55, 155, 205, 35): R = 200 · 220 / 255 = 172.5, G = 100 · 220 / 255 = 86.3, B = 50 · 220 /
  // 255 = 43.1.
  EXPECT_NEAR(picture.at<cv::Vec3b>(0, 0)[2], 172.5, 1);  // libtiff truncates
  EXPECT_NEAR(picture.at<cv::Vec3b>(0, 0)[1], 86.3, 1);
  EXPECT_NEAR(picture.at<cv::Vec3b>(0, 0)[0], 43.1, 1);
}

TEST(CodecTiff, DngOnlyWhereItIsAFinishedPicture) {
  TiffOptions o;
  o.dng = true;
  expect_picture(o);
  o.preview = true;
  EXPECT_EQ(decode_error(tiff_of(width, height, samples(3, 8), o)),
            "p: DNG whose first image is only a preview is not supported: expected a finished "
            "RGB image");
  o.preview = false;
  o.samples = 1;
  o.photometric = PHOTOMETRIC_CFA;
  EXPECT_EQ(decode_error(tiff_of(width, height, samples(1, 8), o)),
            "p: DNG with raw sensor data is not supported: expected a finished RGB image");
}

TEST(CodecTiff, RefusedByName) {
  TiffOptions o;
  o.samples = 1;
  o.bits = 16;
  o.photometric = PHOTOMETRIC_MINISBLACK;
  o.sample_format = SAMPLEFORMAT_IEEEFP;
  EXPECT_EQ(decode_error(tiff_of(width, height, samples(1, 16), o)),
            "p: TIFF with floating-point samples is not supported (unsigned integers only)");
  o.sample_format = SAMPLEFORMAT_INT;
  EXPECT_EQ(decode_error(tiff_of(width, height, samples(1, 16), o)),
            "p: TIFF with signed samples is not supported (unsigned integers only)");
}
