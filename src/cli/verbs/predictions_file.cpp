#include "cli/verbs/predictions_file.hpp"

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

#include "active/coco_predictions.hpp"

namespace yolov7::cli {

nlohmann::json predictions_json(const std::vector<const PoolImage*>& shown,
                                const std::vector<std::string>& names, double least) {
  std::vector<active::PredictedImage> images;
  for (const PoolImage* image : shown) {
    active::PredictedImage& one = images.emplace_back();
    one.file = std::filesystem::absolute(image->path).lexically_normal().string();
    one.width = image->width, one.height = image->height;
    std::copy_if(image->detections.begin(), image->detections.end(),
                 std::back_inserter(one.detections),
                 [&](const Detection& box) { return box.score >= least; });
  }
  return active::coco_predictions(images, names);
}

}  // namespace yolov7::cli
