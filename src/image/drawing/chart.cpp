#include "image/drawing/chart.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include "core/text.hpp"
#include "image/drawing/text.hpp"

namespace yolov7 {
namespace {

const cv::Scalar black(0, 0, 0), light(225, 225, 225);

struct Letters {
  double scale;
  TextStyle style() const { return {30 * scale}; }
  int height() const { return static_cast<int>(22 * scale); }
  int width(const std::string& words) const { return text_width(words, style()); }
  void put(cv::Mat& canvas, const std::string& words, cv::Point at,
           TextAnchor anchor = TextAnchor::left) const {
    draw_text(canvas, words, at, style(), anchor);
  }
  std::string fitting(const std::string& words, int width) const {
    return fitting_text(words, "", style(), width);
  }
};

struct Range {
  double low = std::numeric_limits<double>::infinity(),
         high = -std::numeric_limits<double>::infinity();
  void add(double v) { low = std::min(low, v), high = std::max(high, v); }
  bool empty() const { return !(low <= high); }
};

bool is_finite(const cv::Point2d& p) { return std::isfinite(p.x) && std::isfinite(p.y); }

/// As many digits as tell the ticks apart.
std::string tick_text(double value, double step) {
  const double shown = std::abs(value) < step / 2 ? 0 : value;
  if (step < 1e-3 || step >= 1e5) {
    const double steps = std::max(1.0, std::abs(shown) / step);
    return fmt::format("{:.{}g}", shown, 2 + static_cast<int>(std::ceil(std::log10(steps))));
  }
  return fmt::format("{:.{}f}", shown,
                     std::max(0, static_cast<int>(std::ceil(-std::log10(step) - 1e-9))));
}

/// As many ticks of a horizontal axis as their numbers leave room for.
std::vector<double> ticks_with_room(double low, double high, int width, const Letters& letters) {
  for (int most = 6;; --most) {
    const std::vector<double> ticks = chart_ticks(low, high, most);
    int needed = 0;
    for (const double tick : ticks)
      needed =
          std::max(needed, letters.width(tick_text(tick, ticks[1] - ticks[0])) + letters.height());
    if (most == 2 || needed <= width * (ticks[1] - ticks[0]) / (high - low)) return ticks;
  }
}

/// Lengths of dashes and gaps in px. They are short, so that a line in a legend shows some of each.
constexpr std::array<std::array<int, 2>, 6> dashes{
    {{16, 12}, {10, 6}, {4, 6}, {14, 14}, {6, 12}, {2, 4}}};

/// The first line is solid, the others are dashed, so that colour is not all that tells them apart.
void draw_line(cv::Mat& canvas, const std::vector<cv::Point2d>& points, std::size_t i,
               int thickness) {
  double walked = 0;
  for (std::size_t k = 0; k + 1 < points.size(); ++k) {
    const cv::Point2d a = points[k], b = points[k + 1];
    if (!is_finite(a) || !is_finite(b)) continue;
    const double length = std::hypot(b.x - a.x, b.y - a.y), step = 2;
    for (double at = 0; at < length; at += step, walked += step) {
      if (i > 0) {
        const auto& [drawn, left] = dashes[(i - 1) % dashes.size()];
        if (std::fmod(walked, drawn + left) >= drawn) continue;
      }
      const auto point = [&](double t) {
        return cv::Point(a + (b - a) * (std::min(t, length) / length));
      };
      cv::line(canvas, point(at), point(at + step), chart_colour(i), thickness, cv::LINE_AA);
    }
  }
  for (std::size_t k = 0; k < points.size(); ++k) {
    const bool alone = (k == 0 || !is_finite(points[k - 1])) &&
                       (k + 1 == points.size() || !is_finite(points[k + 1]));
    if (alone && is_finite(points[k]))
      cv::circle(canvas, cv::Point(points[k]), 2 * thickness, chart_colour(i), cv::FILLED,
                 cv::LINE_AA);
  }
}

void draw_marks(cv::Mat& canvas, const std::vector<cv::Point2d>& points, std::size_t i,
                int thickness, ChartMark mark) {
  for (const cv::Point2d& p : points) {
    if (!is_finite(p)) continue;
    if (mark == ChartMark::dots)
      cv::circle(canvas, cv::Point(p), 4 * thickness, chart_colour(i), cv::FILLED, cv::LINE_AA);
    else
      cv::drawMarker(canvas, cv::Point(p), chart_colour(i), cv::MARKER_CROSS, 20 * thickness,
                     3 * thickness, cv::LINE_AA);
  }
}

/// Names with a piece of their line, row by row. Returns the lower edge.
int draw_legend(cv::Mat& canvas, const cv::Rect& place, int top, const Chart& chart,
                const Letters& letters, int thickness) {
  const int sample = 3 * letters.height(), gap = letters.height();
  int x = place.x + gap, y = top + letters.height();
  for (std::size_t i = 0; i < chart.lines.size(); ++i) {
    const std::string name =
        letters.fitting(chart.lines[i].name, place.width - sample - gap / 2 - 2 * gap);
    const int width = sample + gap / 2 + letters.width(name) + gap;
    if (x > place.x + gap && x + width > place.br().x) x = place.x + gap, y += 2 * letters.height();
    const double middle = y - letters.height() / 3.0;
    if (chart.lines[i].mark == ChartMark::line)
      draw_line(canvas, {cv::Point2d(x, middle), cv::Point2d(x + sample, middle)}, i,
                thickness + 1);
    else
      draw_marks(canvas, {cv::Point2d(x + sample / 2.0, middle)}, i, thickness,
                 chart.lines[i].mark);
    letters.put(canvas, name, {x + sample + gap / 2, y});
    x += width;
  }
  return y + gap;
}

}  // namespace

cv::Scalar chart_colour(std::size_t i) {
  // Blue, vermilion, green, purple, orange, sky blue, yellow.
  static const std::array<cv::Scalar, 7> colours{{{178, 114, 0},
                                                  {0, 94, 213},
                                                  {115, 158, 0},
                                                  {167, 121, 204},
                                                  {0, 159, 230},
                                                  {233, 180, 86},
                                                  {66, 228, 240}}};
  return colours[i % colours.size()];
}

std::vector<double> chart_ticks(double low, double high, int most) {
  // Values that differ in their last bits alone are one value: steps between them would vanish in
  // the sum.
  if (!(high - low > 1e-9 * std::max(std::abs(low), std::abs(high))))
    high = low + std::max(1e-12, std::abs(low) * 0.1);
  double step = std::pow(10, std::floor(std::log10((high - low) / most)));
  for (const double factor : {1.0, 2.0, 5.0, 10.0, 20.0})
    if (std::ceil(high / (factor * step) - 1e-9) - std::floor(low / (factor * step) + 1e-9) <=
        most) {
      step *= factor;
      break;
    }
  std::vector<double> ticks;
  for (double k = std::floor(low / step + 1e-9); k * step < high + step * (1 - 1e-9); ++k)
    ticks.push_back(k * step);
  return ticks;
}

namespace {

/// Where a chart's values lie in the picture.
struct Axes {
  cv::Rect area;
  double x0, x1, y0, y1;
  cv::Point2d at(const cv::Point2d& p) const {
    return is_finite(p) ? cv::Point2d(area.x + (p.x - x0) / (x1 - x0) * area.width,
                                      area.br().y - (p.y - y0) / (y1 - y0) * area.height)
                        : p;
  }
};

void draw_y_ticks(cv::Mat& canvas, const Axes& axes, const std::vector<double>& y_ticks,
                  const Letters& letters) {
  const int line = letters.height();
  for (const double tick : y_ticks) {
    const int y = static_cast<int>(axes.at({axes.x0, tick}).y);
    const std::string words = tick_text(tick, y_ticks[1] - y_ticks[0]);
    cv::line(canvas, {axes.area.x, y}, {axes.area.br().x, y}, light, 1);
    letters.put(canvas, words, {axes.area.x - line / 2, y + line / 3}, TextAnchor::right);
  }
}

void draw_x_ticks(cv::Mat& canvas, const Axes& axes, const Chart& chart, const Letters& letters) {
  const int line = letters.height();
  const bool whole = std::all_of(chart.lines.begin(), chart.lines.end(), [](const ChartLine& one) {
    return std::all_of(one.points.begin(), one.points.end(), [](const cv::Point2d& p) {
      return !is_finite(p) || p.x == std::floor(p.x);
    });
  });
  const std::vector<double> x_ticks = ticks_with_room(axes.x0, axes.x1, axes.area.width, letters);
  for (const double tick : x_ticks) {
    if (tick < axes.x0 - 1e-9 || tick > axes.x1 + 1e-9 ||
        (whole && std::abs(tick - std::round(tick)) > 1e-9))
      continue;  // there is no half epoch
    const int x = static_cast<int>(axes.at({tick, axes.y0}).x);
    const std::string words = tick_text(tick, whole ? 1 : x_ticks[1] - x_ticks[0]);
    cv::line(canvas, {x, axes.area.y}, {x, axes.area.br().y}, light, 1);
    letters.put(canvas, words, {x, axes.area.br().y + line * 3 / 2}, TextAnchor::centre);
  }
}

}  // namespace

void draw_chart(cv::Mat& canvas, const cv::Rect& place, const Chart& chart, double scale) {
  const Letters letters{scale}, title{scale * 1.2};
  const int line = letters.height(), thickness = std::max(1, static_cast<int>(3 * scale));
  title.put(canvas, title.fitting(chart.title, place.width),
            {place.x + place.width / 2, place.y + 2 * line}, TextAnchor::centre);
  const int top = draw_legend(canvas, place, place.y + 2 * line + line, chart, letters, thickness);
  Range xs, ys;
  for (const ChartLine& one : chart.lines)
    for (const cv::Point2d& p : one.points)
      if (is_finite(p)) xs.add(p.x), ys.add(p.y);
  if (xs.empty()) {
    letters.put(canvas, "no values", {place.x + place.width / 2, place.y + place.height / 2},
                TextAnchor::centre);
    return;
  }
  if (ys.low == ys.high) {
    const double margin = ys.low == 0 ? 0.5 : std::abs(ys.low) / 2;  // one value lies in the middle
    ys = {ys.low - margin, ys.high + margin};
  }
  if (chart.y_range) ys.low = (*chart.y_range)[0], ys.high = (*chart.y_range)[1];
  if (chart.x_range) xs.low = (*chart.x_range)[0], xs.high = (*chart.x_range)[1];
  const std::vector<double> y_ticks = chart_ticks(ys.low, ys.high, 6);
  const double x0 = xs.low, x1 = xs.high > xs.low ? xs.high : xs.low + 1,
               y0 = std::min(ys.low, y_ticks.front()), y1 = std::max(ys.high, y_ticks.back());
  int left = 0;
  for (const double tick : y_ticks)
    left = std::max(left, letters.width(tick_text(tick, y_ticks[1] - y_ticks[0])));
  // Half of the last number under the axis stands beside the frame.
  const int right =
      std::max(letters.width("0.00"), letters.width(text::general(x1, 4))) / 2 + line / 2;
  const cv::Rect area(place.x + left + 2 * line, top, place.width - left - 2 * line - right,
                      place.br().y - top - 4 * line);
  const Axes axes{area, x0, x1, y0, y1};
  draw_y_ticks(canvas, axes, y_ticks, letters);
  draw_x_ticks(canvas, axes, chart, letters);
  cv::rectangle(canvas, area, black, 1);
  letters.put(canvas, letters.fitting(chart.x, area.width),
              {area.x + area.width / 2, area.br().y + line * 3}, TextAnchor::centre);
  for (std::size_t i = 0; i < chart.lines.size(); ++i) {
    std::vector<cv::Point2d> points;
    for (const cv::Point2d& p : chart.lines[i].points) points.push_back(axes.at(p));
    if (chart.lines[i].mark == ChartMark::line)
      draw_line(canvas, points, i, thickness);
    else
      draw_marks(canvas, points, i, thickness, chart.lines[i].mark);
  }
}

cv::Mat chart_picture(cv::Size size, const Chart& chart) {
  cv::Mat canvas(size, CV_8UC3, cv::Scalar::all(255));
  draw_chart(canvas, {{0, 0}, size}, chart, 0.8);
  return canvas;
}

}  // namespace yolov7
