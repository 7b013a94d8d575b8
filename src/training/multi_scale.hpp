#pragma once
// Random input sizes (training 11.5).
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>

#include "core/random.hpp"

namespace yolov7::training {

/// The largest number that the longer side is drawn from, before it is rounded down to the stride.
inline std::int64_t largest_multi_scale(int train_size, int stride) {
  return static_cast<std::int64_t>(1.5 * train_size) + stride - 1;
}

/// Height and width for a batch of height × width pixels: a multiple of `stride` from 0.5 to 1.5
/// times `train_size` is drawn, all equally likely, for the longer side; both sides follow, rounded
/// up to the stride.
inline std::pair<std::int64_t, std::int64_t> multi_scale_size(std::int64_t height,
                                                              std::int64_t width, int train_size,
                                                              int stride, Random& random) {
  const std::int64_t low = train_size / 2, high = largest_multi_scale(train_size, stride);
  const std::int64_t side =
      std::max<std::int64_t>(random.integer(low, high) / stride * stride, stride);
  const double factor = static_cast<double>(side) / static_cast<double>(std::max(height, width));
  const auto scaled = [&](std::int64_t one) {
    return static_cast<std::int64_t>(std::ceil(static_cast<double>(one) * factor / stride)) *
           stride;
  };
  return {scaled(height), scaled(width)};
}

}  // namespace yolov7::training
