// JPEG files that end too soon: which rows they hold, and the rule that takes or refuses them.
#include <gtest/gtest.h>

#include <opencv2/core.hpp>

#include "core/error.hpp"
#include "image/codec/codec.hpp"
#include "tests/image/picture_fixture.hpp"

namespace yolov7 {
namespace {

using fixture::decode_error;
using fixture::jpeg_of;
using fixture::JpegOptions;

DecodeLimits any_share() {
  DecodeLimits limits;
  limits.least_rows = 0;
  return limits;
}

/// Different in every block, so that no MCU row is without data.
cv::Mat busy(int width, int height) {
  cv::Mat picture = fixture::numbered(width, height);
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) picture.at<cv::Vec3b>(y, x)[1] ^= (x * 7 + y * 13) & 63;
  return picture;
}

bool same(const cv::Mat& a, const cv::Mat& b) { return cv::norm(a, b, cv::NORM_INF) == 0; }

/// Where the n-th restart marker (from 1) begins: n groups of MCU rows end there.
std::size_t restart_at(const std::string& jpeg, int n) {
  std::size_t at = jpeg.find("\xff\xda");
  for (int k = 0; k < n; ++k) {
    do at = jpeg.find('\xff', at + 1);
    while (at != std::string::npos && (static_cast<unsigned char>(jpeg[at + 1]) & 0xf8) != 0xd0);
  }
  return at;
}

/// The rows that `bytes` hold are those of the whole file, and below them all is gray.
DecodedRows expect_first_rows(const std::string& whole, const std::string& bytes) {
  const cv::Mat all = decode_picture(whole, "p");
  const ReducedPicture cut = decode_reduced_picture(bytes, "p", 0, any_share());
  const int n = cut.rows.decoded;
  EXPECT_EQ(cut.rows.expected, all.rows);
  EXPECT_EQ(cut.bgr.size(), all.size());
  EXPECT_TRUE(same(cut.bgr.rowRange(0, n), all.rowRange(0, n)));
  const cv::Mat rest = cut.bgr.rowRange(n, all.rows);
  EXPECT_TRUE(rest.empty() || same(rest, cv::Mat(rest.size(), CV_8UC3, cv::Scalar::all(114))));
  return cut.rows;
}

std::vector<std::pair<const char*, JpegOptions>> kinds() {
  std::vector<std::pair<const char*, JpegOptions>> result(7);
  result[0].first = "4:2:0";
  result[1] = {"4:4:4", {}};
  result[1].second.full_colour = true;
  result[2] = {"gray", {}};
  result[2].second.components = 1;
  result[3] = {"progressive", {}};
  result[3].second.progressive = true;
  result[4] = {"separate scans", {}};
  result[4].second.separate_scans = true;
  result[5] = {"restarts", {}};
  result[5].second.restart_rows = 1;
  result[6] = {"CMYK", {}};
  result[6].second.components = 4;
  return result;
}

cv::Mat samples_for(const JpegOptions& options, int width, int height) {
  if (options.components == 3) return busy(width, height);
  cv::Mat samples(height, width, CV_8UC(options.components));
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width * options.components; ++x)
      samples.ptr(y)[x] = static_cast<unsigned char>(x * 5 + y * 11);
  return samples;
}

TEST(TruncatedJpeg, WithoutItsEndMarkerIsTheWholePictureAndSaysSo) {
  for (const auto& [name, options] : kinds()) {
    SCOPED_TRACE(name);
    const std::string whole = jpeg_of(samples_for(options, 100, 80), options);
    EXPECT_TRUE(decode_reduced_picture(whole, "p", 0).rows.whole());
    for (const std::string& bytes :
         {whole.substr(0, whole.size() - 1), whole.substr(0, whole.size() - 2),
          whole.substr(0, whole.size() - 2) + std::string(512, '\0')}) {
      const ReducedPicture cut = decode_reduced_picture(bytes, "p", 0);
      EXPECT_TRUE(same(cut.bgr, decode_picture(whole, "p")));
      EXPECT_FALSE(cut.rows.whole());
      EXPECT_EQ(cut.rows.decoded, 80);
      EXPECT_EQ(describe(cut.rows), "the end of the file is missing: all 80 rows are decoded");
    }
  }
}

TEST(TruncatedJpeg, RowsAreCountedExactly) {
  JpegOptions options;
  options.restart_rows = 1;
  const cv::Mat picture = busy(64, 100);
  std::string whole = jpeg_of(picture, options);
  // MCU rows of 16 rows; the last row of those that are there takes colour from the missing ones.
  for (int n = 1; n <= 6; ++n) {
    SCOPED_TRACE(n);
    const std::size_t at = restart_at(whole, n);
    EXPECT_EQ(expect_first_rows(whole, whole.substr(0, at)).decoded, 16 * n - 1);
    EXPECT_EQ(expect_first_rows(whole, whole.substr(0, at + 2)).decoded, 16 * n - 1);
    EXPECT_EQ(expect_first_rows(whole, whole.substr(0, at - 4)).decoded,
              n == 1 ? 0 : 16 * (n - 1) - 1);
  }
  options.full_colour = true;
  whole = jpeg_of(picture, options);
  for (int n = 1; n <= 12; ++n) {
    SCOPED_TRACE(n);
    const std::size_t at = restart_at(whole, n);
    EXPECT_EQ(expect_first_rows(whole, whole.substr(0, at)).decoded, 8 * n);
    EXPECT_EQ(expect_first_rows(whole, whole.substr(0, at - 4)).decoded, 8 * (n - 1));
  }
}

TEST(TruncatedJpeg, WhateverTheCutAndTheKindRowsAreThoseOfTheWholeFile) {
  for (const auto& [name, options] : kinds()) {
    const std::string whole = jpeg_of(samples_for(options, 48, 80), options);
    const std::size_t first = whole.find("\xff\xda") + 20;
    int partly = 0, last = -1;
    for (std::size_t size = first; size < whole.size() - 2; size += 97) {
      SCOPED_TRACE(testing::Message() << name << " cut to " << size << " of " << whole.size());
      DecodedRows rows;
      try {
        rows = expect_first_rows(whole, whole.substr(0, size));
      } catch (const Error&) {  // cut inside the header of a later scan: no row is complete
        EXPECT_TRUE(options.progressive || options.separate_scans);
      }
      EXPECT_GE(rows.decoded, last);
      EXPECT_LT(rows.decoded, 80);
      last = rows.decoded;
      partly += rows.decoded > 0 ? 1 : 0;
    }
    EXPECT_GT(partly, 0) << name;
  }
}

TEST(TruncatedJpeg, AMissingScanIsNoRow) {
  // Every scan but the last is there: each pixel lacks something.
  JpegOptions options;
  for (bool* kind : {&options.progressive, &options.separate_scans}) {
    *kind = true;
    const std::string whole = jpeg_of(busy(64, 64), options);
    *kind = false;
    // The tables of a scan stand before it; DHT or SOS.
    const std::size_t last_scan = whole.rfind("\xff\xda");
    const std::size_t tables = whole.rfind("\xff\xc4", last_scan);
    for (const std::size_t end : {last_scan, last_scan - tables < 64 ? tables : last_scan})
      EXPECT_EQ(decode_reduced_picture(whole.substr(0, end), "p", 0, any_share()).rows.decoded, 0);
  }
}

TEST(TruncatedJpeg, ArithmeticCodingCountsNoRowTooMuch) {
  JpegOptions options;
  options.arithmetic = true;
  const std::string whole = jpeg_of(busy(48, 160), options);
  for (std::size_t cut = 40; cut + 700 < whole.size(); cut += 211) {
    const DecodedRows rows = expect_first_rows(whole, whole.substr(0, whole.size() - cut));
    EXPECT_LT(rows.decoded, 160);
  }
}

TEST(TruncatedJpeg, TheRuleIsAtLeast98PercentOfTheRows) {
  JpegOptions options;
  options.restart_rows = 1;
  options.full_colour = true;
  // 50 MCU rows of 8: 49 of them are 98 %, 48 are 96 %.
  const std::string whole = jpeg_of(busy(16, 400), options);
  const std::string kept = whole.substr(0, restart_at(whole, 49)),
                    refused = whole.substr(0, restart_at(whole, 48));
  const ReducedPicture picture = decode_reduced_picture(kept, "p", 0);
  EXPECT_EQ(describe(picture.rows),
            "the end of the file is missing: 392 of 400 rows are decoded, the others are gray");
  EXPECT_EQ(decode_error(refused),
            "p: truncated or corrupt JPEG: the end of the file is missing: 384 of 400 rows are "
            "decoded, expected at least 98 %");
  DecodeLimits none;
  none.least_rows = 1;
  EXPECT_THROW(decode_picture(kept, "p", none), Error);
  // Decoded at a half the same rows count.
  const ReducedPicture half = decode_reduced_picture(kept, "p", 200);
  ASSERT_EQ(half.bgr.rows, 200);
  EXPECT_EQ(half.rows.decoded, 392);
  const cv::Mat all = decode_reduced_picture(whole, "p", 200).bgr;
  EXPECT_TRUE(same(half.bgr.rowRange(0, 196), all.rowRange(0, 196)));
  EXPECT_EQ(half.bgr.at<cv::Vec3b>(196, 3), cv::Vec3b(114, 114, 114));
  EXPECT_THROW(decode_reduced_picture(refused, "p", 200), Error);
}

TEST(TruncatedJpeg, ReservedZerosAreNoData) {
  JpegOptions options;
  options.restart_rows = 1;
  const std::string whole = jpeg_of(busy(64, 96), options);
  const std::string cut = whole.substr(0, restart_at(whole, 3));
  EXPECT_EQ(expect_first_rows(whole, cut + std::string(5000, '\0')).decoded, 47);
}

TEST(TruncatedJpeg, CorruptDataStayAnError) {
  JpegOptions options;
  options.restart_rows = 1;
  const std::string whole = jpeg_of(busy(64, 96), options);
  // An end marker, or a restart marker of another number, before the end; also without the real
  // end.
  for (const char* marker : {"\xff\xd9", "\xff\xd6"}) {
    std::string bad = whole;
    bad.replace(restart_at(whole, 5), 2, marker);
    for (const std::size_t cut : {0, 2}) {
      try {
        decode_picture(bad.substr(0, bad.size() - cut), "p", any_share());
        ADD_FAILURE() << "taken";
      } catch (const Error& error) {
        EXPECT_TRUE(std::string(error.what()).starts_with("p: truncated or corrupt JPEG: "));
      }
    }
  }
}

TEST(TruncatedJpeg, OrientationIsAppliedToWhatIsThere) {
  const std::string whole =
      fixture::jpeg_with_exif(jpeg_of(busy(100, 80), {}), fixture::exif_block(6, true));
  const ReducedPicture cut = decode_reduced_picture(whole.substr(0, whole.size() - 2), "p", 0);
  EXPECT_EQ(cut.width, 80);
  EXPECT_EQ(cut.height, 100);
  EXPECT_EQ(cut.orientation, 6);
  EXPECT_EQ(cut.rows.expected, 80);  // stored rows
}

}  // namespace
}  // namespace yolov7
