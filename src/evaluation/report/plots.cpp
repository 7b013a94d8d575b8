#include "evaluation/report/plots.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <opencv2/imgproc.hpp>

#include "image/drawing/chart.hpp"
#include "image/drawing/draw.hpp"

namespace yolov7::evaluation {
namespace {

const cv::Scalar black(0, 0, 0), grey(190, 190, 190), light(230, 230, 230), mean_colour(160, 60, 0);

constexpr std::size_t colours = 7;  // of chart_colour()

void text(cv::Mat& canvas, const std::string& words, cv::Point at, double scale, int thickness = 2,
          const cv::Scalar& colour = black) {
  put_text(canvas, words, at, scale, thickness, colour);
}
int width_of(const std::string& words, double scale) { return text_width(words, scale, 2); }

void vertical_text(cv::Mat& canvas, const std::string& words, cv::Point centre, double scale) {
  const int width = width_of(words, scale) + 8, height = static_cast<int>(45 * scale);
  cv::Mat strip(height, width, CV_8UC3, cv::Scalar::all(255));
  text(strip, words, {4, static_cast<int>(32 * scale)}, scale);
  cv::rotate(strip, strip, cv::ROTATE_90_COUNTERCLOCKWISE);
  const cv::Rect place(centre.x - strip.cols / 2, centre.y - strip.rows / 2, strip.cols,
                       strip.rows);
  if ((place & cv::Rect(0, 0, canvas.cols, canvas.rows)) == place) strip.copyTo(canvas(place));
}

std::string shortened(std::string name, std::size_t most) {
  name = drawable_text(name);
  return name.size() <= most ? name : name.substr(0, most - 2) + "..";
}

struct Axes {
  cv::Rect area{170, 60, 1400, 1250};
  cv::Point at(double x, double y) const {
    return {area.x + static_cast<int>(std::lround(x * area.width)),
            area.y + static_cast<int>(std::lround((1 - y) * area.height))};
  }
};

void draw_axes(cv::Mat& canvas, const Axes& axes, const CurvePlot& plot) {
  for (int i = 0; i <= 5; ++i) {
    const double v = i / 5.0;
    cv::line(canvas, axes.at(v, 0), axes.at(v, 1), light, 2);
    cv::line(canvas, axes.at(0, v), axes.at(1, v), light, 2);
    text(canvas, fmt::format("{:.1f}", v), axes.at(v, 0) + cv::Point(-28, 50), 1.1);
    text(canvas, fmt::format("{:.1f}", v), axes.at(0, v) + cv::Point(-80, 14), 1.1);
  }
  cv::rectangle(canvas, axes.area, black, 2);
  text(canvas, plot.x,
       {axes.area.x + axes.area.width / 2 - width_of(plot.x, 1.3) / 2,
        axes.area.y + axes.area.height + 125},
       1.3);
  vertical_text(canvas, plot.y, {50, axes.area.y + axes.area.height / 2}, 1.3);
}

void draw_curve(cv::Mat& canvas, const Axes& axes, const std::vector<double>& curve,
                const cv::Scalar& colour, int thickness, int dash) {
  int length = 0;
  for (std::size_t i = 0; i + 1 < curve.size(); ++i) {
    const auto n = static_cast<double>(curve.size() - 1);
    const cv::Point a = axes.at(static_cast<double>(i) / n, curve[i]),
                    b = axes.at(static_cast<double>(i + 1) / n, curve[i + 1]);
    length += std::abs(a.x - b.x) + std::abs(a.y - b.y);
    if (dash == 0 || length / dash % 2 == 0) cv::line(canvas, a, b, colour, thickness, cv::LINE_AA);
  }
}

std::vector<double> mean_curve(const std::vector<std::vector<double>>& curves) {
  std::vector<double> mean(curves.front().size(), 0.0);
  for (const auto& curve : curves)
    for (std::size_t i = 0; i < mean.size(); ++i)
      mean[i] += curve[i] / static_cast<double>(curves.size());
  return mean;
}

struct LegendLine {
  std::string words;
  cv::Scalar colour;
  int thickness, dash;
};

void draw_legend(cv::Mat& canvas, const std::vector<LegendLine>& lines) {
  int y = 100;
  for (const LegendLine& line : lines) {
    for (int x = 1610; x < 1700; x += 2)
      if (line.dash == 0 || (x - 1610) / std::max(1, line.dash) % 2 == 0)
        cv::line(canvas, {x, y - 12}, {x + 2, y - 12}, line.colour, line.thickness);
    text(canvas, line.words, {1715, y}, 0.95);
    y += 60;
  }
}

}  // namespace

cv::Mat plot_curves(const CurvePlot& plot) {
  cv::Mat canvas(1500, 2250, CV_8UC3, cv::Scalar::all(255));
  const Axes axes;
  draw_axes(canvas, axes, plot);
  const bool each = plot.curves.size() <= 20;
  std::vector<LegendLine> legend;
  for (std::size_t c = 0; c < plot.curves.size(); ++c) {
    const cv::Scalar colour = each ? chart_colour(c) : grey;
    const int dash = each ? static_cast<int>(c / colours) * 14 : 0;
    draw_curve(canvas, axes, plot.curves[c], colour, each ? 3 : 1, dash);
    const double value = plot.values.empty()
                             ? *std::max_element(plot.curves[c].begin(), plot.curves[c].end())
                             : plot.values[c];
    if (each)
      legend.push_back(
          {fmt::format("{} {:.3f}", shortened(plot.names[c], 18), value), colour, 4, dash});
  }
  if (!plot.curves.empty()) {
    const std::vector<double> mean = mean_curve(plot.curves);
    draw_curve(canvas, axes, mean, mean_colour, 7, 0);
    const auto top = std::max_element(mean.begin(), mean.end());
    const double at =
        static_cast<double>(top - mean.begin()) / static_cast<double>(mean.size() - 1);
    const double map = plot.values.empty()
                           ? 0
                           : std::accumulate(plot.values.begin(), plot.values.end(), 0.0) /
                                 static_cast<double>(plot.values.size());
    legend.push_back({plot.values.empty() ? fmt::format("all classes {:.2f} at {:.3f}", *top, at)
                                          : fmt::format("all classes {:.3f} mAP@0.5", map),
                      mean_colour, 8, 0});
  }
  draw_legend(canvas, legend);
  return canvas;
}

cv::Mat plot_confusion(const ConfusionMatrix& matrix, const std::vector<std::string>& names) {
  const int n = matrix.class_count() + 1, left = 420, top = 90, side = 1800, bottom = 420;
  cv::Mat canvas(top + side + bottom, left + side + 120, CV_8UC3, cv::Scalar::all(255));
  const auto edge = [&](int i) { return static_cast<int>(static_cast<long long>(i) * side / n); };
  const auto label = [&](int i, const char* background) {
    return i == n - 1 ? std::string(background) : shortened(names[static_cast<std::size_t>(i)], 16);
  };
  for (int t = 0; t < n; ++t) {
    double column = 1e-6;
    for (int p = 0; p < n; ++p) column += static_cast<double>(matrix.at(p, t));
    for (int p = 0; p < n; ++p) {
      const double share = static_cast<double>(matrix.at(p, t)) / column;
      const cv::Rect cell(left + edge(t), top + edge(p), edge(t + 1) - edge(t),
                          edge(p + 1) - edge(p));
      // White to dark blue, linear in the share.
      cv::rectangle(canvas, cell,
                    cv::Scalar(255 - 148 * share, 255 - 207 * share, 255 - 247 * share),
                    cv::FILLED);
      cv::rectangle(canvas, cell, light, 1);
      if (n > 30 || share < 0.005) continue;
      const double scale = std::min(1.6, cell.width / 110.0);
      const std::string number = fmt::format("{:.2f}", share);
      text(canvas, number,
           {cell.x + cell.width / 2 - width_of(number, scale) / 2,
            cell.y + cell.height / 2 + static_cast<int>(12 * scale)},
           scale, 2, share > 0.5 ? cv::Scalar::all(255) : black);
    }
  }
  if (n < 100) {
    const double scale = std::clamp(20.0 / n, 0.35, 1.1);
    for (int i = 0; i < n; ++i) {
      const std::string row = label(i, "background FN");
      text(canvas, row,
           {left - 20 - width_of(row, scale),
            top + (edge(i) + edge(i + 1)) / 2 + static_cast<int>(12 * scale)},
           scale);
      const std::string column = label(i, "background FP");
      vertical_text(
          canvas, column,
          {left + (edge(i) + edge(i + 1)) / 2, top + side + 20 + (width_of(column, scale) + 8) / 2},
          scale);
    }
  }
  cv::rectangle(canvas, cv::Rect(left, top, side, side), black, 2);
  text(canvas, "True", {left + side / 2 - 50, top + side + bottom - 25}, 1.4);
  vertical_text(canvas, "Predicted", {40, top + side / 2}, 1.4);
  text(canvas, "share of the true class (each column adds up to 1)", {left, 55}, 1.1);
  return canvas;
}

}  // namespace yolov7::evaluation
