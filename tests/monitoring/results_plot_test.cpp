// Charts: ticks by hand, and lines where the values are.
#include "monitoring/results_plot.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <opencv2/core.hpp>

#include "image/drawing/chart.hpp"

namespace yolov7::monitoring {
namespace {

const double none = std::numeric_limits<double>::quiet_NaN();

TEST(Chart, ValuesOneBitApartAreOneValue) {
  // Two learning rates of a run: 0.01, and 0.01 less three of its last bits.
  const std::vector<double> ticks = chart_ticks(0.009999999999999995, 0.01, 6);
  EXPECT_GE(ticks.size(), 2u);
  EXPECT_LE(ticks.size(), 8u);
  EXPECT_GT(ticks[1], ticks[0]);
}

TEST(ChartTicks, StepsOfOneTwoFive) {
  const auto close = [](const std::vector<double>& found, const std::vector<double>& expected) {
    ASSERT_EQ(found.size(), expected.size()) << testing::PrintToString(found);
    for (std::size_t i = 0; i < found.size(); ++i)
      EXPECT_NEAR(found[i], expected[i], 1e-12 + 1e-9 * std::abs(expected[i]));
  };
  close(chart_ticks(0, 1, 6), {0, 0.2, 0.4, 0.6, 0.8, 1});
  close(chart_ticks(0, 299, 6), {0, 50, 100, 150, 200, 250, 300});
  close(chart_ticks(0.031, 0.094, 6), {0.02, 0.04, 0.06, 0.08, 0.1});
  close(chart_ticks(0.04, 0.61, 6),
        {0, 0.2, 0.4, 0.6, 0.8});  // from 0 in tenths they would be seven
  for (double high = 1; high < 100; high *= 1.07)
    EXPECT_LE(chart_ticks(0.4, high, 6).size(), 7u) << high;
  close(chart_ticks(-3, 4, 6), {-4, -2, 0, 2, 4});
  EXPECT_GE(chart_ticks(5, 5, 6).size(), 2u);
  EXPECT_GE(chart_ticks(0, 0, 6).size(), 2u);
}

/// Pixels of the i-th line's colour inside a rectangle.
int coloured(const cv::Mat& picture, std::size_t i, const cv::Rect& place) {
  const cv::Scalar colour = chart_colour(i);
  int count = 0;
  for (int y = place.y; y < place.br().y; ++y)
    for (int x = place.x; x < place.br().x; ++x) {
      const cv::Vec3b p = picture.at<cv::Vec3b>(y, x);
      count += p[0] == static_cast<int>(colour[0]) && p[1] == static_cast<int>(colour[1]) &&
               p[2] == static_cast<int>(colour[2]);
    }
  return count;
}

TEST(Chart, ARisingLineGoesFromTheLowerLeftToTheUpperRight) {
  cv::Mat canvas(600, 600, CV_8UC3, cv::Scalar::all(255));
  Chart chart{"title", "epoch", {{"one", {{0, 0}, {10, 1}}}}, {{0, 1}}};
  draw_chart(canvas, {0, 0, 600, 600}, chart, 0.7);
  // The legend stands above; below it the line lies in two of the four quarters.
  const int top = 120, middle = (top + 530) / 2;
  EXPECT_GT(coloured(canvas, 0, {90, middle + 20, 200, 530 - middle - 20}), 100);
  EXPECT_GT(coloured(canvas, 0, {370, top, 210, middle - top - 20}), 100);
  EXPECT_EQ(coloured(canvas, 0, {90, top, 200, middle - top - 60}), 0);
  EXPECT_EQ(coloured(canvas, 0, {400, middle + 60, 190, 530 - middle - 60}), 0);
  EXPECT_GT(coloured(canvas, 0, {0, 0, 600, top}), 20);  // its piece in the legend
}

TEST(Chart, GapsSinglePointsAndNothing) {
  cv::Mat gap(600, 600, CV_8UC3, cv::Scalar::all(255)), single = gap.clone(), nothing = gap.clone();
  draw_chart(gap, {0, 0, 600, 600},
             {"t", "x", {{"a", {{0, 0.5}, {1, none}, {2, none}, {3, 0.5}}}}, {{0, 1}}}, 0.7);
  draw_chart(single, {0, 0, 600, 600}, {"t", "x", {{"a", {{3, 2}}}}, {}}, 0.7);
  draw_chart(nothing, {0, 0, 600, 600}, {"t", "x", {{"a", {{0, none}}}}, {}}, 0.7);
  EXPECT_EQ(coloured(gap, 0, {150, 150, 350, 350}), 0);  // nothing is drawn across the gap
  EXPECT_GT(coloured(gap, 0, {60, 150, 90, 350}), 5);    // a point alone is a dot
  EXPECT_GT(coloured(single, 0, {0, 130, 600, 400}), 5);
  EXPECT_EQ(coloured(nothing, 0, {0, 130, 600, 400}), 0);
}

// The second line is dashed: fewer pixels than a solid one of the same course.
TEST(Chart, LinesDifferInMoreThanColour) {
  cv::Mat canvas(600, 600, CV_8UC3, cv::Scalar::all(255));
  draw_chart(canvas, {0, 0, 600, 600},
             {"t", "x", {{"a", {{0, 0.25}, {1, 0.25}}}, {"b", {{0, 0.75}, {1, 0.75}}}}, {{0, 1}}},
             0.7);
  const int solid = coloured(canvas, 0, {80, 140, 500, 400}),
            dashed = coloured(canvas, 1, {80, 140, 500, 400});
  EXPECT_GT(dashed, solid / 4);
  EXPECT_LT(dashed, solid * 3 / 4);
}

TEST(ResultsPlot, ShowsTheColumnsThatItKnows) {
  std::vector<double> epochs, falling, rising;
  for (int i = 0; i < 50; ++i)
    epochs.push_back(i), falling.push_back(0.1 / (1 + i)),
        rising.push_back(1 - std::exp(-i / 10.0));
  const cv::Mat picture = plot_results(
      epochs, {{"train/box_loss", falling}, {"coco/mAP_0.5", rising}, {"unknown", rising}});
  ASSERT_EQ(picture.size(), cv::Size(2400, 1200));
  EXPECT_GT(coloured(picture, 0, {0, 0, 600, 600}), 200);      // box loss
  EXPECT_GT(coloured(picture, 0, {600, 600, 600, 600}), 200);  // mAP at 0.5
  EXPECT_EQ(coloured(picture, 0, {600, 100, 1800, 500}), 0);   // no other panel has values
  EXPECT_EQ(plot_results({}, {}).size(), cv::Size(2400, 1200));
}

}  // namespace
}  // namespace yolov7::monitoring
