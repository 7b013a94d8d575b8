#pragma once
#include <opencv2/core/mat.hpp>

namespace yolov7::dataset::doctor {

/// The image with a long side of at most `side` px, by means over areas.
cv::Mat at_most(const cv::Mat& image, int side);

}  // namespace yolov7::dataset::doctor
