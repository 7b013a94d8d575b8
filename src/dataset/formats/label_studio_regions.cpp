// Objects as regions of Label Studio, and the labelling configuration that they need.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "dataset/formats/image_output.hpp"
#include "dataset/formats/label_studio.hpp"
#include "dataset/formats/object_json.hpp"
#include "dataset/formats/xml_file.hpp"

namespace yolov7::dataset {
using nlohmann::json;
namespace {

constexpr const char* point_kind = "keypointlabels";

}  // namespace

json label_studio_region(const AnnotatedObject& object, const AnnotatedImage& image,
                         const std::string& class_name, std::size_t number, bool points_in_meta) {
  const double width = image.width, height = image.height;
  const Ring* polygon = object.rotation ? nullptr : sole_polygon(object);
  const std::string kind = polygon != nullptr ? "polygonlabels" : "rectanglelabels";
  json value = {{kind, {class_name}}};
  if (polygon != nullptr) {
    json points = json::array();
    for (const Point& p : *polygon) points.push_back({p.x / width * 100, p.y / height * 100});
    value["points"] = std::move(points);
    value["closed"] = true;
  } else {
    const Point corner = object.rotation ? corners_of(*object.rotation).front()
                                         : Point{object.box.x1, object.box.y1};
    const Xyxy& box = object.rotation ? object.rotation->box : object.box;
    value["x"] = corner.x / width * 100;
    value["y"] = corner.y / height * 100;
    value["width"] = box.width() / width * 100;
    value["height"] = box.height() / height * 100;
    value["rotation"] = object.rotation ? object.rotation->degrees : 0;
  }
  json region = {{"id", object.id.empty() ? fmt::format("r{}", number) : object.id},
                 {"type", kind},
                 {"from_name", polygon != nullptr ? "polygon" : "label"},
                 {"to_name", "image"},
                 {"original_width", image.width},
                 {"original_height", image.height},
                 {"image_rotation", 0},
                 {"value", std::move(value)}};
  if (object.score) region["score"] = *object.score;
  AnnotatedObject further = object;
  further.rotation.reset(), further.score.reset(), further.id.clear();
  if (!points_in_meta) further.key_points.clear();
  if (json ours = properties_json(further, false); !ours.empty())
    region["meta"] = {{"yolov7", std::move(ours)}};
  return region;
}

std::vector<json> label_studio_points(const AnnotatedObject& object, const AnnotatedImage& image,
                                      const json& region) {
  std::vector<json> regions;
  for (const KeyPoint& point : object.key_points) {
    json one = {{"id", fmt::format("{}.{}", region["id"].get<std::string>(), regions.size())},
                {"type", point_kind},
                {"from_name", "point"},
                {"to_name", "image"},
                {"parentID", region["id"]},
                {"original_width", image.width},
                {"original_height", image.height},
                {"image_rotation", 0},
                {"value",
                 {{"x", point.at.x / image.width * 100},
                  {"y", point.at.y / image.height * 100},
                  {"width", 0.5},
                  {point_kind, json::array({point.name})}}}};
    if (point.hidden) one["meta"] = {{"yolov7", {{"hidden", true}}}};
    regions.push_back(std::move(one));
  }
  return regions;
}

std::string label_studio_config(const std::vector<std::string>& classes,
                                const std::vector<std::string>& points) {
  const auto labels_of = [](const std::vector<std::string>& names) {
    std::string labels;
    for (const std::string& one : names)
      labels += fmt::format("    <Label value=\"{}\"/>\n", xml_text(one));
    return labels;
  };
  const std::string point_labels =
      points.empty() ? ""
                     : fmt::format(
                           "  <KeyPointLabels name=\"point\" toName=\"image\">\n{}"
                           "  </KeyPointLabels>\n",
                           labels_of(points));
  return fmt::format(
      "<View>\n  <Image name=\"image\" value=\"$image\"/>\n"
      "  <RectangleLabels name=\"label\" toName=\"image\">\n{0}"
      "  </RectangleLabels>\n"
      "  <PolygonLabels name=\"polygon\" toName=\"image\">\n{0}"
      "  </PolygonLabels>\n{1}</View>\n",
      labels_of(classes), point_labels);
}

}  // namespace yolov7::dataset
