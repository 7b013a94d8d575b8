#pragma once
// Transforms that remove pixels (data 12.2 and 13.4, rows 94–100; code D).
#include <array>
#include <cstdint>
#include <opencv2/core/mat.hpp>
#include <vector>

#include "dataset/augment/transforms/transform.hpp"

namespace yolov7::dataset {

/// Draws of a GridMask (arXiv 2001.04086).
struct GridMaskDraws {
  int unit = 2;  ///< d: period of the grid, pixels
  int band = 1;  ///< l: width of a band, 1 … d − 1
  int offset_x = 0, offset_y = 0;
  int degrees = 0;      ///< rotation about the canvas centre
  bool squares = true;  ///< mode 1: the squares between the bands are erased; else the bands are
};

/// CV_8U of `size`, 255 where pixels are erased: the grid on a canvas of 1.5 times the size,
/// rotated by nearest neighbour, its centre cut out.
cv::Mat grid_mask(cv::Size size, const GridMaskDraws& draws);

std::vector<TransformEntry> erasing_transforms();

}  // namespace yolov7::dataset
