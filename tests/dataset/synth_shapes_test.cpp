// Outlines, clipping and coverage of the generator, by formula.
#include "dataset/synth/synth_shapes.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <opencv2/core.hpp>

namespace yolov7::dataset {
namespace {

const std::vector<Shape> all{Shape::circle, Shape::square, Shape::triangle, Shape::star,
                             Shape::cross,  Shape::ring,   Shape::hexagon,  Shape::crescent};

TEST(SynthShapes, AreasByFormula) {
  const double pi = M_PI, polygon64 = 32 * std::sin(2 * pi / 64);
  EXPECT_NEAR(outline_area(shape_outline(Shape::circle)), polygon64, 1e-9);
  EXPECT_NEAR(outline_area(shape_outline(Shape::square)), 2, 1e-9);
  EXPECT_NEAR(outline_area(shape_outline(Shape::triangle)), 3 * std::sqrt(3.0) / 4, 1e-9);
  EXPECT_NEAR(outline_area(shape_outline(Shape::hexagon)), 3 * std::sqrt(3.0) / 2, 1e-9);
  EXPECT_NEAR(outline_area(shape_outline(Shape::star)), 5 * 0.42 * std::sin(pi / 5), 1e-9);
  EXPECT_NEAR(outline_area(shape_outline(Shape::ring)), polygon64 * (1 - 0.36), 1e-9);
  const double b = std::sqrt(1 - 0.95 * 0.95);
  EXPECT_NEAR(outline_area(shape_outline(Shape::cross)), 2 * (2 * 0.95) * (2 * b) - 4 * b * b,
              1e-9);
  // Disc minus the lens of two discs of radius 1 and r at distance d; arcs are polygons of 5.6° to
  // 8° steps: 0.5 %.
  const double r = 0.85, d = 0.5;
  const double lens = std::acos((d * d + 1 - r * r) / (2 * d)) +
                      r * r * std::acos((d * d + r * r - 1) / (2 * d * r)) -
                      0.5 * std::sqrt((-d + 1 + r) * (d + 1 - r) * (d - 1 + r) * (d + 1 + r));
  EXPECT_NEAR(outline_area(shape_outline(Shape::crescent)), pi - lens, 0.005 * pi);
}

TEST(SynthShapes, AllFitTheUnitCircle) {
  for (const Shape shape : all) {
    double farthest = 0;
    for (const cv::Point2d& p : shape_outline(shape))
      farthest = std::max(farthest, std::hypot(p.x, p.y));
    EXPECT_NEAR(farthest, 1, 1e-9) << shape_name(shape);
  }
}

TEST(SynthShapes, PlacingStretchesScalesTurnsAndMoves) {
  // (1, 0) stretched to 0.5, scaled to 10, turned 90° clockwise on screen (y down) to (0, 5),
  // moved.
  const Outline placed = place_outline({{1, 0}, {0, 1}}, {100, 200}, 20, 0.5, M_PI / 2);
  EXPECT_NEAR(placed[0].x, 100, 1e-9);
  EXPECT_NEAR(placed[0].y, 210, 1e-9);
  EXPECT_NEAR(placed[1].x, 80, 1e-9);
  EXPECT_NEAR(placed[1].y, 200, 1e-9);
}

TEST(SynthShapes, ClippingCutsAtTheBorder) {
  const Outline diamond{{0, -10}, {10, 0}, {0, 10}, {-10, 0}};
  const Outline quarter = clip_outline(diamond, 100, 100);
  EXPECT_NEAR(outline_area(quarter), 50, 1e-9);
  EXPECT_TRUE(outline_extent(quarter) == (Xyxy{0, 0, 10, 10}));
  EXPECT_TRUE(clip_outline(place_outline(diamond, {-20, 50}, 1, 1, 0), 100, 100).empty());
  EXPECT_EQ(clip_outline(place_outline(diamond, {50, 50}, 1, 1, 0), 100, 100).size(), 4u);
  // A ring cut in half: half its area.
  const Outline ring = shape_outline(Shape::ring);
  EXPECT_NEAR(outline_area(clip_outline(place_outline(ring, {0, 50}, 20, 1, 0), 100, 100)),
              200 * outline_area(ring), 1e-6);
}

TEST(SynthShapes, CoverageOfARectangleIsExact) {
  // Columns 2.25 … 5.5, rows 1 … 2.5.
  const cv::Mat coverage =
      outline_coverage(Outline{{2.25, 1}, {5.5, 1}, {5.5, 2.5}, {2.25, 2.5}}, cv::Rect(1, 0, 6, 4));
  const float expected[4][6] = {{0, 0, 0, 0, 0, 0},
                                {0, 0.75f, 1, 1, 0.5f, 0},
                                {0, 0.375f, 0.5f, 0.5f, 0.25f, 0},
                                {0, 0, 0, 0, 0, 0}};
  for (int y = 0; y < 4; ++y)
    for (int x = 0; x < 6; ++x)
      EXPECT_FLOAT_EQ(coverage.at<float>(y, x), expected[y][x]) << x << " " << y;
}

TEST(SynthShapes, CoverageAddsUpToTheArea) {
  for (const Shape shape : all) {
    const Outline outline = place_outline(shape_outline(shape), {40.3, 41.7}, 35, 0.9, 0.4);
    const double sum = cv::sum(outline_coverage(outline, cv::Rect(0, 0, 80, 80)))[0];
    EXPECT_NEAR(sum / outline_area(outline), 1, 0.005)
        << shape_name(shape);  // four lines per row on edges of about 200 px
  }
}

}  // namespace
}  // namespace yolov7::dataset
