#include "evaluation/coco_json.hpp"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <unordered_set>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/json.hpp"
#include "core/text.hpp"

namespace yolov7::evaluation {
namespace {

using nlohmann::json;

/// One element of a list, with its place for messages.
struct Element {
  const json& value;
  std::string place;

  const json& at(const char* key) const {
    if (!value.is_object()) throw Error(fmt::format("{}: expected an object", place));
    const auto found = value.find(key);
    if (found == value.end()) throw Error(fmt::format("{}: expected a key '{}', found none", place, key));
    return *found;
  }
  std::int64_t integer(const char* key) const {
    const json& v = at(key);
    if (v.is_number_integer()) return v.get<std::int64_t>();
    if (v.is_number_float() && v.get<double>() == std::floor(v.get<double>()) && std::abs(v.get<double>()) < 9e15) return static_cast<std::int64_t>(v.get<double>());
    throw Error(fmt::format("{}: {}: expected a whole number, found {}", place, key, v.dump().substr(0, 40)));
  }
  static double finite(const json& v, const std::string& where) {
    if (!v.is_number() || !std::isfinite(v.get<double>())) throw Error(fmt::format("{}: expected a number, found {}", where, v.dump().substr(0, 40)));
    return v.get<double>();
  }
  double number(const char* key) const { return finite(at(key), fmt::format("{}: {}", place, key)); }
  Ltwh box() const {
    const json& v = at("bbox");
    const std::string where = place + ": bbox";
    if (!v.is_array() || v.size() != 4) throw Error(fmt::format("{}: expected 4 numbers, found {}", where, v.is_array() ? std::to_string(v.size()) : v.dump().substr(0, 40)));
    return {finite(v[0], where), finite(v[1], where), finite(v[2], where), finite(v[3], where)};
  }
};

template <class Function>
void each(const json& list, const std::string& place, Function function) {
  if (!list.is_array()) throw Error(fmt::format("{}: expected a list", place));
  for (std::size_t i = 0; i < list.size(); ++i) function(Element{list[i], fmt::format("{}[{}]", place, i)});
}

/// COCO's 80 classes have the ids 1 … 90 with gaps.
int coco_91(int class_index) {
  static constexpr int gaps[] = {12, 26, 29, 30, 45, 66, 68, 69, 71, 83};
  int id = class_index + 1;
  for (const int gap : gaps)
    if (id >= gap) ++id;
  return id;
}

double rounded(double value, double scale) { return std::nearbyint(value * scale) / scale; }

}  // namespace

CocoGroundTruth read_ground_truth(const std::filesystem::path& path) {
  const json root = read_json(path);
  const std::string source = path.string();
  if (!root.is_object()) throw Error(fmt::format("{}: expected an object with images, categories and annotations", source));
  const Element top{root, source};
  CocoGroundTruth truth;
  each(top.at("images"), source + ": images", [&](const Element& e) { truth.images.push_back(e.integer("id")); });
  each(top.at("categories"), source + ": categories", [&](const Element& e) {
    const auto name = e.value.find("name");
    truth.categories.push_back({e.integer("id"), name != e.value.end() && name->is_string() ? name->get<std::string>() : ""});
  });
  each(top.at("annotations"), source + ": annotations", [&](const Element& e) {
    CocoAnnotation a;
    a.id = e.integer("id");
    if (a.id == 0) throw Error(fmt::format("{}: id 0 is reserved (it would mean \"unmatched\")", e.place));
    a.image = e.integer("image_id");
    a.category = e.integer("category_id");
    a.box = e.box();
    a.area = e.value.contains("area") ? e.number("area") : a.box.width * a.box.height;
    a.crowd = e.value.contains("iscrowd") && (e.at("iscrowd").is_boolean() ? e.at("iscrowd").get<bool>() : e.integer("iscrowd") != 0);
    truth.annotations.push_back(a);
  });
  return truth;
}

std::vector<CocoDetection> read_detections(const std::filesystem::path& path, const CocoGroundTruth& ground_truth) {
  const json root = read_json(path);
  const std::unordered_set<std::int64_t> known(ground_truth.images.begin(), ground_truth.images.end());
  std::vector<CocoDetection> detections;
  each(root, path.string(), [&](const Element& e) {
    CocoDetection d{e.integer("image_id"), e.integer("category_id"), e.box(), e.number("score")};
    if (known.count(d.image) == 0) throw Error(fmt::format("{}: picture {} is not in the ground truth", e.place, d.image));
    detections.push_back(d);
  });
  return detections;
}

Ltwh to_ltwh(const Xyxy& box) { return {box.x1, box.y1, box.x2 - box.x1, box.y2 - box.y1}; }

CocoGroundTruth ground_truth_of(const dataset::Index& index) {
  CocoGroundTruth truth;
  for (std::size_t c = 0; c < index.names.size(); ++c) truth.categories.push_back({static_cast<std::int64_t>(c) + 1, index.names[c]});
  for (std::size_t i = 0; i < index.entries.size(); ++i) {
    const dataset::Entry& entry = index.entries[i];
    truth.images.push_back(static_cast<std::int64_t>(i) + 1);
    for (const dataset::Label& label : entry.labels) {
      const Ltwh box = to_ltwh(clip(to_pixels(label.box, entry.width, entry.height), entry.width, entry.height));
      const auto id = static_cast<std::int64_t>(truth.annotations.size()) + 1;
      truth.annotations.push_back({id, static_cast<std::int64_t>(i) + 1, label.class_index + 1, box, box.width * box.height, false});
    }
  }
  return truth;
}

void write_detections(const std::filesystem::path& path, const std::vector<PictureDetections>& pictures, const dataset::Index& index, bool coco_ids) {
  json list = json::array();
  for (const PictureDetections& picture : pictures) {
    const std::string stem = index.entries[picture.entry].picture.stem().string();
    const bool digits = !stem.empty() && stem.find_first_not_of("0123456789") == std::string::npos && text::parse_int(stem).has_value();
    const json id = digits ? json(*text::parse_int(stem)) : json(stem);
    for (const Detection& d : picture.detections) {
      const Ltwh box = to_ltwh(d.box);
      list.push_back({{"image_id", id}, {"category_id", coco_ids ? coco_91(d.class_index) : d.class_index},
                      {"bbox", {rounded(box.left, 1000), rounded(box.top, 1000), rounded(box.width, 1000), rounded(box.height, 1000)}},
                      {"score", rounded(static_cast<double>(d.score), 100000)}});
    }
  }
  file::write_atomically(path, json_text(list) + "\n");
}

}  // namespace yolov7::evaluation
