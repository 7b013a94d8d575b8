#include "active/coco_predictions.hpp"

#include <nlohmann/json.hpp>

namespace yolov7::active {

using nlohmann::json;

json coco_predictions(const std::vector<PredictedImage>& images,
                      const std::vector<std::string>& names) {
  json entries = json::array(), annotations = json::array(), categories = json::array();
  for (std::size_t k = 0; k < names.size(); ++k)
    categories.push_back({{"id", k + 1}, {"name", names[k]}});
  for (const PredictedImage& image : images) {
    const std::size_t id = entries.size() + 1;
    entries.push_back(
        {{"id", id}, {"file_name", image.file}, {"width", image.width}, {"height", image.height}});
    for (const Detection& one : image.detections)
      annotations.push_back({{"id", annotations.size() + 1},
                             {"image_id", id},
                             {"category_id", one.class_index + 1},
                             {"bbox", {one.box.x1, one.box.y1, one.box.width(), one.box.height()}},
                             {"area", one.box.area()},
                             {"iscrowd", 0},
                             {"score", one.score}});
  }
  return {{"images", std::move(entries)},
          {"annotations", std::move(annotations)},
          {"categories", std::move(categories)}};
}

}  // namespace yolov7::active
