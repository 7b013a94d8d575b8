#include "platforms/label_studio_edits.hpp"

#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "dataset/formats/json_fields.hpp"
#include "platforms/label_studio_shapes.hpp"

namespace yolov7::platforms {
using dataset::member;
using dataset::text_at;
using nlohmann::json;
namespace {

/// Coordinates and labels of a region, without what tells nothing about the box.
bool same_place(const json& one, const json& other) {
  constexpr double tolerance = 1e-6;  // percent of the image
  if (!one.is_object() || !other.is_object()) return one == other;
  for (const char* key : {"x", "y", "width", "height", "rotation", "radiusX", "radiusY"}) {
    const auto a = dataset::number_at(one, key).value_or(0),
               b = dataset::number_at(other, key).value_or(0);
    if (std::abs(a - b) > tolerance) return false;
  }
  const json *a = member(one, "points"), *b = member(other, "points");
  return (a == nullptr) == (b == nullptr) && (a == nullptr || *a == *b);
}

json labels_of(const json& value) {
  json labels = json::array();
  if (value.is_object())
    for (const auto& [name, list] : value.items())
      if (name.ends_with("labels")) labels.push_back(list);
  return labels;
}

}  // namespace

Edits edits_of(const json& prediction, const json& annotation) {
  Edits edits;
  std::map<std::string, json> before;
  std::set<std::string> seen;
  if (prediction.is_array())
    for (const json& one : prediction)
      if (has_place(one)) before.emplace(text_at(one, "id"), *member(one, "value"));
  if (annotation.is_array())
    for (const json& one : annotation) {
      const std::string id = text_at(one, "id");
      // Choices and texts of a region are further ones of its id.
      if (!has_place(one) || (!id.empty() && !seen.insert(id).second)) continue;
      const auto found = before.find(id);
      if (found == before.end()) {
        ++edits.added;
        continue;
      }
      const json& now = *member(one, "value");
      if (labels_of(now) != labels_of(found->second))
        ++edits.relabelled;
      else
        ++(same_place(now, found->second) ? edits.kept : edits.moved);
      before.erase(found);
    }
  edits.removed = before.size();
  return edits;
}

}  // namespace yolov7::platforms
