#pragma once
// A detector without learning: thresholds, contours, shapes by corners and roundness. What the
// standard level must defeat.
#include <opencv2/core/mat.hpp>
#include <vector>

#include "dataset/synth/synth_scene.hpp"
#include "image/boxes/box.hpp"

namespace yolov7::test {

/// Otsu and adaptive thresholds of both polarities on gray, B, G, R and saturation; outer contours
/// become detections, classified by outline, scored by how many thresholds agree; the best of
/// overlapping ones is kept (IoU above 0.5). Classes are positions in `shapes`.
std::vector<Detection> find_shapes(const cv::Mat& bgr, const std::vector<dataset::Shape>& shapes);

/// Mean over the classes of the average precision at IoU 0.5 (area under the precision envelope).
double map50(const std::vector<std::vector<Detection>>& detections,
             const std::vector<std::vector<Detection>>& truths, int classes);

}  // namespace yolov7::test
