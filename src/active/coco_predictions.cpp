#include "active/coco_predictions.hpp"

#include <fmt/format.h>

#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/json.hpp"

namespace yolov7::active {

using nlohmann::json;
namespace fs = std::filesystem;
namespace {

Error wrong(const fs::path& file, const std::string& what) {
  return Error(
      fmt::format("{}: expected predictions (COCO with scores), found {}", file.string(), what));
}

PredictedImage image_of(const json& value, const fs::path& file) {
  PredictedImage image{value.at("file_name"), value.at("width"), value.at("height"), {}};
  if (image.file.empty() || image.width < 1 || image.height < 1)
    throw wrong(file, fmt::format("image {} without a name or a size", value.at("id").dump()));
  return image;
}

Detection detection_of(const json& value, const std::map<std::int64_t, int>& classes,
                       const fs::path& file) {
  const std::vector<double> box = value.at("bbox");
  const auto found = classes.find(value.at("category_id"));
  const double score = value.at("score");
  const bool good = box.size() == 4 && std::isfinite(box[0] + box[1] + box[2] + box[3]) &&
                    score >= 0 && score <= 1 && found != classes.end();
  if (!good) throw wrong(file, fmt::format("the box {}", value.dump().substr(0, 120)));
  return {
      {box[0], box[1], box[0] + box[2], box[1] + box[3]}, static_cast<float>(score), found->second};
}

}  // namespace

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
    const std::size_t first = annotations.size() - image.detections.size();
    for (const std::size_t place : image.interpolated)
      annotations[first + place]["attributes"] = {
          {"interpolated", true}, {"track_id", fmt::format("{}", image.detections[place].track)}};
  }
  return {{"images", std::move(entries)},
          {"annotations", std::move(annotations)},
          {"categories", std::move(categories)}};
}

Predictions read_coco_predictions(const fs::path& file) {
  const json content = read_json(file);
  try {
    Predictions result;
    std::map<std::int64_t, int> classes;
    for (const json& one : content.at("categories")) {
      classes[one.at("id")] = static_cast<int>(result.names.size());
      result.names.push_back(one.at("name"));
    }
    std::map<std::int64_t, std::size_t> places;
    for (const json& one : content.at("images")) {
      places[one.at("id")] = result.images.size();
      result.images.push_back(image_of(one, file));
    }
    for (const json& one : content.at("annotations")) {
      const auto image = places.find(one.at("image_id"));
      if (image == places.end()) throw wrong(file, "a box of an image that it does not have");
      result.images[image->second].detections.push_back(detection_of(one, classes, file));
    }
    if (result.names.empty() || result.images.empty()) throw wrong(file, "no class or no image");
    return result;
  } catch (const json::exception&) {
    throw wrong(file, "something else");
  }
}

}  // namespace yolov7::active
