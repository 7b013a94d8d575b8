// Weather, light and optics (data 13.2 rows 50–58): formulas on flat pictures, bounds that hold for
// every draw, plain loops.
#include "dataset/augment/transforms/weather.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <opencv2/core.hpp>
#include <set>

#include "transform_fixture.hpp"

namespace yolov7::dataset {
namespace {

cv::Mat result(std::string_view name, const std::string& parameters, const cv::Mat& picture,
               std::uint64_t seed = 1) {
  return applied_to(weather_transforms(), name, parameters, picture, seed);
}
std::uint8_t rounded(double v) {
  return static_cast<std::uint8_t>(std::clamp(std::floor(v + 0.5), 0.0, 255.0));
}

TEST(WeatherTransforms, KeepTheCommonRules) {
  check_common_rules(weather_transforms(), {{"Superpixels", "{p_replace: [0.2, 0.4]}"}});
}

// Without blur a pixel is 100 · 0.7 or a drop, 200 · 0.7; an upright drop is a column of 21 pixels
// (both ends), cut at the border.
TEST(RandomRain, StreaksOfTheirColourAndLength) {
  const cv::Mat found = result("RandomRain", "{slant_range: [0, 0], drops: 1, blur_value: 1}",
                               flat({60, 50}, {100, 100, 100}), 3);
  std::set<int> columns;
  int wet = 0;
  for (int y = 0; y < 50; ++y)
    for (int x = 0; x < 60; ++x) {
      const int v = found.at<cv::Vec3b>(y, x)[0];
      ASSERT_TRUE(v == 70 || v == 140) << v;
      if (v == 140) ++wet, columns.insert(x);
    }
  EXPECT_EQ(columns.size(), 1u);
  EXPECT_TRUE(wet > 0 && wet <= 21) << wet;
  // Slanted by 45°: as many columns as rows.
  const cv::Mat slanted =
      result("RandomRain", "{slant_range: [45, 45], drops: 1, blur_value: 1, drop_length: 10}",
             flat({60, 50}, {100, 100, 100}), 3);
  std::set<int> rows;
  columns.clear();
  for (int y = 0; y < 50; ++y)
    for (int x = 0; x < 60; ++x)
      if (slanted.at<cv::Vec3b>(y, x)[0] == 140) columns.insert(x), rows.insert(y);
  EXPECT_EQ(columns.size(), rows.size());
  EXPECT_GT(rows.size(), 3u);
  // Blur takes the mean: 7 · 7 windows of a column of drops are 7 of 49 brighter by 100.
  const cv::Mat blurred = result("RandomRain", "{slant_range: [0, 0], drops: 1, drop_length: 200}",
                                 flat({60, 50}, {100, 100, 100}), 3);
  double high = 0;
  cv::minMaxLoc(blurred.reshape(1), nullptr, &high);
  EXPECT_NEAR(high, 0.7 * (100 + 100.0 / 7), 1);
}

// Point 0.2: lightness below 110.5 by 2.5. Grey has its value as lightness; pure red has 128
// (127.5).
TEST(RandomSnow, LightensWhatIsDark) {
  const cv::Mat found =
      result("RandomSnow", "{snow_point_range: [0.2, 0.2]}",
             pixels({4, 1}, {{40, 40, 40}, {110, 110, 110}, {111, 111, 111}, {0, 0, 255}}));
  EXPECT_EQ(found.at<cv::Vec3b>(0, 0), cv::Vec3b::all(100));
  EXPECT_EQ(found.at<cv::Vec3b>(0, 1), cv::Vec3b::all(255));
  EXPECT_EQ(found.at<cv::Vec3b>(0, 2), cv::Vec3b::all(111));
  EXPECT_LE(largest_difference(found(cv::Rect(3, 0, 1, 1)), flat({1, 1}, {0, 0, 255})),
            1);  // 8-bit colour space and back
}

// A disc so large that it covers everything lies there `discs` times: 255 − (255 − x) · (1 − 0.08 ·
// 1)^k. On 1 × 1 px the radius is 1/6.
TEST(RandomFog, ByTheNumberOfDiscs) {
  const cv::Mat picture = flat({90, 90}, {55, 105, 155});
  std::map<int, int> seen;
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    const cv::Mat found =
        result("RandomFog", "{fog_coef_range: [1, 1], alpha_coef: 0.08}", picture, seed);
    for (int y = 0; y < 90; ++y)
      for (int x = 0; x < 90; ++x) {
        // All three channels agree on the number of discs above the pixel.
        const cv::Vec3b p = found.at<cv::Vec3b>(y, x);
        const double k = std::log((255 - p[0]) / 200.0) / std::log(0.92);
        ASSERT_NEAR(255 - 150 * std::pow(0.92, k), p[1], 1.0);
        ASSERT_NEAR(255 - 100 * std::pow(0.92, k), p[2], 1.0);
        ASSERT_GE(p[0], 55);
        ++seen[static_cast<int>(k + 0.5)];
      }
  }
  // 40 discs of radius 15 on 90 × 90 px: 40 · π 15² / 90² = 3.5 on average without the border's
  // loss.
  double mean = 0;
  for (const auto& [k, n] : seen) mean += k * n / (5.0 * 90 * 90);
  EXPECT_TRUE(mean > 2.3 && mean < 3.6) << mean;
}

// Never darker; the sun's own pixel is white; outside its glow and without circles nothing changes:
// share (1 − d / R)² elsewhere.
TEST(RandomSunFlare, GlowByFormula) {
  const cv::Mat picture = flat({120, 80}, {50, 100, 150});
  const cv::Mat found = result(
      "RandomSunFlare",
      "{roi_x: [0.25, 0.25], roi_y: [0.25, 0.25], src_radius: 20, num_flare_circles: [0, 0]}",
      picture);
  for (int y = 0; y < 80; ++y)
    for (int x = 0; x < 120; ++x) {
      const double d = std::min(1.0, std::hypot(x + 0.5 - 30, y + 0.5 - 20) / 20),
                   share = (1 - d) * (1 - d);
      for (int c = 0; c < 3; ++c) {
        const double v = 50 + 50 * c;
        ASSERT_EQ(found.at<cv::Vec3b>(y, x)[c], rounded(v + (255 - v) * share)) << x << ' ' << y;
      }
    }
  const cv::Mat circles = result("RandomSunFlare", "{num_flare_circles: [8, 8]}", picture, 4);
  double low = 0;
  cv::Mat change = circles - picture, lost = picture - circles;
  cv::minMaxLoc(lost.reshape(1), nullptr, &low);
  EXPECT_EQ(low, 0);
  EXPECT_GT(cv::norm(change, cv::NORM_INF), 20);
}

// A pixel keeps its value or has half of it, the latter only inside the region.
TEST(RandomShadow, HalvesPolygonsInTheRegion) {
  const cv::Mat picture = flat({120, 80}, {50, 100, 151});
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    const cv::Mat found = result("RandomShadow", "{num_shadows_limit: [1, 1]}", picture, seed);
    int dark = 0;
    for (int y = 0; y < 80; ++y)
      for (int x = 0; x < 120; ++x) {
        const cv::Vec3b p = found.at<cv::Vec3b>(y, x);
        ASSERT_TRUE(p == cv::Vec3b(50, 100, 151) || (y >= 40 && p == cv::Vec3b(25, 50, 76)))
            << x << ' ' << y;
        dark += p[0] == 25;
      }
    EXPECT_GT(dark, 20) << seed;
  }
}

// Every pixel lies between its own colour and the drops', all channels by one share of at most the
// intensity.
TEST(Spatter, MixesTheDropsColour) {
  for (const bool rain : {true, false}) {
    const cv::Vec3d drops = rain ? cv::Vec3d(238, 238, 175) : cv::Vec3d(20, 42, 63);
    const cv::Mat found = result("Spatter", rain ? "{mode: rain}" : "{mode: mud}",
                                 flat({120, 90}, {100, 100, 100}), 2);
    int wet = 0;
    double most = 0;
    for (int y = 0; y < 90; ++y)
      for (int x = 0; x < 120; ++x) {
        const cv::Vec3d p(found.at<cv::Vec3b>(y, x));
        const double share = (p[0] - 100) / (drops[0] - 100);
        ASSERT_NEAR(p[2], 100 + share * (drops[2] - 100), 1.1);  // two roundings
        wet += share > 0, most = std::max(most, share);
      }
    EXPECT_NEAR(most, 0.6, 0.01);
    // Above 0.68: z = 0.03 / (0.3 / (2 · 2 · √π)) = 0.71, a share of 0.24 of the field; 10,800
    // pixels are some 430 independent ones.
    EXPECT_NEAR(wet / 10800.0, 0.24, 0.1);
  }
}

// Bilinear by a plain loop: coordinates in 32nds of a pixel, so that an edge of 100 levels may be
// 100/64 off both ways.
TEST(ChromaticAberration, DisplacesRedAndBlue) {
  const cv::Mat picture = textured({41, 31});
  const cv::Mat found =
      result("ChromaticAberration",
             "{primary_distortion_limit: [0.03, 0.03], secondary_distortion_limit: [-0.01, -0.01]}",
             picture);
  for (int y = 0; y < 31; ++y)
    for (int x = 0; x < 41; ++x) {
      EXPECT_EQ(found.at<cv::Vec3b>(y, x)[1], picture.at<cv::Vec3b>(y, x)[1]);
      const double u = (x - 20) / 20.0, v = (y - 15) / 20.0, r2 = u * u + v * v,
                   f = 1 + 0.03 * r2 - 0.01 * r2 * r2;
      const double sx = std::clamp(20 + 20 * u * f, 0.0, 40.0),
                   sy = std::clamp(15 + 20 * v * f, 0.0, 30.0);
      const int x0 = std::min(39, static_cast<int>(sx)), y0 = std::min(29, static_cast<int>(sy));
      for (const int c : {0, 2}) {
        const auto at = [&](int i, int j) {
          return static_cast<double>(picture.at<cv::Vec3b>(j, i)[c]);
        };
        const double expected =
            (at(x0, y0) * (x0 + 1 - sx) + at(x0 + 1, y0) * (sx - x0)) * (y0 + 1 - sy) +
            (at(x0, y0 + 1) * (x0 + 1 - sx) + at(x0 + 1, y0 + 1) * (sx - x0)) * (sy - y0);
        EXPECT_NEAR(found.at<cv::Vec3b>(y, x)[c], expected, 3.5) << x << ' ' << y;
      }
    }
  EXPECT_EQ(
      largest_difference(
          result("ChromaticAberration",
                 "{primary_distortion_limit: [0, 0], secondary_distortion_limit: [0, 0]}", picture),
          picture),
      0);
}

// Four quarters of one colour each: no segment crosses a boundary, so that replacing all changes
// nothing.
TEST(Superpixels, FollowEdges) {
  cv::Mat picture = flat({64, 64}, {200, 30, 30});
  picture(cv::Rect(0, 0, 29, 35)).setTo(cv::Scalar(30, 200, 30));
  picture(cv::Rect(29, 35, 35, 29)).setTo(cv::Scalar(30, 30, 200));
  EXPECT_EQ(
      largest_difference(
          result("Superpixels", "{p_replace: [1, 1], n_segments: [16, 16]}", picture), picture),
      0);
}

TEST(Superpixels, AreMeansOfAboutSoManySegments) {
  const cv::Mat picture = textured({100, 80}), labels = superpixels(picture, 60, 20, 128);
  std::map<int, std::pair<cv::Vec3d, int>> sums;
  for (int y = 0; y < 80; ++y)
    for (int x = 0; x < 100; ++x)
      sums[labels.at<int>(y, x)].first += cv::Vec3d(picture.at<cv::Vec3b>(y, x)),
          ++sums[labels.at<int>(y, x)].second;
  EXPECT_NEAR(static_cast<double>(sums.size()), 60, 15);
  const cv::Mat found = result("Superpixels", "{p_replace: [1, 1], n_segments: [60, 60]}", picture);
  for (int y = 0; y < 80; ++y)
    for (int x = 0; x < 100; ++x) {
      const auto& [sum, count] = sums[labels.at<int>(y, x)];
      for (int c = 0; c < 3; ++c) ASSERT_EQ(found.at<cv::Vec3b>(y, x)[c], rounded(sum[c] / count));
    }
  EXPECT_EQ(largest_difference(result("Superpixels", "{p_replace: [0, 0]}", picture), picture), 0);
}

TEST(RandomGravel, BrightSpecksInsideTheRegion) {
  const cv::Mat picture = flat({200, 160}, {20, 20, 20});
  const cv::Mat found = result("RandomGravel", "{density: 0.05}", picture, 2);
  int specks = 0;
  for (int y = 0; y < 160; ++y)
    for (int x = 0; x < 200; ++x) {
      const cv::Vec3b p = found.at<cv::Vec3b>(y, x);
      const bool inside = x >= 20 && x < 180 && y >= 64 && y < 144;
      ASSERT_TRUE(p == cv::Vec3b::all(20) || (inside && p[0] >= 160 && p[0] == p[2]))
          << x << ' ' << y;
      specks += p[0] >= 160;
    }
  EXPECT_GT(specks, 100);
}

}  // namespace
}  // namespace yolov7::dataset
