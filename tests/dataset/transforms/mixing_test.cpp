// Several pictures: mosaics, mixup, CutMix, copies (data 12.1, 13.4 rows 101–105). Boxes and pixels
// by hand or by plain loops over the documented draws.
#include "dataset/augment/transforms/mixing.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <opencv2/core.hpp>

#include "transform_fixture.hpp"

namespace yolov7::dataset {
namespace {

const cv::Vec3b grey(114, 114, 114);

std::vector<cv::Point2d> outline(const Xyxy& b) {
  return {{b.x1, b.y1}, {b.x2, b.y1}, {b.x2, b.y2}, {b.x1, b.y2}};
}

/// `other` gives one-coloured pictures of `size` in turn, colour (10 i, 20 i, 25 i) from i = 1,
/// with one object of class i over `box`.
TransformContext coloured(cv::Size size, const Xyxy& box, bool outlined = false) {
  TransformContext context;
  context.other = [size, box, outlined, i = 0](Random&) mutable {
    ++i;
    const auto level = [&](int n) { return static_cast<std::uint8_t>(n * i); };
    return Sample{flat(size, {level(10), level(20), level(25)}),
                  {{i, box, outlined ? outline(box) : std::vector<cv::Point2d>{}}}};
  };
  return context;
}

cv::Vec3b colour_of(int tile) {
  return tile == 0
             ? cv::Vec3b(5, 5, 5)
             : cv::Vec3b(static_cast<std::uint8_t>(10 * tile), static_cast<std::uint8_t>(20 * tile),
                         static_cast<std::uint8_t>(25 * tile));
}

void expect_box(const Xyxy& found, const Xyxy& expected, const std::string& what = "") {
  constexpr double rounding = 1e-9;  // of doubles on coordinates of tens
  EXPECT_NEAR(found.x1, expected.x1, rounding) << what;
  EXPECT_NEAR(found.y1, expected.y1, rounding) << what;
  EXPECT_NEAR(found.x2, expected.x2, rounding) << what;
  EXPECT_NEAR(found.y2, expected.y2, rounding) << what;
}

TEST(MixingTransforms, KeepTheCommonRules) {
  check_common_rules(mixing_transforms(),
                     {{"CopyPaste", "{fraction: 1}"}, {"FDA", "{beta_limit: [0.1, 0.1]}"}});
}

TEST(MixingTransforms, WithoutAnotherPictureNothingHappens) {
  for (const TransformEntry& one : mixing_transforms()) {
    if (one.name == "CopyPaste" || one.name == "Replicate") continue;
    Sample sample{textured({40, 30}), {{0, {5, 5, 25, 25}, {}}}};
    Random random(1, 0, 0, 0);
    one.make()->apply(sample, random, {});
    EXPECT_EQ(largest_difference(sample.picture, textured({40, 30})), 0) << one.name;
    EXPECT_EQ(sample.objects.size(), 1u) << one.name;
  }
}

// Four tiles of 32 × 24, 32 × 24 …: each touches the centre with its corner; the window is the
// middle 32 × 32 of 64 × 64.
TEST(Mosaic4, TilesMeetInTheDrawnCentre) {
  constexpr int s = 32;
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    Random draws(seed, 0, 0, 0);
    const int yc = static_cast<int>(draws.uniform(s / 2.0, 3 * s / 2.0)),
              xc = static_cast<int>(draws.uniform(s / 2.0, 3 * s / 2.0));
    const Sample result = applied(mixing_transforms(), "Mosaic4", "{}",
                                  Sample{flat({32, 24}, {5, 5, 5}), {{0, {4, 4, 28, 20}, {}}}},
                                  seed, coloured({32, 24}, {4, 4, 28, 20}));
    ASSERT_EQ(result.picture.size(), cv::Size(s, s));
    for (int y = 0; y < s; ++y)
      for (int x = 0; x < s; ++x) {
        const int cx = x + s / 2, cy = y + s / 2, tile = (cx >= xc) + 2 * (cy >= yc);
        const bool inside =
            (cx >= xc ? cx - xc < 32 : xc - cx <= 32) && (cy >= yc ? cy - yc < 24 : yc - cy <= 24);
        ASSERT_EQ(result.picture.at<cv::Vec3b>(y, x), inside ? colour_of(tile) : grey)
            << seed << ' ' << x << ' ' << y;
      }
    for (const Object& object : result.objects) {
      const int tile = object.class_index;
      const double ox = (tile % 2 == 1 ? xc : xc - 32) - s / 2.0,
                   oy = (tile >= 2 ? yc : yc - 24) - s / 2.0;
      const auto cut = [](double v) { return std::clamp(v, 0.0, static_cast<double>(s)); };
      expect_box(object.box, {cut(ox + 4), cut(oy + 4), cut(ox + 28), cut(oy + 20)});
    }
    // An object is missing only where less than a tenth of it, or 2 px and less, is left.
    for (int tile = 0; tile < 4; ++tile) {
      const double ox = (tile % 2 == 1 ? xc : xc - 32) - s / 2.0,
                   oy = (tile >= 2 ? yc : yc - 24) - s / 2.0;
      const double w = std::clamp(ox + 28, 0.0, 32.0) - std::clamp(ox + 4, 0.0, 32.0),
                   h = std::clamp(oy + 20, 0.0, 32.0) - std::clamp(oy + 4, 0.0, 32.0);
      const bool expected =
          w > 2 && h > 2 && w * h / (24 * 16) > 0.1 && std::max(w / h, h / w) < 20;
      EXPECT_EQ(std::count_if(result.objects.begin(), result.objects.end(),
                              [&](const Object& o) { return o.class_index == tile; }),
                expected)
          << seed << ' ' << tile;
    }
  }
}

// Square tiles fill the 3 × 3 grid: centre, top, then clockwise.
TEST(Mosaic9, TilesStandInTheirGrid) {
  constexpr int s = 16;
  constexpr int order[3][3] = {{8, 1, 2}, {7, 0, 3}, {6, 5, 4}};
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    Random draws(seed, 0, 0, 0);
    const int wy = static_cast<int>(draws.uniform(0, s)),
              wx = static_cast<int>(draws.uniform(0, s));
    const Sample result = applied(mixing_transforms(), "Mosaic9", "{}",
                                  Sample{flat({s, s}, {5, 5, 5}), {{0, {2, 2, 14, 14}, {}}}}, seed,
                                  coloured({s, s}, {2, 2, 14, 14}));
    ASSERT_EQ(result.picture.size(), cv::Size(s, s));
    for (int y = 0; y < s; ++y)
      for (int x = 0; x < s; ++x)
        ASSERT_EQ(result.picture.at<cv::Vec3b>(y, x),
                  colour_of(order[(y + wy + s / 2) / s][(x + wx + s / 2) / s]))
            << seed << ' ' << x << ' ' << y;
    for (const Object& object : result.objects)
      for (int row = 0; row < 3; ++row)
        for (int column = 0; column < 3; ++column) {
          if (order[row][column] != object.class_index) continue;
          const double ox = column * s - wx - s / 2.0, oy = row * s - wy - s / 2.0;
          const auto cut = [](double v) { return std::clamp(v, 0.0, static_cast<double>(s)); };
          expect_box(object.box, {cut(ox + 2), cut(oy + 2), cut(ox + 14), cut(oy + 14)});
        }
    EXPECT_FALSE(result.objects.empty());
  }
}

// truncate(200 r + 10 (1 − r)) with r the first draw from Beta(8, 8); the smaller partner is
// letterboxed: 40 × 20 into 40 × 40 has pads of 10 rows.
TEST(MixUp, WeighsPixelsAndKeepsAllObjects) {
  const std::uint64_t seed = 4;
  Random draws(seed, 0, 0, 0);
  const double r = draws.beta(8, 8);
  const Sample result = applied(mixing_transforms(), "MixUp", "{}",
                                Sample{flat({40, 40}, {200, 200, 200}), {{0, {0, 0, 40, 40}, {}}}},
                                seed, coloured({40, 20}, {10, 5, 30, 15}));
  EXPECT_EQ(result.picture.at<cv::Vec3b>(20, 20)[0], static_cast<int>(200 * r + 10 * (1 - r)));
  EXPECT_EQ(result.picture.at<cv::Vec3b>(3, 20)[0], static_cast<int>(200 * r + 114 * (1 - r)));
  ASSERT_EQ(result.objects.size(), 2u);
  expect_box(result.objects[0].box, {0, 0, 40, 40});
  expect_box(result.objects[1].box, {10, 15, 30, 25});
}

// √0.25 = 0.5: 50 × 40 about (20, 30), cut at the left border. λ = 1: nothing. Sides 2·⌊cw/2⌋:
// 100·√0.5 = 70.7 → 70, 80·0.7071 = 56.6 → 56.
TEST(CutMix, PatchByHand) {
  EXPECT_EQ(cutmix_patch({100, 80}, 0.75, {20, 30}), cv::Rect(0, 10, 45, 40));
  EXPECT_TRUE(cutmix_patch({100, 80}, 1, {20, 30}).empty());
  EXPECT_EQ(cutmix_patch({100, 80}, 0.5, {50, 40}), cv::Rect(15, 12, 70, 56));
  EXPECT_EQ(cutmix_patch({100, 80}, 0, {0, 0}), cv::Rect(0, 0, 50, 40));
}

// Patch [20, 60) × [10, 50) of 100 × 80.
TEST(CutMix, LabelsByHand) {
  const cv::Rect patch(20, 10, 40, 40);
  Sample base{flat({100, 80}, {1, 2, 3}), {}}, other{flat({100, 80}, {4, 5, 6}), {}};
  base.objects = {{0, {0, 60, 20, 80}, {}},    // outside
                  {1, {30, 20, 50, 40}, {}},   // hidden
                  {2, {0, 20, 40, 40}, {}},    // right half hidden over its full height: ends at 20
                  {3, {50, 20, 90, 40}, {}},   // left quarter hidden: begins at 60
                  {4, {30, 0, 50, 20}, {}},    // lower half hidden over its full width: ends at 10
                  {5, {30, 40, 50, 70}, {}},   // upper third hidden: begins at 50
                  {6, {10, 40, 40, 70}, {}},   // a corner hidden: stays as it is
                  {7, {0, 20, 52, 40}, {}}};   // 32 of 52 hidden: 0.385 visible, below 0.40
  other.objects = {{8, {30, 20, 50, 40}, {}},  // inside
                   {9, {0, 0, 24, 14}, {}},    // 4 · 4 of 24 · 14 = 0.048 inside
                   {10, {50, 40, 70, 60}, {}},     // 10 · 10 of 400 = 0.25
                   {11, {58.5, 20, 60, 40}, {}}};  // 1.5 px wide
  cutmix(base, other, patch, {}, {});
  const std::vector<std::pair<int, Xyxy>> expected{
      {0, {0, 60, 20, 80}},  {2, {0, 20, 20, 40}},  {3, {60, 20, 90, 40}}, {4, {30, 0, 50, 10}},
      {5, {30, 50, 50, 70}}, {6, {10, 40, 40, 70}}, {8, {30, 20, 50, 40}}, {10, {50, 40, 60, 50}}};
  ASSERT_EQ(base.objects.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(base.objects[i].class_index, expected[i].first);
    expect_box(base.objects[i].box, expected[i].second, std::to_string(expected[i].first));
  }
  for (int y = 0; y < 80; ++y)
    for (int x = 0; x < 100; ++x)
      ASSERT_EQ(base.picture.at<cv::Vec3b>(y, x),
                x >= 20 && x < 60 && y >= 10 && y < 50 ? cv::Vec3b(4, 5, 6) : cv::Vec3b(1, 2, 3));
}

TEST(CutMix, WithoutTrimBoxesStayAndPolygonsAreCutToThePatch) {
  Sample base{flat({100, 80}, {1, 2, 3}), {{2, {0, 20, 40, 40}, {}}}},
      other{flat({100, 80}, {4, 5, 6}), {}};
  // A triangle whose right half lies beyond the patch's right side at 60: what is left reaches from
  // 40 to 60.
  other.objects = {{1, {40, 20, 80, 40}, {{40, 40}, {60, 20}, {80, 40}}}};
  CutMixOptions options;
  options.trim = false;
  cutmix(base, other, {20, 10, 40, 40}, options, {});
  ASSERT_EQ(base.objects.size(), 2u);
  expect_box(base.objects[0].box, {0, 20, 40, 40});
  expect_box(base.objects[1].box, {40, 20, 60, 40});
  for (const cv::Point2d& p : base.objects[1].polygon)
    EXPECT_TRUE(p.x >= 40 && p.x <= 60 && p.y >= 20 && p.y <= 40);
}

// λ = the first draw from Beta(1, 1), then the centre.
TEST(CutMix, DrawsInTheStatedOrder) {
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    Random draws(seed, 0, 0, 0);
    const double lambda = draws.beta(1, 1);
    const int cx = static_cast<int>(draws.integer(0, 59)),
              cy = static_cast<int>(draws.integer(0, 39));
    const int half_width = static_cast<int>(60 * std::sqrt(1 - lambda)) / 2,
              half_height = static_cast<int>(40 * std::sqrt(1 - lambda)) / 2;
    const Sample result =
        applied(mixing_transforms(), "CutMix", "{}", Sample{flat({60, 40}, {1, 2, 3}), {}}, seed,
                coloured({60, 40}, {0, 0, 60, 40}));
    for (int y = 0; y < 40; ++y)
      for (int x = 0; x < 60; ++x) {
        const bool inside = x >= cx - half_width && x < cx + half_width && y >= cy - half_height &&
                            y < cy + half_height;
        ASSERT_EQ(result.picture.at<cv::Vec3b>(y, x),
                  inside ? cv::Vec3b(10, 20, 25) : cv::Vec3b(1, 2, 3))
            << seed;
      }
  }
}

// The object's pixels again, mirrored about the vertical axis of the picture: [4, 14) becomes [50,
// 60) of 64.
TEST(CopyPaste, MirrorsTheOutlinedObject) {
  Sample sample{textured({64, 32}), {}};
  sample.objects.push_back({7, {4, 6, 14, 20}, outline({4, 6, 14, 20})});
  sample.objects.push_back({8, {30, 6, 40, 20}, {}});  // without an outline: never copied
  const cv::Mat before = sample.picture.clone();
  const Sample result = applied(mixing_transforms(), "CopyPaste", "{fraction: 1}", sample);
  ASSERT_EQ(result.objects.size(), 3u);
  EXPECT_EQ(result.objects[2].class_index, 7);
  expect_box(result.objects[2].box, {50, 6, 60, 20});
  for (int y = 7; y < 19; ++y)
    for (int x = 51; x < 59; ++x)
      EXPECT_EQ(result.picture.at<cv::Vec3b>(y, x), before.at<cv::Vec3b>(y, 63 - x));
  EXPECT_EQ(
      largest_difference(result.picture(cv::Rect(0, 0, 48, 32)), before(cv::Rect(0, 0, 48, 32))),
      0);
}

TEST(PasteIn, PastesOtherPicturesObjectsWhereTheyHideLittle) {
  Sample sample{flat({200, 160}, {250, 250, 250}), {{0, {60, 40, 140, 120}, {}}}};
  std::size_t pasted = 0;
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    const Sample result = applied(mixing_transforms(), "PasteIn", "{pictures: 2}",
                                  Sample{sample.picture.clone(), sample.objects}, seed,
                                  coloured({100, 100}, {20, 20, 80, 80}, true));
    expect_box(result.objects[0].box, {60, 40, 140, 120});
    for (std::size_t i = 1; i < result.objects.size(); ++i, ++pasted) {
      const Object& object = result.objects[i];
      EXPECT_LT(intersection_area(object.box, sample.objects[0].box) / sample.objects[0].box.area(),
                0.30);
      EXPECT_GT(object.box.width(), 10);
      // Its middle shows the colour of its class, unless a later one lies on it.
      const cv::Point middle(static_cast<int>((object.box.x1 + object.box.x2) / 2),
                             static_cast<int>((object.box.y1 + object.box.y2) / 2));
      bool covered = false;
      for (std::size_t j = i + 1; j < result.objects.size(); ++j)
        covered = covered || intersection_area(object.box, result.objects[j].box) > 0;
      EXPECT_TRUE(covered || result.picture.at<cv::Vec3b>(middle) == colour_of(object.class_index))
          << object.class_index;
    }
  }
  EXPECT_GT(pasted, 10u);  // 16 tries of at least 20 px a picture, of which a fifth is skipped and
                           // some would hide too much
}

// Of three objects round(1.5) = 2 are copied, the two with the smallest sides; y, then x, whole,
// below height − 6 and so on.
TEST(Replicate, CopiesTheSmallerHalf) {
  const std::uint64_t seed = 9;
  Sample sample{textured({64, 48}),
                {{0, {2, 2, 40, 40}, {}}, {1, {10, 20, 16, 26}, {}}, {2, {50, 30, 62, 42}, {}}}};
  const cv::Mat before = sample.picture.clone();
  const Sample result = applied(mixing_transforms(), "Replicate", "{}", sample, seed);
  Random draws(seed, 0, 0, 0);
  ASSERT_EQ(result.objects.size(), 5u);
  const int y1 = static_cast<int>(draws.uniform(0, 48 - 6)),
            x1 = static_cast<int>(draws.uniform(0, 64 - 6));
  const int y2 = static_cast<int>(draws.uniform(0, 48 - 12)),
            x2 = static_cast<int>(draws.uniform(0, 64 - 12));
  EXPECT_EQ(result.objects[3].class_index, 1);
  EXPECT_EQ(result.objects[4].class_index, 2);
  expect_box(result.objects[3].box,
             {static_cast<double>(x1), static_cast<double>(y1), x1 + 6.0, y1 + 6.0});
  expect_box(result.objects[4].box,
             {static_cast<double>(x2), static_cast<double>(y2), x2 + 12.0, y2 + 12.0});
  EXPECT_EQ(largest_difference(result.picture(cv::Rect(x2, y2, 12, 12)),
                               before(cv::Rect(50, 30, 12, 12))),
            0);
}

}  // namespace
}  // namespace yolov7::dataset
