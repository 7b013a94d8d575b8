// V7 Darwin JSON, versions 1 and 2: one file per image.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/text.hpp"
#include "dataset/formats/all_formats.hpp"
#include "dataset/formats/json_fields.hpp"
#include "dataset/formats/json_files.hpp"

namespace yolov7::dataset {
namespace fs = std::filesystem;
using nlohmann::json;
namespace {

bool sign(const std::vector<std::string>& members, std::string_view) {
  const auto has = [&](const char* name) { return text::contains(members, name); };
  return has("annotations") && ((has("item") && !has("items")) || (has("dataset") && has("image")));
}

bool detect(const SourceTree& tree) { return any_json_file(tree, sign); }

/// "/a" and "b.jpg" → "a/b.jpg".
std::string joined(std::string folder, const std::string& name) {
  while (folder.starts_with('/')) folder.erase(0, 1);
  return folder.empty() ? name : (fs::path(folder) / name).generic_string();
}

/// Name and size of the image; the name of its slot.
std::string take_image(const json& file, AnnotatedImage& image) {
  if (const json* old = member(file, "image")) {
    image.written = joined(text_at(*old, "path"), text_at(*old, "original_filename"));
    if (text_at(*old, "original_filename").empty())
      image.written = joined(text_at(*old, "path"), text_at(*old, "filename"));
    image.written_width = size_at(*old, "width");
    image.written_height = size_at(*old, "height");
    return "";
  }
  const json* item = member(file, "item");
  if (item == nullptr) throw Error("expected an item, found " + shown(item));
  image.written = joined(text_at(*item, "path"), text_at(*item, "name"));
  const json* slots = member(*item, "slots");
  if (slots == nullptr || !slots->is_array() || slots->empty()) return "";
  const json& slot = slots->front();
  image.written_width = size_at(slot, "width");
  image.written_height = size_at(slot, "height");
  return text_at(slot, "slot_name");
}

bool in_other_slot(const json& annotation, const std::string& slot) {
  const json* names = member(annotation, "slot_names");
  if (slot.empty() || names == nullptr || !names->is_array() || names->empty()) return false;
  for (const json& name : *names)
    if (name.is_string() && name.get<std::string>() == slot) return false;
  return true;
}

void take_polygon(const json& polygon, AnnotatedObject& object) {
  const json* paths = member(polygon, "paths");
  if (paths == nullptr || !paths->is_array()) {
    take_ring(ring_of_points(member(polygon, "path")), member(polygon, "path"), object);
    paths = member(polygon, "additional_paths");
    if (paths == nullptr || !paths->is_array() || !object.fault.empty()) return;
  }
  for (const json& path : *paths) {
    if (!object.fault.empty()) return;
    take_ring(ring_of_points(&path), &path, object);
  }
  if (object.rings.empty() && object.fault.empty())
    object.fault = "expected a polygon of 3 points or more, found " + shown(&polygon);
}

/// Returns the kind where the annotation is no box.
std::string take_shape(const json& annotation, AnnotatedObject& object) {
  if (member(annotation, "frames") != nullptr) return "annotation over frames of a video";
  const json* polygon = member(annotation, "polygon");
  const json* box = member(annotation, "bounding_box");
  if (polygon != nullptr) take_polygon(*polygon, object);
  if (box != nullptr && object.fault.empty()) take_box(box, "x", "y", "w", "h", object);
  if (polygon != nullptr || box != nullptr) return "";
  for (const char* kind : {"tag", "line", "keypoint", "ellipse", "cuboid", "skeleton", "mask",
                           "raster_layer", "eye", "simple_table", "string", "graph"})
    if (member(annotation, kind) != nullptr) return kind;
  return "annotation without a box";
}

void take_properties_of(const json& annotation, AnnotatedObject& object) {
  object.id = id_at(annotation, "id");
  if (const json* inference = member(annotation, "inference"))
    object.score = number_at(*inference, "confidence");
  const json* attributes = member(annotation, "attributes");
  if (attributes != nullptr && attributes->is_object())
    attributes = member(*attributes, "attributes");
  if (attributes != nullptr && attributes->is_array())
    for (const json& one : *attributes)
      if (one.is_string()) object.attributes.push_back({one.get<std::string>(), true});
  if (const json* list = member(annotation, "properties"); list != nullptr && list->is_array())
    for (const json& one : *list)
      if (const std::string name = text_at(one, "name"); !name.empty())
        object.attributes.push_back({name, text_at(one, "value")});
}

AnnotatedSet read(const Reading& reading) {
  AnnotatedSet set;
  std::map<std::string, int> index;
  read_json_files(reading, set, sign, {}, [&](const json& file, AnnotatedImage& image) {
    const std::string slot = take_image(file, image);
    const json* annotations = member(file, "annotations");
    if (annotations == nullptr || !annotations->is_array())
      throw Error("expected annotations as a list, found " + shown(annotations));
    for (std::size_t i = 0; i < annotations->size(); ++i) {
      const json& annotation = (*annotations)[i];
      const std::string name = text_at(annotation, "name");
      AnnotatedObject object;
      if (in_other_slot(annotation, slot)) {
        ++reading.account.not_boxes["annotation of another slot"];
        continue;
      }
      if (member(annotation, "tag") != nullptr) image.tags.push_back({name, true});
      if (const std::string kind = take_shape(annotation, object); !kind.empty()) {
        reading.account.not_boxes[kind] += kind == "tag" ? 0 : 1;
        continue;
      }
      if (!name.empty()) object.class_index = class_named(set, index, name);
      if (name.empty() && object.fault.empty()) object.fault = "no class name";
      take_properties_of(annotation, object);
      name_fault(object, "annotations", i);
      image.objects.push_back(std::move(object));
    }
    image.state = image.objects.empty() ? ImageState::empty_on_purpose : ImageState::annotated;
  });
  std::erase_if(reading.account.not_boxes, [](const auto& one) { return one.second == 0; });
  return set;
}

}  // namespace

Format darwin_format() {
  Format format;
  format.name = "darwin";
  format.title = "V7 Darwin JSON";
  format.spellings = {"darwin-json", "v7", "v7-darwin"};
  format.description = "one JSON per image with item and annotations";
  format.detect = detect;
  format.read = read;
  return format;
}

}  // namespace yolov7::dataset
