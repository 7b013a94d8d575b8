#pragma once
// Detections on the images of a pool as a COCO data set with scores (active/coco_predictions).
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "cli/verbs/active_pool.hpp"

namespace yolov7::cli {

/// Detections of `least` and more. Images have absolute paths.
nlohmann::json predictions_json(const std::vector<const PoolImage*>& images,
                                const std::vector<std::string>& names, double least);

}  // namespace yolov7::cli
