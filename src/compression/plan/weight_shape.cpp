#include "compression/plan/weight_shape.hpp"

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

namespace yolov7::compression {
namespace {

/// Mean fourth power of the distance from the mean ÷ the variance squared; 0 without variance.
double kurtosis(std::span<const double> values) {
  double mean = 0, second = 0, fourth = 0;
  for (const double x : values) mean += x / static_cast<double>(values.size());
  for (const double x : values) {
    const double square = (x - mean) * (x - mean);
    second += square, fourth += square * square;
  }
  return second > 0 ? fourth * static_cast<double>(values.size()) / (second * second) : 0;
}

}  // namespace

WeightShape weight_shape(const network::Tensor& weight, int out_channels) {
  const std::vector<double> values = weight.to_doubles();
  const std::size_t channels = static_cast<std::size_t>(std::max(out_channels, 1)),
                    each = values.size() / channels;
  std::vector<double> ranges;
  WeightShape shape;
  for (std::size_t c = 0; c < channels; ++c) {
    const auto channel = std::span(values).subspan(c * each, each);
    double largest = 0;
    for (const double x : channel) largest = std::max(largest, std::abs(x));
    if (!(largest > 0)) continue;
    ranges.push_back(largest);
    shape.kurtosis += kurtosis(channel);
  }
  if (ranges.empty()) return shape;
  std::sort(ranges.begin(), ranges.end());
  shape.largest = ranges.back();
  shape.spread = ranges.back() / ranges[ranges.size() / 2];
  shape.kurtosis /= static_cast<double>(ranges.size());
  return shape;
}

}  // namespace yolov7::compression
