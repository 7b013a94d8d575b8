// Microsoft VoTT: one JSON export with all assets, or one "<id>-asset.json" per image.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/json.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "dataset/formats/all_formats.hpp"
#include "dataset/formats/json_fields.hpp"
#include "dataset/formats/json_files.hpp"
#include "dataset/formats/splits.hpp"

namespace yolov7::dataset {
namespace fs = std::filesystem;
using nlohmann::json;
namespace {

bool is_export(const std::vector<std::string>& members, std::string_view) {
  return text::contains(members, "assets");
}
bool is_asset(const std::vector<std::string>& members, std::string_view) {
  return text::contains(members, "asset") && text::contains(members, "regions");
}

bool detect(const SourceTree& tree) {
  return any_json_file(tree, is_export) || any_json_file(tree, is_asset);
}

struct Into {
  AnnotatedSet& set;
  std::map<std::string, int>& index;
};

/// One object per tag; a region without a tag has no class.
void take_region(const json& region, std::size_t number, AnnotatedImage& image, const Into& into) {
  AnnotatedObject object;
  object.id = id_at(region, "id");
  const std::string kind = text_at(region, "type");
  if (const json* box = member(region, "boundingBox"))
    take_box(box, "left", "top", "width", "height", object);
  else
    take_ring(ring_of_points(member(region, "points")), member(region, "points"), object);
  if (kind == "POLYGON" && object.rings.empty() && object.fault.empty())
    if (const auto ring = ring_of_points(member(region, "points")); ring && ring->size() >= 3)
      object.rings.push_back(*ring);
  std::vector<std::string> names;
  if (const json* tags = member(region, "tags"); tags != nullptr && tags->is_array())
    for (const json& tag : *tags)
      if (tag.is_string() && !tag.get_ref<const std::string&>().empty())
        names.push_back(tag.get<std::string>());
  if (names.empty() && object.fault.empty()) object.fault = "no class: it has no tag";
  name_fault(object, "regions", number);
  if (names.empty()) image.objects.push_back(object);
  for (const std::string& name : names) {
    image.objects.push_back(object);
    image.objects.back().class_index = class_named(into.set, into.index, name);
  }
}

void take_asset(const json& value, AnnotatedImage& image, const Into& into) {
  const json* asset = member(value, "asset");
  if (asset == nullptr) throw Error("expected an asset, found " + shown(&value));
  image.written = text_at(*asset, "name");
  if (image.written.empty()) image.written = text_at(*asset, "path");
  image.id = id_at(*asset, "id");
  if (const json* size = member(*asset, "size")) {
    image.written_width = size_at(*size, "width");
    image.written_height = size_at(*size, "height");
  }
  const json* regions = member(value, "regions");
  if (regions != nullptr && !regions->is_array())
    throw Error("expected regions as a list, found " + shown(regions));
  for (std::size_t i = 0; regions != nullptr && i < regions->size(); ++i)
    take_region((*regions)[i], i, image, into);
  if (!image.objects.empty()) return;
  image.state = number_at(*asset, "state").value_or(0) == 0 ? ImageState::not_annotated
                                                            : ImageState::empty_on_purpose;
}

void read_export(const fs::path& path, const Reading& reading, const Into& into) {
  const json file = parse_json(reading.tree.read(path), (reading.tree.root / path).string());
  if (const json* tags = member(file, "tags"); tags != nullptr && tags->is_array())
    for (const json& tag : *tags)
      if (const std::string name = text_at(tag, "name"); !name.empty()) {
        const int place = class_named(into.set, into.index, name);
        into.set.classes[static_cast<std::size_t>(place)].colour = text_at(tag, "color");
      }
  const json* assets = member(file, "assets");
  if (assets == nullptr || (!assets->is_object() && !assets->is_array()))
    throw Error(fmt::format("{}: expected assets by their ids, found {}",
                            (reading.tree.root / path).string(), shown(assets)));
  for (const json& one : *assets) {
    check_stop(reading.stop);
    AnnotatedImage image;
    image.annotation = path;
    image.shares_file = true;
    image.split = split_of_file(path);
    try {
      take_asset(one, image, into);
      reading.finder.assign(image, {path.parent_path(), path.parent_path() / ".."},
                            reading.account.notes);
    } catch (const Error& error) {
      image.fault = error.what();
    }
    into.set.images.push_back(std::move(image));
  }
}

AnnotatedSet read(const Reading& reading) {
  AnnotatedSet set;
  std::map<std::string, int> index;
  const Into into{set, index};
  bool whole = false;
  for (const fs::path& path : reading.tree.with_extension(".json"))
    if (has_sign(reading.tree, path, is_export)) {
      whole = true;
      read_export(path, reading, into);
    }
  if (!whole)
    read_json_files(reading, set, is_asset, {}, [&](const json& file, AnnotatedImage& image) {
      take_asset(file, image, into);
    });
  return set;
}

}  // namespace

Format vott_format() {
  Format format;
  format.name = "vott";
  format.title = "VoTT JSON";
  format.spellings = {"vott-json"};
  format.description = "a JSON with assets and their regions; a region may have several tags";
  format.detect = detect;
  format.read = read;
  return format;
}

}  // namespace yolov7::dataset
