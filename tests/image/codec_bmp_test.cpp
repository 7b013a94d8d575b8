#include <gtest/gtest.h>

#include <opencv2/core.hpp>

#include "image/codec/codec.hpp"
#include "tests/image/picture_fixture.hpp"

using namespace yolov7;
using fixture::bmp_of;
using fixture::BmpOptions;
using fixture::decode_error;

namespace {

using namespace std::string_literals;

const std::string palette4 =
    "\x01\x02\x03\x00\xfa\x80\x07\x00\x0a\x14\x1e\x00"s;  // B G R and a filler
const cv::Vec3b colours[] = {{1, 2, 3}, {250, 128, 7}, {10, 20, 30}};

BmpOptions bits(int count, bool top_down = false) {
  BmpOptions options;
  options.bits = count;
  options.top_down = top_down;
  return options;
}

void expect_pixels(const std::string& bytes, const std::vector<std::vector<cv::Vec3b>>& rows) {
  const cv::Mat picture = decode_picture(bytes, "p");
  ASSERT_EQ(picture.rows, static_cast<int>(rows.size()));
  ASSERT_EQ(picture.cols, static_cast<int>(rows[0].size()));
  for (int y = 0; y < picture.rows; ++y)
    for (int x = 0; x < picture.cols; ++x)
      EXPECT_EQ(picture.at<cv::Vec3b>(y, x),
                rows[static_cast<std::size_t>(y)][static_cast<std::size_t>(x)])
          << y << ' ' << x;
}

}  // namespace

TEST(CodecBmp, PaletteOf1And4And8Bits) {
  for (const bool top_down : {false, true}) {
    BmpOptions options = bits(8, top_down);
    options.palette = palette4;
    expect_pixels(bmp_of(3, 2, {"\x00\x01\x02"s, "\x02\x02\x00"s}, options),
                  {{colours[0], colours[1], colours[2]}, {colours[2], colours[2], colours[0]}});
    options = bits(4, top_down);
    options.palette = palette4;
    expect_pixels(bmp_of(3, 2, {"\x01\x20"s, "\x22\x00"s}, options),
                  {{colours[0], colours[1], colours[2]}, {colours[2], colours[2], colours[0]}});
    options = bits(1, top_down);
    options.palette = palette4.substr(0, 8);
    // 0101 0101 01 and 1000 0000 00
    const std::vector<cv::Vec3b> alternating = {colours[0], colours[1], colours[0], colours[1],
                                                colours[0], colours[1], colours[0], colours[1],
                                                colours[0], colours[1]};
    std::vector<cv::Vec3b> one_set(10, colours[0]);
    one_set[0] = colours[1];
    expect_pixels(bmp_of(10, 2, {"\x55\x40"s, "\x80\x00"s}, options), {alternating, one_set});
  }
}

TEST(CodecBmp, Direct24And32Bits) {
  for (const bool top_down : {false, true}) {
    expect_pixels(bmp_of(2, 2, {"\x01\x02\x03\x04\x05\x06"s, "\x07\x08\x09\x0a\x0b\x0c"s},
                         bits(24, top_down)),
                  {{{1, 2, 3}, {4, 5, 6}}, {{7, 8, 9}, {10, 11, 12}}});
    expect_pixels(bmp_of(1, 2, {"\x01\x02\x03\xff"s, "\x04\x05\x06\x00"s}, bits(32, top_down)),
                  {{{1, 2, 3}}, {{4, 5, 6}}});
  }
}

TEST(CodecBmp, MasksOfWholeBytes) {
  // R in byte 0, G in byte 1, B in byte 2: the pixel 1 2 3 is R 1, G 2, B 3.
  for (const int header : {40, 56, 108, 124}) {
    BmpOptions options = bits(32);
    options.header = header;
    options.compression = 3;
    options.masks = "\xff\x00\x00\x00\x00\xff\x00\x00\x00\x00\xff\x00"s;
    expect_pixels(bmp_of(1, 1, {"\x01\x02\x03\x04"s}, options), {{{3, 2, 1}}});
    options.masks = "\x00\xf8\x00\x00\xe0\x07\x00\x00\x1f\x00\x00\x00"s;
    EXPECT_EQ(decode_error(bmp_of(1, 1, {"\x01\x02\x03\x04"s}, options)),
              "p: BMP with colour mask 0x0000f800 is not supported (whole bytes only)");
  }
}

TEST(CodecBmp, OldAndLongHeaders) {
  BmpOptions options = bits(24);
  options.header = 12;
  expect_pixels(bmp_of(1, 2, {"\x01\x02\x03"s, "\x04\x05\x06"s}, options),
                {{{1, 2, 3}}, {{4, 5, 6}}});
  options = bits(1);
  options.header = 12;
  options.palette = "\x01\x02\x03\xfa\x80\x07"s;  // three bytes per colour
  expect_pixels(bmp_of(2, 1, {"\x40"s}, options), {{colours[0], colours[1]}});
  options = bits(24);
  options.header = 124;
  expect_pixels(bmp_of(1, 1, {"\x01\x02\x03"s}, options), {{{1, 2, 3}}});
}

TEST(CodecBmp, RefusedByName) {
  BmpOptions options = bits(8);
  options.palette = palette4;
  options.compression = 1;
  EXPECT_EQ(decode_error(bmp_of(3, 1, {"\x00\x01\x02"s}, options)),
            "p: BMP with RLE8 compression is not supported");
  options.compression = 2;
  EXPECT_EQ(decode_error(bmp_of(3, 1, {"\x00\x01\x02"s}, options)),
            "p: BMP with RLE4 compression is not supported");
  options.compression = 4;
  EXPECT_EQ(decode_error(bmp_of(3, 1, {"\x00\x01\x02"s}, options)),
            "p: BMP with compression 4 at 8 bits is not supported");
  EXPECT_EQ(decode_error(bmp_of(1, 1, {"\x01\x02"s}, bits(16))),
            "p: BMP with 16 bits per pixel is not supported (1, 4, 8, 24, 32)");
  options = bits(24);
  options.header = 12;
  std::string strange = bmp_of(1, 1, {"\x01\x02\x03"s}, options);
  strange[14] = 13;
  EXPECT_EQ(decode_error(strange), "p: BMP with a header of 13 bytes is not supported");
}

TEST(CodecBmp, ColourOutsideThePalette) {
  BmpOptions options = bits(8);
  options.palette = palette4;
  EXPECT_EQ(decode_error(bmp_of(3, 1, {"\x00\x03\x02"s}, options)),
            "p: corrupt BMP: colour 3 of a palette of 3");
}
