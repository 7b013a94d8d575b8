#include "dataset/similarity/halved.hpp"

#include <algorithm>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <vector>

#include "dataset/similarity/kernels/level_rows.hpp"

namespace yolov7::dataset::similarity {

namespace {

const kernels::LevelRows& loops() {
  static const kernels::LevelRows chosen = kernels::level_rows(best_instruction_set());
  return chosen;
}

/// The pixels that one pixel of a smaller image stands for, and by how much.
struct Share {
  int first = 0;
  std::vector<float> weights;
};

std::vector<Share> shares(int from, int to) {
  std::vector<Share> all(static_cast<std::size_t>(to));
  const double scale = static_cast<double>(from) / to;
  for (int i = 0; i < to; ++i) {
    const double begin = i * scale, end = std::min<double>(from, (i + 1) * scale);
    Share& one = all[static_cast<std::size_t>(i)];
    one.first = static_cast<int>(begin);
    for (int k = one.first; k < from && k < end; ++k)
      one.weights.push_back(
          static_cast<float>((std::min<double>(k + 1, end) - std::max<double>(k, begin)) / scale));
  }
  return all;
}

/// Means over areas, times `gain`.
cv::Mat1b smaller(const cv::Mat& plane, int side, double gain) {
  const std::vector<Share> rows = shares(plane.rows, side), columns = shares(plane.cols, side);
  cv::Mat1b result(side, side);
  std::vector<float> sums(static_cast<std::size_t>(plane.cols));
  for (int y = 0; y < side; ++y) {
    const Share& row = rows[static_cast<std::size_t>(y)];
    std::fill(sums.begin(), sums.end(), 0.0F);
    for (std::size_t k = 0; k < row.weights.size(); ++k) {
      const int from = row.first + static_cast<int>(k);
      if (plane.depth() == CV_8U)
        loops().add_bytes(plane.ptr<std::uint8_t>(from), row.weights[k], plane.cols, sums.data());
      else
        loops().add_sums(plane.ptr<std::uint16_t>(from), row.weights[k], plane.cols, sums.data());
    }
    for (int x = 0; x < side; ++x) {
      const Share& column = columns[static_cast<std::size_t>(x)];
      float sum = 0;
      for (std::size_t k = 0; k < column.weights.size(); ++k)
        sum += column.weights[k] * sums[static_cast<std::size_t>(column.first) + k];
      result(y, x) = cv::saturate_cast<std::uint8_t>(sum * gain);
    }
  }
  return result;
}

}  // namespace

cv::Mat1w halved(const cv::Mat& plane) {
  cv::Mat1w half(plane.rows / 2, plane.cols / 2);
  for (int y = 0; y < half.rows; ++y)
    if (plane.depth() == CV_8U)
      loops().halve_bytes(plane.ptr<std::uint8_t>(2 * y), plane.ptr<std::uint8_t>(2 * y + 1),
                          half.cols, half[y]);
    else
      loops().halve_sums(plane.ptr<std::uint16_t>(2 * y), plane.ptr<std::uint16_t>(2 * y + 1),
                         half.cols, half[y]);
  return half;
}

cv::Mat1b square_of(const cv::Mat& plane, int side) {
  cv::Mat half = plane;
  double gain = 1;
  // Halves are made far quicker than other sizes.
  for (int i = 0; i < most_halves && half.cols % 2 == 0 && half.rows % 2 == 0 &&
                  std::min(half.cols, half.rows) >= 4 * side;
       ++i) {
    half = halved(half);
    gain /= 4;
  }
  if (std::min(half.cols, half.rows) >= side) return smaller(half, side, gain);
  cv::Mat result;
  cv::resize(half, result, {side, side}, 0, 0, cv::INTER_AREA);  // never halved before
  return result;
}

}  // namespace yolov7::dataset::similarity
