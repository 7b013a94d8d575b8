#pragma once
// A line chart as an SVG image of its own, with intervals.
#include <array>
#include <string>
#include <vector>

#include "image/drawing/chart.hpp"

namespace yolov7::monitoring {

struct SvgChart {
  Chart chart;    ///< title, axis and lines; the lines are joined points
  std::string y;  ///< name of the vertical axis
  /// By line and point: low and high, drawn as a thin upright line; empty = none.
  std::vector<std::vector<std::array<double, 2>>> intervals = {};
  bool logarithmic = false;     ///< the horizontal axis; its values are above 0 then
  double level = -1;            ///< a level line at this height, if it is 0 or more …
  std::string level_name = {};  ///< … and what it is
};

/// SVG 1.1 of 760 × 460 units; nothing outside of it is needed. Colours and dashes are those of
/// draw_chart(). Text is escaped. Points that are not finite are left out. Error: no point.
std::string chart_svg(const SvgChart& chart);

}  // namespace yolov7::monitoring
