// Rims, domes and light by hand; crowds of one kind.
#include "dataset/synth/synth_looks.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numbers>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <vector>

#include "dataset/synth/synth_scene.hpp"

namespace yolov7::dataset {
namespace {

constexpr int width = 9, height = 5;

/// A full rectangle of 9 × 5 at `corner` of a picture of 100 × 100: brightness that the relief
/// adds.
cv::Mat added(cv::Point corner, const Relief& relief, cv::Size picture = {100, 100}) {
  cv::Mat paint(height, width, CV_32FC3, cv::Scalar(10, 20, 30));
  add_relief(paint, cv::Mat::ones(height, width, CV_32FC1), cv::Rect(corner, paint.size()), picture,
             relief);
  std::vector<cv::Mat> channels;
  cv::split(paint, channels);
  EXPECT_NEAR(cv::norm(channels[0] - 10, channels[1] - 20, cv::NORM_INF), 0, 1e-4);
  EXPECT_NEAR(cv::norm(channels[0] - 10, channels[2] - 30, cv::NORM_INF), 0, 1e-4);
  return channels[0] - 10;
}

TEST(Relief, FollowsTheDistanceToTheEdge) {
  Relief relief;
  relief.rim = -40, relief.rim_width = 0.25, relief.dome = 60;
  const cv::Mat change = added({20, 30}, relief);
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) {
      // Pixels to the nearest one outside; the middle row has the most: 3.
      const double depth = std::min({x + 1, width - x, y + 1, height - y}) / 3.0;
      EXPECT_NEAR(change.at<float>(y, x), -40 * std::exp(-16 * depth * depth) + 60 * depth, 1e-4)
          << x << ' ' << y;
    }
}

TEST(Relief, HasNoRimWhereThePictureEnds) {
  Relief relief;
  relief.dome = 40;
  const cv::Mat left = added({0, 30}, relief), bottom_right = added({91, 95}, relief);
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) {
      EXPECT_NEAR(left.at<float>(y, x), 40 * std::min({width - x, y + 1, height - y}) / 3.0, 1e-4);
      EXPECT_NEAR(bottom_right.at<float>(y, x), 40 * std::min(x + 1, y + 1) / 5.0, 1e-4);
    }
  EXPECT_EQ(cv::norm(added({0, 0}, relief, {width, height}), cv::NORM_INF),
            0);  // nothing but the object
}

TEST(Relief, LightComesFromOneSide) {
  Relief relief;
  relief.slope = 18;
  const cv::Mat from_right = added({20, 30}, relief);
  relief.light = std::numbers::pi / 2;
  const cv::Mat from_below = added({20, 30}, relief);
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) {
      EXPECT_NEAR(from_right.at<float>(y, x), 4.0 * (x - 4), 1e-4);  // 18 · 2 / 9 a pixel
      EXPECT_NEAR(from_below.at<float>(y, x), 7.2 * (y - 2), 1e-4);  // 18 · 2 / 5
    }
}

TEST(Relief, SeparatesObjectsOfOneColour) {
  Random random(3, 0, 0, 0);
  int both = 0, translucent = 0;
  for (int i = 0; i < 1000; ++i) {
    const Relief relief = random_relief(true, 1, random);
    EXPECT_GE(std::max(std::abs(relief.rim), std::abs(relief.dome)), 30);
    EXPECT_TRUE(relief.opacity >= 0.6 && relief.opacity <= 1) << relief.opacity;
    both += relief.rim != 0 && relief.dome != 0;
    translucent += relief.opacity < 1;
  }
  // 0.6 · 0.4 = 0.24 and 0.3 of 1,000: five standard errors.
  EXPECT_NEAR(both, 240, 5 * std::sqrt(1000 * 0.24 * 0.76));
  EXPECT_NEAR(translucent, 300, 5 * std::sqrt(1000 * 0.3 * 0.7));
}

SynthLevel plain_crowds() {
  SynthLevel level = formula_level();
  level.crowds = 1, level.relief = false;
  level.texture = level.most_noise = level.most_blur = 0, level.most_distractors = 0,
  level.least_contrast = 120;
  return level;
}

bool at_border(const Label& label) {
  return std::any_of(label.polygon.begin(), label.polygon.end(), [](const cv::Point2d& p) {
    return p.x < 1e-6 || p.y < 1e-6 || p.x > 1 - 1e-6 || p.y > 1 - 1e-6;
  });
}

TEST(Crowds, ShowFewKindsOfOneSizeAndColour) {
  std::size_t most_kinds = 0, most_objects = 0, compared = 0;
  for (std::size_t number = 0; number < 40; ++number) {
    const SynthPicture p = draw_synth_picture(plain_crowds(), 256, 7, 0, number, false);
    std::map<int, std::vector<double>> sides;
    std::map<int, std::vector<cv::Scalar>> colours;
    for (std::size_t i = 0; i < p.labels.size(); ++i) {
      const Label& label = p.labels[i];
      sides[label.class_index];
      if (at_border(label)) continue;
      sides[label.class_index].push_back(
          std::max(label.box.w * p.picture.cols, label.box.h * p.picture.rows));
      if (p.visible[i] < 1) continue;
      cv::Mat mask = cv::Mat::zeros(p.picture.size(), CV_8UC1);
      std::vector<cv::Point> outline;
      for (const cv::Point2d& q : label.polygon)
        outline.emplace_back(static_cast<int>(q.x * p.picture.cols),
                             static_cast<int>(q.y * p.picture.rows));
      cv::fillPoly(mask, std::vector<std::vector<cv::Point>>{outline}, cv::Scalar(255));
      cv::erode(mask, mask, cv::Mat::ones(5, 5, CV_8UC1));
      if (cv::countNonZero(mask) > 0)
        colours[label.class_index].push_back(cv::mean(p.picture, mask));
    }
    most_kinds = std::max(most_kinds, sides.size()),
    most_objects = std::max(most_objects, p.labels.size());
    for (const auto& [kind, all] : sides) {
      if (all.empty()) continue;
      EXPECT_LE(*std::max_element(all.begin(), all.end()),
                *std::min_element(all.begin(), all.end()) * std::exp(0.5) * 1.0001)
          << number;
    }
    for (const auto& [kind, all] : colours)
      for (const cv::Scalar& colour : all) {
        for (int c = 0; c < 3; ++c)
          EXPECT_NEAR(colour[c], all[0][c], 21)
              << number;  // ten grey levels either way, and a rounding
        ++compared;
      }
  }
  EXPECT_TRUE(most_kinds >= 3 && most_kinds <= 4) << most_kinds;
  EXPECT_GT(most_objects, 30u);
  EXPECT_GT(compared, 300u);
}

TEST(Crowds, AreTheShareThatWasAskedFor) {
  SynthLevel level = formula_level();
  level.least_objects = 30, level.most_objects = 40;
  int few_kinds = 0;
  for (std::size_t number = 0; number < 100; ++number) {
    const SynthPicture p = draw_synth_picture(level, 96, 9, 0, number, false);
    std::array<bool, 64> seen{};
    for (const Label& label : p.labels) seen[static_cast<std::size_t>(label.class_index)] = true;
    few_kinds += std::count(seen.begin(), seen.end(), true) <= 4;
  }
  EXPECT_NEAR(few_kinds, 50, 25);  // five standard errors
}

}  // namespace
}  // namespace yolov7::dataset
