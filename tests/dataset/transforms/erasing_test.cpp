// Transforms that remove pixels (data 12.2, 8.9, 13.4 rows 94–100): masks by plain loops, shares,
// objects by hand.
#include "dataset/augment/transforms/erasing.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <opencv2/core.hpp>
#include <set>

#include "transform_fixture.hpp"

namespace yolov7::dataset {
namespace {

const cv::Vec3b own(10, 120, 230), grey(114, 114, 114);

Sample result(std::string_view name, const std::string& parameters, cv::Size size,
              std::uint64_t seed = 1, std::vector<Object> objects = {},
              TransformContext context = {}) {
  return applied(erasing_transforms(), name, parameters,
                 Sample{flat(size, own), std::move(objects)}, seed, std::move(context));
}

/// 1 where erased; anything else than the own colour and the fill fails.
cv::Mat erased(const cv::Mat& picture, const cv::Vec3b& fill = grey) {
  cv::Mat mask(picture.size(), CV_8U);
  for (int y = 0; y < picture.rows; ++y)
    for (int x = 0; x < picture.cols; ++x) {
      const cv::Vec3b p = picture.at<cv::Vec3b>(y, x);
      EXPECT_TRUE(p == own || p == fill) << x << ' ' << y;
      mask.at<std::uint8_t>(y, x) = p == fill;
    }
  return mask;
}

cv::Rect extent(const cv::Mat& mask) {
  cv::Point low(mask.cols, mask.rows), high(-1, -1);
  for (int y = 0; y < mask.rows; ++y)
    for (int x = 0; x < mask.cols; ++x)
      if (mask.at<std::uint8_t>(y, x) != 0)
        low = {std::min(low.x, x), std::min(low.y, y)},
        high = {std::max(high.x, x), std::max(high.y, y)};
  return {low, high + cv::Point(1, 1)};
}

TEST(ErasingTransforms, KeepTheCommonRules) { check_common_rules(erasing_transforms()); }

// One rectangle of 0.25 · 80 by 0.5 · 60 px, wholly inside; all places occur.
TEST(CoarseDropout, OneRectangle) {
  std::set<int> columns;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    const cv::Mat mask = erased(
        result("CoarseDropout", "{holes: [1, 1], width: [0.25, 0.25], height: [0.5, 0.5], fill: 3}",
               {80, 60}, seed)
            .picture,
        cv::Vec3b::all(3));
    const cv::Rect hole = extent(mask);
    EXPECT_EQ(hole.size(), cv::Size(20, 30));
    EXPECT_EQ(cv::countNonZero(mask), 600);
    columns.insert(hole.x);
  }
  EXPECT_GT(columns.size(), 30u);
  EXPECT_TRUE(*columns.begin() <= 3 && *columns.rbegin() >= 57);
}

// The whole picture is erased: an object goes unless drop_covered is 1.
TEST(CoarseDropout, HidesObjects) {
  const std::vector<Object> objects{{0, {10, 10, 30, 30}, {}}};
  const char* all = "{holes: [1, 1], width: [1, 1], height: [1, 1]}";
  EXPECT_TRUE(result("CoarseDropout", all, {80, 60}, 1, objects).objects.empty());
  EXPECT_EQ(
      result("CoarseDropout", "{holes: [1, 1], width: [1, 1], height: [1, 1], drop_covered: 1}",
             {80, 60}, 1, objects)
          .objects.size(),
      1u);
  // Upper half of the picture: covers 2/3 of the first and 1/2 of the second.
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const Sample found =
        result("XYMasking", "{columns: [0, 0], rows: [1, 1], row_height: [0.5, 0.5]}", {80, 60},
               seed, {{0, {0, 0, 10, 60}, {}}, {1, {10, 0, 20, 60}, {}}});
    EXPECT_EQ(found.objects.size(), 2u);  // half of each, below 0.6
  }
}

// Area 0.2 of 100 × 80, ratio 2: √3200 = 56.6 by √800 = 28.3.
TEST(Erasing, AreaAndShape) {
  const cv::Mat mask =
      erased(result("Erasing", "{scale: [0.2, 0.2], ratio: [2, 2]}", {100, 80}, 4).picture);
  EXPECT_EQ(extent(mask).size(), cv::Size(57, 28));
  EXPECT_EQ(cv::countNonZero(mask), 57 * 28);
}

TEST(GridDropout, RegularHoles) {
  const cv::Mat mask =
      erased(result("GridDropout", "{unit: [10, 10], ratio: 0.4, random_offset: false}", {60, 50})
                 .picture);
  for (int y = 0; y < 50; ++y)
    for (int x = 0; x < 60; ++x)
      ASSERT_EQ(mask.at<std::uint8_t>(y, x), x % 10 < 4 && y % 10 < 4) << x << ' ' << y;
  const cv::Mat moved =
      erased(result("GridDropout", "{unit: [10, 10], ratio: 0.4}", {60, 50}, 3).picture);
  Random draws(3, 0, 0, 0);
  draws.integer(10, 10);
  const int dx = static_cast<int>(draws.integer(0, 9)), dy = static_cast<int>(draws.integer(0, 9));
  for (int y = 0; y < 50; ++y)
    for (int x = 0; x < 60; ++x)
      ASSERT_EQ(moved.at<std::uint8_t>(y, x), (x + 10 - dx) % 10 < 4 && (y + 10 - dy) % 10 < 4)
          << x << ' ' << y;
}

// Data 12.2 steps 2–4 without rotation: the canvas is 90 × 75, its centre begins at (15, 12).
TEST(GridMask, SquaresAndBandsByPlainLoops) {
  for (const bool squares : {true, false}) {
    GridMaskDraws d;
    d.unit = 12, d.band = 5, d.offset_x = 3, d.offset_y = 7, d.squares = squares;
    const cv::Mat mask = grid_mask({60, 50}, d);
    for (int y = 0; y < 50; ++y)
      for (int x = 0; x < 60; ++x) {
        const bool column = (x + 15 - 3 + 12) % 12 < 5, row = (y + 12 - 7 + 12) % 12 < 5;
        ASSERT_EQ(mask.at<std::uint8_t>(y, x) != 0, squares ? !column && !row : column || row)
            << x << ' ' << y;
      }
  }
}

// Kept in mode 1: 1 − (1 − r)², whatever the rotation, over many units of the grid: r = 0.6 → 0.84;
// a border of half units is 2 %.
TEST(GridMask, KeptShare) {
  GridMaskDraws d;
  d.unit = 20, d.band = 12;
  for (const int degrees : {0, 30, 77}) {
    d.degrees = degrees;
    EXPECT_NEAR(1 - cv::countNonZero(grid_mask({600, 600}, d)) / 360'000.0, 0.84, 0.02) << degrees;
  }
}

// A quarter turn of a grid without offset on a square canvas is the grid mirrored: the same columns
// as rows.
TEST(GridMask, RotatesAboutTheCentre) {
  GridMaskDraws d;
  d.unit = 14, d.band = 4, d.offset_x = 3, d.offset_y = 5;
  const cv::Mat straight = grid_mask({60, 60}, d);
  d.degrees = 90;
  const cv::Mat turned = grid_mask({60, 60}, d);
  for (int y = 0; y < 60; ++y)
    for (int x = 0; x < 60; ++x)
      ASSERT_EQ(turned.at<std::uint8_t>(y, x), straight.at<std::uint8_t>(x, 59 - y))
          << x << ' ' << y;  // counter-clockwise
}

// Probability p · min(1, progress / ramp) within the step: at a quarter of a ramp over the whole
// training, one in four.
TEST(GridMask, GrowsWithTheTraining) {
  for (const auto& [progress, ramp, expected] :
       {std::tuple{0.25, "1", 0.25}, {0.25, "0.5", 0.5}, {0.8, "0.5", 1.0}}) {
    int masked = 0;
    for (std::uint64_t seed = 0; seed < 400; ++seed) {
      TransformContext context;
      context.progress = progress;
      masked += cv::countNonZero(
                    erased(result("GridMask", std::string("{unit_min: 6, ramp: ") + ramp + "}",
                                  {24, 24}, seed, {}, context)
                               .picture)) > 0;
    }
    EXPECT_NEAR(masked, 400 * expected, 5 * std::sqrt(400 * expected * (1 - expected)) + 1e-9)
        << progress << ' ' << ramp;
  }
}

// Strips of 0.1 · 80 columns and 0.2 · 60 rows over the whole length.
TEST(XYMasking, Strips) {
  const cv::Mat column = erased(
      result("XYMasking", "{columns: [1, 1], rows: [0, 0], column_width: [0.1, 0.1]}", {80, 60}, 2)
          .picture);
  EXPECT_EQ(extent(column).size(), cv::Size(8, 60));
  EXPECT_EQ(cv::countNonZero(column), 480);
  const cv::Mat row = erased(
      result("XYMasking", "{columns: [0, 0], rows: [1, 1], row_height: [0.2, 0.2]}", {80, 60}, 2)
          .picture);
  EXPECT_EQ(extent(row).size(), cv::Size(80, 12));
}

// Only in boxes of class 1: 0.5 of 40 by 0.25 of 20 px.
TEST(ConstrainedCoarseDropout, StaysInItsBoxes) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const Sample found = result(
        "ConstrainedCoarseDropout", "{classes: [1, 1], width: [0.5, 0.5], height: [0.25, 0.25]}",
        {100, 80}, seed, {{0, {0, 0, 30, 30}, {}}, {1, {50, 40, 90, 60}, {}}});
    const cv::Rect hole = extent(erased(found.picture));
    EXPECT_EQ(hole.size(), cv::Size(20, 5));
    EXPECT_TRUE(hole.x >= 50 && hole.y >= 40 && hole.br().x <= 90 && hole.br().y <= 60) << hole;
    EXPECT_EQ(found.objects.size(), 2u);
  }
}

// Data 8.9: 31 rectangles, the first at most half of each side, in colours of 64 … 191; an object
// goes with 0.6 of it under one of the larger ones.
TEST(YoloCutout, ColoursSizesAndObjects) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const std::vector<Object> objects{
        {0, {10, 10, 14, 14}, {}}, {1, {0, 0, 100, 80}, {}}, {2, {60, 50, 66, 55}, {}}};
    const Sample found = result("YoloCutout", "{}", {100, 80}, seed, objects);
    int changed = 0;
    for (int y = 0; y < 80; ++y)
      for (int x = 0; x < 100; ++x) {
        const cv::Vec3b p = found.picture.at<cv::Vec3b>(y, x);
        if (p == own) continue;
        ++changed;
        for (int c = 0; c < 3; ++c) ASSERT_TRUE(p[c] >= 64 && p[c] <= 191);
      }
    EXPECT_GT(changed, 31);
    // The draws again, by the order of the specification: height, width, x, y, colours.
    Random draws(seed, 0, 0, 0);
    std::vector<bool> gone(3);
    for (const auto& [fraction, count] :
         {std::pair{0.5, 1}, {0.25, 2}, {0.125, 4}, {0.0625, 8}, {0.03125, 16}})
      for (int i = 0; i < count; ++i) {
        const auto h = draws.integer(1, static_cast<int>(80 * fraction)),
                   w = draws.integer(1, static_cast<int>(100 * fraction));
        const auto x = std::max<std::int64_t>(0, draws.integer(0, 100) - w / 2),
                   y = std::max<std::int64_t>(0, draws.integer(0, 80) - h / 2);
        for (int c = 0; c < 3; ++c) draws.integer(64, 191);
        const Xyxy hole{static_cast<double>(x), static_cast<double>(y),
                        static_cast<double>(std::min<std::int64_t>(100, x + w)),
                        static_cast<double>(std::min<std::int64_t>(80, y + h))};
        for (std::size_t k = 0; k < 3; ++k)
          gone[k] =
              gone[k] || (fraction > 0.03 &&
                          intersection_area(objects[k].box, hole) / objects[k].box.area() >= 0.6);
      }
    for (int k = 0; k < 3; ++k)
      EXPECT_EQ(std::any_of(found.objects.begin(), found.objects.end(),
                            [&](const Object& o) { return o.class_index == k; }),
                !gone[static_cast<std::size_t>(k)])
          << seed << ' ' << k;
  }
}

}  // namespace
}  // namespace yolov7::dataset
