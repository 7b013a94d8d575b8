#include "image/codec/exif.hpp"

#include <gtest/gtest.h>

#include <opencv2/core.hpp>

#include "image/codec/codec.hpp"
#include "tests/image/picture_fixture.hpp"

using namespace yolov7;

namespace {

// Column and row (x, y) in the stored picture (w × h) of the upright pixel in row r and column c,
// from the meaning of each value (data 6). Value 6: turn the stored picture 90° clockwise; its
// bottom left pixel becomes the top left one.
cv::Point stored_position(int orientation, int r, int c, int w, int h) {
  switch (orientation) {
    case 2: return {w - 1 - c, r};
    case 3: return {w - 1 - c, h - 1 - r};
    case 4: return {c, h - 1 - r};
    case 5: return {r, c};
    case 6: return {r, h - 1 - c};
    case 7: return {w - 1 - r, h - 1 - c};
    case 8: return {w - 1 - r, c};
    default: return {c, r};
  }
}

void expect_upright(const cv::Mat& upright, const cv::Mat& stored, int orientation) {
  const bool swapped = orientation >= 5;
  ASSERT_EQ(upright.cols, swapped ? stored.rows : stored.cols);
  ASSERT_EQ(upright.rows, swapped ? stored.cols : stored.rows);
  for (int r = 0; r < upright.rows; ++r)
    for (int c = 0; c < upright.cols; ++c)
      ASSERT_EQ(upright.at<cv::Vec3b>(r, c),
                stored.at<cv::Vec3b>(stored_position(orientation, r, c, stored.cols, stored.rows)))
          << "orientation " << orientation << " row " << r << " column " << c;
}

/// What a header tells of a picture that is stored as w × h.
void expect_header(const std::string& bytes, int orientation, int w, int h) {
  const PictureHeader header = read_picture_header(bytes, "p");
  EXPECT_EQ(header.orientation, orientation);
  EXPECT_EQ(header.width, orientation >= 5 ? h : w);
  EXPECT_EQ(header.height, orientation >= 5 ? w : h);
}

}  // namespace

TEST(Exif, AllEightOrientations) {
  const cv::Mat stored = fixture::numbered(5, 3);
  for (int orientation = 1; orientation <= 8; ++orientation)
    expect_upright(apply_orientation(stored, orientation), stored, orientation);
  for (const int unknown : {0, 9}) expect_upright(apply_orientation(stored, unknown), stored, 1);
}

TEST(Exif, BothByteOrdersAndPrefix) {
  for (int orientation = 1; orientation <= 8; ++orientation)
    for (const bool big_endian : {false, true}) {
      const std::string block = fixture::exif_block(orientation, big_endian);
      EXPECT_EQ(exif_orientation(block), orientation);
      EXPECT_EQ(exif_orientation(std::string("Exif\0\0", 6) + block), orientation);
    }
}

TEST(Exif, DamagedBlocksGiveOrientation1) {
  EXPECT_EQ(exif_orientation(fixture::exif_block(0, false)), 1);
  EXPECT_EQ(exif_orientation(fixture::exif_block(9, false)), 1);
  EXPECT_EQ(exif_orientation(fixture::exif_block(65535, true)), 1);
  const std::string whole = fixture::exif_block(6, false);
  // The value ends 6 bytes before the block does (2 of padding, 4 of the next directory's offset).
  for (std::size_t size = 0; size < whole.size() - 6; ++size)
    EXPECT_EQ(exif_orientation(whole.substr(0, size)), 1) << size;
  EXPECT_EQ(exif_orientation(whole.substr(0, whole.size() - 6)), 6);
  for (const char* offset : {"\xff\xff\xff\xff", "\xff\xff\xff\x7f", "\x2a\x00\x00\x00"}) {
    std::string changed = whole;
    changed.replace(4, 4, offset, 4);
    EXPECT_EQ(exif_orientation(changed), 1);
  }
  std::string many_entries = whole;
  many_entries.replace(8, 2, "\xff\xff");
  many_entries.replace(22, 2, "\x13\x01");  // the only orientation entry gets another tag
  EXPECT_EQ(exif_orientation(many_entries), 1);
  EXPECT_EQ(exif_orientation("XX"), 1);
  const auto with_byte = [&](std::size_t at, char byte) {
    std::string changed = whole;
    changed[at] = byte;
    return exif_orientation(changed);
  };
  EXPECT_EQ(with_byte(24, '\4'), 6);  // type LONG
  EXPECT_EQ(with_byte(24, '\2'), 1);  // type ASCII
  EXPECT_EQ(with_byte(26, '\2'), 1);  // two values
}

TEST(Exif, AppliedToPng) {
  const cv::Mat stored = fixture::numbered(5, 3);
  std::vector<std::string> rows;
  for (int y = 0; y < stored.rows; ++y) {
    rows.emplace_back();
    for (int x = 0; x < stored.cols; ++x)
      for (int k = 2; k >= 0; --k) rows.back() += static_cast<char>(stored.at<cv::Vec3b>(y, x)[k]);
  }
  for (int orientation = 1; orientation <= 8; ++orientation) {
    fixture::PngOptions options;
    options.exif = fixture::exif_block(orientation, orientation % 2 == 0);
    const std::string png = fixture::png_of(5, 3, rows, options);
    expect_upright(decode_picture(png, "p"), stored, orientation);
    expect_header(png, orientation, 5, 3);
  }
}

TEST(Exif, AppliedToTiff) {
  const cv::Mat stored = fixture::numbered(5, 3);
  std::string pixels;
  for (int i = 0; i < 15; ++i)
    for (int k = 2; k >= 0; --k) pixels += static_cast<char>(stored.at<cv::Vec3b>(i / 5, i % 5)[k]);
  for (int orientation = 1; orientation <= 8; ++orientation) {
    fixture::TiffOptions options;
    options.orientation = orientation;
    const std::string tiff = fixture::tiff_of(5, 3, pixels, options);
    expect_upright(decode_picture(tiff, "p"), stored, orientation);
    expect_header(tiff, orientation, 5, 3);
  }
}

TEST(Exif, AppliedToJpeg) {
  const cv::Mat picture = fixture::gradient(48, 32);
  const std::string plain = encode_jpeg(picture);
  const cv::Mat stored = decode_picture(plain, "p");
  for (int orientation = 1; orientation <= 8; ++orientation) {
    const std::string turned =
        fixture::jpeg_with_exif(plain, fixture::exif_block(orientation, orientation % 2 == 1));
    expect_upright(decode_picture(turned, "p"), stored, orientation);
    expect_header(turned, orientation, 48, 32);
  }
}

TEST(Exif, AppliedToWebp) {
  const cv::Mat picture = fixture::gradient(48, 32);
  const std::string plain = encode_picture("webp", picture);
  const cv::Mat stored = decode_picture(plain, "p");
  for (int orientation = 1; orientation <= 8; ++orientation) {
    const std::string turned =
        fixture::webp_of(fixture::vp8x(8, 48, 32) + plain.substr(12) +
                         fixture::riff_chunk("EXIF", fixture::exif_block(orientation, true)));
    expect_upright(decode_picture(turned, "p"), stored, orientation);
    expect_header(turned, orientation, 48, 32);
  }
}
