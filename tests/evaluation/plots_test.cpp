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

// The dark cell is the full one; control characters in names are harmless.
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

// 99 classes and more: the 50 most confused ones, then all others summed up, then the background.
TEST(Plots, ManyClassesAreCutToTheMostConfused) {
  constexpr int classes = 1200;
  ConfusionMatrix m(classes);
  const Xyxy here{0, 0, 20, 10};
  const auto add = [&](int truth, int predicted) {
    m.add(std::vector<Detection>{{here, 0.9f, predicted}}, std::vector<Target>{{here, truth}});
  };
  // Class 1100 is always taken for 1101: 50 times, so the two come first; class 5 is right.
  for (int i = 0; i < 50; ++i) add(1100, 1101), add(5, 5);
  const cv::Mat canvas = plot_confusion(m, std::vector<std::string>(classes, "name"));
  constexpr double cell = 1800 / 52.0;
  const auto dark = [&](int row, int column) {
    return canvas.at<cv::Vec3b>(90 + static_cast<int>((row + 0.5) * cell),
                                420 + static_cast<int>((column + 0.5) * cell))[2] < 60;
  };
  EXPECT_TRUE(dark(1, 0));  // predicted 1101, true 1100
  EXPECT_FALSE(dark(0, 0));
  EXPECT_FALSE(dark(50, 50));  // class 5 has no confusion, but the first indices fill up the 50
  EXPECT_TRUE(dark(7, 7));     // 1100, 1101, 0, 1, 2, 3, 4, then 5
  // The title is longer by what was left out.
  const auto title_end = [](const cv::Mat& picture) {
    int end = 0;
    for (int y = 10; y < 80; ++y)
      for (int x = 0; x < picture.cols; ++x)
        if (picture.at<cv::Vec3b>(y, x)[0] < 128) end = std::max(end, x);
    return end;
  };
  const cv::Mat whole = plot_confusion(ConfusionMatrix(98), std::vector<std::string>(98, "name"));
  EXPECT_GT(title_end(canvas), title_end(whole) + 300);
  EXPECT_LT(title_end(canvas), canvas.cols - 20);
}

TEST(Plots, OtherClassesAreSummedUp) {
  constexpr int classes = 200;
  ConfusionMatrix m(classes);
  const Xyxy here{0, 0, 20, 10};
  for (int c = 0; c < 60; ++c)
    for (int i = 0; i < 3; ++i)  // 60 classes are confused with their neighbour
      m.add(std::vector<Detection>{{here, 0.9f, c ^ 1}}, std::vector<Target>{{here, c}});
  for (int i = 0; i < 1000; ++i)  // and one, of the others, is right
    m.add(std::vector<Detection>{{here, 0.9f, 199}}, std::vector<Target>{{here, 199}});
  const cv::Mat canvas = plot_confusion(m, std::vector<std::string>(classes, "name"));
  const int middle = static_cast<int>(50.5 * 1800 / 52);  // 1030 of 1030 on its diagonal
  EXPECT_LT(canvas.at<cv::Vec3b>(90 + middle, 420 + middle)[2], 60);
}

// 5000 curves: 300 at most are drawn, and quickly; the mean is that of all.
TEST(Plots, ManyCurves) {
  CurvePlot plot{"x", "y", {}, {}, {}};
  for (std::size_t c = 0; c < 5000; ++c) {
    plot.curves.push_back(std::vector<double>(100, c % 2 == 0 ? 0.25 : 0.75));
    plot.names.push_back("class");
  }
  const cv::Mat canvas = plot_curves(plot);
  EXPECT_GT(coloured(canvas, {left + 5, top + height / 2 - 6, width - 10, 12}), 5 * (width - 10));
  EXPECT_EQ(coloured(canvas, {left + 5, top + 5, width - 10, height / 2 - 30}), 0);
}
