#pragma once
// What a convolution's window sees, summed over all its positions. A convolution is linear, so the
// mean of its output is its weights times these sums over the positions.
#include <span>

#include "network/graph/primitives.hpp"

namespace yolov7::compression {

struct Plane {
  std::span<const float> values;  ///< height × width
  int height = 0, width = 0;
};

/// Positions of the window: the convolution's output pixels.
struct WindowPositions {
  int rows = 0, columns = 0;
};
WindowPositions positions(const network::Convolution& conv, int height, int width);

/// sums[i · kernel_w + j] grows by what lies under (i, j) of the window, over all positions; the
/// padding counts as zero.
void add_window_sums(const Plane& plane, const network::Convolution& conv, std::span<double> sums);

}  // namespace yolov7::compression
