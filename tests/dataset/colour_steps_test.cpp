// HSV gains and mixup (data 8.5, 8.6, 14.5).
#include <gtest/gtest.h>

#include <opencv2/core.hpp>

#include "dataset/augment/hsv.hpp"
#include "dataset/augment/mixup.hpp"

namespace yolov7::dataset {
namespace {

cv::Mat one_colour(const cv::Vec3b& bgr, int rows = 21, int columns = 5) {
  return cv::Mat(rows, columns, CV_8UC3, cv::Scalar(bgr[0], bgr[1], bgr[2]));
}

TEST(Hsv, TablesOfTheSpecification) {
  const HsvTables t = hsv_tables(1.01, 1.5, 0.7);
  const std::vector<std::pair<int, int>> hue{{0, 0},     {50, 50}, {100, 101},
                                             {178, 179}, {179, 0}, {200, 22}};
  const std::vector<std::pair<int, int>> saturation{
      {0, 0}, {101, 151}, {169, 253}, {170, 255}, {171, 255}};
  const std::vector<std::pair<int, int>> value{{0, 0}, {101, 70}, {201, 140}, {255, 178}};
  for (const auto& [x, y] : hue) EXPECT_EQ(t.hue[static_cast<std::size_t>(x)], y) << "hue " << x;
  for (const auto& [x, y] : saturation)
    EXPECT_EQ(t.saturation[static_cast<std::size_t>(x)], y) << "saturation " << x;
  for (const auto& [x, y] : value)
    EXPECT_EQ(t.value[static_cast<std::size_t>(x)], y) << "value " << x;
}

TEST(Hsv, TheHueIsMultiplied) {
  // Pure green is hue 60 of 180; times 1.5 it is 90: cyan. Red is hue 0 and stays (data K19).
  cv::Mat green = one_colour({0, 200, 0}), red = one_colour({0, 0, 200});
  apply_hsv(green, hsv_tables(1.5, 1, 1));
  apply_hsv(red, hsv_tables(1.5, 1, 1));
  EXPECT_EQ(green.at<cv::Vec3b>(20, 4), cv::Vec3b(200, 200, 0));
  EXPECT_EQ(red.at<cv::Vec3b>(20, 4), cv::Vec3b(0, 0, 200));
}

TEST(Hsv, ValueAndSaturation) {
  cv::Mat grey = one_colour({100, 100, 100}), red = one_colour({0, 0, 200});
  apply_hsv(grey, hsv_tables(1, 1.7, 1.4));
  EXPECT_EQ(grey.at<cv::Vec3b>(0, 0), cv::Vec3b(140, 140, 140));  // no saturation to multiply
  apply_hsv(red, hsv_tables(1, 0.5, 1));
  // Saturation 255 → 127: the other channels rise to 200 · (1 − 127 / 255) = 100.4.
  EXPECT_NEAR(red.at<cv::Vec3b>(0, 0)[0], 100, 1);
  EXPECT_EQ(red.at<cv::Vec3b>(0, 0)[2], 200);
}

TEST(Hsv, EveryRowOfAPartOfAPictureChangesAndNoOther) {
  cv::Mat whole = one_colour({0, 0, 200}, 40, 30);
  cv::Mat part = whole(cv::Rect(3, 2, 20, 37));
  apply_hsv(part, hsv_tables(1, 1, 0.5));
  for (int y = 0; y < 40; ++y)
    for (int x = 0; x < 30; ++x)
      ASSERT_EQ(whole.at<cv::Vec3b>(y, x)[2], x >= 3 && x < 23 && y >= 2 && y < 39 ? 100 : 200);
}

TEST(Mixup, WeightsPixelsAndJoinsLabels) {
  Sample a, b;
  a.picture = one_colour({100, 0, 255});
  b.picture = one_colour({200, 255, 255});
  a.objects = {{1, {0, 0, 4, 4}, {}}};
  b.objects = {{2, {1, 1, 5, 5}, {}}, {3, {0, 1, 2, 3}, {}}};
  mixup(a, b, 0.25);
  // 100/4 + 200·3/4 = 175; 255·3/4 = 191.25, truncated.
  EXPECT_EQ(a.picture.at<cv::Vec3b>(20, 4), cv::Vec3b(175, 191, 255));
  ASSERT_EQ(a.objects.size(), 3u);
  EXPECT_EQ(a.objects[0].class_index, 1);
  EXPECT_EQ(a.objects[2].class_index, 3);
  EXPECT_EQ(b.picture.at<cv::Vec3b>(0, 0), cv::Vec3b(200, 255, 255));
}

}  // namespace
}  // namespace yolov7::dataset
