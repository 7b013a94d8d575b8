// What is measured of an image, on images whose measures are known.
#include "dataset/doctor/look.hpp"

#include <gtest/gtest.h>

#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include "tests/image/picture_fixture.hpp"

namespace yolov7::dataset::doctor {
namespace {

TEST(StoredForm, OfEachFormat) {
  fixture::JpegOptions four;
  four.components = 4;
  const StoredForm cmyk = stored_form(fixture::jpeg_of(cv::Mat(8, 8, CV_8UC4), four));
  EXPECT_TRUE(cmyk.cmyk);
  EXPECT_EQ(cmyk.channels, 4);
  fixture::JpegOptions gray;
  gray.components = 1;
  EXPECT_EQ(stored_form(fixture::jpeg_of(cv::Mat(8, 8, CV_8UC1), gray)).channels, 1);
  fixture::PngOptions deep;
  deep.bits = 16;
  EXPECT_EQ(stored_form(fixture::png_of(1, 1, {std::string(6, '\1')}, deep)).bits, 16);
  fixture::TiffOptions tiff;
  tiff.bits = 16;
  tiff.samples = 1;
  tiff.photometric = 1;
  const StoredForm sixteen = stored_form(fixture::tiff_of(2, 1, std::string(4, '\1'), tiff));
  EXPECT_EQ(sixteen.bits, 16);
  EXPECT_EQ(sixteen.channels, 1);
  EXPECT_EQ(stored_form("\xFF\xD8\xFF").channels, 0);
}

TEST(Look, LevelsOfTwoHalves) {
  cv::Mat half(100, 100, CV_8UC3, cv::Scalar::all(50));
  half.colRange(50, 100).setTo(cv::Scalar::all(150));
  const Look look = look_at("", planes_of(half), {});
  EXPECT_TRUE(look.gray);
  EXPECT_NEAR(look.mean, 100, 1e-9);
  EXPECT_NEAR(look.spread, 50, 1e-9);
  EXPECT_EQ(look.low, 50);
  EXPECT_EQ(look.high, 150);
}

TEST(Look, BlurTakesTheFinestOctaveAway) {
  // Discs of all sizes, as natural images have them.
  cv::Mat image(240, 320, CV_8UC3, cv::Scalar::all(120)), blurred;
  cv::RNG random(7);
  for (int i = 0; i < 300; ++i)
    cv::circle(image, {random.uniform(0, 320), random.uniform(0, 240)}, random.uniform(1, 25),
               cv::Scalar::all(random.uniform(0, 255)), cv::FILLED);
  cv::GaussianBlur(image, blurred, {}, 3);
  EXPECT_GT(look_at("", planes_of(image), {}).fine_octave, -1);
  EXPECT_LT(look_at("", planes_of(blurred), {}).fine_octave, -1.65);
}

TEST(Look, BoxesStandOutWhereTheyAre) {
  // A white square of 40 px at (20, 60) in black.
  cv::Mat image(160, 160, CV_8UC3, cv::Scalar::all(0));
  image(cv::Rect(20, 60, 40, 40)).setTo(cv::Scalar::all(255));
  RawRow row;
  row.values = {40.0 / 160, 80.0 / 160, 40.0 / 160, 40.0 / 160};
  const Look look = look_at("", planes_of(image), {row});
  EXPECT_EQ(look.boxes, 1);
  EXPECT_GT(look.contrast[0], 2);  // as far as it can be: nearly 255 in each channel
  std::size_t axes = 0;
  while (!(layout_at(axes) == Layout{Form::axes_exchanged, Unit::fraction})) ++axes;
  EXPECT_LT(look.contrast[axes], look.contrast[0] / 2);
}

TEST(Look, BoxesVoteForTheLayoutUnderWhichTheyStandOut) {
  // White squares of 20 px at (20, 60), (20, 100) and on the diagonal at (40, 40), in black.
  cv::Mat image(160, 160, CV_8UC3, cv::Scalar::all(0));
  std::vector<RawRow> right, exchanged;
  for (const cv::Point at : {cv::Point(20, 60), cv::Point(20, 100), cv::Point(40, 40)}) {
    image(cv::Rect(at.x, at.y, 20, 20)).setTo(cv::Scalar::all(255));
    const double x = (at.x + 10) / 160.0, y = (at.y + 10) / 160.0;
    right.emplace_back().values = {x, y, 0.125, 0.125};
    exchanged.emplace_back().values = {y, x, 0.125, 0.125};
  }
  std::size_t axes = 0;
  while (!(layout_at(axes) == Layout{Form::axes_exchanged, Unit::fraction})) ++axes;
  EXPECT_EQ(look_at("", planes_of(image), right).votes[axes], 0);
  EXPECT_EQ(look_at("", planes_of(image), exchanged).votes[axes], 2);  // the third box is the same
  EXPECT_EQ(look_at("", planes_of(image), exchanged).votes[0], -1);
}

}  // namespace
}  // namespace yolov7::dataset::doctor
