// Supervisely JSON: meta.json with classes, <data set>/ann/<image name>.json, images in img.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/json.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "dataset/formats/all_formats.hpp"
#include "dataset/formats/image_output.hpp"
#include "dataset/formats/json_fields.hpp"
#include "dataset/formats/object_json.hpp"
#include "dataset/formats/splits.hpp"
#include "image/codec/file_kind.hpp"

namespace yolov7::dataset {
namespace fs = std::filesystem;
using nlohmann::json;
namespace {

bool is_annotation(const SourceTree& tree, const fs::path& file) {
  if (file.parent_path().filename() != "ann") return false;
  const std::vector<std::string> members = first_members(tree.head(file));
  return text::contains(members, "objects") ||
         (text::contains(members, "size") && text::contains(members, "tags"));
}

bool detect(const SourceTree& tree) {
  for (const fs::path& file : tree.with_extension(".json"))
    if (is_annotation(tree, file)) return true;
  return false;
}

/// Corners are positions of pixels, both inside, in any order.
void take_rectangle(const Ring& points, AnnotatedObject& object) {
  object.box = box_around({points});
  object.box.x2 += 1, object.box.y2 += 1;
}

/// Geometry of an object. Returns the kind where it is no box.
std::string take_shape(const json& value, AnnotatedObject& object) {
  std::string kind = text_at(value, "geometryType");
  if (kind.empty()) kind = text_at(value, "shape");
  if (kind != "rectangle" && kind != "polygon" && kind != "bitmap")
    return kind.empty() ? "object without a geometry" : kind;
  if (kind == "bitmap") {
    object.fault = "the pixels of bitmaps are not read";
    return "";
  }
  const json* points = member(value, "points");
  const auto outer = points == nullptr ? std::nullopt : ring_of(member(*points, "exterior"));
  const std::size_t least = kind == "polygon" ? 3 : 2;
  if (!outer || outer->size() < least) {
    object.fault = fmt::format("expected {} points or more in exterior of a {}, found {}", least,
                               kind, shown(points));
    return "";
  }
  if (kind == "rectangle") {
    take_rectangle(*outer, object);
    return "";
  }
  object.box = box_around({*outer});
  object.rings.push_back(*outer);
  if (const json* inner = member(*points, "interior"); inner != nullptr && inner->is_array())
    for (const json& one : *inner)
      if (const auto ring = ring_of(&one); ring && ring->size() >= 3) object.rings.push_back(*ring);
  return "";
}

/// [{"name": "wet", "value": null}, …]: a tag without a value is a switch.
std::vector<Attribute> tags_of(const json* list) {
  std::vector<Attribute> tags;
  if (list == nullptr || !list->is_array()) return tags;
  for (const json& one : *list) {
    const std::string name = text_at(one, "name");
    if (name.empty()) continue;
    const json* value = member(one, "value");
    if (value == nullptr)
      tags.push_back({name, true});
    else if (const auto number = number_of(value))
      tags.push_back({name, *number});
    else
      tags.push_back({name, value->is_string() ? value->get<std::string>() : json_text(*value)});
  }
  return tags;
}

void take_marks(const json& value, AnnotatedObject& object) {
  for (Attribute& tag : tags_of(member(value, "tags")))
    if (!take_mark(tag, object) && !take_key_points(tag, object))
      object.attributes.push_back(std::move(tag));
}

/// Points of a graph: {"nodes": {"head": {"loc": [x, y], "disabled": true}, …}}.
std::vector<KeyPoint> read_graph(const json& value) {
  std::vector<KeyPoint> points;
  const json* nodes = member(value, "nodes");
  if (nodes == nullptr || !nodes->is_object()) return points;
  for (const auto& [name, node] : nodes->items())
    if (const auto at = numbers_of(member(node, "loc")); at && at->size() == 2)
      points.push_back({name, {(*at)[0], (*at)[1]}, flag_at(node, "disabled")});
  return points;
}

void read_objects(const json& file, AnnotatedImage& image, AnnotatedSet& set,
                  std::map<std::string, int>& index, Conversion& account) {
  const json* objects = member(file, "objects");
  if (objects == nullptr || !objects->is_array()) {
    image.fault = "expected objects as a list, found " + shown(objects);
    return;
  }
  std::map<std::string, std::vector<std::size_t>> bound;  // key of an instance → its boxes
  std::vector<const json*> others;
  for (std::size_t number = 0; number < objects->size(); ++number) {
    const json& value = (*objects)[number];
    AnnotatedObject object;
    const std::string kind = take_shape(value, object);
    if (kind == "graph") {
      others.push_back(&value);
      continue;
    }
    if (!kind.empty()) {
      ++account.not_boxes[kind];
      continue;
    }
    if (const std::string key = id_at(value, "instance"); !key.empty())
      bound[key].push_back(image.objects.size());
    object.id = id_at(value, "id");
    object.author = text_at(value, "labelerLogin");
    take_marks(value, object);
    const std::string name = text_at(value, "classTitle");
    if (name.empty() && object.fault.empty()) object.fault = "no class name";
    if (!name.empty()) object.class_index = class_named(set, index, name);
    if (!object.fault.empty()) object.fault = fmt::format("objects[{}]: {}", number, object.fault);
    image.objects.push_back(std::move(object));
  }
  for (const json* graph : others) {
    const auto owner = bound.find(id_at(*graph, "instance"));
    const bool sole = owner != bound.end() && owner->second.size() == 1 &&
                      image.objects[owner->second[0]].key_points.empty();
    if (sole)
      image.objects[owner->second[0]].key_points = read_graph(*graph);
    else
      ++account.not_boxes["graph"];
  }
}

void read_meta(const Reading& reading, AnnotatedSet& set, std::map<std::string, int>& index) {
  for (const fs::path& path : reading.tree.with_extension(".json")) {
    if (path.filename() != "meta.json") continue;
    const json meta =
        parse_json(reading.tree.read(path, 64u << 20), (reading.tree.root / path).string());
    const json* classes = member(meta, "classes");
    if (classes == nullptr || !classes->is_array()) continue;
    for (const json& one : *classes) {
      const std::string name = text_at(one, "title");
      if (name.empty()) continue;
      const auto place = static_cast<std::size_t>(class_named(set, index, name));
      set.classes[place].colour = text_at(one, "color");
    }
  }
}

AnnotatedSet read(const Reading& reading) {
  AnnotatedSet set;
  std::map<std::string, int> index;
  read_meta(reading, set, index);
  for (const fs::path& path : reading.tree.with_extension(".json")) {
    check_stop(reading.stop);
    if (!is_annotation(reading.tree, path)) continue;
    AnnotatedImage image;
    image.annotation = path;
    image.split = split_of_folders(path);
    image.written = path.stem().string();
    try {
      const json file = parse_json(reading.tree.read(path, 256u << 20), path.string());
      if (const json* size = member(file, "size")) {
        image.written_width = size_at(*size, "width");
        image.written_height = size_at(*size, "height");
      }
      image.tags = tags_of(member(file, "tags"));
      read_objects(file, image, set, index, reading.account);
    } catch (const Error& error) {
      image.fault = error.what();
    }
    image.state = image.objects.empty() ? ImageState::empty_on_purpose : ImageState::annotated;
    const fs::path folder = path.parent_path() / ".." / "img";
    if (is_picture_name(fs::path(image.written)))
      reading.finder.assign(image, {folder}, reading.account.notes);
    else
      reading.finder.assign_by_stem(image, image.written, {folder}, reading.account.notes);
    set.images.push_back(std::move(image));
  }
  return set;
}

json tag_json(const Attribute& tag) {
  if (const bool* set = std::get_if<bool>(&tag.value); set != nullptr && *set)
    return {{"name", tag.name}, {"value", nullptr}};
  return {{"name", tag.name}, {"value", to_json(tag.value)}};
}

json points_json(const Ring& ring) {
  json points = json::array();
  for (const Point& p : ring) points.push_back({tidy(p.x), tidy(p.y)});
  return points;
}

/// Corners are pixels inside of the box: it has at least one each way.
bool becomes_larger(const AnnotatedObject& object) {
  return sole_polygon(object) == nullptr && (object.box.width() < 1 || object.box.height() < 1);
}

json object_json(const AnnotatedObject& object, const Writing& writing) {
  json tags = json::array(), inner = json::array();
  for (const Attribute& one : object.attributes) tags.push_back(tag_json(one));
  for (const Mark& mark : marks)
    if (object.*mark.member) tags.push_back(tag_json({mark.name, true}));
  if (!object.key_points.empty())
    tags.push_back(tag_json({key_points_name, key_points_text(object)}));
  const Ring* polygon = sole_polygon(object);
  const Xyxy& box = object.box;
  const Ring corners = {{box.x1, box.y1},
                        {std::max(box.x1, box.x2 - 1), std::max(box.y1, box.y2 - 1)}};
  return {{"classTitle", class_name(writing, object)},
          {"geometryType", polygon != nullptr ? "polygon" : "rectangle"},
          {"description", ""},
          {"tags", std::move(tags)},
          {"points",
           {{"exterior", points_json(polygon != nullptr ? *polygon : corners)},
            {"interior", std::move(inner)}}}};
}

void write(const Writing& writing) {
  const std::vector<fs::path> places =
      copy_images(writing, [](const std::string& split) { return split + "/img"; });
  std::size_t thin = 0;
  for (std::size_t i = 0; i < places.size(); ++i) {
    const AnnotatedImage& image = writing.set.images[i];
    json objects = json::array(), tags = json::array();
    for (const AnnotatedObject& object : image.objects) {
      objects.push_back(object_json(object, writing));
      thin += becomes_larger(object) ? 1 : 0;
    }
    for (const Attribute& tag : image.tags) tags.push_back(tag_json(tag));
    const json file = {{"description", ""},
                       {"tags", std::move(tags)},
                       {"size", {{"height", image.height}, {"width", image.width}}},
                       {"objects", std::move(objects)}};
    write_text_file(writing,
                    fs::path(image.split) / "ann" / (places[i].filename().string() + ".json"),
                    json_text(file) + "\n");
  }
  if (thin > 0) writing.account.losses.push_back({"width or height under 1 px", thin, ""});
  json classes = json::array();
  for (const AnnotatedClass& one : writing.set.classes)
    classes.push_back({{"title", one.name},
                       {"shape", "any"},
                       {"color", one.colour.empty() ? "#FF0000" : one.colour}});
  write_text_file(writing, "meta.json",
                  json_text({{"classes", std::move(classes)}, {"tags", json::array()}}, 1) + "\n");
}

}  // namespace

Format supervisely_format() {
  Format format;
  format.name = "supervisely";
  format.title = "Supervisely JSON";
  format.spellings = {"supervise.ly"};
  format.description = "meta.json, and for each image ann/<image name>.json beside img";
  format.detect = detect;
  format.read = read;
  format.write = write;
  Holds& holds = format.holds;
  holds.polygon = holds.quad = holds.attributes = holds.tags = Keep::yes;
  holds.crowd = holds.ignore = holds.difficult = holds.truncated = holds.occluded =
      holds.key_points = Keep::attribute;
  format.limits_words = "boxes under 1 px become 1 px wide or high, which is counted.";
  format.limits = [](AnnotatedSet& set) {
    for (AnnotatedImage& image : set.images)
      for (AnnotatedObject& object : image.objects) {
        if (!becomes_larger(object)) continue;
        object.box.x2 = std::max(object.box.x2, object.box.x1 + 1);
        object.box.y2 = std::max(object.box.y2, object.box.y1 + 1);
      }
  };
  return format;
}

}  // namespace yolov7::dataset
