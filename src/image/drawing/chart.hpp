#pragma once
// Line charts, drawn over OpenCV. Colours and dashes are told apart with every common colour
// vision.
#include <array>
#include <opencv2/core/mat.hpp>
#include <opencv2/core/types.hpp>
#include <optional>
#include <string>
#include <vector>

namespace yolov7 {

enum class ChartMark { line, dots, cross };  ///< points joined, or each by itself

struct ChartLine {
  std::string name;                 ///< in the legend
  std::vector<cv::Point2d> points;  ///< values that are not finite interrupt the line
  ChartMark mark = ChartMark::line;
};

struct Chart {
  std::string title, x;
  std::vector<ChartLine> lines;  ///< up to seven are told apart
  std::optional<std::array<double, 2>> y_range = {},
                                       x_range = {};  ///< otherwise what the values span
};

/// B G R, Okabe and Ito's palette; the i-th of seven, again from the start after that.
cv::Scalar chart_colour(std::size_t i);
/// Steps of 1, 2 or 5 times a power of ten that cover low … high in at most `most` parts; at least
/// two values.
std::vector<double> chart_ticks(double low, double high, int most);
/// Title, legend, axes with ticks and lines inside `place` (at least 300 × 240 px) of an 8-bit
/// picture of three channels. `scale` is that of the letters: at 1, capitals are 22 px high. Titles
/// and names that are too wide lose their end. A chart without any finite value says so.
void draw_chart(cv::Mat& canvas, const cv::Rect& place, const Chart& chart, double scale);
/// A white picture with one chart.
cv::Mat chart_picture(cv::Size size, const Chart& chart);

}  // namespace yolov7
