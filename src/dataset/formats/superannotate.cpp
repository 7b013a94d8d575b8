// SuperAnnotate vector JSON: one file per image, "<image name>.json".
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/json.hpp"
#include "core/text.hpp"
#include "dataset/formats/all_formats.hpp"
#include "dataset/formats/json_fields.hpp"
#include "dataset/formats/json_files.hpp"

namespace yolov7::dataset {
namespace fs = std::filesystem;
using nlohmann::json;
namespace {

bool sign(const std::vector<std::string>& members, std::string_view) {
  return text::contains(members, "metadata") && text::contains(members, "instances");
}

bool detect(const SourceTree& tree) { return any_json_file(tree, sign); }

struct Classes {
  AnnotatedSet& set;
  std::map<std::string, int> index;
  std::map<std::string, std::string> name_of;  ///< class id → class name, from classes.json
};

void read_classes(const Reading& reading, Classes& classes) {
  for (const fs::path& path : reading.tree.with_extension(".json")) {
    if (path.filename() != "classes.json") continue;
    const json list = parse_json(reading.tree.read(path, 64u << 20), path.string());
    if (!list.is_array()) throw Error(path.string() + ": expected a list of classes");
    for (const json& one : list) {
      const std::string name = text_at(one, "name");
      if (name.empty()) continue;
      const auto place = static_cast<std::size_t>(class_named(classes.set, classes.index, name));
      AnnotatedClass& known = classes.set.classes[place];
      known.id = id_at(one, "id");
      known.colour = text_at(one, "color");
      if (!known.id.empty()) classes.name_of[known.id] = name;
    }
  }
}

/// Members x1, y1, … of a box (2 corners, in any order) or of a turned box (4 corners). Four
/// corners that form no rectangle to 0.01 px become a polygon.
void take_corners(const json* points, std::size_t count, AnnotatedObject& object) {
  Ring ring;
  for (std::size_t i = 1; i <= count && points != nullptr; ++i) {
    const auto x = number_at(*points, fmt::format("x{}", i).c_str());
    const auto y = number_at(*points, fmt::format("y{}", i).c_str());
    if (x && y) ring.push_back({*x, *y});
  }
  if (ring.size() != count) {
    object.fault =
        fmt::format("expected x1, y1 … of {} corners as numbers, found {}", count, shown(points));
    return;
  }
  object.box = box_around({ring});
  if (count != 4) return;
  object.rotation = rotation_of(ring, 0.01);
  if (!object.rotation) object.rings.push_back(ring);
}

void take_polygon(const json& instance, AnnotatedObject& object) {
  take_ring(ring_of(member(instance, "points")), member(instance, "points"), object);
  const json* holes = member(instance, "exclude");
  if (!object.fault.empty() || holes == nullptr || !holes->is_array()) return;
  for (const json& hole : *holes) {
    const auto ring = ring_of(&hole);
    if (!ring || ring->size() < 3) {
      object.fault = "expected a hole of at least 3 points, found " + shown(&hole);
      return;
    }
    object.rings.push_back(*ring);
  }
}

/// Reads the shape into the object. Returns "" where it was read (box, turned box, polygon,
/// ellipse), else the type, which is counted and left out.
std::string take_shape(const json& instance, AnnotatedObject& object) {
  const std::string kind = text_at(instance, "type");
  const json* points = member(instance, "points");
  if (kind == "bbox") {
    take_corners(points, 2, object);
  } else if (kind == "rbbox") {
    take_corners(points, 4, object);
  } else if (kind == "polygon") {
    take_polygon(instance, object);
  } else if (kind == "ellipse") {
    std::optional<double> n[5];
    const char* names[] = {"cx", "cy", "rx", "ry", "angle"};
    for (int i = 0; i < 5; ++i) n[i] = number_at(instance, names[i]);
    const bool bad_angle = member(instance, "angle") != nullptr && !n[4];
    if (!n[0] || !n[1] || !n[2] || !n[3] || bad_angle)
      object.fault =
          "expected numbers cx, cy, rx, ry and angle of an ellipse, found " + shown(&instance);
    else
      object.box = box_of_ellipse(*n[0], *n[1], *n[2], *n[3], n[4].value_or(0));
  } else {
    return kind.empty() ? "instance without a type" : kind;
  }
  return "";
}

void take_properties_of(const json& instance, AnnotatedObject& object) {
  if (const json* list = member(instance, "attributes"); list != nullptr && list->is_array())
    for (const json& one : *list) {
      const std::string group = text_at(one, "groupName"), name = text_at(one, "name");
      // An attribute without a group gets this name for the group.
      if (!name.empty()) object.attributes.push_back({group.empty() ? "attribute" : group, name});
    }
  object.id = id_at(instance, "trackingId");
  const std::string group = id_at(instance, "groupId");
  if (group != "0") object.group = group;
  const auto percent = number_at(instance, "probability");
  if (percent && *percent < 100) object.score = *percent / 100;
}

void take_instance(const json& instance, std::size_t number, Classes& classes,
                   AnnotatedImage& image, Conversion& account) {
  AnnotatedObject object;
  if (const std::string kind = take_shape(instance, object); !kind.empty()) {
    ++account.not_boxes[kind];
    return;
  }
  std::string name = text_at(instance, "className");
  if (name.empty())
    if (const auto known = classes.name_of.find(id_at(instance, "classId"));
        known != classes.name_of.end())
      name = known->second;
  if (!name.empty())
    object.class_index = class_named(classes.set, classes.index, name);
  else if (object.fault.empty())
    object.fault = "no class name";
  take_properties_of(instance, object);
  name_fault(object, "instances", number);
  image.objects.push_back(std::move(object));
}

AnnotatedSet read(const Reading& reading) {
  AnnotatedSet set;
  Classes classes{set, {}, {}};
  read_classes(reading, classes);
  std::size_t comments = 0;
  read_json_files(reading, set, sign, {}, [&](const json& file, AnnotatedImage& image) {
    const json* metadata = member(file, "metadata");
    const json* instances = member(file, "instances");
    if (metadata != nullptr) {
      image.written = text_at(*metadata, "name");
      image.written_width = size_at(*metadata, "width");
      image.written_height = size_at(*metadata, "height");
    }
    if (image.written.empty()) {  // "a.jpg.json", formerly "a.jpg___objects.json"
      const std::string stem = image.annotation.stem().string();
      image.written = stem.substr(0, stem.find("___objects"));
    }
    if (instances == nullptr || !instances->is_array())
      throw Error("expected instances as a list, found " + shown(instances));
    for (std::size_t i = 0; i < instances->size(); ++i)
      take_instance((*instances)[i], i, classes, image, reading.account);
    if (const json* tags = member(file, "tags"); tags != nullptr && tags->is_array())
      for (const json& tag : *tags)
        if (tag.is_string()) image.tags.push_back({tag.get<std::string>(), true});
    if (const json* list = member(file, "comments"); list != nullptr && list->is_array())
      comments += list->size();
    image.state = image.objects.empty() ? ImageState::empty_on_purpose : ImageState::annotated;
  });
  if (comments > 0)
    reading.account.notes.push_back(
        {reading.tree.root, 0, fmt::format("{} comments on images are not kept", comments)});
  return set;
}

}  // namespace

Format superannotate_format() {
  Format format;
  format.name = "superannotate";
  format.title = "SuperAnnotate JSON";
  format.spellings = {"superannotate-json"};
  format.description = "one JSON per image with metadata and instances";
  format.detect = detect;
  format.read = read;
  return format;
}

}  // namespace yolov7::dataset
