#include "monitoring/label_plot.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <utility>

#include "image/drawing/chart.hpp"
#include "image/drawing/text.hpp"

namespace yolov7::monitoring {
namespace {

constexpr int side = 1600, half = side / 2, cells = 50, margin = 70;
const cv::Scalar black(0, 0, 0), bar_colour(178, 114, 0);

constexpr TextAnchor left = TextAnchor::left, centre = TextAnchor::centre,
                     right = TextAnchor::right;
constexpr double small = 15, usual = 18, large = 24;  // px of an em

void put(cv::Mat& canvas, const std::string& words, cv::Point at, double size,
         TextAnchor anchor = left) {
  draw_text(canvas, words, at, {size}, anchor);
}

cv::Rect panel(int column, int row) {
  return {column * half + margin, row * half + margin, half - 2 * margin, half - 2 * margin};
}

/// Frame with 0 and 1 at its ends and the names of its axes. `downwards`: y grows downwards, as in
/// a picture.
void frame(cv::Mat& canvas, const cv::Rect& area, const std::string& x, const std::string& y,
           bool downwards, double size = usual) {
  cv::rectangle(canvas, area, black, 1);
  put(canvas, "0", {area.x, area.br().y + 24}, size);
  put(canvas, "1", {area.br().x, area.br().y + 24}, size, centre);
  put(canvas, x, {area.x + area.width / 2, area.br().y + 24}, size, centre);
  put(canvas, downwards ? "0" : "1", {area.x - 8, area.y + 14}, size, right);
  put(canvas, downwards ? "1" : "0", {area.x - 8, area.br().y}, size, right);
  put(canvas, y, {area.x - 12, area.y + area.height / 2}, size, right);
}

int cell_of(double share, int count) {
  return std::clamp(static_cast<int>(share * count), 0, count - 1);
}

/// Counts as a map: white is none, the darkest blue the most frequent cell, linear in the square
/// root.
void heat_map(cv::Mat& canvas, const cv::Rect& area,
              std::span<const std::pair<double, double>> points, bool downwards, int count) {
  cv::Mat counts = cv::Mat::zeros(count, count, CV_32F);
  for (const auto& [x, y] : points)
    counts.at<float>(downwards ? cell_of(y, count) : count - 1 - cell_of(y, count),
                     cell_of(x, count)) += 1;
  double most = 0;
  cv::minMaxLoc(counts, nullptr, &most);
  for (int j = 0; j < count; ++j)
    for (int i = 0; i < count; ++i) {
      const double share = most > 0 ? std::sqrt(counts.at<float>(j, i) / most) : 0;
      const cv::Rect cell(
          cv::Point(area.x + i * area.width / count, area.y + j * area.height / count),
          cv::Point(area.x + (i + 1) * area.width / count, area.y + (j + 1) * area.height / count));
      cv::rectangle(canvas, cell,
                    cv::Scalar(255 - 100 * share, 255 - 190 * share, 255 - 247 * share),
                    cv::FILLED);
    }
}

void class_bars(cv::Mat& canvas, const cv::Rect& area, std::span<const LabelFact> labels,
                const std::vector<std::string>& names) {
  std::map<int, std::size_t> counts;
  for (const LabelFact& one : labels) ++counts[one.class_index];
  std::vector<std::pair<std::size_t, int>> order;
  for (const auto& [index, count] : counts) order.emplace_back(count, index);
  std::sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first > b.first : a.second < b.second;
  });
  constexpr std::size_t most_rows = 30;
  const std::size_t rows = std::min(order.size(), most_rows);
  put(canvas,
      order.size() > rows
          ? fmt::format("Labels per class (the {} most frequent of {})", rows, order.size())
          : std::string("Labels per class"),
      {area.x + area.width / 2, area.y - 24}, large, centre);
  if (rows == 0) return;
  const int height = std::min(48, area.height / static_cast<int>(rows)),
            name_width = area.width / 3;
  for (std::size_t i = 0; i < rows; ++i) {
    const auto& [count, index] = order[i];
    const int y = area.y + static_cast<int>(i) * height;
    const double size = std::min(usual, height * 0.75);
    const std::string name = fitting_text(class_label(index, names), "", {size}, name_width - 10);
    put(canvas, name, {area.x + name_width - 10, y + height * 2 / 3}, size, right);
    const int length =
        static_cast<int>((area.width - name_width - 90) * static_cast<double>(count) /
                         static_cast<double>(order.front().first));
    cv::rectangle(canvas,
                  cv::Rect(area.x + name_width, y + height / 6, std::max(1, length),
                           std::max(2, height * 2 / 3)),
                  bar_colour, cv::FILLED);
    put(canvas, std::to_string(count), {area.x + name_width + length + 8, y + height * 2 / 3},
        size);
  }
}

void boxes_by_centre(cv::Mat& canvas, const cv::Rect& area, std::span<const LabelFact> labels) {
  constexpr std::size_t most = 1000;
  cv::Mat part = canvas(area);
  const std::size_t shown = std::min(most, labels.size());
  for (std::size_t i = 0; i < shown; ++i) {
    const LabelFact& one = labels[i * labels.size() / shown];
    const int w = static_cast<int>(one.width * area.width / 2),
              h = static_cast<int>(one.height * area.height / 2);
    cv::rectangle(part, {area.width / 2 - w, area.height / 2 - h},
                  {area.width / 2 + w, area.height / 2 + h},
                  chart_colour(static_cast<std::size_t>(one.class_index)), 1);
  }
}

using Value = double (*)(const LabelFact&);
struct Quantity {
  const char* name;
  Value get;
};
constexpr std::array<Quantity, 4> quantities{
    {{"x", [](const LabelFact& l) { return l.x; }},
     {"y", [](const LabelFact& l) { return l.y; }},
     {"width", [](const LabelFact& l) { return l.width; }},
     {"height", [](const LabelFact& l) { return l.height; }}}};

void histogram(cv::Mat& canvas, const cv::Rect& area, std::span<const LabelFact> labels,
               Value get) {
  std::array<int, cells> counts{};
  for (const LabelFact& one : labels) ++counts[static_cast<std::size_t>(cell_of(get(one), cells))];
  const int most = std::max(1, *std::max_element(counts.begin(), counts.end()));
  for (int i = 0; i < cells; ++i) {
    const int height = static_cast<int>(static_cast<double>(counts[static_cast<std::size_t>(i)]) *
                                        area.height / most);
    if (height > 0)
      cv::rectangle(canvas,
                    cv::Rect(area.x + i * area.width / cells, area.br().y - height,
                             area.width / cells, height),
                    bar_colour, cv::FILLED);
  }
}

}  // namespace

cv::Mat plot_labels(std::span<const LabelFact> labels, const std::vector<std::string>& names) {
  cv::Mat canvas(side, side, CV_8UC3, cv::Scalar::all(255));
  class_bars(canvas, panel(0, 0), labels, names);
  const auto title = [&](const cv::Rect& area, const std::string& words) {
    put(canvas, words, {area.x + area.width / 2, area.y - 24}, large, centre);
  };
  boxes_by_centre(canvas, panel(1, 0), labels);
  title(panel(1, 0), "Boxes, laid over each other");
  frame(canvas, panel(1, 0), "width", "", true);
  std::vector<std::pair<double, double>> centres, sizes;
  for (const LabelFact& one : labels)
    centres.emplace_back(one.x, one.y), sizes.emplace_back(one.width, one.height);
  heat_map(canvas, panel(0, 1), centres, true, cells);
  title(panel(0, 1), "Centres in the image");
  frame(canvas, panel(0, 1), "x", "y", true);
  heat_map(canvas, panel(1, 1), sizes, false, cells);
  title(panel(1, 1), "Sizes, shares of the image");
  frame(canvas, panel(1, 1), "width", "", false);
  put(canvas, "height", {panel(1, 1).x - 8, panel(1, 1).y + panel(1, 1).height / 2}, small, right);
  return canvas;
}

cv::Mat plot_label_correlogram(std::span<const LabelFact> labels) {
  cv::Mat canvas(side, side, CV_8UC3, cv::Scalar::all(255));
  constexpr int pitch = (side - 80) / 4, inner = pitch - 70;
  for (int row = 0; row < 4; ++row)
    for (int column = 0; column < 4; ++column) {
      const cv::Rect area(80 + column * pitch, 30 + row * pitch, inner, inner);
      const Quantity &x = quantities[static_cast<std::size_t>(column)],
                     &y = quantities[static_cast<std::size_t>(row)];
      std::vector<std::pair<double, double>> points;
      for (const LabelFact& one : labels) points.emplace_back(x.get(one), y.get(one));
      if (row == column)
        histogram(canvas, area, labels, x.get);
      else
        heat_map(canvas, area, points, false, cells);
      frame(canvas, area, x.name, column == 0 && row != column ? y.name : "", false, small);
    }
  return canvas;
}

}  // namespace yolov7::monitoring
