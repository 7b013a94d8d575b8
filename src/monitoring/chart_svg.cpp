#include "monitoring/chart_svg.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/error.hpp"
#include "core/text.hpp"

namespace yolov7::monitoring {
namespace {

constexpr double width = 760, height = 460, left = 70, right = 20, top = 40, bottom = 56;

bool is_finite(const cv::Point2d& p) { return std::isfinite(p.x) && std::isfinite(p.y); }

std::string colour(std::size_t i) {
  const cv::Scalar bgr = chart_colour(i);
  return fmt::format("#{:02x}{:02x}{:02x}", static_cast<int>(bgr[2]), static_cast<int>(bgr[1]),
                     static_cast<int>(bgr[0]));
}

const char* dashes(std::size_t i) {
  constexpr std::array<const char*, 7> all{"", "8 6", "5 3", "2 3", "7 7", "3 6", "1 2"};
  return all[i % all.size()];
}

struct Range {
  double low = std::numeric_limits<double>::infinity(),
         high = -std::numeric_limits<double>::infinity();
  void add(double v) { low = std::min(low, v), high = std::max(high, v); }
};

/// 1, 2 and 5 times the powers of ten that lie inside.
std::vector<double> logarithmic_ticks(double low, double high) {
  std::vector<double> ticks;
  for (double power = std::pow(10, std::floor(std::log10(low))); power <= high; power *= 10)
    for (const double factor : {1.0, 2.0, 5.0})
      if (factor * power >= low && factor * power <= high) ticks.push_back(factor * power);
  return ticks;
}

class Drawing {
 public:
  explicit Drawing(const SvgChart& chart) : c_(chart) {
    for (std::size_t i = 0; i < c_.chart.lines.size(); ++i) add_range(i);
    if (!(x_.low <= x_.high))
      throw Error("chart: expected at least one point with finite values, found none");
    if (c_.level >= 0) y_.add(c_.level);
    if (c_.chart.y_range) y_ = {(*c_.chart.y_range)[0], (*c_.chart.y_range)[1]};
    if (c_.chart.x_range) x_ = {(*c_.chart.x_range)[0], (*c_.chart.x_range)[1]};
    y_ticks_ = chart_ticks(y_.low, y_.high, 6);
    y_.low = std::min(y_.low, y_ticks_.front()), y_.high = std::max(y_.high, y_ticks_.back());
    if (!(x_.high > x_.low)) x_.high = x_.low + (c_.logarithmic ? x_.low : 1);
  }

  std::string run() {
    out_ = fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" version=\"1.1\" viewBox=\"0 0 {} {}\" "
        "font-family=\"sans-serif\" font-size=\"13\">\n<rect width=\"{}\" height=\"{}\" "
        "fill=\"white\"/>\n",
        width, height, width, height);
    words(width / 2, 22, c_.chart.title, "middle");
    axes();
    for (std::size_t i = 0; i < c_.chart.lines.size(); ++i) line(i);
    legend();
    return out_ + "</svg>\n";
  }

 private:
  void add_range(std::size_t i) {
    const auto& points = c_.chart.lines[i].points;
    for (std::size_t k = 0; k < points.size(); ++k) {
      if (!is_finite(points[k])) continue;
      x_.add(points[k].x), y_.add(points[k].y);
      if (i < c_.intervals.size() && k < c_.intervals[i].size())
        for (const double end : c_.intervals[i][k])
          if (std::isfinite(end)) y_.add(end);
    }
  }
  double x(double value) const {
    const auto scaled = [&](double v) { return c_.logarithmic ? std::log(v) : v; };
    return left + (width - left - right) * (scaled(value) - scaled(x_.low)) /
                      (scaled(x_.high) - scaled(x_.low));
  }
  double y(double value) const {
    return height - bottom - (height - top - bottom) * (value - y_.low) / (y_.high - y_.low);
  }
  void words(double at_x, double at_y, const std::string& words, const char* anchor) {
    out_ += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\">{}</text>\n", at_x,
                        at_y, anchor, text::html(words));
  }
  void axes() {
    for (const double tick : y_ticks_) {
      out_ += fmt::format("<path d=\"M{} {:.1f}H{}\" stroke=\"#ddd\"/>\n", left, y(tick),
                          width - right);
      words(left - 8, y(tick) + 4, text::general(std::abs(tick) < 1e-12 ? 0 : tick), "end");
    }
    for (const double tick :
         c_.logarithmic ? logarithmic_ticks(x_.low, x_.high) : chart_ticks(x_.low, x_.high, 8)) {
      if (tick < x_.low || tick > x_.high) continue;
      out_ +=
          fmt::format("<path d=\"M{:.1f} {}v5\" stroke=\"black\"/>\n", x(tick), height - bottom);
      words(x(tick), height - bottom + 20, text::general(tick), "middle");
    }
    out_ += fmt::format("<path d=\"M{} {}V{}H{}\" fill=\"none\" stroke=\"black\"/>\n", left, top,
                        height - bottom, width - right);
    words((left + width - right) / 2, height - 14, c_.chart.x, "middle");
    out_ += fmt::format(
        "<text transform=\"translate(18 {:.1f}) rotate(-90)\" text-anchor=\"middle\">{}</text>\n",
        (top + height - bottom) / 2, text::html(c_.y));
    if (c_.level < 0) return;
    out_ += fmt::format("<path d=\"M{} {:.1f}H{}\" stroke=\"black\" stroke-dasharray=\"2 4\"/>\n",
                        left, y(c_.level), width - right);
    words(left + 8, y(c_.level) - 5, c_.level_name, "start");
  }
  void line(std::size_t i) {
    std::string path;
    bool open = false;
    const auto& points = c_.chart.lines[i].points;
    for (std::size_t k = 0; k < points.size(); ++k) {
      if (!is_finite(points[k])) {
        open = false;
        continue;
      }
      path += fmt::format("{}{:.1f} {:.1f}", open ? " L" : " M", x(points[k].x), y(points[k].y));
      open = true;
      if (i >= c_.intervals.size() || k >= c_.intervals[i].size()) continue;
      // A little aside, so that intervals at the same cost do not cover each other.
      const double aside =
          2.5 * (static_cast<double>(i) - static_cast<double>(c_.chart.lines.size() - 1) / 2);
      out_ += fmt::format("<path d=\"M{:.1f} {:.1f}V{:.1f}\" stroke=\"{}\" opacity=\"0.6\"/>\n",
                          x(points[k].x) + aside, y(c_.intervals[i][k][0]),
                          y(c_.intervals[i][k][1]), colour(i));
    }
    if (path.empty()) return;
    out_ += fmt::format(
        "<path d=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"2\" stroke-dasharray=\"{}\"/>\n",
        path.substr(1), colour(i), dashes(i));
  }
  void legend() {
    const std::size_t count = c_.chart.lines.size();
    for (std::size_t i = 0; i < count; ++i) {
      const double at = height - bottom - 12 - 20 * static_cast<double>(count - 1 - i);
      out_ += fmt::format(
          "<path d=\"M{} {:.1f}h36\" stroke=\"{}\" stroke-width=\"2.5\" "
          "stroke-dasharray=\"{}\"/>\n",
          width - right - 220, at, colour(i), dashes(i));
      words(width - right - 176, at + 4, c_.chart.lines[i].name, "start");
    }
  }

  const SvgChart& c_;
  Range x_, y_;
  std::vector<double> y_ticks_;
  std::string out_;
};

}  // namespace

std::string chart_svg(const SvgChart& chart) { return Drawing(chart).run(); }

}  // namespace yolov7::monitoring
