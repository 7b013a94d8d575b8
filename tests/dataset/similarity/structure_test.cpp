// The parts of the comparison, by properties that follow from their definitions.
#include "dataset/similarity/structure.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include "core/random.hpp"
#include "dataset/similarity/likeness.hpp"
#include "dataset/similarity/sketch.hpp"

namespace yolov7::dataset::similarity {
namespace {

/// Smooth random colours, `side` px.
cv::Mat texture(std::uint32_t number, int side) {
  Random random(21, 0, number, 2);
  cv::Mat3f coarse(24, 24), fine;
  for (cv::Vec3f& pixel : coarse)
    for (int c = 0; c < 3; ++c) pixel[c] = static_cast<float>(128 + 40 * random.normal());
  cv::resize(coarse, fine, {side, side}, 0, 0, cv::INTER_CUBIC);
  cv::Mat result;
  fine.convertTo(result, CV_8U);
  return result;
}

TEST(SimilarityStructure, EightSymmetriesAreEightAndKeepTheSource) {
  const cv::Mat source = (cv::Mat_<int>(2, 2) << 1, 2, 3, 4);
  const cv::Mat copy = source.clone();
  std::vector<std::vector<int>> seen;
  for (int s = 0; s < 8; ++s) seen.emplace_back(turned(source, s).clone().reshape(1, 1));
  std::sort(seen.begin(), seen.end());
  EXPECT_EQ(std::unique(seen.begin(), seen.end()), seen.end());
  EXPECT_EQ(cv::countNonZero(source != copy), 0);
}

TEST(SimilarityStructure, OfACutIsTheMiddle) {
  cv::Mat1f ramp(64, 64);
  for (int y = 0; y < 64; ++y)
    for (int x = 0; x < 64; ++x) ramp(y, x) = static_cast<float>(x);
  // A quarter from each side: 64 px for the 32 from 16 on, so pixel x lies at (x + 0.5) / 2 + 15.5.
  const cv::Mat1f cut = cut_square(ramp, 0.25);
  EXPECT_NEAR(cut(10, 0), 15.75, 0.05);
  EXPECT_NEAR(cut(10, 63), 47.25, 0.05);
}

TEST(SimilarityStructure, HasNeitherBrightnessNorContrast) {
  const Sketch one = sketch_of(texture(1, 64));
  const cv::Mat1f gray = gray_of(one, 0);
  const cv::Mat1f structure = structure_of(band_of(gray));
  EXPECT_NEAR(cv::mean(structure)[0], 0, 1e-6);
  EXPECT_NEAR(cv::norm(structure), 1, 1e-5);
  const cv::Mat1f brighter = gray + 40, stronger = gray * 1.5;
  EXPECT_GT(structure.dot(structure_of(band_of(brighter))), 0.9999);
  EXPECT_GT(structure.dot(structure_of(band_of(stronger))), 0.98);
}

TEST(SimilarityStructure, DirectionsDoNotChangeBySymmetryAndHardlyByAMove) {
  const cv::Mat whole = texture(2, 200);
  const Sketch still = sketch_of(whole(cv::Rect(0, 0, 180, 180)));
  for (int s = 0; s < 8; ++s) {
    const Sketch other = sketch_of(turned(whole(cv::Rect(0, 0, 180, 180)).clone(), s));
    EXPECT_GT(cosine(still.directions[0], other.directions[0]), 0.97) << s;
  }
  const Sketch moved = sketch_of(whole(cv::Rect(10, 6, 180, 180)));
  EXPECT_GT(cosine(still.directions[0], moved.directions[0]), 0.8);
  const Sketch different = sketch_of(texture(3, 180));
  EXPECT_LT(std::abs(cosine(still.directions[0], different.directions[0])), 0.6);
}

TEST(SimilarityStructure, BlocksOfNoiseCarryNothing) {
  cv::Mat1f band(64, 64, 0.4F);  // below 1.5 gray levels
  EXPECT_EQ(informative_blocks(band), 0);
  band(cv::Rect(8, 16, 8, 8)).setTo(5);
  EXPECT_EQ(informative_blocks(band), 1);
  EXPECT_EQ(sketch_of(cv::Mat(50, 70, CV_8UC3, cv::Scalar(9, 9, 9))).plain, 1);
  EXPECT_EQ(sketch_of(texture(4, 100)).plain, 0);
}

TEST(SimilarityLikeness, SaysWhyTwoImagesAreNear) {
  const cv::Mat image = texture(5, 256);
  const Sketch one = sketch_of(image);
  cv::Mat half;
  cv::resize(image, half, {128, 128}, 0, 0, cv::INTER_AREA);
  const Likeness same = compare(one, sketch_of(half));
  EXPECT_TRUE(same.near);
  EXPECT_GT(same.correlation, 0.99);
  EXPECT_LT(same.colour, 1);
  EXPECT_FALSE(compare(one, sketch_of(texture(6, 256))).near);
}

/// The same structure in other colours is another image; a gray copy is the same one.
TEST(SimilarityLikeness, ColoursCount) {
  const cv::Mat image = texture(7, 256);
  cv::Mat gray, gray_copy, exchanged;
  cv::cvtColor(image, gray, cv::COLOR_BGR2GRAY);
  cv::cvtColor(gray, gray_copy, cv::COLOR_GRAY2BGR);
  EXPECT_TRUE(compare(sketch_of(image), sketch_of(gray_copy)).near);
  // Another chroma over the same luma.
  cv::Mat ycc;
  cv::cvtColor(image, ycc, cv::COLOR_BGR2YCrCb);
  for (cv::Vec3b& pixel : cv::Mat3b(ycc))
    pixel = {pixel[0], static_cast<std::uint8_t>(255 - pixel[1]),
             static_cast<std::uint8_t>(255 - pixel[2])};
  cv::cvtColor(ycc, exchanged, cv::COLOR_YCrCb2BGR);
  const Likeness other = compare(sketch_of(image), sketch_of(exchanged));
  EXPECT_GT(other.colour, 8);
  EXPECT_FALSE(other.near);
}

}  // namespace
}  // namespace yolov7::dataset::similarity
