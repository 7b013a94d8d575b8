// labels.png and the correlogram: what is drawn where, for labels put down by hand.
#include "monitoring/label_plot.hpp"

#include <gtest/gtest.h>

#include <opencv2/core.hpp>

namespace yolov7::monitoring {
namespace {

/// Pixels that are neither white nor black (letters are anti-aliased grey).
int coloured(const cv::Mat& picture, const cv::Rect& place) {
  int count = 0;
  for (int y = place.y; y < place.br().y; ++y)
    for (int x = place.x; x < place.br().x; ++x) {
      const cv::Vec3b p = picture.at<cv::Vec3b>(y, x);
      count += p[0] != p[1] || p[1] != p[2];
    }
  return count;
}

// Panels are 800 px wide with margins of 70: centres at (70, 870) … (730, 1530), one cell is 13.2
// px.
TEST(LabelPlot, CentresAndSizesAreInTheirCells) {
  const std::vector<LabelFact> labels(10, {0, 0.25, 0.75, 0.1, 0.5});
  const cv::Mat picture = plot_labels(labels, {"cell"});
  ASSERT_EQ(picture.size(), cv::Size(1600, 1600));
  const int x = 70 + 660 / 4, y = 870 + 660 * 3 / 4;
  EXPECT_GT(coloured(picture, {x - 14, y - 14, 28, 28}), 100);
  EXPECT_EQ(coloured(picture, {70 + 1, 870 + 1, 100, 400}), 0);  // nothing else in that panel
  // Sizes: width 0.1 from the left, height 0.5 from below, in the panel at (870, 870).
  EXPECT_GT(coloured(picture, {870 + 66 - 14, 870 + 330 - 14, 28, 28}), 100);
  EXPECT_EQ(coloured(picture, {870 + 300, 871, 350, 650}), 0);
}

TEST(LabelPlot, BarsGoByTheNumberOfLabels) {
  std::vector<LabelFact> labels(40, {2, 0.5, 0.5, 0.1, 0.1});
  labels.insert(labels.end(), 10, {0, 0.5, 0.5, 0.1, 0.1});
  const cv::Mat picture = plot_labels(labels, {"few", "none", "many"});
  const int first = coloured(picture, {70, 70, 660, 48}),
            second = coloured(picture, {70, 118, 660, 48});
  EXPECT_NEAR(static_cast<double>(second) / first, 0.25, 0.02);  // bars are whole pixels long
  EXPECT_EQ(coloured(picture, {70, 170, 660, 500}), 0);  // a class without labels has no bar
}

TEST(LabelPlot, NoLabelsAndClassesWithoutNames) {
  EXPECT_EQ(plot_labels({}, {}).size(), cv::Size(1600, 1600));
  EXPECT_EQ(plot_label_correlogram({}).size(), cv::Size(1600, 1600));
  const std::vector<LabelFact> labels(3, {900, 1.2, -0.1, 2, 0});  // outside: at the border
  EXPECT_GT(coloured(plot_labels(labels, {}), {0, 0, 1600, 1600}), 0);
}

// x = y on a diagonal: the map of x against y has cells on its diagonal, from the lower left to the
// upper right.
TEST(LabelCorrelogram, ADiagonalIsADiagonal) {
  std::vector<LabelFact> labels;
  for (int i = 0; i < 100; ++i) labels.push_back({0, (i + 0.5) / 100, (i + 0.5) / 100, 0.5, 0.5});
  const cv::Mat picture = plot_label_correlogram(labels);
  const int pitch = 380, inner = 310;
  const cv::Rect area(80, 30 + pitch, inner, inner);  // row y, column x
  EXPECT_GT(coloured(picture, {area.x + inner / 2 - 10, area.y + inner / 2 - 10, 20, 20}), 50);
  EXPECT_GT(coloured(picture, {area.x, area.br().y - 12, 10, 10}), 20);
  EXPECT_EQ(coloured(picture, {area.x + 1, area.y + 1, inner / 3, inner / 3}), 0);
  // Its own distribution is flat: bars over the whole width.
  EXPECT_GT(coloured(picture, {80, 30, inner, inner}), inner * inner * 9 / 10);
}

}  // namespace
}  // namespace yolov7::monitoring
