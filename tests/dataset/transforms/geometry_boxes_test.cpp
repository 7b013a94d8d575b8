// Boxes of every geometric transform (data 13.3) against what it does to pixels: the object painted
// white on black, by the same key, must lie where its box says, within a pixel. And the rules of
// the group.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include "dataset/augment/transforms/geometry.hpp"
#include "transform_fixture.hpp"

namespace yolov7::dataset {
namespace {

/// Sizes near that of the pictures here, and strengths that show.
const std::map<std::string_view, std::string> small_parameters{
    {"Affine", "{scale: [0.8, 1.2], rotate: 20, shear_x: 10, translate_percent: 0.1}"},
    {"Resize", "{height: 120, width: 100}"},
    {"LongestMaxSize", "{max_size: 150}"},
    {"SmallestMaxSize", "{max_size: 150}"},
    {"LetterBox", "{height: 130, width: 150}"},
    {"PadIfNeeded", "{min_height: 200, min_width: 190, position: random}"},
    {"RandomCrop", "{height: 80, width: 90}"},
    {"CenterCrop", "{height: 80, width: 90}"},
    {"RandomSizedCrop", "{min_max_height: [60, 90]}"},
    {"AtLeastOneBBoxRandomCrop", "{height: 60, width: 70}"},
    {"YoloPerspective", "{degrees: 10, perspective: 0.0005}"}};

TEST(GeometryTransforms, KeepTheCommonRules) {
  check_common_rules(geometry_transforms(), small_parameters);
}

Xyxy bright_extent(const cv::Mat& picture) {
  Xyxy box{1e9, 1e9, -1e9, -1e9};
  for (int y = 0; y < picture.rows; ++y)
    for (int x = 0; x < picture.cols; ++x)
      if (picture.at<cv::Vec3b>(y, x)[0] > 127)
        box = {std::min<double>(box.x1, x), std::min<double>(box.y1, y),
               std::max<double>(box.x2, x + 1), std::max<double>(box.y2, y + 1)};
  return box;
}

/// A picture of 160 × 128 px with one object, painted: a rectangle, or a polygon.
Sample painted(const Xyxy& box, const std::vector<cv::Point2d>& polygon) {
  Sample sample{cv::Mat::zeros(128, 160, CV_8UC3), {{0, box, polygon}}};
  if (polygon.empty()) {
    sample
        .picture(cv::Rect(cv::Point(static_cast<int>(box.x1), static_cast<int>(box.y1)),
                          cv::Point(static_cast<int>(box.x2), static_cast<int>(box.y2))))
        .setTo(cv::Scalar::all(255));
    return sample;
  }
  // Sixteen times finer, then reduced: a pixel is bright where half of it lies inside.
  cv::Mat fine = cv::Mat::zeros(128 * 16, 160 * 16, CV_8UC3);
  std::vector<cv::Point> points;
  for (const cv::Point2d& p : polygon)
    points.emplace_back(static_cast<int>(p.x * 16), static_cast<int>(p.y * 16));
  cv::fillPoly(fine, std::vector<std::vector<cv::Point>>{points}, cv::Scalar::all(255));
  cv::resize(fine, sample.picture, sample.picture.size(), 0, 0, cv::INTER_AREA);
  return sample;
}

/// An acute corner of an outline holds no bright pixel over its last pixels.
void expect_on_object(const TransformEntry& entry, const std::string& parameters, const Xyxy& box,
                      const std::vector<cv::Point2d>& polygon, double tolerance, int& compared) {
  BoxFilter all;
  all.min_visibility = 0;
  TransformContext context;
  context.filter = all;
  for (std::uint64_t seed = 0; seed < 12; ++seed) {
    const Sample result = applied(geometry_transforms(), entry.name, parameters,
                                  painted(box, polygon), seed, context);
    const Xyxy seen = bright_extent(result.picture);
    const double w = seen.x2 - seen.x1, h = seen.y2 - seen.y1;
    if (result.objects.empty()) {
      // Gone: only where next to nothing is seen, or where its centre is not in the cut.
      EXPECT_TRUE(w <= 3 || h <= 3 || entry.name == "MinIoURandomCrop")
          << entry.name << ' ' << seed << ": an object of " << w << " x " << h << " px has no box";
      continue;
    }
    const Xyxy& found = result.objects[0].box;
    const bool cut = found.x1 <= 0 || found.y1 <= 0 || found.x2 >= result.picture.cols ||
                     found.y2 >= result.picture.rows;
    const double scale =
        std::max(1.0, std::max(found.width() / box.width(),
                               found.height() / box.height()));  // an enlarged pixel is larger
    if (polygon.empty() && cut && entry.boxes == BoxRule::affine) {
      // By definition the extent of all four corners, cut: where a corner lies beyond the border
      // the box holds what is seen, with room to spare.
      EXPECT_TRUE(
          found.x1 <= seen.x1 + tolerance * scale && found.y1 <= seen.y1 + tolerance * scale &&
          found.x2 >= seen.x2 - tolerance * scale && found.y2 >= seen.y2 - tolerance * scale)
          << entry.name << ' ' << seed;
      continue;
    }
    EXPECT_NEAR(found.x1, seen.x1, tolerance * scale) << entry.name << ' ' << seed;
    EXPECT_NEAR(found.y1, seen.y1, tolerance * scale) << entry.name << ' ' << seed;
    EXPECT_NEAR(found.x2, seen.x2, tolerance * scale) << entry.name << ' ' << seed;
    EXPECT_NEAR(found.y2, seen.y2, tolerance * scale) << entry.name << ' ' << seed;
    ++compared;
  }
}

TEST(GeometryTransforms, BoxesSitOnTheirObjects) {
  for (const TransformEntry& entry : geometry_transforms()) {
    if (entry.name == "RandomGridShuffle") continue;  // splits objects: a test of its own
    const auto found = small_parameters.find(entry.name);
    int compared = 0;
    for (const Xyxy& box : {Xyxy{40, 32, 104, 80}, Xyxy{0, 60, 50, 128}, Xyxy{100, 8, 150, 30}})
      expect_on_object(entry, found == small_parameters.end() ? "{}" : found->second, box, {}, 1.05,
                       compared);  // 1 px, and the weights of bilinear sampling
    EXPECT_GE(compared, 12) << entry.name;
  }
}

TEST(GeometryTransforms, OutlinesSitOnTheirObjects) {
  const std::vector<cv::Point2d> hexagon{{60, 30},  {100, 30}, {120, 60},
                                         {100, 90}, {60, 90},  {40, 60}};
  for (const TransformEntry& entry : geometry_transforms()) {
    if (entry.name == "RandomGridShuffle") continue;  // splits objects: a test of its own
    const auto found = small_parameters.find(entry.name);
    int compared = 0;
    expect_on_object(entry, found == small_parameters.end() ? "{}" : found->second,
                     {40, 30, 120, 90}, hexagon, 2, compared);
    EXPECT_GE(compared, 6) << entry.name;
  }
}

// No white of an object beyond the border where an object leaves the picture, and its ellipse is
// inside its corners' box.
TEST(Rotate, EllipsesAreTighterThanCorners) {
  const Sample sample{flat({160, 128}, {9, 9, 9}), {{0, {40, 40, 110, 70}, {}}}};
  const Xyxy corners = applied(geometry_transforms(), "Rotate", "{limit: [30, 30]}",
                               {sample.picture.clone(), sample.objects})
                           .objects.at(0)
                           .box;
  const Xyxy ellipse =
      applied(geometry_transforms(), "Rotate", "{limit: [30, 30], rotate_method: ellipse}",
              {sample.picture.clone(), sample.objects})
          .objects.at(0)
          .box;
  EXPECT_TRUE(ellipse.x1 > corners.x1 && ellipse.y1 > corners.y1 && ellipse.x2 < corners.x2 &&
              ellipse.y2 < corners.y2);
  // √((35 cos 30°)² + (15 sin 30°)²) and √((35 sin 30°)² + (15 cos 30°)²)
  EXPECT_NEAR(ellipse.width(), 2 * std::sqrt(std::pow(35 * 0.8660254, 2) + 7.5 * 7.5), 1e-5);
  EXPECT_NEAR(ellipse.height(), 2 * std::sqrt(17.5 * 17.5 + std::pow(15 * 0.8660254, 2)), 1e-5);
  // By a plain walk around the ellipse: counter-clockwise on the screen.
  Xyxy walked{1e9, 1e9, -1e9, -1e9};
  for (int i = 0; i < 3600; ++i) {
    const double t = i * CV_PI / 1800, x = 75 + 35 * std::cos(t) - 80,
                 y = 55 + 15 * std::sin(t) - 64;
    const double rx = 80 + 0.8660254 * x + 0.5 * y, ry = 64 - 0.5 * x + 0.8660254 * y;
    walked = {std::min(walked.x1, rx), std::min(walked.y1, ry), std::max(walked.x2, rx),
              std::max(walked.y2, ry)};
  }
  EXPECT_NEAR(ellipse.x1, walked.x1, 1e-3);
  EXPECT_NEAR(ellipse.y1, walked.y1, 1e-3);
  EXPECT_NEAR(ellipse.x2, walked.x2, 1e-3);
  EXPECT_NEAR(ellipse.y2, walked.y2, 1e-3);
}

}  // namespace
}  // namespace yolov7::dataset
