#include "cli/verbs/predictions_file.hpp"

#include <nlohmann/json.hpp>

namespace yolov7::cli {

using nlohmann::json;

json predictions_json(const std::vector<const PoolImage*>& shown,
                      const std::vector<std::string>& names, double least) {
  json images = json::array(), annotations = json::array(), categories = json::array();
  for (std::size_t k = 0; k < names.size(); ++k)
    categories.push_back({{"id", k + 1}, {"name", names[k]}});
  for (const PoolImage* image : shown) {
    const std::size_t id = images.size() + 1;
    images.push_back(
        {{"id", id},
         {"file_name", std::filesystem::absolute(image->path).lexically_normal().string()},
         {"width", image->width},
         {"height", image->height}});
    for (const Detection& box : image->detections) {
      if (box.score < least) continue;
      annotations.push_back({{"id", annotations.size() + 1},
                             {"image_id", id},
                             {"category_id", box.class_index + 1},
                             {"bbox", {box.box.x1, box.box.y1, box.box.width(), box.box.height()}},
                             {"area", box.box.area()},
                             {"iscrowd", 0},
                             {"score", box.score}});
    }
  }
  return {{"images", std::move(images)},
          {"annotations", std::move(annotations)},
          {"categories", std::move(categories)}};
}

}  // namespace yolov7::cli
