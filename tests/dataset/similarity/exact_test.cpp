#include "dataset/similarity/exact.hpp"

#include <gtest/gtest.h>

#include <opencv2/core.hpp>

#include "core/sha256.hpp"
#include "image/codec/codec.hpp"
#include "tests/scratch_folder.hpp"

namespace yolov7::dataset::similarity {
namespace {

TEST(ExactImages, DigestIsThatOfSizeAndRows) {
  const cv::Mat image = (cv::Mat_<cv::Vec3b>(1, 2) << cv::Vec3b(1, 2, 3), cv::Vec3b(4, 5, 6));
  EXPECT_EQ(pixel_digest(image), sha256(std::string("2 1 16\n") + "\1\2\3\4\5\6"));
  // Rows of a part of an image do not lie one behind the other.
  cv::Mat large(4, 5, CV_8UC3, cv::Scalar::all(9));
  image.copyTo(large(cv::Rect(2, 1, 2, 1)));
  EXPECT_EQ(pixel_digest(large(cv::Rect(2, 1, 2, 1))), pixel_digest(image));
  EXPECT_NE(pixel_digest(image.reshape(3, 2)), pixel_digest(image));
}

TEST(ExactImages, FilesOfOtherFormatsMayBeEqual) {
  const test::ScratchFolder scratch;
  cv::Mat image(20, 30, CV_8UC3, cv::Scalar(200, 10, 30));
  write_picture(scratch / "a.png", image);
  write_picture(scratch / "b.bmp", image);
  image.at<cv::Vec3b>(7, 7)[1] ^= 1;
  write_picture(scratch / "c.png", image);
  const std::vector<std::size_t> chosen = {0, 1, 2, 3};
  const auto digests = pixel_digests(
      {scratch / "a.png", scratch / "b.bmp", scratch / "c.png", scratch / "none.png"}, chosen);
  EXPECT_EQ(digests[0], digests[1]);
  EXPECT_NE(digests[0], digests[2]);
  EXPECT_EQ(digests[3], "");
  const std::vector<std::size_t> first = {0};
  const auto bytes = byte_digests({scratch / "a.png", scratch / "b.bmp"}, first);
  EXPECT_EQ(bytes, (std::vector<std::string>{sha256(scratch.read("a.png")), ""}));
}

TEST(ExactImages, FilesOfOneShortHashAreComparedWhole) {
  const test::ScratchFolder scratch;
  test::write_text(scratch / "a.png", "abc");
  test::write_text(scratch / "b.png", "abc");
  test::write_text(scratch / "c.png", "abd");
  test::write_text(scratch / "d.png", "abc");
  const std::vector<std::string> hashes = {"1", "1", "1", "2"};
  const auto digests = digests_of_equal(
      {scratch / "a.png", scratch / "b.png", scratch / "c.png", scratch / "d.png"}, hashes);
  // FIPS 180-4: the digest of "abc".
  const std::string abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  EXPECT_EQ(digests[0], abc);
  EXPECT_EQ(digests[1], abc);
  EXPECT_EQ(digests[2].size(), abc.size());
  EXPECT_NE(digests[2], abc);
  EXPECT_EQ(digests[3], "");  // no other image has its short hash
}

}  // namespace
}  // namespace yolov7::dataset::similarity
