#include "platforms/label_studio_shapes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "core/text.hpp"
#include "dataset/formats/json_fields.hpp"

namespace yolov7::platforms {
using dataset::AnnotatedImage;
using dataset::AnnotatedObject;
using dataset::member;
using dataset::text_at;
using nlohmann::json;
namespace {

bool is_box(const std::string& kind) {
  for (const char* shape : {"rectangle", "ellipse", "polygon"})
    if (kind == shape || kind == std::string(shape) + "labels") return true;
  return false;
}

}  // namespace

bool has_place(const json& region) {
  const json* value = member(region, "value");
  if (value == nullptr) return false;
  for (const char* key : {"x", "points", "vertices", "rle", "sequence"})
    if (member(*value, key) != nullptr) return true;
  return false;
}

std::vector<std::string> shapes_left_out(const json& result, const AnnotatedImage& image) {
  std::vector<std::string> found;
  std::set<std::string> ids;
  for (const AnnotatedObject& object : image.objects) {
    if (!object.id.empty()) ids.insert(object.id);
    if (!object.fault.empty()) found.push_back("a box: " + object.fault);
  }
  if (!result.is_array()) return found;
  for (const json& region : result) {
    const std::string kind = text_at(region, "type"), id = text_at(region, "id");
    if (is_box(kind) || !has_place(region) || ids.contains(id) ||
        ids.contains(text_at(region, "parentID")))
      continue;
    if (!id.empty()) ids.insert(id);  // its labels are a second region of the same id
    found.push_back(fmt::format("a shape of kind '{}', which is no box", text::printable(kind)));
  }
  return found;
}

std::size_t usable_objects(const AnnotatedImage& image) {
  std::vector<const AnnotatedObject*> kept;
  for (const AnnotatedObject& object : image.objects) {
    const bool known = std::any_of(kept.begin(), kept.end(), [&](const AnnotatedObject* other) {
      return other->class_index == object.class_index && other->box == object.box &&
             other->rings == object.rings;
    });
    if (object.fault.empty() && !known) kept.push_back(&object);
  }
  return kept.size();
}

}  // namespace yolov7::platforms
