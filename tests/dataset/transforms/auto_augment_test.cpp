// AutoAugment for detection (data 12.6): every operation against its row of the table, the policies
// against sums counted from the specification by hand.
#include "dataset/augment/transforms/auto_augment.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <opencv2/core.hpp>
#include <set>

#include "core/error.hpp"
#include "dataset/augment/transforms/auto_augment_operations.hpp"
#include "transform_fixture.hpp"

namespace yolov7::dataset {
namespace {

Sample operated(const char* name, double level, Sample sample, std::uint64_t seed = 1,
                const PolicyOptions& options = {}, double probability = 1) {
  const PolicyOperation* operation = find_policy_operation(name);
  if (operation == nullptr) {
    ADD_FAILURE() << "no operation " << name;
    return sample;
  }
  Random random(seed, 0, 0, 0);
  apply_policy_operation(*operation, probability, level, sample, random, options);
  return sample;
}
cv::Mat operated(const char* name, double level, const cv::Mat& picture, std::uint64_t seed = 1,
                 const PolicyOptions& options = {}) {
  return operated(name, level, Sample{picture.clone(), {}}, seed, options).picture;
}

cv::Mat coordinates(cv::Size size) {
  cv::Mat picture(size, CV_8UC3);
  for (int y = 0; y < size.height; ++y)
    for (int x = 0; x < size.width; ++x)
      picture.at<cv::Vec3b>(y, x) = {static_cast<std::uint8_t>(x), static_cast<std::uint8_t>(y), 7};
  return picture;
}

TEST(AutoAugment, KeepsTheCommonRules) {
  check_common_rules(policy_transforms(), {{"AutoAugment", "{policy: v2}"}});
}

TEST(PolicyOperations, AreTheTwentyFiveOfTheTable) {
  EXPECT_EQ(policy_operations().size(), 25u);
  std::size_t only = 0;
  for (const PolicyOperation& one : policy_operations()) {
    only += one.only_boxes;
    EXPECT_EQ(one.only_boxes, one.name.find("_Only_") != std::string_view::npos) << one.name;
  }
  EXPECT_EQ(only, 9u);
}

struct ByHand {
  const char* name;
  double level;
  std::vector<cv::Vec3b> in, out;  // B G R
};

TEST(PolicyOperations, ColoursByHand) {
  const std::vector<ByHand> cases{
      {"AutoContrast",
       0,
       {{10, 50, 7}, {20, 100, 7}, {60, 150, 7}},
       {{0, 0, 7}, {51, 127, 7}, {255, 255, 7}}},             // 127.5 is truncated
      {"Posterize", 10, {{31, 200, 255}}, {{16, 192, 240}}},  // ⌊4⌋ bits
      {"Posterize", 6, {{31, 200, 255}}, {{0, 192, 192}}},    // ⌊2.4⌋
      {"Posterize", 2, {{31, 128, 255}}, {{0, 128, 128}}},    // ⌊0.8⌋ = 0, at least 1
      {"Solarize", 4, {{101, 102, 255}}, {{101, 153, 0}}},    // from 102 on
      {"Solarize", 10, {{0, 255, 100}}, {{0, 255, 100}}},     // 256: nothing
      {"SolarizeAdd", 8, {{0, 127, 128}}, {{88, 215, 128}}},
      {"Brightness", 0, {{100, 200, 255}}, {{10, 20, 25}}},  // 0.1; 25.5 is truncated
      {"Brightness", 10, {{100, 200, 10}}, {{190, 255, 19}}},
      {"Color",
       0,
       {{0, 0, 255}},
       {{68, 68, 93}}},  // grey 76 (76.2), 76 ∓ 0.1 · …: 68.4, 93.9, truncated
      {"Contrast",
       0,
       {{0, 0, 0}, {200, 200, 200}},
       {{89, 89, 89},
        {109, 109, 109}}},  // greys 0 and 199 or 200, mean 99 (floored): 99 − 9.9, 99 + 10.1
  };
  for (const ByHand& c : cases) {
    const cv::Size size(static_cast<int>(c.in.size()), 1);
    EXPECT_LE(
        largest_difference(operated(c.name, c.level, pixels(size, c.in)), pixels(size, c.out)),
        std::string(c.name) == "Contrast" ? 1 : 0)
        << c.name << ' ' << c.level << operated(c.name, c.level, pixels(size, c.in));
  }
  // 0.2989 + 0.5870 + 0.1140 = 0.9999: grey of grey v is one less where the product is truncated.
  EXPECT_LE(largest_difference(operated("Color", 5, flat({2, 2}, {100, 100, 100})),
                               flat({2, 2}, {100, 100, 100})),
            1);
}

// The published mean: (number of pixels) / 256, at most 255. 64 × 64: 16.
TEST(PolicyOperations, PublishedContrast) {
  PolicyOptions options;
  options.published_contrast = true;
  EXPECT_EQ(
      operated("Contrast", 0, flat({64, 64}, {100, 100, 100}), 1, options).at<cv::Vec3b>(0, 0)[0],
      24);  // 16 + 8.4
  EXPECT_EQ(
      operated("Contrast", 0, flat({300, 300}, {100, 100, 100}), 1, options).at<cv::Vec3b>(0, 0)[0],
      239);  // 255 − 15.5
}

// 512 pixels of 256 values, two each: step (512 − 2) / 255 = 2, so value v has 2 v pixels below it:
// (2 v + 1) / 2 = v.
TEST(PolicyOperations, EqualizeByHand) {
  cv::Mat all(2, 256, CV_8UC3);
  for (int v = 0; v < 256; ++v)
    all.at<cv::Vec3b>(0, v) = all.at<cv::Vec3b>(1, v) =
        cv::Vec3b::all(static_cast<std::uint8_t>(v));
  EXPECT_EQ(largest_difference(operated("Equalize", 0, all), all), 0);
  // 765 pixels: 255 of 10, 510 of 20; step (765 − 510) / 255 = 1: 10 → 0 + 0, 20 → 255.
  cv::Mat two(1, 765, CV_8UC3, cv::Scalar::all(20));
  two.colRange(0, 255).setTo(cv::Scalar::all(10));
  const cv::Mat found = operated("Equalize", 0, two);
  EXPECT_EQ(found.at<cv::Vec3b>(0, 0)[0], 0);
  EXPECT_EQ(found.at<cv::Vec3b>(0, 700)[0], 255);
}

// Level 0: 0.1 of the picture and 0.9 of its mean under 1 1 1 / 1 5 1 / 1 1 1; the border keeps its
// own.
TEST(PolicyOperations, SharpnessByPlainSums) {
  const cv::Mat picture = textured({9, 7}), found = operated("Sharpness", 0, picture);
  for (int y = 0; y < 7; ++y)
    for (int x = 0; x < 9; ++x)
      for (int c = 0; c < 3; ++c) {
        const int v = picture.at<cv::Vec3b>(y, x)[c];
        int sum = 4 * v;
        const bool border = x == 0 || y == 0 || x == 8 || y == 6;
        if (!border)
          for (int dy = -1; dy <= 1; ++dy)
            for (int dx = -1; dx <= 1; ++dx) sum += picture.at<cv::Vec3b>(y + dy, x + dx)[c];
        const int smooth = border ? v : sum / 13;
        EXPECT_EQ(found.at<cv::Vec3b>(y, x)[c],
                  static_cast<int>(smooth + 0.1 * (v - smooth) + 1e-9))
            << x << ' ' << y;
      }
}

// Squares of 2 · ⌊10 L⌋ px about a pixel, 128; BBox_Cutout by q = 0.075 L of one box.
TEST(PolicyOperations, Cutouts) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Random draws(seed, 0, 0, 0);
    draws.chance(1);
    const int cx = static_cast<int>(draws.integer(0, 99)),
              cy = static_cast<int>(draws.integer(0, 79));
    const cv::Mat found = operated("Cutout", 2, flat({100, 80}, {1, 2, 3}), seed);
    for (int y = 0; y < 80; ++y)
      for (int x = 0; x < 100; ++x) {
        const bool inside = x >= cx - 20 && x < cx + 20 && y >= cy - 20 && y < cy + 20;
        ASSERT_EQ(found.at<cv::Vec3b>(y, x), inside ? cv::Vec3b::all(128) : cv::Vec3b(1, 2, 3))
            << seed;
      }
    // q = 0.6: half sides ⌊0.3 · 40⌋ = 12 and ⌊0.3 · 20⌋ = 6; the centre lies in the box.
    const Sample cut = operated(
        "BBox_Cutout", 8, Sample{flat({100, 80}, {1, 2, 3}), {{0, {30, 30, 70, 50}, {}}}}, seed);
    int grey = 0;
    for (int y = 0; y < 80; ++y)
      for (int x = 0; x < 100; ++x)
        if (cut.picture.at<cv::Vec3b>(y, x)[0] == 128) {
          ++grey;
          ASSERT_TRUE(x >= 18 && x < 82 && y >= 24 && y < 56);
        }
    EXPECT_EQ(grey, 24 * 12);
    EXPECT_EQ(cut.objects.size(), 1u);
  }
  EXPECT_EQ(largest_difference(operated("BBox_Cutout", 8, flat({10, 10}, {1, 2, 3})),
                               flat({10, 10}, {1, 2, 3})),
            0);
}

/// Both signs, one an application: content of output (x, y) from the input, or 128.
void expect_moved(const char* name, double level,
                  const std::function<cv::Point2d(cv::Point2d, double)>& inverse,
                  const PolicyOptions& options = {}) {
  std::set<double> signs;
  for (std::uint64_t seed = 0; seed < 12; ++seed) {
    Random draws(seed, 0, 0, 0);
    draws.chance(1);
    const double sign = draws.chance(0.5) ? -1 : 1;
    signs.insert(sign);
    const cv::Mat found = operated(name, level, coordinates({120, 90}), seed, options);
    int compared = 0;
    for (int y = 0; y < 90; ++y)
      for (int x = 0; x < 120; ++x) {
        const cv::Point2d from = inverse({x + 0.5, y + 0.5}, sign);
        // Points on the border of two pixels may go either way.
        if (std::abs(from.x - std::round(from.x)) < 1e-6 ||
            std::abs(from.y - std::round(from.y)) < 1e-6)
          continue;
        const int i = static_cast<int>(std::floor(from.x)),
                  j = static_cast<int>(std::floor(from.y));
        const bool inside = i >= 0 && j >= 0 && i < 120 && j < 90;
        ASSERT_EQ(found.at<cv::Vec3b>(y, x),
                  inside ? cv::Vec3b(static_cast<std::uint8_t>(i), static_cast<std::uint8_t>(j), 7)
                         : cv::Vec3b::all(128))
            << name << seed << ' ' << x << ' ' << y;
        ++compared;
      }
    EXPECT_GT(compared, 5000) << name;
  }
  EXPECT_EQ(signs.size(), 2u) << name;
}

TEST(PolicyOperations, GeometryByTheInverse) {
  expect_moved("TranslateX_BBox", 2,
               [](cv::Point2d p, double s) { return cv::Point2d(p.x - s * 50, p.y); });
  expect_moved("TranslateY_BBox", 1,
               [](cv::Point2d p, double s) { return cv::Point2d(p.x, p.y - s * 25); });
  expect_moved("ShearX_BBox", 8,
               [](cv::Point2d p, double s) { return cv::Point2d(p.x + s * 0.24 * p.y, p.y); });
  expect_moved("ShearY_BBox", 8,
               [](cv::Point2d p, double s) { return cv::Point2d(p.x, p.y + s * 0.24 * p.x); });
  expect_moved("Rotate_BBox", 5, [](cv::Point2d p, double s) {
    const double a = s * 15 * CV_PI / 180, c = std::cos(a), d = std::sin(a), x = p.x - 60,
                 y = p.y - 45;
    return cv::Point2d(
        60 + c * x - d * y,
        45 + d * x + c * y);  // counter-clockwise forward, so clockwise back, y downwards
  });
  PolicyOptions half;
  half.pixel_scale = 0.5;
  expect_moved(
      "TranslateX_BBox", 2, [](cv::Point2d p, double s) { return cv::Point2d(p.x - s * 25, p.y); },
      half);
}

TEST(PolicyOperations, BoxesMoveWithTheContent) {
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    Random draws(seed, 0, 0, 0);
    draws.chance(1);
    const double sign = draws.chance(0.5) ? -1 : 1;
    const Sample found = operated(
        "TranslateX_BBox", 1,
        Sample{flat({120, 90}, {1, 1, 1}), {{0, {40, 20, 70, 50}, {}}, {1, {2, 2, 20, 20}, {}}}},
        seed);
    EXPECT_EQ(found.objects.at(0).box, (Xyxy{40 + 25 * sign, 20, 70 + 25 * sign, 50}));
    EXPECT_EQ(found.objects.size(),
              sign > 0 ? 2u : 1u);  // the second leaves to the left and is dropped (data F23)
  }
}

// Inside each box alone, by nearest neighbour: flipped, shifted, inverted, cut; outside nothing.
// Content is [30, 59] × [20, 49] for a box of (30, 20, 59, 49).
TEST(PolicyOperations, OnlyBoxes) {
  const cv::Rect content(30, 20, 30, 30);
  for (const PolicyOperation& one : policy_operations()) {
    if (!one.only_boxes) continue;
    // Probability 3: a third of it is certain.
    const cv::Mat before = textured({120, 90});
    const Sample found =
        operated(std::string(one.name).c_str(), 4,
                 Sample{before.clone(), {{0, {30, 20, 59.5, 49.5}, {}}}}, 2, {}, 3);
    cv::Mat rest = found.picture.clone();
    before(content).copyTo(rest(content));
    EXPECT_EQ(largest_difference(rest, before), 0)
        << one.name << ": pixels outside the box changed";
    EXPECT_GT(cv::norm(found.picture(content), before(content), cv::NORM_L1), 0) << one.name;
    EXPECT_EQ(found.objects.at(0).box, (Xyxy{30, 20, 59.5, 49.5}));
    const cv::Mat inner = found.picture(content), own = before(content);
    for (int y = 0; y < 30; ++y)
      for (int x = 0; x < 30; ++x) {
        const cv::Vec3b p = inner.at<cv::Vec3b>(y, x), o = own.at<cv::Vec3b>(y, x);
        ASSERT_TRUE(one.name != "Flip_Only_BBoxes" || p == own.at<cv::Vec3b>(y, 29 - x));
        for (int c = 0; c < 3 && one.name == "Solarize_Only_BBoxes"; ++c)
          ASSERT_EQ(p[c], o[c] >= 102 ? 255 - o[c] : o[c]);
        ASSERT_TRUE(one.name != "Cutout_Only_BBoxes" || p == o || p == cv::Vec3b::all(128));
      }
  }
}

// p / 3 for each box by itself: of 3000 boxes a third of 0.6.
TEST(PolicyOperations, ProbabilityOfBoxesIsAThird) {
  int flipped = 0;
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    Sample sample{flat({64, 16}, {10, 10, 10}), {}};
    for (int i = 0; i < 3; ++i) {
      sample.objects.push_back({i, {20.0 * i, 0, 20.0 * i + 9.5, 9.5}, {}});
      sample.picture.at<cv::Vec3b>(5, 20 * i) = {200, 200, 200};
    }
    const Sample found = operated("Flip_Only_BBoxes", 0, sample, seed, {}, 0.6);
    for (int i = 0; i < 3; ++i) flipped += found.picture.at<cv::Vec3b>(5, 20 * i + 9)[0] == 200;
  }
  EXPECT_NEAR(flipped, 600, 5 * std::sqrt(3000 * 0.2 * 0.8));
}

// Counted from the specification: sub-policies, operations, sums of probabilities and of levels,
// and how often some operations occur.
TEST(DetectionPolicies, SumsOfTheSpecification) {
  struct Sums {
    const char* name;
    std::size_t policies, operations;
    double probability, level;
    std::map<std::string, int> counts;
  };
  const std::vector<Sums> expected{
      {"v0",
       5,
       10,
       6.0,
       56,
       {{"Equalize", 1}, {"Cutout", 1}, {"TranslateY_Only_BBoxes", 2}, {"Color", 1}}},
      {"v1",
       20,
       40,
       21.8,
       250,
       {{"Equalize", 3},
        {"Cutout", 2},
        {"TranslateY_Only_BBoxes", 6},
        {"Color", 5},
        {"Sharpness", 4},
        {"SolarizeAdd", 2},
        {"Rotate_BBox", 4}}},
      {"v2",
       15,
       44,
       21.8,
       272,
       {{"Rotate_BBox", 6},
        {"AutoContrast", 4},
        {"Cutout", 5},
        {"BBox_Cutout", 1},
        {"SolarizeAdd", 3},
        {"TranslateY_BBox", 5},
        {"Brightness", 4}}},
      {"v3",
       15,
       30,
       18.6,
       198,
       {{"Posterize", 2},
        {"Rotate_BBox", 5},
        {"Equalize", 4},
        {"TranslateY_BBox", 3},
        {"Cutout", 2}}}};
  for (const Sums& e : expected) {
    const auto& policy = detection_policy(e.name);
    EXPECT_EQ(policy.size(), e.policies) << e.name;
    std::size_t operations = 0;
    double probability = 0, level = 0;
    std::map<std::string, int> counts;
    for (const SubPolicy& one : policy)
      for (const PolicyEntry& entry : one) {
        ++operations, probability += entry.probability, level += entry.level,
            ++counts[std::string(entry.operation)];
        EXPECT_NE(find_policy_operation(entry.operation), nullptr) << entry.operation;
      }
    EXPECT_EQ(operations, e.operations) << e.name;
    EXPECT_NEAR(probability, e.probability, 1e-9) << e.name;
    EXPECT_NEAR(level, e.level, 1e-9) << e.name;
    for (const auto& [name, count] : e.counts)
      EXPECT_EQ(counts[name], count) << e.name << ' ' << name;
  }
  EXPECT_THROW(detection_policy("v4"), Error);
}

}  // namespace
}  // namespace yolov7::dataset
