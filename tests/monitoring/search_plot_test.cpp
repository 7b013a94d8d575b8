#include "monitoring/search_plot.hpp"

#include <gtest/gtest.h>

#include <opencv2/core.hpp>

#include "core/error.hpp"
#include "image/drawing/chart.hpp"

namespace yolov7::monitoring {
namespace {

int coloured(const cv::Mat& picture, std::size_t i, const cv::Rect& place) {
  cv::Mat same;
  cv::inRange(picture(place), chart_colour(i), chart_colour(i), same);
  return cv::countNonZero(same);
}

// Trials as dots; the best, at the lower end of the first gene and the upper end of the second, as
// a cross.
TEST(SearchPlot, TheBestIsACrossWhereItLies) {
  const cv::Mat picture = plot_search({{"a", {1, 2, 3}}, {"b", {30, 20, 10}}}, {0.9, 0.5, 0.1});
  ASSERT_EQ(picture.size(), cv::Size(960, 400));
  const cv::Rect left(60, 80, 140, 240), right(340, 80, 140, 240);  // of a panel, below the legend
  EXPECT_GT(coloured(picture, 1, left), 20);
  EXPECT_EQ(coloured(picture, 1, right), 0);
  EXPECT_EQ(coloured(picture, 1, left + cv::Point(480, 0)), 0);
  EXPECT_GT(coloured(picture, 1, right + cv::Point(480, 0)), 20);
  EXPECT_GT(coloured(picture, 0, {60, 80, 420, 280}), 10);
}

TEST(SearchPlot, RowsOfFive) {
  EXPECT_EQ(plot_search(std::vector<SearchedValues>(7, {"a", {1}}), {0.5}).size(),
            cv::Size(2400, 800));
  EXPECT_THROW(plot_search({}, {0.5}), Error);
  EXPECT_THROW(plot_search({{"a", {1, 2}}}, {0.5}), Error);
}

}  // namespace
}  // namespace yolov7::monitoring
