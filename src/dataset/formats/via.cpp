// VGG Image Annotator, versions 1 and 2 (Dutta and Zisserman, "The VIA annotation software for
// images, audio and video", ACM Multimedia 2019): whole pixels; some attribute is the class.
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <set>

#include "core/error.hpp"
#include "core/json.hpp"
#include "core/setting_name.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "dataset/formats/all_formats.hpp"
#include "dataset/formats/image_output.hpp"
#include "dataset/formats/json_fields.hpp"
#include "dataset/formats/splits.hpp"

namespace yolov7::dataset {
namespace fs = std::filesystem;
using nlohmann::json;
namespace {

bool is_via(const SourceTree& tree, const fs::path& file) {
  const std::string head = tree.head(file);
  const auto inside = [&](const char* word) { return head.find(word) != std::string::npos; };
  if (text::contains(first_members(head), "_via_img_metadata")) return true;
  return inside("\"filename\"") && inside("\"regions\"") &&
         (inside("\"shape_attributes\"") || inside("\"file_attributes\""));
}

bool detect(const SourceTree& tree) {
  for (const fs::path& file : tree.with_extension(".json"))
    if (is_via(tree, file)) return true;
  return false;
}

struct Region {
  AnnotatedObject object;
  json attributes;
};
struct Record {
  AnnotatedImage image;
  std::vector<Region> regions;
};

/// Geometry of a region. Returns the kind where it is no box.
std::string take_shape(const json& shape, AnnotatedObject& object) {
  const std::string kind = text_at(shape, "name");
  const auto number = [&](const char* key) {
    const auto value = number_at(shape, key);
    if (!value && object.fault.empty())
      object.fault =
          fmt::format("expected a number in {}, found {}", key, shown(member(shape, key)));
    return value.value_or(0);
  };
  if (kind == "rect") {
    const double x = number("x"), y = number("y"), w = number("width"), h = number("height");
    object.box = {x, y, x + w, y + h};
  } else if (kind == "circle") {
    const double x = number("cx"), y = number("cy"), r = number("r");
    object.box = {x - r, y - r, x + r, y + r};
  } else if (kind == "ellipse") {
    const double x = number("cx"), y = number("cy"), rx = number("rx"), ry = number("ry");
    const double radians = number_at(shape, "theta").value_or(0);
    constexpr double degrees = 57.29577951308232;
    object.box = box_of_ellipse(x, y, rx, ry, radians * degrees);
  } else if (kind == "polygon") {
    const auto xs = numbers_of(member(shape, "all_points_x")),
               ys = numbers_of(member(shape, "all_points_y"));
    if (!xs || !ys || xs->size() != ys->size() || xs->size() < 3) {
      object.fault =
          "expected all_points_x and all_points_y of one length, 3 or more, found " + shown(&shape);
      return "";
    }
    Ring ring;
    for (std::size_t i = 0; i < xs->size(); ++i) ring.push_back({(*xs)[i], (*ys)[i]});
    object.box = box_around({ring});
    object.rings.push_back(std::move(ring));
  } else {
    return kind.empty() ? "region without a shape" : kind;
  }
  return "";
}

void read_regions(const json& list, Record& record, Conversion& account) {
  std::size_t number = 0;
  for (const auto& item : list.items()) {  // a list, or in version 1 a map
    Region region;
    const json* shape = member(item.value(), "shape_attributes");
    const std::string kind = take_shape(shape == nullptr ? json() : *shape, region.object);
    if (!region.object.fault.empty())
      region.object.fault = fmt::format("regions[{}]: {}", number, region.object.fault);
    ++number;
    if (!kind.empty()) {
      ++account.not_boxes[kind];
      continue;
    }
    if (const json* attributes = member(item.value(), "region_attributes"))
      region.attributes = *attributes;
    record.regions.push_back(std::move(region));
  }
}

void read_record(const json& value, const fs::path& path, const Reading& reading,
                 std::vector<Record>& records) {
  check_stop(reading.stop);
  Record record;
  AnnotatedImage& image = record.image;
  image.annotation = path;
  image.shares_file = true;
  image.split = split_of_folders(path);
  image.written = text_at(value, "filename");
  if (const json* tags = member(value, "file_attributes")) image.tags = attributes_of(*tags);
  const json* regions = member(value, "regions");
  if (regions != nullptr && (regions->is_array() || regions->is_object()))
    read_regions(*regions, record, reading.account);
  else
    image.fault = "expected regions as a list or a map, found " + shown(regions);
  const fs::path folder = path.parent_path();
  reading.finder.assign(image, {folder, folder / "images"}, reading.account.notes);
  records.push_back(std::move(record));
}

/// Which attribute is the class. Empty: there is none at all.
std::string class_attribute(const std::vector<Record>& records, const Reading& reading) {
  if (!reading.options.class_attribute.empty()) return reading.options.class_attribute;
  std::set<std::string> names;
  for (const Record& record : records)
    for (const Region& region : record.regions)
      if (region.attributes.is_object())
        for (const auto& item : region.attributes.items()) names.insert(item.key());
  if (names.size() == 1) return *names.begin();
  if (names.empty()) {
    reading.account.notes.push_back(
        {reading.tree.root, 0, "no region has an attribute: all are of the one class 'object'"});
    return "";
  }
  throw usage_error(fmt::format("{}: expected the attribute that is the class in {}, one of {}",
                                setting_name("class-attribute"), reading.tree.root.string(),
                                text::printable(text::join({names.begin(), names.end()}, ", "))));
}

/// The classes of a region: a text, or the marked ones of a group of check boxes.
std::vector<std::string> classes_of(const Region& region, const std::string& attribute) {
  if (attribute.empty()) return {"object"};
  const json* value = member(region.attributes, attribute.c_str());
  if (value == nullptr) return {};
  if (value->is_object()) {
    std::vector<std::string> names;
    for (const auto& [name, one] : value->items())
      if (one.is_boolean() && one.get<bool>()) names.push_back(name);
    return names;
  }
  const std::string name = id_of(value).value_or("");
  return name.empty() ? std::vector<std::string>() : std::vector<std::string>{name};
}

void add_objects(Record& record, const std::string& attribute, AnnotatedSet& set,
                 std::map<std::string, int>& index) {
  for (Region& region : record.regions) {
    const std::vector<std::string> names = classes_of(region, attribute);
    for (Attribute& one : attributes_of(region.attributes))
      if (one.name != attribute) region.object.attributes.push_back(std::move(one));
    for (const std::string& name : names) {
      region.object.class_index = class_named(set, index, name);
      record.image.objects.push_back(region.object);
    }
    if (!names.empty()) continue;
    if (region.object.fault.empty()) region.object.fault = "no class name";
    record.image.objects.push_back(std::move(region.object));
  }
}

AnnotatedSet read(const Reading& reading) {
  std::vector<Record> records;
  for (const fs::path& path : reading.tree.with_extension(".json")) {
    if (!is_via(reading.tree, path)) continue;
    const json file = parse_json(reading.tree.read(path), (reading.tree.root / path).string());
    const json* wrapped = member(file, "_via_img_metadata");
    for (const auto& item : (wrapped == nullptr ? file : *wrapped).items())
      read_record(item.value(), path, reading, records);
  }
  AnnotatedSet set;
  std::map<std::string, int> index;
  const std::string attribute = class_attribute(records, reading);
  for (Record& record : records) {
    add_objects(record, attribute, set, index);
    set.images.push_back(std::move(record.image));
  }
  return set;
}

json region_json(const Writing& writing, const AnnotatedObject& object) {
  json shape;
  if (const Ring* polygon = sole_polygon(object)) {
    json xs = json::array(), ys = json::array();
    for (const Point& p : *polygon) xs.push_back(tidy(p.x)), ys.push_back(tidy(p.y));
    shape = {{"name", "polygon"}, {"all_points_x", xs}, {"all_points_y", ys}};
  } else {
    const Xyxy& box = object.box;
    shape = {{"name", "rect"},
             {"x", tidy(box.x1)},
             {"y", tidy(box.y1)},
             {"width", tidy(box.width())},
             {"height", tidy(box.height())}};
  }
  return {{"shape_attributes", shape},
          {"region_attributes", {{"class", class_name(writing, object)}}}};
}

void write(const Writing& writing) {
  const std::vector<fs::path> places =
      copy_images(writing, [](const std::string& split) { return split; });
  std::map<std::string, json> files;
  for (std::size_t i = 0; i < places.size(); ++i) {
    const AnnotatedImage& image = writing.set.images[i];
    std::error_code error;
    const auto bytes = fs::file_size(writing.folder / places[i], error);
    const std::string name = places[i].filename().string();
    json regions = json::array();
    for (const AnnotatedObject& object : image.objects)
      regions.push_back(region_json(writing, object));
    json& file = files[image.split];
    const std::string size = error ? "-1" : std::to_string(bytes);
    file[name + size] = {{"filename", name},
                         {"size", error ? std::int64_t{-1} : static_cast<std::int64_t>(bytes)},
                         {"regions", std::move(regions)},
                         {"file_attributes", json::object()}};
  }
  for (const auto& [split, file] : files)
    write_text_file(writing, fs::path(split) / "via_region_data.json", json_text(file, 1) + "\n");
}

}  // namespace

Format via_format() {
  Format format;
  format.name = "via";
  format.title = "VGG Image Annotator";
  format.spellings = {"vgg", "via-json"};
  format.description = "JSON with regions by file name; some attribute is the class";
  format.detect = detect;
  format.read = read;
  format.write = write;
  format.holds.polygon = format.holds.quad = Keep::yes;
  return format;
}

}  // namespace yolov7::dataset
