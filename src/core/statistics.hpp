#pragma once
#include <algorithm>
#include <cstddef>
#include <numeric>
#include <vector>

namespace yolov7 {

/// The middle value, of an even number the upper one. `values` is not empty.
inline double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

struct DrawnInterval {
  double low = 0, high = 0;
};
/// The middle `level` of random draws of a figure, moved so that their mean lies on `value`, the
/// figure itself. At least one draw.
inline DrawnInterval interval_of_draws(double value, std::vector<double> draws, double level) {
  std::sort(draws.begin(), draws.end());
  const auto quantile = [&](double share) {
    const double at = share * static_cast<double>(draws.size() - 1);
    const auto below = static_cast<std::size_t>(at);
    const auto above = std::min(below + 1, draws.size() - 1);
    return draws[below] + (at - static_cast<double>(below)) * (draws[above] - draws[below]);
  };
  const double shift =
      value - std::accumulate(draws.begin(), draws.end(), 0.0) / static_cast<double>(draws.size());
  return {quantile((1 - level) / 2) + shift, quantile((1 + level) / 2) + shift};
}

}  // namespace yolov7
