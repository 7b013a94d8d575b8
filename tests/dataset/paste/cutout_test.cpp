#include "dataset/paste/cutout.hpp"

#include <gtest/gtest.h>

#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

namespace yolov7::dataset {
namespace {

Label label_of(const Xyxy& box, double width, double height) {
  Label label;
  label.class_index = 3;
  label.box = to_normalized(box, width, height);
  return label;
}

/// A disc of radius 20 around (60, 50), on a background with noise.
cv::Mat disc() {
  cv::Mat image(100, 120, CV_8UC3, cv::Scalar(60, 160, 60)), noise(100, 120, CV_8UC3);
  cv::circle(image, {60, 50}, 20, cv::Scalar(40, 40, 210), cv::FILLED);
  cv::setRNGSeed(5);
  cv::randu(noise, 0, 25);
  return image + noise;
}

TEST(Cutout, APolygonIsTheMask) {
  const cv::Mat image = disc();
  Label label = label_of({40, 30, 60, 40}, 120, 100);
  label.polygon = {{40 / 120.0, 0.3}, {0.5, 0.3}, {0.5, 0.4}, {40 / 120.0, 0.4}};
  Cutout cutout;
  ASSERT_TRUE(cut_out(image, label, "auto", cutout));
  EXPECT_EQ(cutout.by, CutBy::polygon);
  EXPECT_EQ(cutout.class_index, 3);
  EXPECT_EQ(cv::countNonZero(cutout.mask), 200);
  // A margin of a quarter of 20 and at least 4 px: 35 … 65, 26 … 44.
  EXPECT_EQ(cutout.picture.size(), cv::Size(30, 18));
  EXPECT_NEAR(cutout.box.x1, 5, 1e-9);
  EXPECT_NEAR(cutout.box.y2, 14, 1e-9);
  EXPECT_NEAR(cutout.polygon[1].x, 25, 1e-9);
  EXPECT_EQ(cutout.image_side, 120);
  EXPECT_EQ(cv::norm(cutout.picture, image(cv::Rect(35, 26, 30, 18)), cv::NORM_INF), 0);
}

TEST(Cutout, GrabCutFindsADiscInItsBox) {
  Cutout cutout;
  ASSERT_TRUE(cut_out(disc(), label_of({40, 30, 80, 70}, 120, 100), "auto", cutout));
  EXPECT_EQ(cutout.by, CutBy::grabcut);
  cv::Mat1b truth(100, 120, static_cast<std::uint8_t>(0));
  cv::circle(truth, {60, 50}, 20, cv::Scalar(255), cv::FILLED);
  const cv::Mat1b wanted = truth(cv::Rect(30, 20, 60, 60));
  const double both = cv::countNonZero(cv::Mat(cutout.mask & wanted)),
               either = cv::countNonZero(cv::Mat(cutout.mask | wanted));
  EXPECT_GE(both / either, 0.95);
  Cutout again;
  ASSERT_TRUE(cut_out(disc(), label_of({40, 30, 80, 70}, 120, 100), "auto", again));
  EXPECT_EQ(cv::norm(cutout.mask, again.mask, cv::NORM_INF), 0);
}

TEST(Cutout, WhereNothingIsToldApartTheWholeBoxIsTaken) {
  const cv::Mat image(100, 120, CV_8UC3, cv::Scalar(60, 160, 60));
  const Label label = label_of({40, 30, 80, 70}, 120, 100);
  Cutout cutout;
  ASSERT_TRUE(cut_out(image, label, "auto", cutout));
  EXPECT_EQ(cutout.by, CutBy::whole_box);
  EXPECT_EQ(cv::countNonZero(cutout.mask), 1600);
  EXPECT_FALSE(cut_out(image, label, "grabcut", cutout));
  EXPECT_FALSE(cut_out(image, label, "polygon", cutout));
  EXPECT_TRUE(cut_out(image, label, "box", cutout));
}

TEST(Cutout, MasksThatCannotBeTheObject) {
  const Xyxy box{0, 0, 20, 20};
  cv::Mat1b mask(20, 20, static_cast<std::uint8_t>(0));
  EXPECT_FALSE(plausible_mask(mask, box));
  EXPECT_FALSE(plausible_mask({}, box));
  mask(cv::Rect(0, 0, 16, 16)).setTo(255);  // 64 %, four fifths of both sides
  EXPECT_TRUE(plausible_mask(mask, box));
  mask.setTo(0);
  mask(cv::Rect(0, 0, 15, 20)).setTo(255);
  EXPECT_FALSE(plausible_mask(mask, box)) << "too narrow";
  mask.setTo(255);
  EXPECT_FALSE(plausible_mask(mask, box)) << "the whole box";
  mask.setTo(0);
  cv::line(mask, {0, 0}, {19, 19}, cv::Scalar(255));
  EXPECT_FALSE(plausible_mask(mask, box)) << "too little";
}

}  // namespace
}  // namespace yolov7::dataset
