// Copy-paste and paste-in on small pictures, by hand (data 8.3, 8.7).
#include <gtest/gtest.h>

#include <algorithm>
#include <opencv2/core.hpp>
#include <set>

#include "dataset/augment/copy_paste.hpp"
#include "dataset/augment/paste_in.hpp"

namespace yolov7::dataset {
namespace {

const cv::Vec3b ground(50, 60, 70), paint(0, 200, 0);  // two channels of 0: data F14, F21

Object square(int class_index, double x1, double y1, double x2, double y2) {
  return {class_index, {x1, y1, x2, y2}, {{x1, y1}, {x2, y1}, {x2, y2}, {x1, y2}}};
}

/// 100 × 60 px with a painted square of the pixels 10 … 20 in x and y.
Sample scene() {
  Sample sample;
  sample.picture = cv::Mat(60, 100, CV_8UC3, cv::Scalar(ground[0], ground[1], ground[2]));
  sample.picture(cv::Rect(10, 10, 11, 11)).setTo(cv::Scalar(paint[0], paint[1], paint[2]));
  sample.objects = {square(4, 10, 10, 20, 20)};
  return sample;
}

TEST(CopyPaste, PastesTheMirroredObjectWithItsLabel) {
  Sample sample = scene();
  copy_paste(sample, std::vector<std::size_t>{0});
  ASSERT_EQ(sample.objects.size(), 2u);
  EXPECT_EQ(sample.objects[1].class_index, 4);
  EXPECT_TRUE(sample.objects[1].box == (Xyxy{80, 10, 90, 20}));
  EXPECT_EQ(sample.objects[1].polygon.front(), cv::Point2d(90, 10));
  for (int y = 0; y < 60; ++y)
    for (int x = 0; x < 100; ++x) {
      const int mirrored = 99 - x;  // pixel indices; the filled outline includes its border
      const bool painted =
          y >= 10 && y <= 20 && ((x >= 10 && x <= 20) || (mirrored >= 10 && mirrored <= 20));
      ASSERT_EQ(sample.picture.at<cv::Vec3b>(y, x), painted ? paint : ground) << x << " " << y;
    }
}

TEST(CopyPaste, LeavesAloneWhatWouldHideALabel) {
  Sample sample = scene();
  sample.objects.push_back({1, {70, 10, 84, 20}, {}});  // 4 of 14 px hidden: 0.286
  copy_paste(sample, std::vector<std::size_t>{0});
  EXPECT_EQ(sample.objects.size(), 3u);
  sample = scene();
  sample.objects.push_back({1, {75, 10, 85, 20}, {}});  // 5 of 10 px
  const cv::Mat before = sample.picture.clone();
  copy_paste(sample, std::vector<std::size_t>{0});
  EXPECT_EQ(sample.objects.size(), 2u);
  EXPECT_EQ(cv::norm(before, sample.picture, cv::NORM_INF), 0);
}

TEST(CopyPaste, TheSameObjectTwiceHidesItself) {
  Sample sample = scene();
  copy_paste(sample, std::vector<std::size_t>{0, 0});
  EXPECT_EQ(sample.objects.size(), 2u);
}

TEST(CopyPaste, ChoosesARoundedShareOfThePolygons) {
  std::vector<Object> objects;
  for (int i = 0; i < 10; ++i)
    objects.push_back(i % 2 == 0 ? square(i, 0, 0, 1, 1) : Object{i, {0, 0, 1, 1}, {}});
  std::set<std::vector<std::size_t>> seen;
  for (std::uint32_t i = 0; i < 50; ++i) {
    Random random(0, 0, i, 6);
    const auto chosen = choose_polygons(objects, 0.5, random);  // 2.5 → 2, halves to even
    ASSERT_EQ(chosen.size(), 2u);
    EXPECT_NE(chosen[0], chosen[1]);
    for (const std::size_t j : chosen) EXPECT_EQ(j % 2, 0u);
    seen.insert(chosen);
  }
  EXPECT_GT(seen.size(), 10u);  // of 20 ordered pairs
  Random random(0, 0, 0, 6);
  EXPECT_TRUE(choose_polygons(objects, 0, random).empty());
}

TEST(PasteIn, CutsObjectsOut) {
  Sample sample = scene();
  sample.objects.push_back(square(1, 30.2, 30.9, 30.9, 40));  // empty in whole pixels
  sample.objects.push_back(square(2, 90, 50, 120, 80));       // clipped to 99 and 59
  const auto sources = cut_sources(sample, std::vector<std::size_t>{0, 1, 2});
  ASSERT_EQ(sources.size(), 2u);
  EXPECT_EQ(sources[0].picture.size(), cv::Size(10, 10));
  EXPECT_EQ(cv::countNonZero(sources[0].mask), 100);
  EXPECT_EQ(sources[0].picture.at<cv::Vec3b>(3, 3), paint);
  EXPECT_EQ(sources[1].picture.size(), cv::Size(9, 9));
  EXPECT_EQ(sources[1].class_index, 2);
}

PasteSource source(cv::Size size) {
  PasteSource s;
  s.class_index = 9;
  s.picture = cv::Mat(size, CV_8UC3, cv::Scalar(paint[0], paint[1], paint[2]));
  s.mask = cv::Mat(size, CV_8UC1, cv::Scalar(255));
  return s;
}

TEST(PasteIn, PastesIntoThePlaceKeepingTheAspectRatio) {
  Sample sample = scene();
  ASSERT_TRUE(paste_one(sample, source({20, 10}), cv::Rect(40, 20, 30, 30)));  // 30 × 15
  EXPECT_TRUE(sample.objects.back().box == (Xyxy{40, 20, 70, 35}));
  EXPECT_EQ(sample.objects.back().class_index, 9);
  for (int y = 15; y < 45; ++y)
    for (int x = 35; x < 80; ++x)
      ASSERT_EQ(sample.picture.at<cv::Vec3b>(y, x),
                x >= 40 && x < 70 && y >= 20 && y < 35 ? paint : ground);
}

TEST(PasteIn, SmallResultsAndThinMasksAreLeftOut) {
  Sample sample = scene();
  EXPECT_FALSE(paste_one(sample, source({30, 10}), cv::Rect(40, 20, 30, 30)));  // 10 px high
  PasteSource thin = source({30, 30});
  thin.mask.setTo(0);
  thin.mask(cv::Rect(0, 0, 20, 1))
      .setTo(255);  // 60 elements over three channels are not more than 60 (data K20)
  EXPECT_FALSE(paste_one(sample, thin, cv::Rect(40, 20, 30, 30)));
  thin.mask(cv::Rect(0, 1, 1, 1)).setTo(255);
  EXPECT_TRUE(paste_one(sample, thin, cv::Rect(40, 20, 30, 30)));
  EXPECT_EQ(sample.picture.at<cv::Vec3b>(20, 41), paint);
  EXPECT_EQ(sample.picture.at<cv::Vec3b>(25, 41), ground);
}

TEST(PasteIn, TriesKeepTheRules) {
  std::size_t pasted = 0;
  const std::vector<PasteSource> sources{source({40, 40}), source({25, 50})};
  for (std::uint32_t i = 0; i < 40; ++i) {
    Sample sample;
    sample.picture = cv::Mat(320, 320, CV_8UC3, cv::Scalar(ground[0], ground[1], ground[2]));
    sample.objects = {{0, {100, 100, 200, 200}, {}}};
    Random random(3, 0, i, 12);
    paste_in(sample, sources, random);
    EXPECT_LE(sample.objects.size(), 21u);
    for (std::size_t k = 1; k < sample.objects.size(); ++k) {
      const Xyxy& box = sample.objects[k].box;
      EXPECT_TRUE(box.x1 >= 0 && box.y1 >= 0 && box.x2 <= 320 && box.y2 <= 320);
      EXPECT_GT(std::min(box.width(), box.height()), 10);
      for (std::size_t j = 0; j < k; ++j)
        EXPECT_LT(intersection_area(sample.objects[j].box, box) / sample.objects[j].box.area(),
                  0.30);
    }
    pasted += sample.objects.size() - 1;
  }
  EXPECT_GT(pasted, 40u);  // more than one per picture, or nothing was tried
}

TEST(PasteIn, WithoutSourcesNothingHappens) {
  Sample sample = scene();
  const cv::Mat before = sample.picture.clone();
  Random random(3, 0, 0, 12);
  paste_in(sample, {}, random);
  EXPECT_EQ(sample.objects.size(), 1u);
  EXPECT_EQ(cv::norm(before, sample.picture, cv::NORM_INF), 0);
}

}  // namespace
}  // namespace yolov7::dataset
