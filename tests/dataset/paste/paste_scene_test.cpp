// What is pasted where, and what can still be seen, by hand.
#include "dataset/paste/paste_scene.hpp"

#include <gtest/gtest.h>

#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

namespace yolov7::dataset {
namespace {

Label box_label(int class_index, const Xyxy& box, double width, double height) {
  Label label;
  label.class_index = class_index;
  label.box = to_normalized(box, width, height);
  return label;
}

cv::Mat plain(int width, int height, int gray) {
  return {height, width, CV_8UC3, cv::Scalar::all(gray)};
}

/// A square of 10 px and gray 50 in the middle of 20 px of background 100.
Cutout square() {
  Cutout one;
  one.class_index = 1;
  one.picture = plain(20, 20, 100);
  one.picture(cv::Rect(5, 5, 10, 10)).setTo(cv::Scalar::all(50));
  one.mask = cv::Mat1b(20, 20, static_cast<std::uint8_t>(0));
  one.mask(cv::Rect(5, 5, 10, 10)).setTo(255);
  one.box = {5, 5, 15, 15};
  one.image_side = 100;
  return one;
}

PasteLook hard() {
  PasteLook look;
  look.feather = 0;
  look.match_light = false;
  return look;
}

void expect_box(const Label& label, const Xyxy& box, double width, double height) {
  const Xyxy found = to_pixels(label.box, width, height);
  EXPECT_NEAR(found.x1, box.x1, 1e-9);
  EXPECT_NEAR(found.y1, box.y1, 1e-9);
  EXPECT_NEAR(found.x2, box.x2, 1e-9);
  EXPECT_NEAR(found.y2, box.y2, 1e-9);
}

TEST(PasteScene, AnObjectWithoutSeamLightOrBlurIsCopied) {
  PasteScene scene(plain(100, 60, 200), {});
  scene.paste(square(), hard(), {30, 20});
  cv::Mat wanted = plain(100, 60, 200);
  wanted(cv::Rect(35, 25, 10, 10)).setTo(cv::Scalar::all(50));
  EXPECT_EQ(cv::norm(scene.image(), wanted, cv::NORM_INF), 0);
  const auto objects = scene.objects();
  ASSERT_EQ(objects.size(), 1u);
  EXPECT_EQ(objects[0].pasted, 1u);
  EXPECT_EQ(objects[0].label.class_index, 1);
  EXPECT_EQ(objects[0].visible, 1);
  expect_box(objects[0].label, {35, 25, 45, 35}, 100, 60);
}

TEST(PasteScene, TwiceTheSizeIsTwiceTheBox) {
  PasteScene scene(plain(100, 60, 200), {});
  PasteLook look = hard();
  look.scale = 2;
  scene.paste(square(), look, {10, 8});
  expect_box(scene.objects()[0].label, {20, 18, 40, 38}, 100, 60);
}

TEST(PasteScene, ThePartThatIsSeenHasItsOwnBox) {
  // A box of 20 × 10 px from (30, 30). The square covers its right half: x from 40 on.
  PasteScene scene(plain(100, 60, 200), {box_label(0, {30, 30, 50, 40}, 100, 60),
                                         box_label(2, {70, 5, 80, 15}, 100, 60)});
  const cv::Point at(35, 25);  // the square itself lies at 40 … 50, 30 … 40
  EXPECT_DOUBLE_EQ(scene.least_visible_after(square(), hard(), at), 0.5);
  EXPECT_DOUBLE_EQ(scene.least_visible_after(square(), hard(), {35, 35}), 1) << "only beside it";
  scene.paste(square(), hard(), at);
  const auto objects = scene.objects();
  ASSERT_EQ(objects.size(), 3u);
  EXPECT_DOUBLE_EQ(objects[0].visible, 0.5);
  expect_box(objects[0].label, {30, 30, 40, 40}, 100, 60);
  EXPECT_EQ(objects[1].visible, 1);
  expect_box(objects[1].label, {70, 5, 80, 15}, 100, 60);
  // A second square covers the lower half of what is left of it: 30 … 40, 35 … 45.
  EXPECT_DOUBLE_EQ(scene.least_visible_after(square(), hard(), {25, 30}), 0.25);
}

TEST(PasteScene, ACornerThatIsCoveredChangesNoBox) {
  PasteScene scene(plain(100, 60, 200), {box_label(0, {30, 30, 50, 40}, 100, 60)});
  scene.paste(square(), hard(), {40, 30});  // 45 … 55, 35 … 45: a quarter of 20 × 10
  const auto objects = scene.objects();
  EXPECT_DOUBLE_EQ(objects[0].visible, 1 - 25.0 / 200);
  expect_box(objects[0].label, {30, 30, 50, 40}, 100, 60);
}

TEST(PasteScene, APolygonThatIsCoveredBecomesABox) {
  Label label = box_label(0, {30, 30, 50, 40}, 100, 60);
  label.polygon = {{0.3, 0.5}, {0.5, 0.5}, {0.5, 40.0 / 60}, {0.3, 40.0 / 60}};
  PasteScene scene(plain(100, 60, 200), {label});
  EXPECT_FALSE(scene.objects()[0].box_only);
  EXPECT_EQ(scene.objects()[0].label.polygon.size(), 4u);
  scene.paste(square(), hard(), {35, 25});
  EXPECT_TRUE(scene.objects()[0].box_only);
  EXPECT_TRUE(scene.objects()[0].label.polygon.empty());
  expect_box(scene.objects()[0].label, {30, 30, 40, 40}, 100, 60);
}

TEST(PasteScene, ThePolygonGoesWithTheObject) {
  Cutout one = square();
  one.polygon = {{5, 5}, {15, 5}, {15, 15}, {5, 15}};
  PasteScene scene(plain(100, 50, 200), {});
  scene.paste(one, hard(), {30, 20});
  const auto polygon = scene.objects()[0].label.polygon;
  ASSERT_EQ(polygon.size(), 4u);
  EXPECT_NEAR(polygon[2].x, 0.45, 1e-12);
  EXPECT_NEAR(polygon[2].y, 0.7, 1e-12);
}

TEST(PasteScene, LightIsThatOfTheNewPlace) {
  PasteLook look = hard();
  look.match_light = true;
  PasteScene brighter(plain(100, 60, 120), {});
  brighter.paste(square(), look, {30, 20});
  EXPECT_EQ(brighter.image().at<cv::Vec3b>(30, 40)[0], 70) << "50 + 120 − 100";
  PasteScene bright(plain(100, 60, 200), {});
  bright.paste(square(), look, {30, 20});
  EXPECT_EQ(bright.image().at<cv::Vec3b>(30, 40)[1], 90) << "at most 40 levels";
}

TEST(PasteScene, ASeamIsSoft) {
  PasteLook look = hard();
  look.feather = 1;
  PasteScene scene(plain(100, 60, 200), {});
  scene.paste(square(), look, {30, 20});
  // At the edge, half a pixel inside, the share is that of a normal distribution up to 0.5: .69.
  const int inside = scene.image().at<cv::Vec3b>(30, 35)[0];
  EXPECT_NEAR(inside, 200 - 150 * 0.69, 5);
  EXPECT_EQ(scene.image().at<cv::Vec3b>(30, 40)[0], 50);
  EXPECT_EQ(scene.image().at<cv::Vec3b>(30, 20)[0], 200);
}

TEST(PasteScene, OnlyTheBoxHasToLieInside) {
  const PasteScene scene(plain(100, 60, 200), {});
  EXPECT_TRUE(scene.fits(square(), hard(), {-5, -5}));
  EXPECT_FALSE(scene.fits(square(), hard(), {-6, 0}));
  EXPECT_TRUE(scene.fits(square(), hard(), {85, 45}));
  EXPECT_FALSE(scene.fits(square(), hard(), {86, 45}));
  PasteScene pasted(plain(100, 60, 200), {});
  pasted.paste(square(), hard(), {-5, -5});
  EXPECT_EQ(pasted.image().at<cv::Vec3b>(0, 0)[0], 50);
  expect_box(pasted.objects()[0].label, {0, 0, 10, 10}, 100, 60);
}

TEST(PasteScene, SizesFollowTheImage) {
  Random random(1, 0, 0, 0);
  for (int i = 0; i < 50; ++i) {
    const double scale = drawn_scale(square(), {50, 40}, random);  // half of the image it is from
    EXPECT_TRUE(scale >= 0.4 - 1e-9 && scale <= 0.625 + 1e-9) << scale;
    EXPECT_LE(drawn_scale(square(), {400, 300}, random), 1.5);
  }
}

TEST(PasteScene, ASharpObjectIsBlurredForABlurredImage) {
  cv::Mat noise(64, 64, CV_8UC3), blurred;
  cv::setRNGSeed(3);
  cv::randu(noise, 0, 255);
  cv::GaussianBlur(noise, blurred, cv::Size(), 1.2);
  EXPECT_GT(sharpness(noise), 1.5 * sharpness(blurred));
  EXPECT_NEAR(sharpness(noise), sharpness(noise * 0.5), 0.02 * sharpness(noise));
  Cutout one = square();
  one.picture = noise(cv::Rect(0, 0, 20, 20)).clone();
  EXPECT_EQ(matching_blur(one, 1, sharpness(noise)), 0);
  EXPECT_GE(matching_blur(one, 1, sharpness(blurred)), 0.8);
  EXPECT_EQ(sharpness(plain(20, 20, 7)), 0);
}

}  // namespace
}  // namespace yolov7::dataset
