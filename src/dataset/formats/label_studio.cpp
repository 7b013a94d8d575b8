// Label Studio JSON: tasks with regions in percent of the image.
#include "dataset/formats/label_studio.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numbers>
#include <pugixml.hpp>

#include "core/http_client.hpp"
#include "core/json.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "dataset/formats/all_formats.hpp"
#include "dataset/formats/image_output.hpp"
#include "dataset/formats/json_fields.hpp"
#include "dataset/formats/object_json.hpp"
#include "dataset/formats/xml_file.hpp"
#include "image/codec/file_kind.hpp"

namespace yolov7::dataset {
namespace fs = std::filesystem;
using nlohmann::json;
namespace {

bool is_label_studio(const SourceTree& tree, const fs::path& file) {
  const std::string head = tree.head(file);
  const std::vector<std::string> members = first_members(head);
  const auto has = [&](const char* name) { return text::contains(members, name); };
  if (members.empty() || members.front() != "[") return false;
  // A long first task may hide its data.
  return (has("annotations") || has("completions") || has("predictions")) &&
         (has("data") || head.find("\"from_name\"") != std::string::npos);
}

bool detect(const SourceTree& tree) {
  for (const fs::path& file : tree.with_extension(".json"))
    if (is_label_studio(tree, file)) return true;
  return false;
}

/// The member of `data` that is the image.
std::string image_of(const json& task) {
  const json* data = member(task, "data");
  if (data == nullptr || !data->is_object()) return "";
  for (const char* usual : {"image", "img", "image_url", "url"})
    if (const std::string path = text_at(*data, usual); !path.empty()) return path;
  for (const auto& [name, value] : data->items())
    if (value.is_string() && is_picture_name(fs::path(value.get<std::string>())))
      return value.get<std::string>();
  return "";
}

/// "/data/upload/1/ad82ddec-dog.jpg" → "dog.jpg"; "/data/local-files/?d=a%20b.jpg" → "a b.jpg".
std::string without_server(const std::string& written) {
  if (const auto d = written.find("?d="); d != std::string::npos)
    return percent_decoded(written.substr(d + 3));
  const std::string name = fs::path(percent_decoded(plain_path(written))).filename().string();
  constexpr std::size_t digits = 8;
  if (name.size() > digits + 1 && name[digits] == '-' &&
      name.substr(0, digits).find_first_not_of("0123456789abcdef") == std::string::npos)
    return name.substr(digits + 1);
  return name;
}

void find_image(AnnotatedImage& image, const Reading& reading) {
  const fs::path folder = image.annotation.parent_path();
  const std::vector<fs::path> folders = {folder, folder / "images", folder / "upload"};
  if (image.written.find("?d=") == std::string::npos) {
    reading.finder.assign(image, folders, reading.account.notes);
    if (!image.missing) return;
  }
  AnnotatedImage other;
  other.annotation = image.annotation;
  other.written = without_server(image.written);
  reading.finder.assign(other, folders, reading.account.notes);
  image.picture = other.picture;
  image.missing = other.missing;
  image.fault = other.fault;
  // Two uploads of one name are two images: what tells them apart is gone here.
  image.found_by_guess = other.found_by_guess || image.written.find("?d=") == std::string::npos;
}

/// The newest annotation that was not cancelled; nullptr: none.
const json* newest(const json& list, std::size_t& others) {
  const json* best = nullptr;
  const auto rank = [](const json& one) {
    const std::string updated = text_at(one, "updated_at");
    return std::pair(updated.empty() ? text_at(one, "created_at") : updated,
                     number_at(one, "id").value_or(-1));
  };
  for (const json& one : list) {
    if (!one.is_object() || flag_at(one, "was_cancelled")) continue;
    if (best != nullptr) ++others;
    if (best == nullptr || rank(one) > rank(*best)) best = &one;
  }
  return best;
}

/// Labels of a region: value.rectanglelabels and the like.
std::vector<std::string> labels_of(const json& region) {
  std::vector<std::string> labels;
  const json* value = member(region, "value");
  if (value == nullptr || !value->is_object()) return labels;
  for (const auto& [name, list] : value->items())
    if (name.ends_with("labels") && list.is_array())
      for (const json& one : list)
        if (one.is_string()) labels.push_back(one.get<std::string>());
  return labels;
}

/// A turned rectangle: the upper left corner stays, degrees run clockwise about it. Corners are
/// worked out in pixels; in percent they would be wrong on images that are not square.
void turn(double x, double y, double w, double h, double degrees, AnnotatedObject& object) {
  const double angle = degrees * std::numbers::pi / 180, c = std::cos(angle), s = std::sin(angle);
  const Ring corners = {{x, y},
                        {x + w * c, y + w * s},
                        {x + w * c - h * s, y + w * s + h * c},
                        {x - h * s, y + h * c}};
  object.box = box_around({corners});
  const double cx = (corners[0].x + corners[2].x) / 2, cy = (corners[0].y + corners[2].y) / 2;
  object.rotation = Rotation{{cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2}, degrees};
}

/// Geometry of a region in pixels. Returns the kind where it is no box.
std::string take_shape(const json& region, double width, double height, AnnotatedObject& object) {
  const std::string type = text_at(region, "type");
  const json* value = member(region, "value");
  const auto percent = [&](const char* key, double whole) {
    const auto number = value == nullptr ? std::nullopt : number_at(*value, key);
    if (!number && object.fault.empty())
      object.fault = fmt::format("expected a number in {}, found {}", key,
                                 value == nullptr ? "nothing" : shown(member(*value, key)));
    return number.value_or(0) / 100 * whole;
  };
  const double degrees = value == nullptr ? 0 : number_at(*value, "rotation").value_or(0);
  if (type == "rectanglelabels" || type == "rectangle") {
    const double x = percent("x", width), y = percent("y", height), w = percent("width", width),
                 h = percent("height", height);
    object.box = {x, y, x + w, y + h};
    if (degrees != 0) turn(x, y, w, h, degrees, object);
  } else if (type == "ellipselabels" || type == "ellipse") {
    object.box = box_of_ellipse(percent("x", width), percent("y", height),
                                percent("radiusX", width), percent("radiusY", height), degrees);
  } else if (type == "polygonlabels" || type == "polygon") {
    auto ring = value == nullptr ? std::nullopt : ring_of(member(*value, "points"));
    if (!ring || ring->size() < 3) {
      object.fault = "expected 3 points or more of a polygon";
      return "";
    }
    for (Point& p : *ring) p = {p.x / 100 * width, p.y / 100 * height};
    object.box = box_around({*ring});
    object.rings.push_back(std::move(*ring));
  } else {
    return type.empty() ? "region without a type" : type;
  }
  return "";
}

/// Points belong to the box that their parentID names. Standing alone they are no box.
void join_points(const json& result, AnnotatedImage& image, Conversion& account) {
  for (const json& region : result) {
    const std::string type = text_at(region, "type"), parent = id_at(region, "parentID");
    if (type != "keypointlabels") continue;
    const std::vector<std::string> labels = labels_of(region);
    const json* value = member(region, "value");
    const auto x = value == nullptr ? std::nullopt : number_at(*value, "x"),
               y = value == nullptr ? std::nullopt : number_at(*value, "y");
    const int width = size_at(region, "original_width"),
              height = size_at(region, "original_height");
    bool taken = false;
    const json* meta = member(region, "meta");
    const json* ours = meta == nullptr ? nullptr : member(*meta, "yolov7");
    for (AnnotatedObject& object : image.objects) {
      if (parent.empty() || object.id != parent || labels.size() != 1 || !x || !y) continue;
      const auto same = [&](const KeyPoint& other) { return other.name == labels[0]; };
      if (std::any_of(object.key_points.begin(), object.key_points.end(), same)) continue;
      object.key_points.push_back({labels[0],
                                   {*x / 100 * width, *y / 100 * height},
                                   ours != nullptr && flag_at(*ours, "hidden")});
      taken = true;
    }
    if (!taken) ++account.not_boxes[type];
  }
}

struct Task {
  const Reading& reading;
  AnnotatedImage& image;
  AnnotatedSet& set;
  std::map<std::string, int>& index;
};

void read_region(const json& region, const std::vector<std::string>& labels, Task& task) {
  AnnotatedObject object;
  object.id = id_at(region, "id");
  const int width = size_at(region, "original_width"), height = size_at(region, "original_height");
  const std::string not_a_box = take_shape(region, width, height, object);
  if (!not_a_box.empty()) {
    if (not_a_box != "labels" && not_a_box != "keypointlabels")
      ++task.reading.account.not_boxes[not_a_box];
    return;
  }
  if (width == 0 || height == 0)
    object.fault = "expected original_width and original_height above 0";
  else
    task.image.written_width = width, task.image.written_height = height;
  if (number_at(region, "image_rotation").value_or(0) != 0 && object.fault.empty())
    object.fault = "its image was turned in the editor (image_rotation): not read";
  object.score = number_at(region, "score");
  if (const json* meta = member(region, "meta"))
    if (const json* ours = member(*meta, "yolov7")) {
      const std::string id = object.id;
      const auto rotation = object.rotation;
      const auto score = object.score;
      const std::string fault = take_properties(*ours, object);
      if (!fault.empty() && object.fault.empty()) object.fault = fault;
      object.id = id;
      object.rotation = rotation;
      object.score = score;
    }
  for (const std::string& label : labels) {
    object.class_index = class_named(task.set, task.index, label);
    task.image.objects.push_back(object);
  }
  if (!labels.empty()) return;
  if (object.fault.empty()) object.fault = "no class name";
  task.image.objects.push_back(std::move(object));
}

void read_result(const json& result, Task& task) {
  // Where a tag of its own holds the labels, they stand in a second region of the same id.
  std::map<std::string, std::vector<std::string>> by_id;
  for (const json& region : result)
    if (const std::string id = id_at(region, "id"); !id.empty() && by_id[id].empty())
      by_id[id] = labels_of(region);
  for (const json& region : result) {
    if (text_at(region, "type") == "choices") {
      const json* value = member(region, "value");
      const json* list = value == nullptr ? nullptr : member(*value, "choices");
      if (list != nullptr && list->is_array())
        for (const json& one : *list)
          if (one.is_string()) task.image.tags.push_back({one.get<std::string>(), true});
      continue;
    }
    std::vector<std::string> labels = labels_of(region);
    if (labels.empty()) labels = by_id[id_at(region, "id")];
    read_region(region, labels, task);
  }
  join_points(result, task.image, task.reading.account);
}

/// What a model proposed is no annotation.
void count_predictions(const json& task, Conversion& account) {
  const json* list = member(task, "predictions");
  if (list == nullptr || !list->is_array()) return;
  for (const json& one : *list)
    if (const json* result = member(one, "result");
        result != nullptr && result->is_array() && !result->empty())
      account.not_boxes["region of a prediction"] += result->size();
}

void read_task(const json& value, const fs::path& path, const Reading& reading, AnnotatedSet& set,
               std::map<std::string, int>& index) {
  AnnotatedImage image;
  image.annotation = path;
  image.shares_file = true;
  image.id = id_at(value, "id");
  image.written = image_of(value);
  image.state = ImageState::not_annotated;
  if (const json* meta = member(value, "meta"))
    if (const json* ours = member(*meta, "yolov7")) image.split = text_at(*ours, "split");
  count_predictions(value, reading.account);
  const json* list = member(value, "annotations");
  if (list == nullptr) list = member(value, "completions");
  std::size_t others = 0;
  const json* annotation = list == nullptr || !list->is_array() ? nullptr : newest(*list, others);
  if (others > 0)
    reading.account.notes.push_back(
        {path, 0,
         fmt::format("task {}: the newest of {} annotations is taken", image.id, others + 1)});
  if (annotation != nullptr) {
    Task task{reading, image, set, index};
    const json* result = member(*annotation, "result");
    if (result != nullptr && result->is_array())
      read_result(*result, task);
    else
      image.fault = "expected result as a list, found " + shown(result);
    image.state = image.objects.empty() ? ImageState::empty_on_purpose : ImageState::annotated;
  }
  find_image(image, reading);
  set.images.push_back(std::move(image));
}

/// <Label value="cat"/> of the labelling configuration, where it lies beside the tasks: their order
/// is that of the classes. Those of key points are none.
void read_configuration(const Reading& reading, AnnotatedSet& set,
                        std::map<std::string, int>& index) {
  for (const fs::path& path : reading.tree.with_extension(".xml")) {
    const std::string head = reading.tree.head(path, 4096);
    if (head.find("<View") == std::string::npos) continue;
    const std::string xml = reading.tree.read(path, 16u << 20);
    pugi::xml_document document;
    parse_xml(xml, (reading.tree.root / path).string(), document);
    for (const pugi::xpath_node& one : document.select_nodes("//*[@toName]/Label[@value]"))
      if (text::lower(one.node().parent().name()) != "keypointlabels")
        class_named(set, index, one.node().attribute("value").value());
  }
}

AnnotatedSet read(const Reading& reading) {
  AnnotatedSet set;
  std::map<std::string, int> index;
  read_configuration(reading, set, index);
  for (const fs::path& path : reading.tree.with_extension(".json")) {
    if (!is_label_studio(reading.tree, path)) continue;
    const std::string content = reading.tree.read(path);
    stream_json(content, (reading.tree.root / path).string(), [&](const std::string&, json& piece) {
      check_stop(reading.stop);
      read_task(piece, path, reading, set, index);
    });
  }
  return set;
}

std::vector<std::string> all_point_names(const AnnotatedSet& set) {
  std::vector<std::string> names;
  for (const AnnotatedClass& one : set.classes)
    for (const std::string& name : one.point_names)
      if (!text::contains(names, name)) names.push_back(name);
  return names;
}

void write(const Writing& writing) {
  const std::vector<fs::path> places =
      copy_images(writing, [](const std::string& split) { return "images/" + split; });
  std::string out = "[";
  for (std::size_t i = 0; i < places.size(); ++i) {
    const AnnotatedImage& image = writing.set.images[i];
    json result = json::array(), annotations = json::array();
    for (const AnnotatedObject& object : image.objects) {
      json region = label_studio_region(object, image, class_name(writing, object), result.size());
      std::vector<json> points = label_studio_points(object, image, region);
      result.push_back(std::move(region));
      for (json& point : points) result.push_back(std::move(point));
    }
    if (image.state != ImageState::not_annotated || !result.empty())
      annotations.push_back({{"result", std::move(result)}});
    const json task = {
        {"data",
         {{"image", "/data/local-files/?d=" + http::escaped(places[i].generic_string(), true)}}},
        {"annotations", std::move(annotations)},
        {"meta", {{"yolov7", {{"split", image.split}, {"source_id", image.id}}}}}};
    out += (i == 0 ? "\n" : ",\n") + json_text(task);
  }
  write_text_file(writing, "tasks.json", out + "\n]\n");
  write_text_file(writing, "label_config.xml",
                  label_studio_config(names_of(writing.set), all_point_names(writing.set)));
}

}  // namespace

Format label_studio_format() {
  Format format;
  format.name = "label-studio";
  format.title = "Label Studio JSON";
  format.spellings = {"label-studio-json", "labelstudio", "ls"};
  format.description = "a list of tasks with regions in percent";
  format.detect = detect;
  format.read = read;
  format.write = write;
  format.names_once = true;
  Holds& holds = format.holds;
  holds.polygon = holds.quad = holds.rotation = holds.score = holds.ids = holds.key_points =
      holds.not_annotated = Keep::yes;
  holds.mask = holds.crowd = holds.ignore = holds.difficult = holds.truncated = holds.occluded =
      holds.attributes = holds.group = holds.z_order = holds.track = Keep::attribute;
  return format;
}

}  // namespace yolov7::dataset
