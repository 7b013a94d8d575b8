#pragma once
// What a data set's labels are like: labels.png and labels_correlogram.png (training 3).
#include <opencv2/core/mat.hpp>
#include <span>
#include <string>
#include <vector>

namespace yolov7::monitoring {

/// Centre and size as shares of the picture.
struct LabelFact {
  int class_index = 0;
  double x = 0, y = 0, width = 0, height = 0;
};

/// 1600 × 1600 px: labels per class (the 30 most frequent), boxes laid over each other by their
/// centres (at most 1,000, evenly chosen), and how often centres and sizes occur, as maps of 50 ×
/// 50 cells from white to blue.
cv::Mat plot_labels(std::span<const LabelFact> labels, const std::vector<std::string>& names);
/// 1600 × 1600 px: x, y, width and height against each other, their own distributions on the
/// diagonal.
cv::Mat plot_label_correlogram(std::span<const LabelFact> labels);

}  // namespace yolov7::monitoring
