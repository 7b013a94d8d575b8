#include "image/codec/codec.hpp"

#include <gtest/gtest.h>
#include <unistd.h>
#include <webp/encode.h>

#include <filesystem>
#include <fstream>
#include <opencv2/core.hpp>

#include "core/error.hpp"
#include "core/file.hpp"
#include "tests/image/picture_fixture.hpp"
#include "tests/scratch_folder.hpp"

using namespace yolov7;
using fixture::decode_error;

namespace {

double largest_difference(const cv::Mat& a, const cv::Mat& b) {
  if (a.size() != b.size() || a.type() != b.type()) return 1e9;
  return cv::norm(a, b, cv::NORM_INF);
}

}  // namespace

TEST(Codec, LosslessFormatsGiveTheSamePixels) {
  for (const cv::Size size :
       {cv::Size(1, 1), cv::Size(7, 5), cv::Size(64, 3), cv::Size(201, 150)}) {
    const cv::Mat picture = fixture::numbered(size.width, size.height);
    for (const char* extension : {"png", ".PNG", "bmp", "tif", "tiff"})
      EXPECT_EQ(
          largest_difference(decode_picture(encode_picture(extension, picture), "p"), picture), 0)
          << extension;
  }
}

TEST(Codec, LossyFormatsComeClose) {
  // A smooth ramp has only low frequencies, which quality 95 quantises in steps of 1 to 2: a few
  // grey levels.
  const cv::Mat picture = fixture::gradient(160, 120);
  for (const char* extension : {"jpg", "jpeg", "webp"})
    EXPECT_LE(largest_difference(decode_picture(encode_picture(extension, picture), "p"), picture),
              6)
        << extension;
}

TEST(Codec, JpegHasHalfTheColourResolution) {
  // The sampling factors in the frame header: 2 × 2 for Y, 1 × 1 for Cb and Cr.
  const std::string jpeg = encode_jpeg(fixture::gradient(32, 32));
  const auto at = jpeg.find("\xff\xc0");
  ASSERT_NE(at, std::string::npos);
  EXPECT_EQ(jpeg[at + 11], '\x22');
  EXPECT_EQ(jpeg[at + 14], '\x11');
  EXPECT_EQ(jpeg[at + 17], '\x11');
}

TEST(Codec, QualityChangesTheSize) {
  const cv::Mat picture = fixture::numbered(64, 64);
  EXPECT_LT(encode_jpeg(picture, 30).size(), encode_jpeg(picture, 95).size());
  EXPECT_THROW(encode_jpeg(picture, 0), Error);
  EXPECT_THROW(encode_picture("webp", picture, 101), Error);
}

TEST(Codec, EncodersRefuseWhatTheyCannotWrite) {
  EXPECT_THROW(encode_png(cv::Mat(4, 4, CV_8UC1)), Error);
  EXPECT_THROW(encode_png(cv::Mat()), Error);
  EXPECT_THROW(encode_picture("gif", fixture::gradient(4, 4)), Error);
  EXPECT_THROW(encode_picture("webp", cv::Mat(1, 16384, CV_8UC3)), Error);
  EXPECT_THROW(encode_jpeg(cv::Mat(1, 65501, CV_8UC3)), Error);
}

TEST(Codec, HeaderNamesFormatAndSize) {
  const cv::Mat picture = fixture::gradient(40, 30);
  const struct {
    const char* extension;
    PictureFormat format;
  } cases[] = {{"jpg", PictureFormat::jpeg},
               {"png", PictureFormat::png},
               {"bmp", PictureFormat::bmp},
               {"webp", PictureFormat::webp},
               {"tif", PictureFormat::tiff}};
  for (const auto& one : cases) {
    const PictureHeader header = read_picture_header(encode_picture(one.extension, picture), "p");
    EXPECT_EQ(header.format, one.format);
    EXPECT_EQ(header.width, 40);
    EXPECT_EQ(header.height, 30);
    EXPECT_EQ(header.orientation, 1);
  }
}

TEST(Codec, PictureNames) {
  for (const char* name :
       {"a.bmp", "a.jpg", "a.JPEG", "b/c.png", "a.tif", "a.TIFF", "a.dng", "a.webp", "a.mpo",
        "a b.c.jpg", "a.jpe", "a.JFIF", "a.gif", "a.heic", "a.cr2", "a.svg"})
    EXPECT_TRUE(is_picture_name(name)) << name;
  for (const char* name : {"a.mp4", "jpg", "a.jpg.txt", "a.", "", ".jpg"})
    EXPECT_FALSE(is_picture_name(name)) << name;
}

TEST(Codec, FileKinds) {
  EXPECT_EQ(file_kind("a.JFIF"), FileKind::image);
  EXPECT_EQ(file_kind("a.heic"), FileKind::further);
  EXPECT_EQ(file_kind("a.nef"), FileKind::unread);
  EXPECT_EQ(file_kind("a.WebM"), FileKind::video);
  EXPECT_EQ(file_kind("a.txt"), FileKind::other);
  EXPECT_TRUE(is_video_name("a.gif"));
  EXPECT_FALSE(is_video_name("a.jpg"));
  EXPECT_EQ(extensions_of(FileKind::image),
            "bmp, jpg, jpeg, png, tif, tiff, dng, webp, mpo, jpe, jfif");
  for (const char* name : {"a.jpe", "a.jfif", "a.tif"}) EXPECT_TRUE(is_writable_name(name)) << name;
  for (const char* name : {"a.heic", "a.dng", "a.mpo", "a"})
    EXPECT_FALSE(is_writable_name(name)) << name;
  EXPECT_EQ(encode_picture("jfif", fixture::numbered(9, 7)),
            encode_picture("jpg", fixture::numbered(9, 7)));
}

TEST(Codec, ATiffNamedAsARawPhotographIsNotRead) {
  const test::ScratchFolder folder;
  const cv::Mat picture = fixture::numbered(40, 30);
  write_picture(folder / "a.tif", picture);
  std::filesystem::rename(folder / "a.tif", folder / "a.NEF");
  try {
    read_picture(folder / "a.NEF");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("a.NEF: it is a raw photograph of a camera"),
              std::string::npos)
        << error.what();
  }
  write_picture(folder / "a.png", picture);
  std::filesystem::rename(folder / "a.png", folder / "b.NEF");
  EXPECT_EQ(largest_difference(read_picture(folder / "b.NEF"), picture), 0) << "it is a PNG";
}

TEST(Codec, FilesAreWrittenByTheirExtensionAndReadByTheirContent) {
  const test::ScratchFolder folder;
  const cv::Mat picture = fixture::numbered(9, 7);
  write_picture(folder / "a b \xc3\xbc.PNG", picture);
  EXPECT_EQ(largest_difference(read_picture(folder / "a b \xc3\xbc.PNG"), picture), 0);
  std::filesystem::rename(folder / "a b \xc3\xbc.PNG", folder / "wrong.jpg");
  EXPECT_EQ(largest_difference(read_picture(folder / "wrong.jpg"), picture), 0);
  try {
    write_picture(folder / "a.xyz", picture);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("a.xyz: cannot write images as 'xyz'"),
              std::string::npos)
        << error.what();
  }
  EXPECT_FALSE(std::filesystem::exists(folder / "a.xyz"));
  EXPECT_THROW(read_picture(folder / "missing.jpg"), Error);
  DecodeLimits limits;
  limits.file_bytes = 10;
  EXPECT_THROW(read_picture(folder / "wrong.jpg", limits), Error);
}

TEST(CodecPng, EveryColourTypeAndDepth) {
  // One row per case: stored samples and the B G R they stand for. 1, 2, 4 bits: v · 255 / (2^bits
  // − 1); 16 bits: v / 257 rounded (0x8000 / 257 = 127.502); palette 0 = (1, 2, 3), 1 = (250, 128,
  // 7).
  const std::vector<std::uint8_t> palette = {1, 2, 3, 250, 128, 7};
  const struct {
    int colour_type, bits;
    std::string pixels;
    cv::Vec3b first, second;
  } cases[] = {
      {0, 1, std::string("\x40", 1), {0, 0, 0}, {255, 255, 255}},
      {0, 2, std::string("\x60", 1), {85, 85, 85}, {170, 170, 170}},
      {0, 4, std::string("\x1f", 1), {17, 17, 17}, {255, 255, 255}},
      {0, 8, std::string("\x07\xc8", 2), {7, 7, 7}, {200, 200, 200}},
      {0, 16, std::string("\x80\x00\xff\xff", 4), {128, 128, 128}, {255, 255, 255}},
      {2, 8, std::string("\x01\x02\x03\x0a\x0b\x0c", 6), {3, 2, 1}, {12, 11, 10}},
      {2,
       16,
       std::string("\x00\x80\x00\x81\x80\x00\x01\x01\x02\x02\x03\x03", 12),
       {128, 1, 0},
       {3, 2, 1}},
      {3, 1, std::string("\x40", 1), {3, 2, 1}, {7, 128, 250}},
      {3, 4, std::string("\x01", 1), {3, 2, 1}, {7, 128, 250}},
      {3, 8, std::string("\x01\x00", 2), {7, 128, 250}, {3, 2, 1}},
      {4, 8, std::string("\x07\x00\xc8\x80", 4), {7, 7, 7}, {200, 200, 200}},
      {4, 16, std::string("\x80\x00\x00\x00\xff\xff\x80\x00", 8), {128, 128, 128}, {255, 255, 255}},
      {6, 8, std::string("\x01\x02\x03\x00\x0a\x0b\x0c\x80", 8), {3, 2, 1}, {12, 11, 10}},
      {6,
       16,
       std::string("\x01\x01\x02\x02\x03\x03\x00\x00\x0a\x0a\x0b\x0b\x0c\x0c\xff\xff", 16),
       {3, 2, 1},
       {12, 11, 10}},
  };
  for (const auto& one : cases)
    for (const bool interlaced : {false, true}) {
      SCOPED_TRACE(testing::Message() << "colour type " << one.colour_type << ", " << one.bits
                                      << " bits, interlaced " << interlaced);
      fixture::PngOptions options;
      options.colour_type = one.colour_type;
      options.bits = one.bits;
      options.interlaced = interlaced;
      if (one.colour_type == 3) options.palette_rgb = palette;
      const cv::Mat picture =
          decode_picture(fixture::png_of(2, 3, {one.pixels, one.pixels, one.pixels}, options), "p");
      ASSERT_EQ(picture.size(), cv::Size(2, 3));
      ASSERT_EQ(picture.type(), CV_8UC3);
      for (int y = 0; y < 3; ++y) {
        EXPECT_EQ(picture.at<cv::Vec3b>(y, 0), one.first);
        EXPECT_EQ(picture.at<cv::Vec3b>(y, 1), one.second);
      }
    }
}

TEST(CodecJpeg, GrayAndProgressive) {
  // One flat colour has a single DC coefficient per block; at quality 100 it is quantised in steps
  // of 1/8 level.
  const cv::Mat gray = decode_picture(
      fixture::jpeg_of(cv::Mat(20, 30, CV_8UC1, cv::Scalar(77)), {1, false, true, false}), "p");
  ASSERT_EQ(gray.type(), CV_8UC3);
  EXPECT_LE(largest_difference(gray, cv::Mat(20, 30, CV_8UC3, cv::Scalar::all(77))), 1);
  const cv::Mat colour(20, 30, CV_8UC3, cv::Scalar(200, 90, 30));
  for (const bool progressive :
       {false, true})  // and one level for each conversion of colours, there and back
    EXPECT_LE(
        largest_difference(
            decode_picture(fixture::jpeg_of(colour, {3, false, true, progressive}), "p"), colour),
        2);
}

// At an eighth only the mean of each block of 8 × 8 is left, and at quality 100 it is stored in
// steps of 1/8 level: the mean of the pixels that went in, ± 0.5 for rounding it, ± 0.5 for its
// step and ± 1 for the conversion of colours, there and back.
TEST(CodecJpeg, AnEighthIsTheMeanOfEachBlock) {
  const test::ScratchFolder folder;
  cv::Mat picture(64, 96, CV_8UC3);
  for (int y = 0; y < picture.rows; ++y)
    for (int x = 0; x < picture.cols; ++x)
      picture.at<cv::Vec3b>(y, x) =
          cv::Vec3b::all(static_cast<unsigned char>(20 + 2 * x + (y * 7 + x * 3) % 11));
  write_picture(folder / "a.jpg", picture, 100);
  const ReducedPicture eighth = read_reduced_picture(folder / "a.jpg", 12);
  EXPECT_EQ(eighth.width, 96);
  EXPECT_EQ(eighth.height, 64);
  ASSERT_EQ(eighth.bgr.size(), cv::Size(12, 8));
  for (int y = 0; y < 8; ++y)
    for (int x = 0; x < 12; ++x)
      EXPECT_NEAR(eighth.bgr.at<cv::Vec3b>(y, x)[0],
                  cv::mean(picture(cv::Rect(8 * x, 8 * y, 8, 8)))[0], 2);
}

TEST(CodecJpeg, TheLongSideDecidesHowMuchIsLeftOut) {
  const test::ScratchFolder folder;
  write_picture(folder / "a.jpg", fixture::gradient(65, 33));
  write_picture(folder / "a.png", fixture::gradient(65, 33));
  const auto size = [&](const char* name, int long_side) {
    return read_reduced_picture(folder / name, long_side).bgr.size();
  };
  EXPECT_EQ(size("a.jpg", 65), cv::Size(65, 33));
  EXPECT_EQ(size("a.jpg", 34), cv::Size(65, 33));  // a half would be 33
  EXPECT_EQ(size("a.jpg", 33), cv::Size(33, 17));  // sides are rounded up
  EXPECT_EQ(size("a.jpg", 17), cv::Size(17, 9));
  EXPECT_EQ(size("a.jpg", 9), cv::Size(9, 5));
  EXPECT_EQ(size("a.jpg", 1), cv::Size(9, 5));
  EXPECT_EQ(size("a.png", 9), cv::Size(65, 33));
  EXPECT_EQ(largest_difference(read_reduced_picture(folder / "a.jpg", 65).bgr,
                               read_picture(folder / "a.jpg")),
            0);
}

TEST(CodecJpeg, CmykAndYcck) {
  // Stored (200, 100, 50, 220). Adobe: these are 255 − ink, so R = 200 · 220 / 255 = 172.5, G 86.3,
  // B 43.1. Without the marker they are ink: R = 55 · 35 / 255 = 7.5, G = 155 · 35 / 255 = 21.3, B
  // = 205 · 35 / 255 = 28.1.
  const cv::Mat ink(16, 16, CV_8UC4, cv::Scalar(200, 100, 50, 220));
  const cv::Mat light(16, 16, CV_8UC3, cv::Scalar(43, 86, 172)),
      dark(16, 16, CV_8UC3, cv::Scalar(28, 21, 8));
  // 2: one level of stored ink at most changes the product by one, and rounding adds half a level
  // on either side.
  EXPECT_LE(largest_difference(decode_picture(fixture::jpeg_of(ink, {4, false, true, false}), "p"),
                               light),
            2);
  EXPECT_LE(
      largest_difference(decode_picture(fixture::jpeg_of(ink, {4, true, true, false}), "p"), light),
      3);  // YCC too
  EXPECT_LE(largest_difference(decode_picture(fixture::jpeg_of(ink, {4, false, false, false}), "p"),
                               dark),
            2);
}

TEST(CodecJpeg, FirstPictureOfSeveral) {
  // A multi-picture file is JPEG files one behind the other.
  const cv::Mat first = fixture::gradient(32, 24);
  const std::string one = encode_jpeg(first), two = encode_jpeg(fixture::gradient(16, 16));
  EXPECT_EQ(largest_difference(decode_picture(one + two, "a.mpo"), decode_picture(one, "p")), 0);
}

TEST(CodecJpeg, BytesBetweenSegmentsAreHarmless) {
  const std::string jpeg = encode_jpeg(fixture::gradient(32, 24));
  std::string padded = jpeg;
  padded.insert(2, "\xff\xff\xff", 3);  // fill bytes before a marker are allowed
  EXPECT_EQ(largest_difference(decode_picture(padded, "p"), decode_picture(jpeg, "p")), 0);
}

TEST(CodecWebp, LosslessWithAlpha) {
  cv::Mat bgra(3, 4, CV_8UC4);
  cv::Mat expected(3, 4, CV_8UC3);
  for (int i = 0; i < 12; ++i) {
    const auto v = static_cast<uchar>(20 * i);
    bgra.at<cv::Vec4b>(i / 4, i % 4) =
        cv::Vec4b(v, static_cast<uchar>(255 - v), 9, static_cast<uchar>(200 - 5 * i));
    expected.at<cv::Vec3b>(i / 4, i % 4) = cv::Vec3b(v, static_cast<uchar>(255 - v), 9);
  }
  std::uint8_t* bytes = nullptr;
  const std::size_t size = WebPEncodeLosslessBGRA(bgra.data, 4, 3, 16, &bytes);
  const std::string webp(reinterpret_cast<char*>(bytes), size);
  WebPFree(bytes);
  EXPECT_EQ(largest_difference(decode_picture(webp, "p"), expected), 0);
}
