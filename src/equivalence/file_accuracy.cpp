#include "equivalence/file_accuracy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace yolov7::equivalence {
namespace {

/// The larger of the differences at both ends of a side.
double end_difference(const float* a, const float* b, int centre) {
  const double shift = static_cast<double>(a[centre]) - static_cast<double>(b[centre]),
               growth =
                   (static_cast<double>(a[centre + 2]) - static_cast<double>(b[centre + 2])) / 2;
  return std::max(std::abs(shift + growth), std::abs(shift - growth));
}

double row_score(const float* row, std::size_t columns) {
  const auto objectness = static_cast<double>(row[4]);
  return columns == 6 ? objectness
                      : objectness * static_cast<double>(*std::max_element(row + 5, row + columns));
}

}  // namespace

void add_row_errors(RowErrors& sums, const runtime::Prediction& parent,
                    const runtime::Prediction& file) {
  constexpr float likely = 0.1F;
  if (file.suppressed || parent.columns != file.columns ||
      parent.decoded.size() != file.decoded.size())
    return;
  const auto columns = static_cast<std::size_t>(parent.columns);
  for (std::size_t at = 0; at < parent.decoded.size(); at += columns) {
    const float *a = parent.decoded.data() + at, *b = file.decoded.data() + at;
    if (!(a[4] > likely)) continue;
    ++sums.rows;
    sums.box += std::max(end_difference(a, b, 0), end_difference(a, b, 1));
    sums.score += std::abs(row_score(a, columns) - row_score(b, columns));
  }
}

std::string accuracy_breach(const Accuracy& accuracy) {
  if (accuracy.file_map >= accuracy.parent_map - accuracy.budget) return {};
  return fmt::format(
      "mAP on {} images of {} is {:.4f}, the weights' is {:.4f}; expected to lose at most {:g}",
      accuracy.images, accuracy.data, accuracy.file_map, accuracy.parent_map, accuracy.budget);
}

}  // namespace yolov7::equivalence
