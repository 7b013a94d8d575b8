#include "versions/class_points.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/json.hpp"
#include "core/text.hpp"
#include "dataset/formats/json_fields.hpp"

namespace yolov7::versions {
using nlohmann::json;

std::string point_field(const dataset::AnnotatedClass& one) {
  if (one.point_names.empty()) return "";
  return json_text({{"points", one.point_names}, {"joints", one.joints}});
}

void take_point_field(const std::string& field, dataset::AnnotatedClass& one) {
  if (field.empty()) return;
  const json value = parse_json(field, "key points of class " + text::printable(one.name));
  const json *names = dataset::member(value, "points"), *joints = dataset::member(value, "joints");
  if (names == nullptr || !names->is_array())
    throw Error(fmt::format("class {}: expected the names of its key points, found '{}'",
                            text::printable(one.name), text::printable(field.substr(0, 80))));
  for (const json& name : *names)
    if (name.is_string()) one.point_names.push_back(name.get<std::string>());
  if (joints != nullptr) one.joints = dataset::joints_of(*joints, one.point_names.size(), 0);
}

}  // namespace yolov7::versions
