// Datumaro JSON 1.0: items with annotations of many types, one file per subset.
#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "core/json.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "dataset/formats/all_formats.hpp"
#include "dataset/formats/coco_object.hpp"
#include "dataset/formats/image_output.hpp"
#include "dataset/formats/json_fields.hpp"
#include "dataset/formats/splits.hpp"

namespace yolov7::dataset {
namespace fs = std::filesystem;
using nlohmann::json;
namespace {

bool is_datumaro(const SourceTree& tree, const fs::path& file) {
  const std::string head = tree.head(file);
  const std::vector<std::string> members = first_members(head);
  if (members.empty() || members.front() == "[") return false;
  const auto has = [&](const char* name) { return text::contains(members, name); };
  const bool labels = has("categories") && head.find("\"labels\"") != std::string::npos;
  return has("items") || (labels && (has("info") || has("infos")) && !has("images"));
}

bool detect(const SourceTree& tree) {
  for (const fs::path& file : tree.with_extension(".json"))
    if (is_datumaro(tree, file)) return true;
  return false;
}

struct File {
  fs::path path;
  std::vector<std::string> labels;
  std::map<std::size_t, AnnotatedClass> points;  ///< names of key points and joints by label_id
  std::vector<AnnotatedImage> images;            ///< class_index: label_id
};

/// Joints are numbered from 1, as COCO has them; some files number from 0.
void read_points(const json& categories, File& file) {
  const json* points = member(categories, "points");
  const json* items = points == nullptr ? nullptr : member(*points, "items");
  if (items == nullptr || !items->is_array()) return;
  for (const json& one : *items) {
    const auto label = number_at(one, "label_id");
    const json *names = member(one, "labels"), *joints = member(one, "joints");
    if (!label || *label < 0 || *label > 1e6 || names == nullptr || !names->is_array()) continue;
    AnnotatedClass& owner = file.points[static_cast<std::size_t>(*label)];
    std::set<std::string> seen;
    for (const json& name : *names)
      if (name.is_string() && seen.insert(name.get<std::string>()).second)
        owner.point_names.push_back(name.get<std::string>());
    if (owner.point_names.size() < names->size()) owner.point_names.clear();
    if (joints == nullptr || !joints->is_array()) continue;
    bool from_zero = false;
    for (const json& joint : *joints)
      for (const double end : numbers_of(&joint).value_or(std::vector<double>()))
        from_zero = from_zero || end == 0;
    owner.joints = joints_of(*joints, owner.point_names.size(), from_zero ? 0 : 1);
  }
}

void read_labels(const json& categories, File& file) {
  read_points(categories, file);
  const json* label = member(categories, "label");
  const json* labels = label == nullptr ? nullptr : member(*label, "labels");
  if (labels == nullptr || !labels->is_array()) return;
  for (const json& one : *labels) file.labels.push_back(text_at(one, "name"));
}

/// Geometry of an annotation. Returns the kind where it is no box.
std::string take_shape(const json& value, AnnotatedObject& object) {
  const std::string type = text_at(value, "type");
  if (type == "bbox") {
    read_coco_box(member(value, "bbox"), object);
  } else if (type == "polygon") {
    const auto ring = ring_of(member(value, "points"));
    if (!ring || ring->size() < 3) {
      object.fault =
          "expected 3 points or more of a polygon, found " + shown(member(value, "points"));
      return "";
    }
    object.box = box_around({*ring});
    object.rings.push_back(*ring);
  } else {
    return type.empty() ? "annotation without a type" : type;
  }
  return "";
}

AnnotatedObject read_object(const json& value, AnnotatedObject object) {
  if (const json* attributes = member(value, "attributes")) {
    take_coco_attributes(*attributes, object);
    std::erase_if(object.attributes, [&](const Attribute& one) {
      if (one.name == "is_crowd") object.crowd = is_true(one.value);
      if (one.name == "ignore") object.ignore = is_true(one.value);
      if (one.name == "score")
        if (const double* score = std::get_if<double>(&one.value)) object.score = *score;
      return one.name == "is_crowd" || one.name == "ignore" ||
             (one.name == "score" && object.score);
    });
  }
  object.id = id_at(value, "id");
  if (const std::string group = id_at(value, "group"); group != "0") object.group = group;
  if (const auto z = number_at(value, "z_order"); z && std::abs(*z) < 1e9)
    object.z_order = static_cast<int>(*z);
  const json* label = member(value, "label_id");
  const auto number = number_of(label);
  if (number && *number >= 0 && *number < 1e6 && *number == std::floor(*number))
    object.class_index = static_cast<int>(*number);
  else if (object.fault.empty())
    object.fault = label == nullptr ? "no class: label_id is null"
                                    : "expected a number in label_id, found " + shown(label);
  return object;
}

/// Points with their visibility in a list of its own ("points") or behind each ("skeleton"): 0, 1
/// or 2, as COCO has it. They are called by their numbers here.
std::vector<KeyPoint> points_of(const json& value) {
  std::vector<KeyPoint> points;
  const bool triples = text_at(value, "type") == "skeleton";
  const auto numbers = numbers_of(member(value, "points"));
  const auto visible = numbers_of(member(value, "visibility"));
  if (!numbers) return points;
  const std::size_t step = triples ? 3 : 2;
  for (std::size_t i = 0; (i + 1) * step <= numbers->size(); ++i) {
    double mark = triples ? (*numbers)[i * step + 2] : 2;
    if (!triples && visible && i < visible->size()) mark = (*visible)[i];
    if (mark != 0)
      points.push_back(
          {point_number(i), {(*numbers)[i * step], (*numbers)[i * step + 1]}, mark == 1});
  }
  return points;
}

/// They belong to the only box of their group, which is then a group no longer. Standing alone they
/// are no box.
void join_points(const std::vector<const json*>& list, AnnotatedImage& image, Conversion& account) {
  for (const json* one : list) {
    const std::string group = id_at(*one, "group");
    AnnotatedObject* owner = nullptr;
    std::size_t members = 0;
    for (AnnotatedObject& object : image.objects)
      if (!group.empty() && object.group == group) owner = &object, ++members;
    if (members != 1) {
      ++account.not_boxes[text_at(*one, "type")];
      continue;
    }
    owner->key_points = points_of(*one);
    owner->group.clear();
  }
}

void read_item(const json& item, File& file, Conversion& account) {
  AnnotatedImage image;
  image.annotation = file.path;
  image.shares_file = true;
  image.id = id_at(item, "id");
  image.split = split_name(file.path.stem().string());
  const json* media = member(item, "image");
  if (media == nullptr) media = member(item, "media");
  if (media != nullptr) {
    image.written = text_at(*media, "path");
    const auto size = numbers_of(member(*media, "size"));  // height, width
    if (size && size->size() == 2 && (*size)[0] >= 1 && (*size)[1] >= 1 && (*size)[0] < 1e6 &&
        (*size)[1] < 1e6) {
      image.written_width = static_cast<int>((*size)[1]);
      image.written_height = static_cast<int>((*size)[0]);
    }
  }
  if (image.written.empty()) image.written = image.id;
  const json* list = member(item, "annotations");
  if (list != nullptr && !list->is_array())
    image.fault = "expected annotations as a list, found " + shown(list);
  std::vector<const json*> points;
  if (image.fault.empty() && list != nullptr)
    for (const json& one : *list) {
      AnnotatedObject object;
      const std::string kind = take_shape(one, object);
      if (kind.empty())
        image.objects.push_back(read_object(one, std::move(object)));
      else if (kind == "points" || kind == "skeleton")
        points.push_back(&one);
      else
        ++account.not_boxes[kind];
    }
  join_points(points, image, account);
  file.images.push_back(std::move(image));
}

void add_images(File& file, const Reading& reading, AnnotatedSet& set,
                std::map<std::string, int>& index) {
  std::vector<int> places;
  for (const std::string& label : file.labels) places.push_back(class_named(set, index, label));
  for (const auto& [label, points] : file.points) {
    if (label >= places.size()) continue;
    AnnotatedClass& owner = set.classes[static_cast<std::size_t>(places[label])];
    if (!owner.point_names.empty()) continue;
    owner.point_names = points.point_names;
    owner.joints = points.joints;
  }
  const fs::path folder = file.path.parent_path() / ".." / "images";
  for (AnnotatedImage& image : file.images) {
    check_stop(reading.stop);
    for (AnnotatedObject& object : image.objects) {
      const auto label = static_cast<std::size_t>(std::max(object.class_index, 0));
      if (const auto names = file.points.find(label); names != file.points.end())
        name_points(names->second.point_names, object);
      if (object.class_index >= 0 && label >= places.size()) {
        if (object.fault.empty())
          object.fault = fmt::format("label_id {} is out of range 0..{}", label,
                                     static_cast<int>(places.size()) - 1);
        object.class_index = -1;
      } else if (object.class_index >= 0) {
        object.class_index = places[label];
      }
    }
    const fs::path subset = folder / file.path.stem();
    reading.finder.assign(image, {subset, folder}, reading.account.notes);
    if (image.missing && !image.id.empty() && image.written != image.id)
      reading.finder.assign_by_stem(image, image.id, {subset, folder}, reading.account.notes);
    set.images.push_back(std::move(image));
  }
  file.images.clear();
}

AnnotatedSet read(const Reading& reading) {
  AnnotatedSet set;
  std::map<std::string, int> index;
  for (const fs::path& path : reading.tree.with_extension(".json")) {
    if (!is_datumaro(reading.tree, path)) continue;
    File file;
    file.path = path;
    const std::string content = reading.tree.read(path);
    stream_json(content, (reading.tree.root / path).string(),
                [&](const std::string& name, json& piece) {
                  if (name == "categories")
                    read_labels(piece, file);
                  else if (name == "items")
                    read_item(piece, file, reading.account);
                });
    add_images(file, reading, set, index);
  }
  return set;
}

json attributes_json(const AnnotatedObject& object) {
  json list = json::object();
  for (const Attribute& one : object.attributes) list[one.name] = to_json(one.value);
  for (const Mark& mark : marks)
    if (object.*mark.member)
      list[mark.member == &AnnotatedObject::crowd ? "is_crowd" : mark.name] = true;
  if (object.rotation) list["rotation"] = tidy(object.rotation->degrees);
  if (object.score) list["score"] = *object.score;
  if (object.track) {
    list["track_id"] = object.track->id;
    list["keyframe"] = object.track->keyframe;
    list["outside"] = object.track->outside;
    list["frame"] = object.track->frame;
  }
  return list;
}

/// The key points of an object, joined to it by the group.
json points_json(const AnnotatedObject& object, const AnnotatedClass& owner, std::size_t number,
                 std::int64_t group) {
  std::vector<double> points(2 * owner.point_names.size());
  std::vector<int> visibility(owner.point_names.size());
  for (const KeyPoint& point : object.key_points) {
    const std::size_t place = point_place(owner, point.name);
    points[2 * place] = tidy(point.at.x), points[2 * place + 1] = tidy(point.at.y);
    visibility[place] = point.hidden ? 1 : 2;
  }
  return {{"id", number},
          {"type", "points"},
          {"attributes", json::object()},
          {"group", group},
          {"label_id", object.class_index},
          {"points", std::move(points)},
          {"visibility", std::move(visibility)},
          {"z_order", 0}};
}

json point_categories(const std::vector<AnnotatedClass>& classes) {
  json items = json::array();
  for (std::size_t i = 0; i < classes.size(); ++i) {
    if (classes[i].point_names.empty()) continue;
    json joints = json::array();
    for (const auto& [a, b] : classes[i].joints) joints.push_back({a + 1, b + 1});
    items.push_back(
        {{"label_id", i}, {"labels", classes[i].point_names}, {"joints", std::move(joints)}});
  }
  return {{"items", std::move(items)}};
}

/// Whether the group comes back: 0 says that there is none.
bool has_group(const AnnotatedObject& object) { return whole_id(object.group).value_or(0) != 0; }

json object_json(const AnnotatedObject& object, std::size_t number) {
  json value = {{"id", whole_id(object.id).value_or(static_cast<std::int64_t>(number))},
                {"group", whole_id(object.group).value_or(0)},
                {"label_id", object.class_index},
                {"z_order", object.z_order},
                {"attributes", attributes_json(object)}};
  if (const Ring* polygon = object.rotation ? nullptr : sole_polygon(object)) {
    json points = json::array();
    for (const Point& p : *polygon) points.push_back(tidy(p.x)), points.push_back(tidy(p.y));
    value["type"] = "polygon";
    value["points"] = std::move(points);
    return value;
  }
  const Xyxy& box = object.rotation ? object.rotation->box : object.box;
  value["type"] = "bbox";
  value["bbox"] = {tidy(box.x1), tidy(box.y1), tidy(box.width()), tidy(box.height())};
  return value;
}

void write(const Writing& writing) {
  const std::vector<fs::path> places =
      copy_images(writing, [](const std::string& split) { return "images/" + split; });
  json labels = json::array();
  for (const AnnotatedClass& one : writing.set.classes)
    labels.push_back({{"name", one.name}, {"parent", ""}, {"attributes", json::array()}});
  json categories = {{"label", {{"labels", std::move(labels)}, {"attributes", {"occluded"}}}}};
  if (json points = point_categories(writing.set.classes); !points["items"].empty())
    categories["points"] = std::move(points);
  std::map<std::string, std::string> texts;
  std::size_t number = 0, groups = 0, other_groups = 0, other_ids = 0;
  for (std::size_t i = 0; i < places.size(); ++i) {
    const AnnotatedImage& image = writing.set.images[i];
    json list = json::array();
    std::int64_t group = free_group(image);
    for (const AnnotatedObject& object : image.objects) {
      list.push_back(object_json(object, ++number));
      other_ids += object.id.empty() || whole_id(object.id) ? 0 : 1;
      if (object.key_points.empty()) {
        other_groups += object.group.empty() || has_group(object) ? 0 : 1;
        continue;
      }
      groups += object.group.empty() ? 0 : 1;
      list.back()["group"] = group;
      list.push_back(points_json(object,
                                 writing.set.classes[static_cast<std::size_t>(object.class_index)],
                                 ++number, group++));
    }
    const json item = {
        {"id", places[i].stem().string()},
        {"annotations", std::move(list)},
        {"image",
         {{"path", places[i].filename().string()}, {"size", {image.height, image.width}}}}};
    std::string& text = texts[image.split];
    text += (text.empty() ? "\n" : ",\n") + json_text(item);
  }
  for (const auto& [split, text] : texts)
    write_text_file(writing, fmt::format("annotations/{}.json", split),
                    fmt::format("{{\"info\": {{}},\n\"categories\": {},\n\"items\": [{}\n]}}\n",
                                json_text(categories), text));
  for (const auto& [what, count] : {std::pair("group of an object with key points", groups),
                                    {"group that is 0 or no whole number", other_groups},
                                    {"object id that is no whole number", other_ids}})
    if (count > 0) writing.account.losses.push_back({what, count, ""});
}

}  // namespace

Format datumaro_format() {
  Format format;
  format.name = "datumaro";
  format.title = "Datumaro JSON 1.0";
  format.spellings = {"datumaro-json"};
  format.description = "one JSON per subset with categories and items";
  format.detect = detect;
  format.read = read;
  format.write = write;
  format.names_once = true;
  Holds& holds = format.holds;
  holds.polygon = holds.quad = holds.attributes = holds.group = holds.z_order = holds.ids =
      holds.key_points = holds.joints = Keep::yes;
  format.limits_words =
      "the group of an object with key points is lost, and counted: they are joined to it by a "
      "group of their own; groups that are 0 or no whole numbers are lost, and ids that are "
      "no whole numbers become numbers, which is counted, too.";
  format.limits = [](AnnotatedSet& set) {
    for (AnnotatedImage& image : set.images)
      for (AnnotatedObject& object : image.objects)
        if (!object.key_points.empty() || !has_group(object)) object.group.clear();
  };
  holds.rotation = holds.crowd = holds.ignore = holds.difficult = holds.truncated = holds.occluded =
      holds.track = holds.score = Keep::attribute;
  return format;
}

}  // namespace yolov7::dataset
