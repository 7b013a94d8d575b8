#pragma once
// Curves over 0…1 and the confusion matrix as pictures (evaluation 1.15), drawn over OpenCV.
#include <opencv2/core/mat.hpp>
#include <string>
#include <vector>

#include "evaluation/metrics/confusion.hpp"

namespace yolov7::evaluation {

struct CurvePlot {
  std::string x, y;                         ///< axis titles
  std::vector<std::vector<double>> curves;  ///< equally many points each, over 0…1
  std::vector<std::string> names;
  std::vector<double> values;  ///< shown behind the names ("AP50"); empty: the curve's maximum
};

/// 2250 × 1500 px. Up to 20 curves: one colour and line style each with a legend; more: thin grey
/// lines, of at most 300 classes, and the legend says of how many. A thick line is the mean of all.
cv::Mat plot_curves(const CurvePlot& plot);
/// Columns (true) normalised to 1; cells with numbers for fewer than 30 classes. From 99 classes on
/// the 50 most confused ones (wrong entries of row and column), all others summed up in one row and
/// one column; the title says so.
cv::Mat plot_confusion(const ConfusionMatrix& matrix, const std::vector<std::string>& names);

}  // namespace yolov7::evaluation
