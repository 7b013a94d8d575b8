#pragma once
// What the OpenVINO back end offers beyond the Detector seam (make_openvino_detector stands in
// detector.hpp).
#include <span>

#include "runtime/detector.hpp"

namespace yolov7::runtime {

/// One pass over pictures given as float32 in 0…1 (count × 3 × height × width, R G B planes)
/// instead of bytes: for comparing with reference values and for certifying an export. Compiles
/// each time.
Prediction predict_openvino(const network::Network& network, const network::Weights& weights,
                            const DetectorOptions& options, std::span<const float> pixels,
                            int count, int height, int width);

}  // namespace yolov7::runtime
