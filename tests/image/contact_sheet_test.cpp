#include "image/drawing/contact_sheet.hpp"

#include <gtest/gtest.h>

#include <opencv2/core.hpp>

#include "core/error.hpp"

using namespace yolov7;

namespace {

cv::Mat plain(int width, int height, int level) {
  return {height, width, CV_8UC3, cv::Scalar::all(level)};
}

cv::Vec3b at_fraction(const cv::Mat& sheet, double x, double y) {
  return sheet.at<cv::Vec3b>(static_cast<int>(y * sheet.rows), static_cast<int>(x * sheet.cols));
}

}  // namespace

TEST(ContactSheet, ColumnByColumn) {
  // Five pictures: three rows, two columns; the sixth cell stays white.
  std::vector<cv::Mat> pictures;
  for (int i = 0; i < 5; ++i) pictures.push_back(plain(60, 40, 10 + i));
  const cv::Mat sheet = contact_sheet(pictures, {});
  ASSERT_EQ(sheet.size(), cv::Size(2 * 66, 3 * 46));  // 3 px of border around each picture
  for (int i = 0; i < 6; ++i)
    EXPECT_EQ(at_fraction(sheet, (i / 3 + 0.5) / 2, (i % 3 + 0.5) / 3),
              cv::Vec3b::all(static_cast<uchar>(i < 5 ? 10 + i : 255)));
  EXPECT_EQ(sheet.at<cv::Vec3b>(2, 2), cv::Vec3b::all(255));
  EXPECT_EQ(sheet.at<cv::Vec3b>(3, 3), cv::Vec3b::all(10));
}

TEST(ContactSheet, FitsIntoItsLimits) {
  for (const std::size_t count : {1u, 2u, 3u, 4u, 9u, 16u, 40u})
    for (const cv::Size size :
         {cv::Size(640, 640), cv::Size(2000, 100), cv::Size(100, 2000), cv::Size(30, 20)}) {
      std::vector<cv::Mat> pictures(count, plain(size.width, size.height, 7));
      const cv::Mat sheet = contact_sheet(pictures, {});
      EXPECT_LE(sheet.cols, 1280);
      EXPECT_LE(sheet.rows, 1280);
      if (count > 1) continue;
      EXPECT_EQ(std::max(sheet.cols, sheet.rows),
                std::min(640, std::max(size.width, size.height)) + 6);
    }
}

TEST(ContactSheet, CaptionAtTheUpperLeft) {
  const std::vector<cv::Mat> pictures = {plain(400, 300, 120), plain(400, 300, 120)};
  const std::vector<std::string> captions = {"000123.jpg"};
  const cv::Mat sheet = contact_sheet(pictures, captions);
  const cv::Mat first = sheet(cv::Rect(3, 3, 400, 300)), second = sheet(cv::Rect(3, 309, 400, 300));
  EXPECT_NE(cv::norm(first(cv::Rect(0, 0, 100, 20)), plain(100, 20, 120), cv::NORM_INF), 0);
  EXPECT_EQ(cv::norm(first(cv::Rect(0, 60, 400, 240)), plain(400, 240, 120), cv::NORM_INF), 0);
  EXPECT_EQ(cv::norm(second, plain(400, 300, 120), cv::NORM_INF), 0);
  EXPECT_EQ(cv::norm(pictures[0], plain(400, 300, 120), cv::NORM_INF),
            0);  // the input is not drawn into
}

TEST(ContactSheet, BoxesAreScaledWithThePicture) {
  // 1280 px to 640: the box 200 … 600 lies at 100 … 300.
  SheetPicture one;
  one.picture = plain(1280, 1280, 100);
  one.detections = {{{200, 200, 600, 600}, 0.9f, 0}};
  DrawOptions options;
  options.hide_labels = true;
  options.line_thickness = 1;
  const cv::Mat sheet = contact_sheet(std::span(&one, 1), std::vector<std::string>{"cat"}, options);
  ASSERT_EQ(sheet.size(), cv::Size(646, 646));
  const cv::Scalar colour = class_colour(0);
  for (int k = 0; k < 3; ++k)  // 16: an anti-aliased line of 1 px is not opaque
    EXPECT_NEAR(sheet.at<cv::Vec3b>(3 + 100, 3 + 200)[k], colour[k], 16);
  EXPECT_EQ(sheet.at<cv::Vec3b>(3 + 200, 3 + 200), cv::Vec3b::all(100));
}

TEST(ContactSheet, Errors) {
  EXPECT_THROW(contact_sheet(std::span<const cv::Mat>(), {}), Error);
  const std::vector<cv::Mat> bad = {cv::Mat(4, 4, CV_8UC1)};
  EXPECT_THROW(contact_sheet(bad, {}), Error);
}
