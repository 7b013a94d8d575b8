#include "compression/plan/window_sums.hpp"

#include <algorithm>
#include <vector>

namespace yolov7::compression {
namespace {

int count(int side, int kernel, int padding, const network::Convolution& conv) {
  return (side + 2 * padding - conv.dilation * (kernel - 1) - 1) / conv.stride + 1;
}

}  // namespace

WindowPositions positions(const network::Convolution& conv, int height, int width) {
  return {count(height, conv.kernel_h, conv.pad_h, conv),
          count(width, conv.kernel_w, conv.pad_w, conv)};
}

/// Rows first: each row's sums serve all rows of the window.
void add_window_sums(const Plane& plane, const network::Convolution& conv, std::span<double> sums) {
  const WindowPositions out = positions(conv, plane.height, plane.width);
  std::vector<double> row_sums(static_cast<std::size_t>(plane.height));
  for (int j = 0; j < conv.kernel_w; ++j) {
    const int shift = j * conv.dilation - conv.pad_w;
    // Positions whose column lies inside the plane.
    const int first = shift < 0 ? (-shift + conv.stride - 1) / conv.stride : 0;
    const int last = std::min(out.columns - 1,
                              shift >= plane.width ? -1 : (plane.width - 1 - shift) / conv.stride);
    for (int y = 0; y < plane.height; ++y) {
      const float* row = plane.values.data() + static_cast<std::ptrdiff_t>(y) * plane.width + shift;
      double sum = 0;
      for (int x = first; x <= last; ++x) sum += static_cast<double>(row[x * conv.stride]);
      row_sums[static_cast<std::size_t>(y)] = sum;
    }
    for (int i = 0; i < conv.kernel_h; ++i)
      for (int y = 0; y < out.rows; ++y) {
        const int row = y * conv.stride + i * conv.dilation - conv.pad_h;
        if (row >= 0 && row < plane.height)
          sums[static_cast<std::size_t>(i * conv.kernel_w + j)] +=
              row_sums[static_cast<std::size_t>(row)];
      }
  }
}

}  // namespace yolov7::compression
