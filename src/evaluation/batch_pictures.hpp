#pragma once
// Batches as pictures to look at: labels, predictions (evaluation 1.15), training mosaics (training
// 3).
#include <opencv2/core/mat.hpp>
#include <span>
#include <string>
#include <vector>

#include "dataset/batch.hpp"
#include "dataset/index/index.hpp"
#include "image/boxes/nms.hpp"

namespace yolov7::evaluation {

cv::Mat label_sheet(const dataset::Batch& batch, const dataset::Index& index);
/// Predictions with a score above 0.25, in letterboxed pixels.
cv::Mat prediction_sheet(const dataset::Batch& batch, std::span<const NmsResult> predictions,
                         const dataset::Index& index);

}  // namespace yolov7::evaluation
