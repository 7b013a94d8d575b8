#pragma once
// Weather, light and optics (data 13.2, rows 50–58; code N).
#include <opencv2/core/mat.hpp>
#include <vector>

#include "dataset/augment/transforms/transform.hpp"

namespace yolov7::dataset {

/// Superpixels by local k-means over colour and place (Achanta et al., "SLIC Superpixels", TPAMI
/// 2012; here in B G R, distance² = colour² + (compactness · px / step)²), five rounds from a grid
/// of about `segments` seeds, on the picture reduced to at most `max_size` px. CV_32S, the
/// picture's size.
cv::Mat superpixels(const cv::Mat& bgr, int segments, double compactness, int max_size);

std::vector<TransformEntry> weather_transforms();
/// Rows 53, 54, 56, 57, part of weather_transforms().
std::vector<TransformEntry> light_transforms();

}  // namespace yolov7::dataset
