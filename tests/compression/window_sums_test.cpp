#include "compression/plan/window_sums.hpp"

#include <gtest/gtest.h>

#include <vector>

using namespace yolov7;
using namespace yolov7::compression;

// Every position of the window, one after the other.
TEST(WindowSums, EqualTheSumOverAllPositions) {
  for (const int stride : {1, 2, 3})
    for (const int kernel : {1, 3, 5})
      for (const int dilation : {1, 2})
        for (const int padding : {0, 1, 2}) {
          constexpr int height = 11, width = 13;
          network::Convolution conv;
          conv.kernel_h = kernel, conv.kernel_w = kernel, conv.stride = stride;
          conv.pad_h = conv.pad_w = padding, conv.dilation = dilation;
          std::vector<float> values;
          for (int i = 0; i < height * width; ++i)
            values.push_back(static_cast<float>((i * 37) % 101));
          const auto window = static_cast<std::size_t>(kernel * kernel);
          std::vector<double> found(window, 1), wanted(window, 1);  // adds
          add_window_sums({values, height, width}, conv, found);
          int rows = 0, columns = 0;
          const int reach = dilation * (kernel - 1);
          for (int y = -padding; y + reach < height + padding; y += stride, ++rows) {
            columns = 0;
            for (int x = -padding; x + reach < width + padding; x += stride, ++columns)
              for (int i = 0; i < kernel; ++i)
                for (int j = 0; j < kernel; ++j) {
                  const int r = y + i * dilation, c = x + j * dilation;
                  if (r >= 0 && r < height && c >= 0 && c < width)
                    wanted[static_cast<std::size_t>(i * kernel + j)] +=
                        static_cast<double>(values[static_cast<std::size_t>(r * width + c)]);
                }
          }
          EXPECT_EQ(found, wanted) << stride << " " << kernel << " " << dilation << " " << padding;
          const WindowPositions out = positions(conv, height, width);
          EXPECT_EQ(out.rows, rows);
          EXPECT_EQ(out.columns, columns);
        }
}
