#pragma once
// Pictures as they are looked at: whole, or whole and in tiles.
#include <span>
#include <vector>

#include "runtime/detect.hpp"

namespace yolov7::runtime {

/// One result a picture, in their order. Errors: those of detect() and detect_tiled().
std::vector<DetectResult> detect_all(Detector& detector, std::span<const cv::Mat> pictures,
                                     const LookOptions& options, DetectBuffers& buffers);

}  // namespace yolov7::runtime
