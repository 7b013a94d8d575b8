// Fixtures of data 14.3 and 14.5, printed there with 8 (matrices) and 6 digits (boxes): half a unit
// of the last one.
#include "dataset/augment/perspective.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <opencv2/core.hpp>

namespace yolov7::dataset {
namespace {

constexpr double matrix_digits = 0.6e-8, box_digits = 0.6e-6;

PerspectiveDraws affine_draws() {
  PerspectiveDraws d;
  d.angle = 10, d.scale = 1.2, d.shear_x = 5, d.shear_y = -3, d.translate_x = 0.45,
  d.translate_y = 0.55;
  return d;
}

PerspectiveDraws projective_draws() {
  PerspectiveDraws d;
  d.p31 = 0.0005, d.p32 = -0.0003, d.angle = -7, d.scale = 0.8, d.shear_x = 2, d.shear_y = 4,
  d.translate_x = 0.52, d.translate_y = 0.47;
  return d;
}

void expect_matrix(const cv::Matx33d& m, const cv::Matx33d& expected) {
  for (int i = 0; i < 9; ++i)
    EXPECT_NEAR(m.val[i], expected.val[i], matrix_digits) << "element " << i;
}

void expect_box(const Xyxy& box, const Xyxy& expected, double digits = box_digits) {
  EXPECT_NEAR(box.x1, expected.x1, digits);
  EXPECT_NEAR(box.y1, expected.y1, digits);
  EXPECT_NEAR(box.x2, expected.x2, digits);
  EXPECT_NEAR(box.y2, expected.y2, digits);
}

std::vector<cv::Point2d> rectangle(const Xyxy& b) {
  return {{b.x1, b.y1}, {b.x2, b.y1}, {b.x2, b.y2}, {b.x1, b.y2}};
}

struct Row {
  Xyxy input, corners;
  double area_ratio;
  bool kept;
  Xyxy outline;
};

const std::vector<Row> affine_rows{
    {{300, 400, 500, 520},
     {0, 108.839956, 87.692287, 303.404142},
     0.4937,
     true,
     {0.197737, 108.980599, 87.617388, 269.581354}},
    {{10, 20, 60, 90}, {0, 0, 0, 0}, 0, false, {0, 0, 0, 0}},
    {{900, 900, 1270, 1275}, {640, 486.1243, 640, 640}, 0, false, {0, 0, 0, 0}},
    {{640, 640, 660, 641},
     {288.0, 346.593766, 311.582541, 353.170849},
     5.3856,
     true,
     {288.0, 346.594938, 311.581917, 353.167333}},
    {{700, 700, 900, 800},
     {376.518470, 351.969874, 640, 523.117087},
     1.5658,
     true,
     {376.518470, 352.087076, 639.966201, 523.062970}}};

Xyxy scaled(const Xyxy& b, double f) { return {b.x1 * f, b.y1 * f, b.x2 * f, b.y2 * f}; }

TEST(Perspective, AffineMatrix) {
  expect_matrix(
      perspective_matrix(affine_draws(), {1280, 1280}, {640, 640}),
      {1.16353861, 0.31176923, -656.19701594, -0.27031172, 1.17084869, -224.34365897, 0, 0, 1});
}

TEST(Perspective, ProjectiveMatrix) {
  expect_matrix(perspective_matrix(projective_draws(), {640, 640}, {640, 640}),
                {0.96384154, -0.16960709, 78.64497796, 0.30341995, 0.69697937, -19.32778201, 0.0005,
                 -0.0003, 0.936});
}

TEST(Perspective, BoxesByTheirCorners) {
  const cv::Matx33d m = perspective_matrix(affine_draws(), {1280, 1280}, {640, 640});
  for (const Row& row : affine_rows) {
    const Xyxy after = warp_box(row.input, m, false, {640, 640});
    expect_box(after, row.corners,
               row.kept ? box_digits : 0.6e-4);  // a removed one is printed with 4 digits
    EXPECT_NEAR(after.area() / scaled(row.input, 1.2).area(), row.area_ratio, 0.6e-4);
    EXPECT_EQ(is_box_candidate(scaled(row.input, 1.2), after, box_area_share), row.kept);
  }
}

TEST(Perspective, BoxesByTheirOutline) {
  const cv::Matx33d m = perspective_matrix(affine_draws(), {1280, 1280}, {640, 640});
  for (const Row& row : affine_rows) {
    const Xyxy after = warp_polygon(rectangle(row.input), m, false, {640, 640});
    if (row.kept) expect_box(after, row.outline);
    EXPECT_EQ(is_box_candidate(scaled(row.input, 1.2), after, polygon_area_share), row.kept);
  }
}

TEST(Perspective, ProjectiveBoxes) {
  const cv::Matx33d m = perspective_matrix(projective_draws(), {640, 640}, {640, 640});
  const Xyxy a{100, 120, 300, 260}, b{5, 5, 30, 20};
  const Xyxy a2 = warp_box(a, m, true, {640, 640}), b2 = warp_box(b, m, true, {640, 640});
  expect_box(a2, {144.197453, 99.633408, 330.899608, 250.905594});
  expect_box(b2, {85.868143, 0, 112.387771, 3.930586});
  EXPECT_TRUE(is_box_candidate(scaled(a, 0.8), a2, box_area_share));
  EXPECT_TRUE(is_box_candidate(scaled(b, 0.8), b2, box_area_share));
}

TEST(Perspective, ClosedOutlineAtEqualSteps) {
  const std::vector<cv::Point2d> polygon{{0, 0}, {10, 0}, {10, 10}};
  const std::vector<cv::Point2d> expected{{0, 0},   {5, 0}, {10, 0}, {10, 5},
                                          {10, 10}, {5, 5}, {0, 0}};
  EXPECT_EQ(resample_closed(polygon, 7), expected);
}

TEST(Perspective, CandidateLimits) {
  const Xyxy before{0, 0, 100, 100};
  EXPECT_FALSE(is_box_candidate({0, 0, 4, 4}, {0, 0, 2, 4}, box_area_share));  // exactly 2 px wide
  EXPECT_TRUE(is_box_candidate({0, 0, 4, 4}, {0, 0, 2.001, 4}, box_area_share));
  EXPECT_FALSE(is_box_candidate(before, {0, 0, 10, 99.9}, box_area_share));  // area 9.99 %
  EXPECT_TRUE(is_box_candidate(before, {0, 0, 10, 99.9}, polygon_area_share));
  EXPECT_FALSE(is_box_candidate(before, {0, 0, 5, 100}, polygon_area_share));  // 20 : 1
  EXPECT_TRUE(is_box_candidate(before, {0, 0, 5.01, 100}, polygon_area_share));
}

TEST(Perspective, DrawsStayInTheirRanges) {
  AugmentOptions o;
  o.degrees = 12, o.translate = 0.2, o.scale = 0.5, o.shear = 3, o.perspective = 0.001;
  double low = 9, high = 0;
  for (std::uint32_t i = 0; i < 2000; ++i) {
    Random random(1, 0, i, 7);
    const PerspectiveDraws d = draw_perspective(o, random);
    for (const double p : {d.p31, d.p32}) EXPECT_LE(std::abs(p), 0.001);
    EXPECT_LE(std::abs(d.angle), 12);
    for (const double h : {d.shear_x, d.shear_y}) EXPECT_LE(std::abs(h), 3);
    for (const double t : {d.translate_x, d.translate_y}) EXPECT_TRUE(t >= 0.3 && t <= 0.7);
    low = std::min(low, d.scale), high = std::max(high, d.scale);
  }
  // U(0.5, 1.6): the extremes of 2000 draws miss the ends by more than 0.01 with a probability of 2
  // · e^−18.
  EXPECT_TRUE(low >= 0.5 && low < 0.51 && high < 1.6 && high > 1.59) << low << " " << high;
}

TEST(Perspective, DrawsComeInTheOrderOfTheSpecification) {
  AugmentOptions o;
  o.degrees = 12, o.translate = 0.2, o.scale = 0.5, o.shear = 3, o.perspective = 0.001;
  Random a(5, 6, 7, 8), b(5, 6, 7, 8);
  const PerspectiveDraws d = draw_perspective(o, a);
  EXPECT_EQ(d.p31, b.uniform(-0.001, 0.001));
  EXPECT_EQ(d.p32, b.uniform(-0.001, 0.001));
  EXPECT_EQ(d.angle, b.uniform(-12, 12));
  EXPECT_EQ(d.scale, b.uniform(0.5, 1.6));
  EXPECT_EQ(d.shear_x, b.uniform(-3, 3));
  EXPECT_EQ(d.shear_y, b.uniform(-3, 3));
  EXPECT_EQ(d.translate_x, b.uniform(0.3, 0.7));
  EXPECT_EQ(d.translate_y, b.uniform(0.3, 0.7));
}

Sample striped(int side) {
  Sample sample;
  sample.picture.create(side, side, CV_8UC3);
  for (int y = 0; y < side; ++y)
    for (int x = 0; x < side; ++x)
      sample.picture.at<cv::Vec3b>(y, x) = cv::Vec3b(
          static_cast<uchar>(3 * x), static_cast<uchar>(5 * y), static_cast<uchar>(x + y));
  return sample;
}

TEST(Perspective, AShiftMovesPixelsAndBoxesAlike) {
  Sample sample = striped(40);
  sample.objects = {{2, {10, 10, 20, 20}, {}}, {4, {30, 0, 38, 8}, {}}};
  PerspectiveStep step;
  step.draws.translate_x = 0.5 + 5 / 40.0;  // 5 px right, 3 px up
  step.draws.translate_y = 0.5 - 3 / 40.0;
  step.output = {40, 40};
  const Sample moved = random_perspective(sample, step);
  for (int y = 0; y < 37; ++y)
    for (int x = 5; x < 40; ++x)
      ASSERT_EQ(moved.picture.at<cv::Vec3b>(y, x), sample.picture.at<cv::Vec3b>(y + 3, x - 5));
  EXPECT_EQ(moved.picture.at<cv::Vec3b>(10, 0), cv::Vec3b(114, 114, 114));
  EXPECT_EQ(moved.picture.at<cv::Vec3b>(39, 20), cv::Vec3b(114, 114, 114));
  ASSERT_EQ(moved.objects.size(), 2u);
  expect_box(moved.objects[0].box, {15, 7, 25, 17});
  expect_box(moved.objects[1].box, {35, 0, 40, 5});  // 25 of 64 px² left
  EXPECT_EQ(moved.objects[1].class_index, 4);
}

TEST(Perspective, PositiveAnglesTurnCounterClockwiseOnScreen) {
  Sample sample = striped(40);
  sample.objects = {{0, {30, 15, 38, 25}, {}}};  // right of the centre
  PerspectiveStep step;
  step.draws.angle = 90;
  step.output = {40, 40};
  const Sample turned = random_perspective(sample, step);
  ASSERT_EQ(turned.objects.size(), 1u);
  expect_box(turned.objects[0].box, {15, 2, 25, 10});  // above it
  // x' = 20 + (y − 20), y' = 20 − (x − 20) in continuous coordinates: (30, 20) → (20, 10).
  EXPECT_EQ(turned.picture.at<cv::Vec3b>(10, 20), sample.picture.at<cv::Vec3b>(20, 30));
}

TEST(Perspective, NothingToDoChangesNothing) {
  Sample sample = striped(32);
  sample.objects = {{1, {4, 4, 12, 12}, {}}};
  PerspectiveStep step;
  step.output = {32, 32};
  const Sample same = random_perspective(sample, step);
  EXPECT_EQ(same.picture.data, sample.picture.data);
  expect_box(same.objects.at(0).box, {4, 4, 12, 12});
}

TEST(Perspective, EachLabelUsesItsOwnOutlineOrItsCorners) {
  // data F15: turned by 45° a square's corners span √2 times its side; the diamond inscribed in it
  // only 1 / √2.
  Sample sample = striped(64);
  const Xyxy box{22, 22, 42, 42};
  sample.objects = {{1, box, {}}, {2, box, {{32, 22}, {42, 32}, {32, 42}, {22, 32}}}, {3, box, {}}};
  PerspectiveStep step;
  step.draws.angle = 45;
  step.output = {64, 64};
  const Sample turned = random_perspective(sample, step);
  ASSERT_EQ(turned.objects.size(), 3u);
  EXPECT_NEAR(turned.objects[0].box.width(), 20 * std::sqrt(2.0), 1e-9);
  // 1000 points do not hit the corners of the diamond exactly: 20 / √2 less at most one step (4
  // · 14.14 / 999 px) at each end.
  EXPECT_NEAR(turned.objects[1].box.width(), 20 / std::sqrt(2.0), 0.12);
  EXPECT_NEAR(turned.objects[2].box.width(), 20 * std::sqrt(2.0), 1e-9);
  step.use_polygons = false;  // data K18
  EXPECT_NEAR(random_perspective(sample, step).objects.at(1).box.width(), 20 * std::sqrt(2.0),
              1e-9);
}

TEST(Perspective, ProjectiveWarpFollowsTheMatrix) {
  // A single bright pixel block lands where the matrix sends its centre.
  Sample sample;
  sample.picture = cv::Mat(640, 640, CV_8UC3, cv::Scalar::all(0));
  sample.picture(cv::Rect(196, 146, 9, 9))
      .setTo(cv::Scalar::all(255));  // centre (200, 150) in pixel indices
  PerspectiveStep step;
  step.draws = projective_draws();
  step.projective = true;
  step.output = {640, 640};
  const Sample warped = random_perspective(sample, step);
  const double w = 0.0005 * 200 - 0.0003 * 150 + 0.936;
  const int x =
      static_cast<int>(std::lround((0.96384154 * 200 - 0.16960709 * 150 + 78.64497796) / w));
  const int y =
      static_cast<int>(std::lround((0.30341995 * 200 + 0.69697937 * 150 - 19.32778201) / w));
  EXPECT_EQ(warped.picture.at<cv::Vec3b>(y, x)[0], 255);
  EXPECT_EQ(warped.picture.at<cv::Vec3b>(0, 639)[0], 114);  // the inverse maps it outside
}

}  // namespace
}  // namespace yolov7::dataset
