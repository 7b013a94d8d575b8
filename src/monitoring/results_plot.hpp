#pragma once
// results.png: how a training went, epoch by epoch (training 3).
#include <opencv2/core/mat.hpp>
#include <string>
#include <vector>

namespace yolov7::monitoring {

/// A named column over the epochs; NaN where an epoch has no value.
struct ResultColumn {
  std::string name;  ///< as in results.csv: "train/box_loss", "coco/mAP_0.5", …
  std::vector<double> values;
};

/// 2400 × 1200 px: losses of training and validation, learning rates, precision and recall, both
/// metrics, speed. `epochs`: numbers of the rows. Columns that it does not know are left out.
cv::Mat plot_results(const std::vector<double>& epochs, const std::vector<ResultColumn>& columns);

}  // namespace yolov7::monitoring
