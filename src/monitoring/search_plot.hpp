#pragma once
// evolve.png: how the fitness depends on each hyper-parameter that a search has tried (training
// 19).
#include <opencv2/core/mat.hpp>
#include <string>
#include <vector>

namespace yolov7::monitoring {

/// What was tried of one hyper-parameter: value i belongs to fitness i.
struct SearchedValues {
  std::string name;
  std::vector<double> values;
};

/// A panel of 480 × 400 px each, five in a row, value to the right and fitness upward; the best
/// trial is a cross, its value in the title. All lists are as long as `fitness`; Error otherwise,
/// or where nothing was tried.
cv::Mat plot_search(const std::vector<SearchedValues>& searched,
                    const std::vector<double>& fitness);

}  // namespace yolov7::monitoring
