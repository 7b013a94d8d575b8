#pragma once
// Which pictures are in which batch of an epoch, and the shapes of rectangular batches (data 7.3,
// training 11.4).
#include <cstddef>
#include <opencv2/core/types.hpp>
#include <span>
#include <vector>

#include "dataset/index/index.hpp"
#include "dataset/loading/loader_options.hpp"

namespace yolov7::dataset {

/// Shapes (width × height, pixels) for pictures sorted by aspect ratio h/w, `batch` at a time:
/// ⌈factor · s / stride + pad⌉ · stride. A square batch of 640 with pad 0.5 is 672 × 672 (data
/// K11).
std::vector<cv::Size> rectangular_shapes(std::span<const double> sorted_ratios, std::size_t batch,
                                         int s, int stride, double pad);

struct PlannedBatch {
  std::vector<std::size_t> entries;
  std::size_t number = 0;          ///< in the epoch, from 0, over all processes
  std::size_t first_position = 0;  ///< of its first sample in the epoch
  cv::Size shape;
};

struct EpochPlan {
  std::vector<std::size_t> order;  ///< index list of the epoch; mosaic partners are drawn from it
  std::vector<PlannedBatch> batches;
};

/// A pure function of its arguments. With shuffle the pictures are permuted; in rectangular mode
/// they are sorted by aspect ratio (stable) and whole batches are permuted (data F12). In quad mode
/// a last batch of fewer than four is left out. With several parts (LoaderOptions::sharing) the
/// batches are this part's; all parts together are the epoch. `weights`, if any: as many pictures
/// are drawn with replacement in proportion to them.
EpochPlan plan_epoch(const Index& index, const LoaderOptions& options, int epoch,
                     std::span<const double> weights = {});

}  // namespace yolov7::dataset
