#pragma once
#include <opencv2/core/mat.hpp>
#include <string>
#include <vector>

#include "evaluation/evaluate.hpp"

namespace yolov7::evaluation {

/// The pictures with the most errors (Breakdown::pictures) on one sheet, with what was missed and
/// what was found wrongly; empty where there is no error or no breakdown. A picture that cannot be
/// read any more is left out.
cv::Mat worst_pictures(const ValidationResult& result, const dataset::Index& index,
                       const std::vector<std::string>& names);

}  // namespace yolov7::evaluation
