// Boxes and polygons under the codes of data 12: by hand, and against masks that a plain loop
// pushes through the same map.
#include "dataset/augment/transforms/boxes.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <opencv2/core.hpp>

#include "dataset/augment/perspective.hpp"
#include "transform_fixture.hpp"

namespace yolov7::dataset {
namespace {

constexpr double rounding = 1e-9;  // of doubles on coordinates of hundreds

void expect_box(const Xyxy& found, const Xyxy& expected, double tolerance = rounding) {
  EXPECT_NEAR(found.x1, expected.x1, tolerance);
  EXPECT_NEAR(found.y1, expected.y1, tolerance);
  EXPECT_NEAR(found.x2, expected.x2, tolerance);
  EXPECT_NEAR(found.y2, expected.y2, tolerance);
}

cv::Matx33d rotation(double degrees, double cx, double cy) {
  const double a = degrees * CV_PI / 180, c = std::cos(a), s = std::sin(a);
  return {c, -s, cx - c * cx + s * cy, s, c, cy - s * cx - c * cy, 0, 0, 1};
}

bool inside(const std::vector<cv::Point2d>& polygon, const cv::Point2d& p) {
  bool odd = false;
  for (std::size_t i = 0, j = polygon.size() - 1; i < polygon.size(); j = i++)
    if ((polygon[i].y > p.y) != (polygon[j].y > p.y) &&
        p.x < (polygon[j].x - polygon[i].x) * (p.y - polygon[i].y) / (polygon[j].y - polygon[i].y) +
                  polygon[i].x)
      odd = !odd;
  return odd;
}

/// Extent of the output pixels whose centre comes from inside `region` under `inverse`.
template <class Inside, class Inverse>
Xyxy mask_extent(cv::Size output, Inside region, Inverse inverse) {
  Xyxy box{1e9, 1e9, -1e9, -1e9};
  for (int y = 0; y < output.height; ++y)
    for (int x = 0; x < output.width; ++x)
      if (region(inverse(cv::Point2d(x + 0.5, y + 0.5))))
        box = {std::min<double>(box.x1, x), std::min<double>(box.y1, y),
               std::max<double>(box.x2, x + 1), std::max<double>(box.y2, y + 1)};
  return box;
}

// A shift by (10, −5) in 100 × 80: clipped at the top, objects beyond the border go.
TEST(TransformObjects, ShiftByHand) {
  std::vector<Object> objects{{0, {20, 20, 40, 50}, {}},
                              {1, {10, 0, 30, 20}, {}},
                              {2, {92, 10, 100, 30}, {}},
                              {3, {80, 10, 91, 21}, {}}};
  transform_objects(objects, {1, 0, 10, 0, 1, -5, 0, 0, 1}, 1, {100, 80}, {});
  ASSERT_EQ(objects.size(), 3u);
  expect_box(objects[0].box, {30, 15, 50, 45});
  expect_box(objects[1].box, {20, 0, 40, 15});
  EXPECT_EQ(objects[2].class_index, 3);  // the third's whole width has left
  expect_box(objects[2].box, {90, 5, 100, 16});
}

// Each bound of the filter, just kept and just lost: side 2, aspect 20, share of the area, area in
// px².
TEST(TransformObjects, FilterByHand) {
  const auto kept = [](const Xyxy& box, const BoxFilter& filter, double shift = 0) {
    std::vector<Object> objects{{0, box, {}}};
    transform_objects(objects, {1, 0, shift, 0, 1, 0, 0, 0, 1}, 1, {100, 100}, filter);
    return !objects.empty();
  };
  EXPECT_TRUE(kept({0, 0, 2.01, 10}, {}));
  EXPECT_FALSE(kept({0, 0, 2, 10}, {}));
  EXPECT_FALSE(kept({0, 0, 10, 2}, {}));
  EXPECT_TRUE(kept({0, 0, 99, 5}, {}));
  EXPECT_FALSE(kept({0, 0, 100, 4.9}, {}));
  EXPECT_TRUE(kept({80, 0, 100, 20}, {}, 17.9));   // 2.1 of 20 px
  EXPECT_FALSE(kept({60, 0, 100, 40}, {}, 36.1));  // 3.9 of 40: below 0.10
  BoxFilter filter;
  filter.min_visibility = 0.5;
  EXPECT_FALSE(kept({80, 0, 100, 20}, filter, 10.1));
  EXPECT_TRUE(kept({80, 0, 100, 20}, filter, 9.9));
  filter = {};
  filter.min_area = 100;
  EXPECT_FALSE(kept({0, 0, 10, 9.9}, filter));
  EXPECT_TRUE(kept({0, 0, 10, 10.1}, filter));
  filter = {};
  filter.clip = false;
  std::vector<Object> objects{{0, {90, 10, 110, 30}, {}}};
  transform_objects(objects, cv::Matx33d::eye(), 1, {100, 100}, filter);
  ASSERT_EQ(objects.size(), 1u);
  expect_box(objects[0].box, {90, 10, 110, 30});
}

// Within a pixel of the mask's extent, which is that of pixel centres: corners of a rotated box
// stick out by up to a pixel.
TEST(TransformObjects, AffineAndProjectiveAgainstMasks) {
  const cv::Size size(160, 120);
  const Xyxy box{50, 30, 110, 80};
  const std::vector<cv::Point2d> triangle{{50, 80}, {80, 30}, {110, 70}};
  for (const cv::Matx33d& m : {rotation(20, 80, 60), rotation(-37, 70, 50),
                               cv::Matx33d(1.1, 0.2, -20, -0.1, 0.9, 12, 0, 0, 1),
                               cv::Matx33d(1, 0.1, 0, 0.05, 1, 0, 0.0008, -0.0005, 1)}) {
    const cv::Matx33d back = m.inv();
    const auto inverse = [&](const cv::Point2d& p) {
      const cv::Vec3d v = back * cv::Vec3d(p.x, p.y, 1);
      return cv::Point2d(v[0] / v[2], v[1] / v[2]);
    };
    std::vector<Object> objects{{0, box, {}}, {1, box, triangle}};
    transform_objects(objects, m, 1, size, {});
    ASSERT_EQ(objects.size(), 2u);
    expect_box(objects[0].box,
               mask_extent(
                   size,
                   [&](const cv::Point2d& p) {
                     return p.x > box.x1 && p.x < box.x2 && p.y > box.y1 && p.y < box.y2;
                   },
                   inverse),
               1);
    // An acute corner of a triangle covers no pixel centre over up to a pixel more.
    expect_box(objects[1].box,
               mask_extent(
                   size, [&](const cv::Point2d& p) { return inside(triangle, p); }, inverse),
               2);
  }
}

// A diamond moved half out to the left: its outline is cut at x = 0, where it is 20 high; 30
// without the cut.
TEST(TransformObjects, PolygonsAreCutAtTheBorder) {
  std::vector<Object> objects{{0, {20, 20, 60, 60}, {{20, 40}, {40, 20}, {60, 40}, {40, 60}}}};
  transform_objects(objects, {1, 0, -50, 0, 1, 0, 0, 0, 1}, 1, {100, 100}, {});
  ASSERT_EQ(objects.size(), 1u);
  expect_box(objects[0].box, {0, 30, 10, 50});
  for (const cv::Point2d& p : objects[0].polygon) EXPECT_TRUE(p.x >= 0 && p.y >= 30 && p.y <= 50);
  // A box of the same extent says more than is there.
  std::vector<Object> box{{0, {20, 20, 60, 60}, {}}};
  transform_objects(box, {1, 0, -50, 0, 1, 0, 0, 0, 1}, 1, {100, 100}, {});
  expect_box(box.at(0).box, {0, 20, 10, 60});
}

TEST(PermuteObjects, MirrorAndTransposeByHand) {
  std::vector<Object> objects{{0, {10, 20, 30, 25}, {{10, 20}, {30, 22}, {20, 25}}},
                              {1, {0, 0, 1, 1}, {}}};
  permute_objects(objects, {-1, 0, 100, 0, 1, 0, 0, 0, 1});
  expect_box(objects[0].box, {70, 20, 90, 25});
  EXPECT_EQ(objects[0].polygon, (std::vector<cv::Point2d>{{90, 20}, {70, 22}, {80, 25}}));
  expect_box(objects[1].box, {99, 0, 100, 1});  // one pixel is not too small
  permute_objects(objects, {0, 1, 0, 1, 0, 0, 0, 0, 1});
  expect_box(objects[0].box, {20, 70, 25, 90});
}

// A sine displacement along y: the extent of 16 points on each side is within a pixel of the
// mask's.
TEST(WarpObjects, AgainstMasks) {
  const cv::Size size(200, 160);
  const Xyxy box{60, 50, 140, 110};
  const auto forward = [](const cv::Point2d& p) {
    return cv::Point2d(p.x, p.y + 12 * std::sin(p.x / 25));
  };
  const auto inverse = [](const cv::Point2d& p) {
    return cv::Point2d(p.x, p.y - 12 * std::sin(p.x / 25));
  };
  const std::vector<cv::Point2d> triangle{{60, 110}, {100, 50}, {140, 110}};
  std::vector<Object> objects{{0, box, {}}, {1, box, triangle}};
  warp_objects(objects, forward, size, {});
  ASSERT_EQ(objects.size(), 2u);
  expect_box(objects[0].box,
             mask_extent(
                 size,
                 [&](const cv::Point2d& p) {
                   return p.x > box.x1 && p.x < box.x2 && p.y > box.y1 && p.y < box.y2;
                 },
                 inverse),
             1);
  expect_box(objects[1].box,
             mask_extent(
                 size, [&](const cv::Point2d& p) { return inside(triangle, p); }, inverse),
             1.5);                         // the sharp tip
  EXPECT_GT(objects[0].box.height(), 70);  // its corners alone would give less than this extent
}

// Shares of boxes by a plain count over a grid of tenths of a pixel.
TEST(DropCovered, SharesByPlainCount) {
  cv::Mat erased = cv::Mat::zeros(40, 60, CV_8U);
  erased(cv::Rect(10, 5, 17, 22)) = cv::Scalar(255);
  erased(cv::Rect(40, 20, 20, 20)) = cv::Scalar(1);  // not 0: erased
  for (const Xyxy& box : {Xyxy{5, 5, 20, 20}, Xyxy{10.3, 5.7, 30.1, 30.9}, Xyxy{35.5, 10.2, 60, 40},
                          Xyxy{0, 30, 10, 40}, Xyxy{12, 8, 20, 20}}) {
    double covered = 0, all = 0;
    for (double y = box.y1 + 0.05; y < box.y2; y += 0.1)
      for (double x = box.x1 + 0.05; x < box.x2; x += 0.1)
        all += 1, covered += erased.at<std::uint8_t>(static_cast<int>(y), static_cast<int>(x)) != 0;
    const double share = covered / all;
    constexpr double grid = 0.02;  // of the count
    for (const double limit : {share - grid, share + grid}) {
      if (limit <= 0 || limit > 1) continue;
      std::vector<Object> objects{{0, box, {}}};
      drop_covered(objects, erased, limit);
      EXPECT_EQ(objects.empty(), limit < share) << box.x1 << ' ' << share << ' ' << limit;
    }
  }
  std::vector<Object> objects{{0, {12, 8, 20, 20}, {}}};
  drop_covered(objects, erased, 1);
  EXPECT_TRUE(objects.empty());
  objects = {{0, {12, 8, 20, 20}, {}}};
  drop_covered(objects, erased, 2);
  EXPECT_EQ(objects.size(), 1u);
}

// 40 × 20 into 80 × 80: twice as large, 20 rows of grey above.
TEST(LetterboxSample, ByHand) {
  Sample sample{flat({40, 20}, {9, 9, 9}), {{0, {10, 5, 20, 15}, {}}}};
  letterbox_sample(sample, {80, 80}, {});
  EXPECT_EQ(sample.picture.size(), cv::Size(80, 80));
  EXPECT_EQ(sample.picture.at<cv::Vec3b>(19, 40), cv::Vec3b(114, 114, 114));
  EXPECT_EQ(sample.picture.at<cv::Vec3b>(20, 40), cv::Vec3b(9, 9, 9));
  EXPECT_EQ(sample.picture.at<cv::Vec3b>(59, 40), cv::Vec3b(9, 9, 9));
  EXPECT_EQ(sample.picture.at<cv::Vec3b>(60, 40), cv::Vec3b(114, 114, 114));
  expect_box(sample.objects.at(0).box, {20, 30, 40, 50});
}

}  // namespace
}  // namespace yolov7::dataset
