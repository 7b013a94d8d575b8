#include "evaluation/report/plots.hpp"

#include <gtest/gtest.h>

#include <opencv2/core.hpp>

using namespace yolov7;
using namespace yolov7::evaluation;

namespace {

/// Pixels that are neither white nor gray.
int coloured(const cv::Mat& canvas, const cv::Rect& area) {
  int count = 0;
  for (int y = area.y; y < area.y + area.height; ++y)
    for (int x = area.x; x < area.x + area.width; ++x) {
      const auto p = canvas.at<cv::Vec3b>(y, x);
      count += std::max({p[0], p[1], p[2]}) - std::min({p[0], p[1], p[2]}) > 40;
    }
  return count;
}

std::vector<double> level(double y) { return std::vector<double>(1000, y); }

// The plotting area of plot_curves.
constexpr int left = 170, top = 60, width = 1400, height = 1250;

}  // namespace

// A level curve lies at its height and nowhere else inside the axes.
TEST(Plots, CurveLiesWhereItsValuesAre) {
  const cv::Mat canvas = plot_curves({"Recall", "Precision", {level(0.25)}, {"cell"}, {}});
  EXPECT_EQ(canvas.size(), cv::Size(2250, 1500));
  EXPECT_EQ(canvas.type(), CV_8UC3);
  const int y = top + static_cast<int>(0.75 * height);
  EXPECT_GT(coloured(canvas, {left + 5, y - 6, width - 10, 12}), 5 * (width - 10));
  EXPECT_EQ(coloured(canvas, {left + 5, top + 5, width - 10, y - 20 - top}), 0);
  EXPECT_EQ(coloured(canvas, {left + 5, y + 20, width - 10, top + height - y - 25}), 0);
}

// 20 classes have a legend line each beside the mean's, 21 only the mean's.
TEST(Plots, LegendOnlyForFewClasses) {
  const auto with = [](std::size_t classes) {
    CurvePlot plot{"x", "y", {}, {}, {}};
    for (std::size_t c = 0; c < classes; ++c) {
      plot.curves.push_back(level(0.5));
      plot.names.push_back("class");
    }
    const cv::Mat canvas = plot_curves(plot);
    int lines = 0;
    for (int row = 0; row < 22; ++row)
      lines += coloured(canvas, {1605, 100 + 60 * row - 30, 100, 40}) > 0;
    return lines;
  };
  EXPECT_EQ(with(1), 2);
  EXPECT_EQ(with(20), 21);
  EXPECT_EQ(with(21), 1);
}

// The dark cell is the full one; names that no font has are harmless.
TEST(Plots, Confusion) {
  ConfusionMatrix m(2);
  const Xyxy here{0, 0, 20, 10};
  m.add(std::vector<Detection>{{here, 0.9f, 1}}, std::vector<Target>{{here, 0}});
  const cv::Mat canvas = plot_confusion(m, {"\x1b[31m图", "a very long name of a class"});
  const int side = 1800, cell = side / 3;
  const auto at = [&](int predicted, int truth) {
    return canvas.at<cv::Vec3b>(90 + predicted * cell + 30, 420 + truth * cell + 30);
  };
  EXPECT_LT(at(1, 0)[2], 60);
  for (const auto& [p, t] : {std::pair{0, 0}, {0, 1}, {2, 0}, {2, 2}})
    EXPECT_GT(at(p, t)[2], 240) << p << t;
}

TEST(Plots, ManyClasses) {
  const ConfusionMatrix m(120);
  EXPECT_FALSE(plot_confusion(m, std::vector<std::string>(120, "name")).empty());
}
