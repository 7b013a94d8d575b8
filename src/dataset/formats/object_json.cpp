#include "dataset/formats/object_json.hpp"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "core/error.hpp"
#include "core/json.hpp"
#include "dataset/formats/json_fields.hpp"
#include "dataset/formats/mask_runs.hpp"

namespace yolov7::dataset {
using nlohmann::json;
namespace {

struct Text {
  const char* name;
  std::string AnnotatedObject::*member;
};
constexpr Text texts[] = {{"id", &AnnotatedObject::id},
                          {"group", &AnnotatedObject::group},
                          {"source", &AnnotatedObject::source},
                          {"author", &AnnotatedObject::author}};

json rings_json(const std::vector<Ring>& rings) {
  json list = json::array();
  for (const Ring& ring : rings) {
    json flat = json::array();
    for (const Point& point : ring) flat.push_back(tidy(point.x)), flat.push_back(tidy(point.y));
    list.push_back(std::move(flat));
  }
  return list;
}

int whole(const json& value, const char* key) {
  const auto number = number_at(value, key);
  return number && std::abs(*number) < 1e9 ? static_cast<int>(*number) : 0;
}

std::string take_shapes(const json& value, AnnotatedObject& object) {
  if (const json* rings = member(value, "polygons")) {
    object.rings.clear();
    if (!rings->is_array()) return "expected polygons as a list, found " + shown(rings);
    for (const json& one : *rings) {
      const auto ring = ring_of(&one);
      if (!ring) return "expected a polygon as numbers, found " + shown(&one);
      object.rings.push_back(*ring);
    }
  }
  if (const json* mask = member(value, "mask")) {
    MaskRuns read{size_at(*mask, "width"), size_at(*mask, "height"), {}};
    auto runs = runs_of_text(text_at(*mask, "runs"));
    if (runs) read.runs = std::move(*runs);
    if (!fills(read)) return "the runs of a mask do not fill it";
    object.mask = std::move(read);
  }
  if (const json* rotation = member(value, "rotation")) {
    const auto box = numbers_of(member(*rotation, "box"));
    const auto degrees = number_at(*rotation, "degrees");
    if (!box || box->size() != 4 || !degrees)
      return "expected a rotation with box and degrees, found " + shown(rotation);
    object.rotation = Rotation{{(*box)[0], (*box)[1], (*box)[2], (*box)[3]}, *degrees};
  }
  return "";
}

json key_points_json(const AnnotatedObject& object) {
  json list = json::array();
  for (const KeyPoint& point : object.key_points) {
    json one = {point.name, tidy(point.at.x), tidy(point.at.y)};
    if (point.hidden) one.push_back("hidden");
    list.push_back(std::move(one));
  }
  return list;
}

/// What is wrong with the list, or "".
std::string read_key_points(const json& list, std::vector<KeyPoint>& points) {
  if (!list.is_array()) return "expected key points as a list, found " + shown(&list);
  std::set<std::string> names;
  for (const json& one : list) {
    const bool whole = one.is_array() && one.size() >= 3 && one[0].is_string();
    const auto x = whole ? number_of(&one[1]) : std::nullopt,
               y = whole ? number_of(&one[2]) : std::nullopt;
    if (!x || !y || !names.insert(one[0].get<std::string>()).second)
      return "expected key points as [name, x, y], each name once, found " + shown(&one);
    points.push_back({one[0].get<std::string>(), {*x, *y}, one.size() > 3 && one[3] == "hidden"});
  }
  return "";
}

}  // namespace

std::string key_points_text(const AnnotatedObject& object) {
  return json_text(key_points_json(object));
}

bool take_key_points(const Attribute& attribute, AnnotatedObject& object) {
  const auto* text = std::get_if<std::string>(&attribute.value);
  if (attribute.name != key_points_name || text == nullptr) return false;
  std::vector<KeyPoint> points;
  try {
    if (!read_key_points(parse_json(*text, key_points_name), points).empty()) return false;
  } catch (const Error&) {
    return false;  // an attribute of somebody else
  }
  object.key_points = std::move(points);
  return true;
}

json attributes_json(const std::vector<Attribute>& attributes) {
  json list = json::object();
  for (const Attribute& one : attributes) list[one.name] = to_json(one.value);
  return list;
}

json properties_json(const AnnotatedObject& object, bool with_rings) {
  json value = json::object();
  for (const Mark& mark : marks)
    if (object.*mark.member) value[mark.name] = true;
  for (const Text& text : texts)
    if (!(object.*text.member).empty()) value[text.name] = object.*text.member;
  if (object.z_order != 0) value["z_order"] = object.z_order;
  if (object.score) value["score"] = *object.score;
  if (!object.attributes.empty()) value["attributes"] = attributes_json(object.attributes);
  if (!object.key_points.empty()) value[key_points_name] = key_points_json(object);
  if (with_rings && !object.rings.empty()) value["polygons"] = rings_json(object.rings);
  if (object.mask)
    value["mask"] = {{"width", object.mask->width},
                     {"height", object.mask->height},
                     {"runs", text_of_runs(object.mask->runs)}};
  if (object.rotation) {
    const Xyxy& box = object.rotation->box;
    value["rotation"] = {{"box", {tidy(box.x1), tidy(box.y1), tidy(box.x2), tidy(box.y2)}},
                         {"degrees", tidy(object.rotation->degrees)}};
  }
  if (object.track)
    value["track"] = {{"id", object.track->id},
                      {"frame", object.track->frame},
                      {"keyframe", object.track->keyframe},
                      {"outside", object.track->outside}};
  return value;
}

std::string take_properties(const json& value, AnnotatedObject& object) {
  for (const Mark& mark : marks) object.*mark.member = flag_at(value, mark.name);
  for (const Text& text : texts) object.*text.member = id_at(value, text.name);
  object.z_order = whole(value, "z_order");
  object.score = number_at(value, "score");
  if (const json* attributes = member(value, "attributes"))
    object.attributes = attributes_of(*attributes);
  if (const json* track = member(value, "track"))
    object.track = TrackPlace{id_at(*track, "id"), whole(*track, "frame"),
                              flag_at(*track, "keyframe"), flag_at(*track, "outside")};
  if (const json* points = member(value, key_points_name)) {
    object.key_points.clear();
    if (const std::string fault = read_key_points(*points, object.key_points); !fault.empty())
      return fault;
  }
  return take_shapes(value, object);
}

}  // namespace yolov7::dataset
