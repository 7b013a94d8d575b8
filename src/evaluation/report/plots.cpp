#include "evaluation/report/plots.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include "image/drawing/chart.hpp"
#include "image/drawing/text.hpp"

namespace yolov7::evaluation {
namespace {

const cv::Scalar black(0, 0, 0), grey(190, 190, 190), light(230, 230, 230), mean_colour(160, 60, 0);

constexpr std::size_t colours = 7;             // of chart_colour()
constexpr std::size_t most_grey_curves = 300;  // evenly spread over the classes

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
    const std::string number = fmt::format("{:.1f}", v);
    draw_text(canvas, number, axes.at(v, 0) + cv::Point(0, 50), {33}, TextAnchor::centre);
    draw_text(canvas, number, axes.at(0, v) + cv::Point(-25, 12), {33}, TextAnchor::right);
  }
  cv::rectangle(canvas, axes.area, black, 2);
  draw_text(canvas, plot.x, {axes.area.x + axes.area.width / 2, axes.area.br().y + 125}, {39},
            TextAnchor::centre);
  draw_upward_text(canvas, plot.y, {50, axes.area.y + axes.area.height / 2}, {39});
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

constexpr int curves_width = 2250, legend_left = 1715;
const TextStyle legend_style{28};

/// The end of the name is left out where there is no room for it.
std::string legend_words(const std::string& name, double value) {
  return fitting_text(name, fmt::format(" {:.3f}", value), legend_style,
                      curves_width - legend_left - 10);
}

void draw_legend(cv::Mat& canvas, const std::vector<LegendLine>& lines) {
  int y = 100;
  for (const LegendLine& line : lines) {
    for (int x = 1610; x < 1700; x += 2)
      if (line.dash == 0 || (x - 1610) / std::max(1, line.dash) % 2 == 0)
        cv::line(canvas, {x, y - 12}, {x + 2, y - 12}, line.colour, line.thickness);
    draw_text(canvas, line.words, {legend_left, y}, legend_style);
    y += 60;
  }
}

}  // namespace

cv::Mat plot_curves(const CurvePlot& plot) {
  cv::Mat canvas(1500, curves_width, CV_8UC3, cv::Scalar::all(255));
  const Axes axes;
  draw_axes(canvas, axes, plot);
  const bool each = plot.curves.size() <= 20;
  const std::size_t every = (plot.curves.size() + most_grey_curves - 1) / most_grey_curves;
  std::size_t drawn = 0;
  std::vector<LegendLine> legend;
  for (std::size_t c = 0; c < plot.curves.size(); c += every, ++drawn) {
    const cv::Scalar colour = each ? chart_colour(c) : grey;
    const int dash = each ? static_cast<int>(c / colours) * 14 : 0;
    draw_curve(canvas, axes, plot.curves[c], colour, each ? 3 : 1, dash);
    const double value = plot.values.empty()
                             ? *std::max_element(plot.curves[c].begin(), plot.curves[c].end())
                             : plot.values[c];
    if (each) legend.push_back({legend_words(plot.names[c], value), colour, 4, dash});
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
  if (!each)
    legend.push_back({drawn == plot.curves.size()
                          ? fmt::format("each of the {} classes", drawn)
                          : fmt::format("{} of the {} classes", drawn, plot.curves.size()),
                      grey, 2, 0});
  draw_legend(canvas, legend);
  return canvas;
}

namespace {

constexpr int most_whole_classes = 98, classes_of_a_cut = 50;

/// What of a confusion matrix is drawn: rows predicted, columns true, background last.
struct ShownMatrix {
  std::vector<int> classes;  // of the first rows
  bool cut = false;          // then the row before the background is all other classes
  std::vector<std::string> rows, columns;
  cv::Mat_<double> counts;
};

/// The classes with the most wrong entries in their row and column.
std::vector<int> most_confused(const ConfusionMatrix& matrix, int count) {
  const int n = matrix.class_count();
  std::vector<std::size_t> wrong(static_cast<std::size_t>(n));
  for (int p = 0; p <= n; ++p)
    for (int t = 0; t <= n; ++t) {
      if (p == t) continue;
      if (p < n) wrong[static_cast<std::size_t>(p)] += matrix.at(p, t);
      if (t < n) wrong[static_cast<std::size_t>(t)] += matrix.at(p, t);
    }
  std::vector<int> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
    return wrong[static_cast<std::size_t>(a)] > wrong[static_cast<std::size_t>(b)];
  });
  order.resize(static_cast<std::size_t>(count));
  return order;
}

ShownMatrix shown_part(const ConfusionMatrix& matrix, const std::vector<std::string>& names) {
  ShownMatrix part;
  const int n = matrix.class_count();
  part.cut = n > most_whole_classes;
  if (part.cut) {
    part.classes = most_confused(matrix, classes_of_a_cut);
  } else {
    part.classes.resize(static_cast<std::size_t>(n));
    std::iota(part.classes.begin(), part.classes.end(), 0);
  }
  for (const int c : part.classes) part.rows.push_back(class_label(c, names));
  if (part.cut) part.rows.push_back("other classes");
  part.columns = part.rows;
  part.rows.push_back("background FN");
  part.columns.push_back("background FP");
  const int shown = static_cast<int>(part.rows.size());
  std::vector<int> place(static_cast<std::size_t>(n) + 1, shown - 2);
  for (std::size_t i = 0; i < part.classes.size(); ++i)
    place[static_cast<std::size_t>(part.classes[i])] = static_cast<int>(i);
  place.back() = shown - 1;
  part.counts = cv::Mat_<double>::zeros(shown, shown);
  for (int p = 0; p <= n; ++p)
    for (int t = 0; t <= n; ++t)
      part.counts(place[static_cast<std::size_t>(p)], place[static_cast<std::size_t>(t)]) +=
          static_cast<double>(matrix.at(p, t));
  return part;
}

/// The square of the cells and its surroundings.
struct MatrixPlace {
  int n;
  int left = 420, top = 90, side = 1800, bottom = 420, right = 120;
  int edge(int i) const { return static_cast<int>(static_cast<long long>(i) * side / n); }
  int middle(int i) const { return (edge(i) + edge(i + 1)) / 2; }
  cv::Rect cell(int row, int column) const {
    return {left + edge(column), top + edge(row), edge(column + 1) - edge(column),
            edge(row + 1) - edge(row)};
  }
};

void draw_cells(cv::Mat& canvas, const MatrixPlace& place, const cv::Mat_<double>& counts) {
  for (int t = 0; t < place.n; ++t) {
    const double column = 1e-6 + cv::sum(counts.col(t))[0];
    for (int p = 0; p < place.n; ++p) {
      const double share = counts(p, t) / column;
      const cv::Rect cell = place.cell(p, t);
      // White to dark blue, linear in the share.
      cv::rectangle(canvas, cell,
                    cv::Scalar(255 - 148 * share, 255 - 207 * share, 255 - 247 * share),
                    cv::FILLED);
      cv::rectangle(canvas, cell, light, 1);
      if (place.n > 30 || share < 0.005) continue;
      const double size = std::min(48.0, cell.width / 3.6);
      draw_text(canvas, fmt::format("{:.2f}", share),
                {cell.x + cell.width / 2, cell.y + cell.height / 2 + static_cast<int>(size * 0.36)},
                {size, false, share > 0.5 ? cv::Scalar::all(255) : black}, TextAnchor::centre);
    }
  }
}

void draw_names(cv::Mat& canvas, const MatrixPlace& place, const ShownMatrix& part) {
  const TextStyle style{std::clamp(0.6 * place.side / place.n, 10.5, 33.0)};
  constexpr int gap = 20, title = 70;
  for (int i = 0; i < place.n; ++i) {
    const auto k = static_cast<std::size_t>(i);
    draw_text(canvas, fitting_text(part.rows[k], "", style, place.left - gap - title),
              {place.left - gap, place.top + place.middle(i) + static_cast<int>(style.size * 0.36)},
              style, TextAnchor::right);
    const std::string column = fitting_text(part.columns[k], "", style, place.bottom - gap - title);
    draw_upward_text(canvas, column,
                     {place.left + place.middle(i),
                      place.top + place.side + gap + text_width(column, style) / 2},
                     style);
  }
}

}  // namespace

cv::Mat plot_confusion(const ConfusionMatrix& matrix, const std::vector<std::string>& names) {
  const ShownMatrix part = shown_part(matrix, names);
  const MatrixPlace place{static_cast<int>(part.rows.size())};
  cv::Mat canvas(place.top + place.side + place.bottom, place.left + place.side + place.right,
                 CV_8UC3, cv::Scalar::all(255));
  draw_cells(canvas, place, part.counts);
  draw_names(canvas, place, part);
  cv::rectangle(canvas, cv::Rect(place.left, place.top, place.side, place.side), black, 2);
  draw_text(canvas, "True",
            {place.left + place.side / 2, place.top + place.side + place.bottom - 25}, {42},
            TextAnchor::centre);
  draw_upward_text(canvas, "Predicted", {40, place.top + place.side / 2}, {42});
  std::string title = "share of the true class (each column adds up to 1)";
  if (part.cut)
    title += fmt::format("; the {} most confused of {} classes", part.classes.size(),
                         matrix.class_count());
  draw_text(canvas, title, {place.left, 55}, {33});
  return canvas;
}

}  // namespace yolov7::evaluation
