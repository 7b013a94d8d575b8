#include "monitoring/search_plot.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <opencv2/core.hpp>

#include "core/error.hpp"
#include "core/text.hpp"
#include "image/drawing/chart.hpp"

namespace yolov7::monitoring {

cv::Mat plot_search(const std::vector<SearchedValues>& searched,
                    const std::vector<double>& fitness) {
  if (searched.empty() || fitness.empty())
    throw Error(
        "plot of a search: expected at least one hyper-parameter and one trial, found none");
  constexpr int width = 480, height = 400, most_per_row = 5;
  const int count = static_cast<int>(searched.size()), per_row = std::min(count, most_per_row),
            rows = (count + per_row - 1) / per_row;
  const auto best =
      static_cast<std::size_t>(std::max_element(fitness.begin(), fitness.end()) - fitness.begin());
  cv::Mat canvas(rows * height, per_row * width, CV_8UC3, cv::Scalar::all(255));
  for (int i = 0; i < count; ++i) {
    const SearchedValues& one = searched[static_cast<std::size_t>(i)];
    if (one.values.size() != fitness.size())
      throw Error(fmt::format("plot of a search: expected {} values of {}, found {}",
                              fitness.size(), one.name, one.values.size()));
    Chart chart{fmt::format("{} = {}", one.name, text::general(one.values[best], 5)),
                "value (upward: fitness)",
                {{"trial", {}, ChartMark::dots}, {"best", {}, ChartMark::cross}}};
    const auto [low, high] = std::minmax_element(one.values.begin(), one.values.end());
    const double margin =
        *high > *low ? 0.06 * (*high - *low) : std::max(0.5 * std::abs(*low), 1e-3);
    chart.x_range = {*low - margin, *high + margin};
    for (std::size_t k = 0; k < fitness.size(); ++k)
      chart.lines[0].points.emplace_back(one.values[k], fitness[k]);
    chart.lines[1].points.emplace_back(one.values[best], fitness[best]);
    draw_chart(canvas, {i % per_row * width, i / per_row * height, width, height}, chart, 0.6);
  }
  return canvas;
}

}  // namespace yolov7::monitoring
