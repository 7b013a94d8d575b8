// Pictures as brightness and colour, against the same pictures decoded to B G R.
#include "image/codec/planes.hpp"

#include <gtest/gtest.h>

#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include "core/error.hpp"
#include "image/codec/codec.hpp"
#include "tests/image/picture_fixture.hpp"

namespace yolov7 {
namespace {

double largest(const cv::Mat& a, const cv::Mat& b) { return cv::norm(a, b, cv::NORM_INF); }

cv::Mat channel(const cv::Mat& bgr, int number) {
  cv::Mat all, one;
  cv::cvtColor(bgr, all, cv::COLOR_BGR2YCrCb);
  cv::extractChannel(all, one, number);
  return one;
}

// One level for each conversion of colours, there and back, and one for what B G R cannot hold.
TEST(PicturePlanes, AreThoseOfTheDecodedPicture) {
  for (const bool full : {false, true})
    for (const bool progressive : {false, true}) {
      fixture::JpegOptions options;
      options.full_colour = full;
      options.progressive = progressive;
      const std::string bytes = fixture::jpeg_of(fixture::gradient(65, 33), options);
      const cv::Mat bgr = decode_picture(bytes, "p");
      const PicturePlanes planes = decode_planes(bytes, "p", 0);
      ASSERT_EQ(planes.luma.size(), cv::Size(65, 33));
      ASSERT_EQ(planes.blue.size(), full ? cv::Size(65, 33) : cv::Size(33, 17));
      EXPECT_EQ(planes.red.size(), planes.blue.size());
      EXPECT_LE(largest(planes.luma, channel(bgr, 0)), 3);
      cv::Mat blue = planes.blue, red = planes.red;
      cv::resize(blue, blue, bgr.size(), 0, 0, cv::INTER_LINEAR);
      cv::resize(red, red, bgr.size(), 0, 0, cv::INTER_LINEAR);
      EXPECT_LE(largest(red, channel(bgr, 1)), 4);
      EXPECT_LE(largest(blue, channel(bgr, 2)), 4);
      EXPECT_FALSE(planes.gray);
      EXPECT_EQ(planes.width, 65);
      EXPECT_EQ(planes.height, 33);
    }
}

TEST(PicturePlanes, AtAHalfTheColoursAreWhole) {
  const std::string bytes = fixture::jpeg_of(fixture::gradient(64, 32), {});
  const PicturePlanes half = decode_planes(bytes, "p", 32);
  EXPECT_EQ(half.luma.size(), cv::Size(32, 16));
  EXPECT_EQ(half.blue.size(), cv::Size(32, 16));  // they are stored at a half
  EXPECT_EQ(half.width, 64);
  const cv::Mat bgr = decode_reduced_picture(bytes, "p", 32).bgr;
  EXPECT_LE(largest(half.luma, channel(bgr, 0)), 3);
  EXPECT_LE(largest(half.red, channel(bgr, 1)), 4);
}

TEST(PicturePlanes, OfGrayFiles) {
  fixture::JpegOptions options;
  options.components = 1;
  cv::Mat samples(24, 40, CV_8UC1);
  for (int y = 0; y < 24; ++y)
    for (int x = 0; x < 40; ++x)
      samples.at<unsigned char>(y, x) = static_cast<unsigned char>(5 * x);
  const PicturePlanes planes = decode_planes(fixture::jpeg_of(samples, options), "p", 0);
  EXPECT_TRUE(planes.gray);
  EXPECT_LE(largest(planes.luma, samples), 3);
  EXPECT_EQ(planes.blue.at<unsigned char>(0, 0), 128);
  cv::Mat gray(24, 40, CV_8UC3, cv::Scalar::all(90));
  EXPECT_TRUE(planes_of(gray).gray);
  gray.at<cv::Vec3b>(3, 4) = {90, 93, 90};
  EXPECT_FALSE(planes_of(gray).gray);
}

TEST(PicturePlanes, OfFilesWithoutSuchPlanes) {
  fixture::JpegOptions four;
  four.components = 4;
  const cv::Mat picture = fixture::gradient(40, 24);
  for (const std::string& bytes :
       {fixture::jpeg_of(cv::Mat(24, 40, CV_8UC4, cv::Scalar(9, 90, 50, 200)), four),
        encode_png(picture)}) {
    const PicturePlanes planes = decode_planes(bytes, "p", 0),
                        same = planes_of(decode_picture(bytes, "p"));
    EXPECT_EQ(largest(planes.luma, same.luma), 0);
    EXPECT_EQ(largest(planes.red, same.red), 0);
    EXPECT_EQ(planes.width, 40);
  }
  EXPECT_EQ(planes_of(picture).blue.size(), cv::Size(20, 12));
}

TEST(PicturePlanes, AreUpright) {
  const std::string bytes = fixture::jpeg_of(fixture::gradient(64, 32), {});
  const std::string turned = fixture::jpeg_with_exif(bytes, fixture::exif_block(6, false));
  const PicturePlanes planes = decode_planes(turned, "p", 0), stored = decode_planes(bytes, "p", 0);
  ASSERT_EQ(planes.luma.size(), cv::Size(32, 64));
  EXPECT_EQ(planes.orientation, 6);
  EXPECT_EQ(planes.width, 32);
  cv::Mat expected;
  cv::rotate(stored.luma, expected, cv::ROTATE_90_CLOCKWISE);
  EXPECT_EQ(largest(planes.luma, expected), 0);
  cv::rotate(stored.red, expected, cv::ROTATE_90_CLOCKWISE);
  EXPECT_EQ(largest(planes.red, expected), 0);
}

// What is missing and what is broken is told as by decode_reduced_picture().
TEST(PicturePlanes, OfCutAndBrokenFiles) {
  fixture::JpegOptions options;
  options.restart_rows = 1;
  const std::string whole = fixture::jpeg_of(fixture::numbered(48, 1600), options);
  std::size_t last = whole.size();
  for (std::size_t at = whole.find("\xff\xda"); at + 1 < whole.size(); ++at)
    if (whole[at] == '\xff' && (static_cast<unsigned char>(whole[at + 1]) & 0xf8) == 0xd0)
      last = at;  // the last of 100 groups of 16 rows begins there
  const std::string cut = whole.substr(0, last);
  const ReducedPicture picture = decode_reduced_picture(cut, "p", 0);
  const PicturePlanes planes = decode_planes(cut, "p", 0);
  EXPECT_EQ(planes.rows.decoded, picture.rows.decoded);
  EXPECT_EQ(planes.rows.decoded, 1583);
  EXPECT_EQ(planes.rows.expected, 1600);
  EXPECT_EQ(planes.luma.at<unsigned char>(1590, 3), 114);
  EXPECT_EQ(planes.blue.at<unsigned char>(795, 3), 128);
  for (const std::string& bad : {whole.substr(0, whole.size() / 2), std::string("\xff\xd8\xff"),
                                 std::string("no image"), std::string()}) {
    std::string expected, found;
    try {
      decode_reduced_picture(bad, "p", 0);
    } catch (const Error& error) {
      expected = error.what();
    }
    try {
      decode_planes(bad, "p", 0);
    } catch (const Error& error) {
      found = error.what();
    }
    EXPECT_NE(expected, "");
    EXPECT_EQ(found, expected);
  }
}

}  // namespace
}  // namespace yolov7
