// LabelMe JSON: one file per image, shapes in absolute pixels.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "core/error.hpp"
#include "core/json.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "dataset/formats/all_formats.hpp"
#include "dataset/formats/image_output.hpp"
#include "dataset/formats/json_fields.hpp"
#include "dataset/formats/object_json.hpp"
#include "dataset/formats/splits.hpp"

namespace yolov7::dataset {
namespace fs = std::filesystem;
using nlohmann::json;
namespace {

bool is_labelme(const SourceTree& tree, const fs::path& file) {
  const std::string head = tree.head(file);
  const std::vector<std::string> members = first_members(head);
  const auto has = [&](const char* name) { return text::contains(members, name); };
  return has("shapes") && !has("tracks") && !has("tags") &&
         (has("imagePath") || has("flags") || has("version") || has("imageHeight") ||
          head.find("\"points\"") != std::string::npos);
}

bool detect(const SourceTree& tree) {
  for (const fs::path& file : tree.with_extension(".json"))
    if (is_labelme(tree, file)) return true;
  return false;
}

void take_flags(const json& shape, AnnotatedObject& object) {
  if (const json* flags = member(shape, "flags"))
    for (Attribute& one : attributes_of(*flags))
      if (!take_mark(one, object)) object.attributes.push_back(std::move(one));
  if (const std::string words = text_at(shape, "description"); !words.empty())
    object.attributes.push_back({"description", words});
  object.group = id_at(shape, "group_id");
}

void take_circle(const Ring& points, AnnotatedObject& object) {
  const double radius = std::hypot(points[1].x - points[0].x, points[1].y - points[0].y);
  const Point& c = points[0];
  object.box = {c.x - radius, c.y - radius, c.x + radius, c.y + radius};
}

/// The box of a shape. Returns the kind where the shape is no box.
std::string take_shape(const json& shape, AnnotatedObject& object) {
  std::string kind = text_at(shape, "shape_type");
  if (kind.empty()) kind = "polygon";  // old files do not say
  const auto points = ring_of(member(shape, "points"));
  if (kind == "point" || kind == "points" || kind == "line" || kind == "linestrip") return kind;
  const std::size_t least = kind == "polygon" || kind == "rotation" ? 3 : 2;
  if (!points || points->size() < least) {
    object.fault = fmt::format("expected {} points or more of a {}, found {}", least,
                               text::printable(kind), shown(member(shape, "points")));
    return "";
  }
  object.box = box_around({*points});
  if (kind == "circle") {
    take_circle(*points, object);
  } else if (kind == "mask") {
    object.box.x2 += 1, object.box.y2 += 1;  // corners are pixels of the mask, both inside
  } else if (kind == "polygon") {
    object.rings.push_back(*points);
  } else if (kind == "rotation") {
    object.rotation = rotation_of(*points, 0.01);
    if (!object.rotation) object.rings.push_back(*points);
  } else if (kind != "rectangle") {
    return kind;
  }
  return "";
}

/// Points belong to the only box of their group, which is then a group no longer. Standing alone
/// they are no box.
void join_points(const std::vector<const json*>& points, AnnotatedImage& image,
                 Conversion& account) {
  std::set<AnnotatedObject*> joined;
  for (const json* shape : points) {
    const std::string group = id_at(*shape, "group_id");
    const auto at = ring_of(member(*shape, "points"));
    AnnotatedObject* owner = nullptr;
    std::size_t members = 0;
    for (AnnotatedObject& object : image.objects)
      if (!group.empty() && object.group == group) owner = &object, ++members;
    KeyPoint point{text_at(*shape, "label"), {}, false};
    if (const json* flags = member(*shape, "flags")) point.hidden = flag_at(*flags, "hidden");
    const auto same = [&](const KeyPoint& other) { return other.name == point.name; };
    if (members != 1 || point.name.empty() || !at || at->size() != 1 ||
        std::any_of(owner->key_points.begin(), owner->key_points.end(), same)) {
      ++account.not_boxes["point"];
      continue;
    }
    point.at = at->front();
    owner->key_points.push_back(std::move(point));
    joined.insert(owner);
  }
  for (AnnotatedObject* owner : joined) owner->group.clear();
}

void read_shapes(const json& file, AnnotatedImage& image, AnnotatedSet& set,
                 std::map<std::string, int>& index, Conversion& account) {
  const json* shapes = member(file, "shapes");
  if (shapes == nullptr || !shapes->is_array()) {
    image.fault = "expected shapes as a list, found " + shown(shapes);
    return;
  }
  std::size_t number = 0, masks = 0;
  std::vector<const json*> points;
  for (const json& shape : *shapes) {
    AnnotatedObject object;
    const std::string not_a_box = take_shape(shape, object);
    if (not_a_box == "point") points.push_back(&shape);
    if (!not_a_box.empty() && not_a_box != "point") {
      ++account.not_boxes[not_a_box];
    }
    if (!not_a_box.empty()) {
      ++number;
      continue;
    }
    masks += text_at(shape, "shape_type") == "mask" ? 1 : 0;
    const std::string name = text_at(shape, "label");
    if (name.empty() && object.fault.empty()) object.fault = "no class name";
    if (!object.fault.empty()) object.fault = fmt::format("shapes[{}]: {}", number, object.fault);
    if (!name.empty()) object.class_index = class_named(set, index, name);
    take_flags(shape, object);
    image.objects.push_back(std::move(object));
    ++number;
  }
  join_points(points, image, account);
  if (masks > 0)
    account.notes.push_back(
        {image.annotation, 0,
         fmt::format("the pixels of {} masks are not read: their boxes are", masks)});
}

AnnotatedSet read(const Reading& reading) {
  AnnotatedSet set;
  std::map<std::string, int> index;
  for (const fs::path& path : reading.tree.with_extension(".json")) {
    check_stop(reading.stop);
    if (!is_labelme(reading.tree, path)) continue;
    AnnotatedImage image;
    image.annotation = path;
    image.split = split_of_folders(path);
    try {
      const json file = parse_json(reading.tree.read(path, 256u << 20), path.string());
      image.written = text_at(file, "imagePath");
      image.written_width = size_at(file, "imageWidth");
      image.written_height = size_at(file, "imageHeight");
      if (const json* flags = member(file, "flags"))
        for (Attribute& one : attributes_of(*flags))
          if (is_true(one.value)) image.tags.push_back(std::move(one));
      read_shapes(file, image, set, index, reading.account);
    } catch (const Error& error) {
      image.fault = error.what();
    }
    image.state = image.objects.empty() ? ImageState::empty_on_purpose : ImageState::annotated;
    if (image.fault.empty() && !image.written.empty())
      reading.finder.assign(image, {path.parent_path()}, reading.account.notes);
    if ((image.fault.empty() && !image.picture) || image.missing)
      reading.finder.assign_by_stem(image, path.stem().string(), {path.parent_path()},
                                    reading.account.notes);
    set.images.push_back(std::move(image));
  }
  return set;
}

json point_json(const KeyPoint& point, std::int64_t group) {
  return {{"label", point.name},
          {"points", json::array({json::array({tidy(point.at.x), tidy(point.at.y)})})},
          {"group_id", group},
          {"description", ""},
          {"shape_type", "point"},
          {"flags", {{"hidden", point.hidden}}}};
}

/// Whether the format has a place for the attribute.
bool has_place(const Attribute& one) {
  return std::holds_alternative<bool>(one.value) || one.name == "description";
}

json shape_json(const Writing& writing, const AnnotatedObject& object) {
  json points = json::array();
  const auto add = [&](const Point& p) { points.push_back({tidy(p.x), tidy(p.y)}); };
  const Ring* polygon = sole_polygon(object);
  if (polygon != nullptr) {
    for (const Point& point : *polygon) add(point);
  } else {
    add({object.box.x1, object.box.y1});
    add({object.box.x2, object.box.y2});
  }
  json flags = json::object();
  for (const Attribute& one : object.attributes)
    if (const bool* set = std::get_if<bool>(&one.value)) flags[one.name] = *set;
  for (const Mark& mark : marks)
    if (object.*mark.member) flags[mark.name] = true;
  const Attribute* words = find_attribute(object.attributes, "description");
  json group;
  if (const auto number = text::parse_int(object.group))
    group = *number;
  else if (!object.group.empty())
    group = object.group;
  return {{"label", class_name(writing, object)},
          {"points", std::move(points)},
          {"group_id", std::move(group)},
          {"description", words == nullptr ? "" : text_of(words->value)},
          {"shape_type", polygon != nullptr ? "polygon" : "rectangle"},
          {"flags", std::move(flags)}};
}

void write(const Writing& writing) {
  const std::vector<fs::path> places =
      copy_images(writing, [](const std::string& split) { return split; });
  std::size_t texts = 0, groups = 0, repeated = 0;
  for (std::size_t i = 0; i < places.size(); ++i) {
    const AnnotatedImage& image = writing.set.images[i];
    if (image.state == ImageState::not_annotated && image.objects.empty()) continue;
    json shapes = json::array(), flags = json::object();
    std::int64_t group = free_group(image);
    for (const AnnotatedObject& object : image.objects) {
      shapes.push_back(shape_json(writing, object));
      if (!object.key_points.empty()) {
        groups += object.group.empty() ? 0 : 1;
        shapes.back()["group_id"] = group;
        for (const KeyPoint& point : object.key_points) shapes.push_back(point_json(point, group));
        ++group;
      }
      std::vector<Attribute> kept = object.attributes;
      texts += std::erase_if(kept, [](const Attribute& one) { return !has_place(one); });
      repeated += kept.size() - each_name_once(kept).size();
    }
    for (const Attribute& tag : image.tags) flags[tag.name] = is_true(tag.value);
    const json file = {{"version", "5.0.0"},          {"flags", std::move(flags)},
                       {"shapes", std::move(shapes)}, {"imagePath", places[i].filename().string()},
                       {"imageData", nullptr},        {"imageHeight", image.height},
                       {"imageWidth", image.width}};
    write_text_file(writing, fs::path(places[i]).replace_extension(".json"),
                    json_text(file, 1) + "\n");
  }
  if (groups > 0)
    writing.account.losses.push_back({"group of an object with key points", groups, ""});
  if (texts > 0)
    writing.account.losses.push_back(
        {"attribute that is neither a switch nor a description", texts, ""});
  if (repeated > 0) writing.account.losses.push_back({repeated_attribute, repeated, ""});
}

}  // namespace

Format labelme_format() {
  Format format;
  format.name = "labelme";
  format.title = "LabelMe JSON";
  format.spellings = {"labelme-json"};
  format.description = "one JSON per image with shapes";
  format.detect = detect;
  format.read = read;
  format.write = write;
  Holds& holds = format.holds;
  holds.polygon = holds.quad = holds.group = holds.attributes = holds.tags = holds.key_points =
      Keep::yes;
  holds.not_annotated = Keep::no_file;
  format.limits_words =
      "attributes are switches, or one text called description; others are lost, and counted; so "
      "is the group of an object with key points, which are joined to it by a group of their own.";
  format.limits = [](AnnotatedSet& set) {
    for (AnnotatedImage& image : set.images)
      for (AnnotatedObject& object : image.objects) {
        if (!object.key_points.empty()) object.group.clear();
        std::erase_if(object.attributes, [](const Attribute& one) { return !has_place(one); });
        object.attributes = each_name_once(object.attributes);
      }
  };
  holds.crowd = holds.ignore = holds.difficult = holds.truncated = holds.occluded = Keep::attribute;
  return format;
}

}  // namespace yolov7::dataset
