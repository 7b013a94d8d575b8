#include "dataset/formats/coco.hpp"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <unordered_set>

#include "core/json.hpp"
#include "core/text.hpp"
#include "dataset/formats/all_formats.hpp"
#include "dataset/formats/image_output.hpp"
#include "dataset/formats/json_fields.hpp"
#include "dataset/formats/mask_runs.hpp"

namespace yolov7::dataset {
namespace fs = std::filesystem;
using nlohmann::json;
namespace {

bool detect(const SourceTree& tree) {
  for (const fs::path& path : tree.with_extension(".json"))
    if (is_coco(tree, path)) return true;
  return false;
}

json corner_and_size(const Xyxy& box) {
  return {tidy(box.x1), tidy(box.y1), tidy(box.width()), tidy(box.height())};
}

json segmentation(const AnnotatedObject& object) {
  if (object.mask)
    return {{"size", {object.mask->height, object.mask->width}},
            {"counts", text_of_runs(object.mask->runs)}};
  json rings = json::array();
  for (const Ring& ring : object.rings) {
    json flat = json::array();
    for (const Point& point : ring) flat.push_back(tidy(point.x)), flat.push_back(tidy(point.y));
    rings.push_back(std::move(flat));
  }
  return rings;
}

double area(const AnnotatedObject& object) {
  if (object.mask) return static_cast<double>(area_of(*object.mask));
  if (!object.rings.empty()) return area_of(object.rings);
  return object.rotation ? object.rotation->box.area() : object.box.area();
}

json attributes(const AnnotatedObject& object) {
  json list = json::object();
  for (const Attribute& one : object.attributes) list[one.name] = to_json(one.value);
  if (object.occluded) list["occluded"] = true;
  if (object.truncated) list["truncated"] = true;
  if (object.difficult) list["difficult"] = true;
  if (object.rotation) list["rotation"] = tidy(object.rotation->degrees);
  if (!object.group.empty()) list["group_id"] = object.group;
  if (object.z_order != 0) list["z_order"] = object.z_order;
  if (object.track) {
    list["track_id"] = object.track->id;
    list["frame"] = object.track->frame;
    list["keyframe"] = object.track->keyframe;
    list["outside"] = object.track->outside;
  }
  return list;
}

/// Whole numbers above 0 that each stands once: then the ids of the source stay.
class Ids {
 public:
  void add(const std::string& id) {
    const auto number = whole_id(id);
    usable_ = usable_ && number && *number > 0 && seen_.insert(*number).second;
  }
  std::int64_t of(const std::string& id, std::size_t position) const {
    return usable_ ? *text::parse_int(id) : static_cast<std::int64_t>(position);
  }

 private:
  bool usable_ = true;
  std::unordered_set<std::int64_t> seen_;
};

/// x, y and visibility of each point of the class; what is not labelled is 0, 0, 0.
json key_points(const AnnotatedObject& object, const AnnotatedClass& owner) {
  std::vector<double> flat(3 * owner.point_names.size());
  for (const KeyPoint& point : object.key_points) {
    double* at = &flat[3 * point_place(owner, point.name)];
    at[0] = tidy(point.at.x), at[1] = tidy(point.at.y), at[2] = point.hidden ? 1 : 2;
  }
  return flat;
}

json category(const AnnotatedClass& one, std::size_t number) {
  json value = {{"id", number}, {"name", one.name}, {"supercategory", one.supercategory}};
  if (one.point_names.empty()) return value;
  json skeleton = json::array();
  for (const auto& [a, b] : one.joints) skeleton.push_back({a + 1, b + 1});
  value["keypoints"] = one.point_names;
  value["skeleton"] = std::move(skeleton);
  return value;
}

std::string split_text(const Writing& writing, const std::string& split,
                       const std::vector<fs::path>& places) {
  const AnnotatedSet& set = writing.set;
  Ids image_ids, object_ids;
  for (const AnnotatedImage& image : set.images) {
    if (image.split != split) continue;
    image_ids.add(image.id);
    for (const AnnotatedObject& object : image.objects) object_ids.add(object.id);
  }
  std::string images, annotations;
  std::size_t image_number = 0, object_number = 0;
  for (std::size_t i = 0; i < set.images.size(); ++i) {
    const AnnotatedImage& image = set.images[i];
    if (image.split != split) continue;
    const std::int64_t id = image_ids.of(image.id, ++image_number);
    const json one = {{"id", id},
                      {"file_name", places[i].filename().string()},
                      {"width", image.width},
                      {"height", image.height}};
    images += (images.empty() ? "\n  " : ",\n  ") + json_text(one);
    for (const AnnotatedObject& object : image.objects) {
      json row = {{"id", object_ids.of(object.id, ++object_number)},
                  {"image_id", id},
                  {"category_id", object.class_index + 1},
                  {"bbox", corner_and_size(object.rotation ? object.rotation->box : object.box)},
                  {"segmentation", segmentation(object)},
                  {"area", tidy(area(object))},
                  {"iscrowd", object.crowd ? 1 : 0}};
      if (object.ignore) row["ignore"] = 1;
      if (!object.key_points.empty()) {
        const auto& owner = set.classes[static_cast<std::size_t>(object.class_index)];
        row["keypoints"] = key_points(object, owner);
        row["num_keypoints"] = object.key_points.size();
      }
      if (object.score) row["score"] = *object.score;
      if (json list = attributes(object); !list.empty()) row["attributes"] = std::move(list);
      annotations += (annotations.empty() ? "\n  " : ",\n  ") + json_text(row);
    }
  }
  json categories = json::array();
  for (std::size_t i = 0; i < set.classes.size(); ++i)
    categories.push_back(category(set.classes[i], i + 1));
  const auto residue = [&](const char* key, const char* otherwise) {
    const auto found = set.residue.find(key);
    return found == set.residue.end() ? std::string(otherwise) : found->second;
  };
  return fmt::format(
      "{{\n\"info\": {},\n\"licenses\": [{}],\n\"categories\": {},\n\"images\": [{}],\n"
      "\"annotations\": [{}]\n}}\n",
      residue("coco.info", R"({"description": "written by yolov7.cpp"})"),
      residue("coco.licenses", ""), json_text(categories), images, annotations);
}

}  // namespace

bool is_coco(const SourceTree& tree, const fs::path& file) {
  const std::string head = tree.head(file);
  const std::vector<std::string> members = first_members(head);
  const auto has = [&](const char* name) { return text::contains(members, name); };
  if (members.empty() || members.front() == "[" || has("items") || has("_via_img_metadata"))
    return false;
  if (has("images") && (has("annotations") || has("categories"))) return true;
  const auto inside = [&](const char* word) { return head.find(word) != std::string::npos; };
  if (has("images")) return inside("\"file_name\"");
  return has("annotations") && !has("image") && inside("\"image_id\"");
}

void write_coco(const Writing& writing) {
  const std::vector<fs::path> places =
      copy_images(writing, [](const std::string& split) { return "images/" + split; });
  for (const std::string& split : splits_of(writing.set))
    write_text_file(writing, fmt::format("annotations/instances_{}.json", split),
                    split_text(writing, split, places));
}

Format coco_format() {
  Format format;
  format.name = "coco";
  format.title = "COCO JSON";
  format.spellings = {"coco-json", "mscoco"};
  format.description =
      "JSON with images, annotations and categories: COCO itself, Roboflow, CVAT, Label Studio, "
      "Datumaro";
  format.detect = detect;
  format.read = read_coco;
  format.write = write_coco;
  format.names_once = true;
  Holds& holds = format.holds;
  holds.polygon = holds.quad = holds.loose = holds.parts = holds.mask = holds.crowd = holds.ignore =
      holds.score = holds.attributes = holds.key_points = holds.joints = holds.ids = Keep::yes;
  holds.rotation = holds.difficult = holds.truncated = holds.occluded = holds.group =
      holds.z_order = holds.track = Keep::attribute;
  return format;
}

}  // namespace yolov7::dataset
