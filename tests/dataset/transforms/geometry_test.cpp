// Geometry (data 13.3): pixels by hand and by plain loops over the inverse maps, sizes and places
// by the documented draws.
#include "dataset/augment/transforms/geometry.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <opencv2/core.hpp>
#include <set>

#include "core/error.hpp"
#include "transform_fixture.hpp"

namespace yolov7::dataset {
namespace {

Sample result(std::string_view name, const std::string& parameters, Sample sample,
              std::uint64_t seed = 1) {
  return applied(geometry_transforms(), name, parameters, std::move(sample), seed);
}
cv::Mat result_of(std::string_view name, const std::string& parameters, const cv::Mat& picture,
                  std::uint64_t seed = 1) {
  return applied_to(geometry_transforms(), name, parameters, picture, seed);
}

/// Values that tell where a pixel came from: (x, y, 7).
cv::Mat coordinates(cv::Size size) {
  cv::Mat picture(size, CV_8UC3);
  for (int y = 0; y < size.height; ++y)
    for (int x = 0; x < size.width; ++x)
      picture.at<cv::Vec3b>(y, x) = {static_cast<std::uint8_t>(x), static_cast<std::uint8_t>(y), 7};
  return picture;
}
cv::Point origin_of(const cv::Mat& picture) {
  return {picture.at<cv::Vec3b>(0, 0)[0], picture.at<cv::Vec3b>(0, 0)[1]};
}

/// Bilinear between pixel centres of the input, grey beyond: what the output pixel with centre p
/// shows if `inverse` says where from.
void expect_warp(const cv::Mat& found, const cv::Mat& picture,
                 const std::function<cv::Point2d(cv::Point2d)>& inverse, double tolerance,
                 const char* name) {
  int compared = 0;
  for (int y = 0; y < found.rows; ++y)
    for (int x = 0; x < found.cols; ++x) {
      const cv::Point2d p = inverse({x + 0.5, y + 0.5}) - cv::Point2d(0.5, 0.5);
      const int x0 = static_cast<int>(std::floor(p.x)), y0 = static_cast<int>(std::floor(p.y));
      const double fx = p.x - x0, fy = p.y - y0;
      const auto at = [&](int i, int j) {
        return i < 0 || j < 0 || i >= picture.cols || j >= picture.rows
                   ? cv::Vec3d::all(114)
                   : cv::Vec3d(picture.at<cv::Vec3b>(j, i));
      };
      const cv::Vec3d expected = (at(x0, y0) * (1 - fx) + at(x0 + 1, y0) * fx) * (1 - fy) +
                                 (at(x0, y0 + 1) * (1 - fx) + at(x0 + 1, y0 + 1) * fx) * fy;
      for (int c = 0; c < 3; ++c)
        ASSERT_NEAR(found.at<cv::Vec3b>(y, x)[c], expected[c], tolerance)
            << name << ' ' << x << ' ' << y;
      ++compared;
    }
  EXPECT_GT(compared, 100);
}

// OpenCV's coordinates have a step of 1/32 px: between neighbours up to 130 levels apart (grey
// beside the texture) half a step each way is 4 levels.
constexpr double bilinear = 4.6;

struct Symmetry {
  const char* name;
  const char* parameters;
  std::vector<int> rows;  ///< the picture 1 2 3 / 4 5 6, row by row
  int width;
  Xyxy box;  ///< of (0, 0, 2, 1)
};

TEST(Symmetries, ByHand) {
  const std::vector<Symmetry> cases{{"HorizontalFlip", "{}", {3, 2, 1, 6, 5, 4}, 3, {1, 0, 3, 1}},
                                    {"VerticalFlip", "{}", {4, 5, 6, 1, 2, 3}, 3, {0, 1, 2, 2}},
                                    {"Transpose", "{}", {1, 4, 2, 5, 3, 6}, 2, {0, 0, 1, 2}},
                                    {"RandomRotate90",
                                     "{counter_clockwise: false, upside_down: false}",
                                     {4, 1, 5, 2, 6, 3},
                                     2,
                                     {1, 0, 2, 2}},
                                    {"RandomRotate90",
                                     "{clockwise: false, upside_down: false}",
                                     {3, 6, 2, 5, 1, 4},
                                     2,
                                     {0, 1, 1, 3}},
                                    {"RandomRotate90",
                                     "{clockwise: false, counter_clockwise: false}",
                                     {6, 5, 4, 3, 2, 1},
                                     3,
                                     {1, 1, 3, 2}}};
  for (const Symmetry& c : cases) {
    cv::Mat picture(2, 3, CV_8UC3);
    for (int i = 0; i < 6; ++i)
      picture.at<cv::Vec3b>(i / 3, i % 3) = cv::Vec3b::all(static_cast<std::uint8_t>(i + 1));
    const Sample found =
        result(c.name, c.parameters, Sample{picture, {{0, {0, 0, 2, 1}, {{0, 0}, {2, 1}}}}});
    ASSERT_EQ(found.picture.cols, c.width) << c.name;
    for (int i = 0; i < 6; ++i)
      EXPECT_EQ(found.picture.at<cv::Vec3b>(i / c.width, i % c.width)[0],
                c.rows[static_cast<std::size_t>(i)])
          << c.name << ' ' << i;
    EXPECT_EQ(found.objects.at(0).box, c.box) << c.name;
  }
  EXPECT_THROW(
      result("RandomRotate90", "{clockwise: false, counter_clockwise: false, upside_down: false}",
             Sample{flat({3, 2}, {1, 1, 1}), {}}),
      Error);
}

TEST(D4, IsOneOfEight) {
  std::set<std::vector<int>> seen;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const cv::Mat found = result_of("D4", "{}", coordinates({2, 2}), seed);
    std::vector<int> values;
    for (int i = 0; i < 4; ++i)
      values.push_back(found.at<cv::Vec3b>(i / 2, i % 2)[0] +
                       2 * found.at<cv::Vec3b>(i / 2, i % 2)[1]);
    seen.insert(values);
  }
  EXPECT_EQ(seen.size(), 8u);
}

// The inverse maps, written out: a turn by −a, then back from the centre (30, 20).
TEST(Affine, PixelsByTheInverseMaps) {
  const cv::Mat picture = textured({60, 40});
  const double a = 25 * CV_PI / 180, c = std::cos(a), s = std::sin(a);
  const auto turned_back = [&](cv::Point2d p) {
    return cv::Point2d(30 + c * (p.x - 30) - s * (p.y - 20), 20 + s * (p.x - 30) + c * (p.y - 20));
  };
  expect_warp(result_of("Rotate", "{limit: [25, 25]}", picture), picture, turned_back, bilinear,
              "Rotate");
  // The picture's half diagonals reach 30 c + 20 s and 30 s + 20 c: all is seen at the smaller of
  // 30 and 20 divided by these.
  const double scale = std::min(30 / (30 * c + 20 * s), 20 / (30 * s + 20 * c));
  expect_warp(
      result_of("SafeRotate", "{limit: [25, 25]}", picture), picture,
      [&](cv::Point2d p) {
        return turned_back({30 + (p.x - 30) / scale, 20 + (p.y - 20) / scale});
      },
      bilinear, "SafeRotate");
  expect_warp(
      result_of("ShiftScaleRotate",
                "{rotate_limit: [25, 25], scale_limit: [0.2, 0.2], shift_limit: [0.1, 0.1]}",
                picture),
      picture,
      [&](cv::Point2d p) {
        return turned_back({30 + (p.x - 6 - 30) / 1.2, 20 + (p.y - 4 - 20) / 1.2});
      },
      bilinear, "ShiftScaleRotate");
  const double x = std::tan(10 * CV_PI / 180), y = std::tan(-5 * CV_PI / 180);
  const auto unsheared = [&](cv::Point2d p) {
    const double u = p.x - 30, v = p.y - 20, d = 1 - x * y;  // of (u + x v, y u + v)
    return cv::Point2d(30 + (u - x * v) / d, 20 + (v - y * u) / d);
  };
  expect_warp(result_of("Shear", "{horizontal: [10, 10], vertical: [-5, -5]}", picture), picture,
              unsheared, bilinear, "Shear");
  expect_warp(
      result_of("Affine",
                "{scale: [0.9, 0.9], rotate: [25, 25], shear_x: [10, 10], shear_y: [-5, -5], "
                "translate_percent: [0.05, 0.05]}",
                picture),
      picture,
      [&](cv::Point2d p) {
        const cv::Point2d q = turned_back({p.x - 3, p.y - 2});
        return unsheared({30 + (q.x - 30) / 0.9, 20 + (q.y - 20) / 0.9});
      },
      bilinear, "Affine");
  expect_warp(
      result_of("Translate", "{limit: [0.1, 0.1]}", picture), picture,
      [](cv::Point2d p) { return cv::Point2d(p.x - 6, p.y - 4); }, 0.01, "Translate");
}

// A square at 45°: half the diagonal each way. 100 × 60 at 90°: turned, so 60 × 100 seen inside 60
// high. No turn: all of it. No grey is left inside.
TEST(Rotate, CropBorderLeavesNoGrey) {
  EXPECT_NEAR(inscribed_rectangle({100, 100}, 45).width, 100 / std::sqrt(2), 1e-9);
  EXPECT_NEAR(inscribed_rectangle({100, 60}, 0).width, 100, 1e-9);
  EXPECT_NEAR(inscribed_rectangle({100, 60}, 90).height, 100, 1e-9);
  for (const char* limit :
       {"{limit: [10, 10], crop_border: true}", "{limit: [-40, -40], crop_border: true}",
        "{limit: [75, 75], crop_border: true}"}) {
    const cv::Mat found = result_of("Rotate", limit, flat({120, 80}, {250, 250, 250}));
    double low = 0;
    cv::minMaxLoc(found.reshape(1), &low);
    EXPECT_GT(low, 180) << limit;  // a corner pixel may be half outside: 250 and 114
    EXPECT_GT(found.total(), 120u * 80 / 6) << limit;
  }
}

// Corners by the documented draws; the map that takes them to the picture's corners, solved by
// Cramer's rule in another form: along each output line the cross ratio is kept.
TEST(Perspective, TakesTheDrawnCornersToTheCorners) {
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    Random draws(seed, 0, 0, 0);
    draws.uniform();  // the scale
    const auto inwards = [&] { return std::min(0.45, std::abs(0.1 * draws.normal())); };
    double corner[4][2];
    for (auto& one : corner) one[0] = inwards() * 100, one[1] = inwards() * 80;
    const double x[4] = {corner[0][0], 100 - corner[1][0], 100 - corner[2][0], corner[3][0]},
                 y[4] = {corner[0][1], corner[1][1], 80 - corner[2][1], 80 - corner[3][1]};
    // Small objects around the four corners and the crossing of the diagonals.
    const double d = (x[2] - x[0]) * (y[3] - y[1]) - (y[2] - y[0]) * (x[3] - x[1]),
                 t = ((x[1] - x[0]) * (y[3] - y[1]) - (y[1] - y[0]) * (x[3] - x[1])) / d;
    const double cx = x[0] + t * (x[2] - x[0]), cy = y[0] + t * (y[2] - y[0]);
    Sample sample{flat({100, 80}, {9, 9, 9}),
                  {{0, {cx - 2, cy - 2, cx + 2, cy + 2}, {}},
                   {1, {x[0], y[0], x[0] + 10, y[0] + 10}, {}},
                   {2, {x[2] - 10, y[2] - 10, x[2], y[2]}, {}}}};
    const Sample found = result("Perspective", "{scale: [0.1, 0.1]}", sample, seed);
    for (const Object& object : found.objects) {
      const Xyxy& b = object.box;
      const bool placed = object.class_index == 0
                              ? b.x1 < 50 && b.x2 > 50 && b.y1 < 40 &&
                                    b.y2 > 40  // the diagonals cross in the middle
                          : object.class_index == 1 ? b.x1 < 1.5 && b.y1 < 1.5
                                                    : b.x2 > 98.5 && b.y2 > 78.5;
      EXPECT_TRUE(placed) << object.class_index << ": " << b.x1 << ' ' << b.y1 << ' ' << b.x2 << ' '
                          << b.y2;
    }
    EXPECT_EQ(found.objects.size(), 3u);
    EXPECT_NE(
        result("Perspective", "{scale: [0.1, 0.1], keep_size: false}", sample, seed).picture.size(),
        cv::Size(100, 80));
  }
}

// The standard step with the same draws.
TEST(YoloPerspective, IsTheStandardStep) {
  const Sample sample{textured({64, 48}), {{0, {10, 10, 40, 40}, {}}}};
  const Sample found =
      result("YoloPerspective", "{degrees: 0, translate: 0, scale: -0.05, shear: 0}",
             {sample.picture.clone(), sample.objects}, 2);  // U(1.05, 1.05)
  EXPECT_NEAR(found.objects.at(0).box.x1, 32 + (10 - 32) * 1.05, 1e-9);
  EXPECT_NEAR(found.objects.at(0).box.y2, 24 + (40 - 24) * 1.05, 1e-9);
}

TEST(Resizes, SizesAndPlacesByHand) {
  const auto size = [](std::string_view name, const std::string& parameters) {
    return result_of(name, parameters, coordinates({80, 60})).size();
  };
  EXPECT_EQ(size("RandomScale", "{scale_limit: [0.5, 0.5]}"), cv::Size(120, 90));
  EXPECT_EQ(size("RandomScale", "{scale_limit: [-0.5, -0.5]}"), cv::Size(40, 30));
  EXPECT_EQ(size("LongestMaxSize", "{max_size: 40}"), cv::Size(40, 30));
  EXPECT_EQ(size("SmallestMaxSize", "{max_size: 30}"), cv::Size(40, 30));
  EXPECT_EQ(size("Resize", "{height: 50, width: 20}"), cv::Size(20, 50));
  EXPECT_EQ(size("PadIfNeeded", "{min_height: 70, min_width: 10, pad_width_divisor: 32}"),
            cv::Size(96, 70));
  // Half the size, bilinear: means of the four pixels around (2x + 1, 2y + 1); values of a plane
  // are exact up to rounding.
  const cv::Mat half = result_of("Resize", "{height: 30, width: 40}", coordinates({80, 60}));
  for (int y = 0; y < 30; ++y)
    for (int x = 0; x < 40; ++x) {
      ASSERT_NEAR(half.at<cv::Vec3b>(y, x)[0], 2 * x + 0.5, 0.51);
      ASSERT_NEAR(half.at<cv::Vec3b>(y, x)[1], 2 * y + 0.5, 0.51);
    }
  // 80 × 60 fits into 40 × 60 as 40 × 30, 15 rows above; it fills 60 × 60 as 80 × 60, 10 columns
  // lost on each side.
  const Sample fit = result("Resize", "{height: 60, width: 40, mode: fit, padding: white}",
                            Sample{flat({80, 60}, {9, 9, 9}), {{0, {20, 10, 60, 50}, {}}}});
  EXPECT_EQ(fit.picture.at<cv::Vec3b>(14, 20), cv::Vec3b::all(255));
  EXPECT_EQ(fit.picture.at<cv::Vec3b>(15, 20), cv::Vec3b::all(9));
  EXPECT_EQ(fit.picture.at<cv::Vec3b>(45, 20), cv::Vec3b::all(255));
  EXPECT_EQ(fit.objects.at(0).box, (Xyxy{10, 20, 30, 40}));
  EXPECT_EQ(
      origin_of(result_of("Resize", "{height: 60, width: 60, mode: fill}", coordinates({80, 60}))),
      cv::Point(10, 0));
  const cv::Mat mirrored = result_of(
      "Resize", "{height: 64, width: 80, mode: fit, padding: reflect}", coordinates({80, 60}));
  EXPECT_EQ(origin_of(mirrored), cv::Point(0, 2));  // rows 2, 1 | 0, 1, 2 …
  const Sample boxed = result("LetterBox", "{height: 60, width: 40}",
                              Sample{flat({80, 60}, {9, 9, 9}), {{0, {20, 10, 60, 50}, {}}}});
  EXPECT_EQ(boxed.picture.at<cv::Vec3b>(14, 20), cv::Vec3b::all(114));
  EXPECT_EQ(boxed.objects.at(0).box, (Xyxy{10, 20, 30, 40}));
  const std::vector<std::pair<const char*, cv::Point>> positions{{"center", {10, 5}},
                                                                 {"top_left", {0, 0}},
                                                                 {"top_right", {20, 0}},
                                                                 {"bottom_left", {0, 10}},
                                                                 {"bottom_right", {20, 10}}};
  for (const auto& [position, corner] : positions) {
    const Sample padded =
        result("PadIfNeeded",
               std::string("{min_height: 70, min_width: 100, fill: 3, position: ") + position + "}",
               Sample{coordinates({80, 60}), {{0, {0, 0, 10, 10}, {}}}});
    EXPECT_EQ(padded.picture.at<cv::Vec3b>(corner), cv::Vec3b(0, 0, 7)) << position;
    EXPECT_EQ(cv::countNonZero(padded.picture.reshape(1) == 3), 3 * (7000 - 4800) + 60 + 80)
        << position;  // the column x = 3 and the row y = 3 of the content
    EXPECT_EQ(padded.objects.at(0).box.x1, corner.x) << position;
    EXPECT_EQ(padded.objects.at(0).box.y1, corner.y) << position;
  }
}

TEST(Crops, SizesAndPlaces) {
  const cv::Mat picture = coordinates({100, 80});
  EXPECT_EQ(origin_of(result_of("CenterCrop", "{height: 30, width: 41}", picture)),
            cv::Point(29, 25));
  EXPECT_EQ(result_of("CenterCrop", "{height: 300, width: 41}", picture).size(), cv::Size(41, 80));
  std::set<int> columns;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    Random draws(seed, 0, 0, 0);
    const auto left = draws.integer(0, 60), top = draws.integer(0, 50);
    const cv::Point expected(static_cast<int>(left), static_cast<int>(top));
    const cv::Mat found = result_of("RandomCrop", "{height: 30, width: 40}", picture, seed);
    EXPECT_EQ(origin_of(found), expected);
    EXPECT_EQ(found.size(), cv::Size(40, 30));
    columns.insert(expected.x);
    // Tiles of 100 × 80: halves.
    const cv::Mat tile = result_of("Tile", "{}", picture, seed);
    EXPECT_EQ(tile.size(), cv::Size(50, 40));
    EXPECT_TRUE(origin_of(tile).x % 50 == 0 && origin_of(tile).y % 40 == 0);
    const cv::Mat borders = result_of("RandomCropFromBorders", "{}", picture, seed);
    EXPECT_TRUE(origin_of(borders).x <= 10 && origin_of(borders).y <= 8 && borders.cols >= 80 &&
                borders.rows >= 64);
  }
  EXPECT_GT(columns.size(), 30u);
}

// A quarter of the area, square: 50 × 40 scaled to a ratio of 1: √2000 = 44.7. Nothing fits: the
// central square.
TEST(Crops, RandomResizedCropByHand) {
  const Sample found = result("RandomResizedCrop", "{scale: [0.25, 0.25], ratio: [1, 1]}",
                              Sample{coordinates({100, 80}), {{0, {0, 0, 100, 80}, {}}}}, 3);
  EXPECT_EQ(found.picture.size(), cv::Size(100, 80));
  EXPECT_EQ(found.objects.size(), 1u);
  // 45 columns over 100 pixels: neighbours differ by 0.45.
  EXPECT_NEAR(found.picture.at<cv::Vec3b>(40, 90)[0] - found.picture.at<cv::Vec3b>(40, 10)[0],
              80 * 0.45, 1);
  const cv::Mat fallback =
      result_of("RandomResizedCrop", "{scale: [1, 1], ratio: [1, 1], height: 80, width: 80}",
                coordinates({100, 80}), 3);
  EXPECT_EQ(origin_of(fallback), cv::Point(10, 0));
  EXPECT_EQ(fallback.size(), cv::Size(80, 80));
  const cv::Mat sized = result_of(
      "RandomSizedCrop", "{min_max_height: [40, 40], w2h_ratio: 1.5, height: 40, width: 60}",
      coordinates({100, 80}), 3);
  EXPECT_EQ(sized.size(), cv::Size(60, 40));
  EXPECT_EQ(sized.at<cv::Vec3b>(39, 59)[0] - sized.at<cv::Vec3b>(0, 0)[0], 59);  // not resized
}

TEST(Crops, SafeCropsKeepEveryBoxWhole) {
  const std::vector<Object> objects{{0, {30.5, 20, 50, 40.5}, {}}, {1, {60, 50, 70, 60}, {}}};
  std::set<int> widths;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const Sample found =
        result("BBoxSafeRandomCrop", "{}", Sample{coordinates({100, 80}), objects}, seed);
    const cv::Point origin = origin_of(found.picture);
    ASSERT_EQ(found.objects.size(), 2u);
    for (std::size_t i = 0; i < 2; ++i) {
      EXPECT_NEAR(found.objects[i].box.width(), objects[i].box.width(), 1e-9);
      EXPECT_NEAR(found.objects[i].box.x1, objects[i].box.x1 - origin.x, 1e-9);
    }
    widths.insert(found.picture.cols);
    const Sample sized =
        result("RandomSizedBBoxSafeCrop", "{}", Sample{coordinates({100, 80}), objects}, seed);
    EXPECT_EQ(sized.picture.size(), cv::Size(100, 80));
    ASSERT_EQ(sized.objects.size(), 2u);
    EXPECT_NEAR(sized.objects[0].box.width() / sized.objects[1].box.width(), 1.95,
                1e-6);  // stretched alike, none cut
    // Eroded wholly, boxes are their centres.
    const Sample eroded = result("BBoxSafeRandomCrop", "{erosion_rate: 1}",
                                 Sample{coordinates({100, 80}), objects}, seed);
    EXPECT_LE(origin_of(eroded.picture).x, 40);
    EXPECT_GE(origin_of(eroded.picture).x + eroded.picture.cols, 65);
  }
  EXPECT_GT(widths.size(), 20u);
}

TEST(Crops, AtLeastOneBoxIsTouched) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const Sample found = result("AtLeastOneBBoxRandomCrop", "{height: 20, width: 20}",
                                Sample{coordinates({100, 80}), {{0, {60, 50, 70, 60}, {}}}}, seed);
    const cv::Point origin = origin_of(found.picture);
    EXPECT_TRUE(origin.x < 70 && origin.x + 20 > 60 && origin.y < 60 && origin.y + 20 > 50)
        << origin;
  }
}

TEST(Crops, CropAndPadByHand) {
  const Sample padded = result("CropAndPad", "{px: [5, 5], keep_size: false, fill: 200}",
                               Sample{coordinates({50, 40}), {{0, {10, 10, 20, 20}, {}}}});
  EXPECT_EQ(padded.picture.size(), cv::Size(60, 50));
  EXPECT_EQ(padded.picture.at<cv::Vec3b>(4, 30), cv::Vec3b::all(200));
  EXPECT_EQ(padded.objects.at(0).box, (Xyxy{15, 15, 25, 25}));
  const Sample cut = result("CropAndPad", "{percent: [-0.1, -0.1], keep_size: false}",
                            Sample{coordinates({50, 40}), {{0, {10, 10, 20, 20}, {}}}});
  EXPECT_EQ(cut.picture.size(), cv::Size(40, 32));
  EXPECT_EQ(origin_of(cut.picture), cv::Point(5, 4));
  EXPECT_EQ(cut.objects.at(0).box, (Xyxy{5, 6, 15, 16}));
  const Sample kept = result("CropAndPad", "{percent: [-0.1, -0.1]}",
                             Sample{coordinates({50, 40}), {{0, {10, 10, 20, 20}, {}}}});
  EXPECT_EQ(kept.picture.size(), cv::Size(50, 40));
  EXPECT_NEAR(kept.objects.at(0).box.x1, 5 * 1.25, 1e-9);
}

// A fifth of each side goes: 80 × 64 of 100 × 80, resized back: boxes are 1.25 times as large.
TEST(Crops, ZoomByHand) {
  const Sample found = result("Crop", "{percent: [20, 20]}",
                              Sample{coordinates({100, 80}), {{0, {40, 35, 60, 45}, {}}}}, 5);
  EXPECT_EQ(found.picture.size(), cv::Size(100, 80));
  EXPECT_NEAR(found.objects.at(0).box.width(), 25, 1e-9);
}

TEST(Crops, MinIoUKeepsItsBounds) {
  const Xyxy box{30, 20, 80, 60};
  int cut = 0;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const Sample one = result("MinIoURandomCrop", "{min_ious: [0.5]}",
                              Sample{coordinates({100, 80}), {{0, box, {}}}}, seed);
    Random draws(seed, 0, 0, 0);
    const std::int64_t choice = draws.integer(-1, 1);
    const cv::Point origin = origin_of(one.picture);
    const Xyxy region{static_cast<double>(origin.x), static_cast<double>(origin.y),
                      static_cast<double>(origin.x + one.picture.cols),
                      static_cast<double>(origin.y + one.picture.rows)};
    const bool whole = one.picture.size() == cv::Size(100, 80);
    EXPECT_TRUE(choice != 1 || whole);
    EXPECT_TRUE(choice != 0 || whole || iou(box, region) >= 0.5) << iou(box, region);
    if (whole) continue;
    ++cut;
    ASSERT_EQ(one.objects.size(), 1u);
    EXPECT_TRUE(region.x1 < 55 && region.x2 > 55 && region.y1 < 40 && region.y2 > 40)
        << "its centre is inside";
    EXPECT_TRUE(one.picture.cols <= 2 * one.picture.rows &&
                one.picture.rows <= 2 * one.picture.cols);
  }
  EXPECT_GT(cut, 40);
}

}  // namespace
}  // namespace yolov7::dataset
