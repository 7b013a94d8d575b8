#pragma once
// Detections on images as a COCO data set with scores, which dataset push and annotation tools
// take.
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "cli/verbs/active_pool.hpp"

namespace yolov7::cli {

/// Detections of `least` and more. Images have absolute paths; categories are numbered from 1.
nlohmann::json predictions_json(const std::vector<const PoolImage*>& images,
                                const std::vector<std::string>& names, double least);

}  // namespace yolov7::cli
