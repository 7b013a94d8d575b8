// Scalabel and BDD100K: a list of frames with labels, alone or beside a configuration.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/json.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "dataset/formats/all_formats.hpp"
#include "dataset/formats/coco_object.hpp"
#include "dataset/formats/json_fields.hpp"
#include "dataset/formats/json_files.hpp"
#include "dataset/formats/mask_runs.hpp"
#include "dataset/formats/splits.hpp"

namespace yolov7::dataset {
namespace fs = std::filesystem;
using nlohmann::json;
namespace {

bool sign(const std::vector<std::string>& members, std::string_view) {
  const auto has = [&](const char* name) { return text::contains(members, name); };
  if (has("frames")) return has("config") || has("groups");
  return has("[") && has("name") &&
         (has("labels") || has("videoName") || has("frameIndex") || has("timestamp"));
}

bool detect(const SourceTree& tree) { return any_json_file(tree, sign); }

struct File {
  const Reading& reading;
  fs::path path;
  AnnotatedSet& set;
  std::map<std::string, int>& index;
  int width = 0, height = 0;  ///< of the configuration
};

void take_attributes(const json& label, AnnotatedObject& object) {
  object.id = id_at(label, "id");
  object.score = number_at(label, "score");
  const json* attributes = member(label, "attributes");
  if (attributes == nullptr) return;
  for (Attribute& one : attributes_of(*attributes)) {
    if (one.name == "ignored") {
      object.ignore = is_true(one.value);
    } else if (one.name == "crowd") {
      object.crowd = is_true(one.value);
    } else if (!take_mark(one, object)) {
      object.attributes.push_back(std::move(one));
    }
  }
}

/// The closed polygons of poly2d. False: there are lines or curves, which are no regions of points.
bool take_polygons(const json& list, AnnotatedObject& object) {
  if (!list.is_array()) return false;
  for (const json& one : list) {
    const auto ring = ring_of(member(one, "vertices"));
    if (!flag_at(one, "closed") || !ring || ring->size() < 3 ||
        text_at(one, "types").find('C') != std::string::npos)
      return false;
    object.rings.push_back(*ring);
  }
  return !object.rings.empty();
}

/// Returns the kind where the label is no box.
std::string take_shape(const json& label, AnnotatedObject& object) {
  const json *box = member(label, "box2d"), *rle = member(label, "rle"),
             *polygons = member(label, "poly2d");
  if (rle != nullptr)
    if (const std::string fault = read_coco_segmentation(rle, object);
        !fault.empty() && box == nullptr)
      object.fault = fault;
  const bool closed = polygons != nullptr && take_polygons(*polygons, object);
  if (!closed) object.rings.clear();
  if (box != nullptr) {
    const char* names[] = {"x1", "y1", "x2", "y2"};
    std::optional<double> n[4];
    for (int i = 0; i < 4; ++i) n[i] = number_at(*box, names[i]);
    if (n[0] && n[1] && n[2] && n[3])
      object.box = {*n[0], *n[1], *n[2], *n[3]};
    else
      object.fault = "expected box2d with x1, y1, x2 and y2 as numbers, found " + shown(box);
    return "";
  }
  if (closed || object.mask || !object.fault.empty()) {
    if (closed)
      object.box = box_around(object.rings);
    else if (object.mask)
      object.box = box_of(*object.mask);
    return "";
  }
  for (const char* kind : {"poly2d", "box3d", "graph"})
    if (member(label, kind) != nullptr) return kind;
  return "label without a box";
}

void read_config(const json& config, File& file) {
  if (const json* size = member(config, "imageSize")) {
    file.width = size_at(*size, "width");
    file.height = size_at(*size, "height");
  }
  if (const json* categories = member(config, "categories");
      categories != nullptr && categories->is_array())
    for (const json& one : *categories)
      if (const std::string name = text_at(one, "name"); !name.empty())
        class_named(file.set, file.index, name);
}

void read_frame(const json& frame, File& file) {
  AnnotatedImage image;
  image.annotation = file.path;
  image.shares_file = true;
  image.split = split_of_file(file.path);
  image.written = text_at(frame, "name");
  image.written_width = file.width, image.written_height = file.height;
  if (const json* size = member(frame, "size")) {
    image.written_width = size_at(*size, "width");
    image.written_height = size_at(*size, "height");
  }
  if (const json* attributes = member(frame, "attributes")) image.tags = attributes_of(*attributes);
  const json* labels = member(frame, "labels");
  if (labels != nullptr && !labels->is_array())
    image.fault = "expected labels as a list, found " + shown(labels);
  for (std::size_t i = 0; image.fault.empty() && labels != nullptr && i < labels->size(); ++i) {
    const json& label = (*labels)[i];
    AnnotatedObject object;
    if (const std::string kind = take_shape(label, object); !kind.empty()) {
      ++file.reading.account.not_boxes[kind];
      continue;
    }
    const std::string name = text_at(label, "category");
    if (!name.empty()) object.class_index = class_named(file.set, file.index, name);
    if (name.empty() && object.fault.empty()) object.fault = "no category";
    take_attributes(label, object);
    name_fault(object, "labels", i);
    image.objects.push_back(std::move(object));
  }
  if (image.objects.empty())
    image.state = labels == nullptr ? ImageState::not_annotated : ImageState::empty_on_purpose;
  const fs::path folder = file.path.parent_path();
  std::vector<fs::path> folders = {folder, folder / "images", folder / "../images"};
  if (const std::string video = text_at(frame, "videoName"); !video.empty())
    folders.insert(folders.end(), {folder / video, folder / "images" / video});
  if (image.fault.empty()) file.reading.finder.assign(image, folders, file.reading.account.notes);
  file.set.images.push_back(std::move(image));
}

AnnotatedSet read(const Reading& reading) {
  AnnotatedSet set;
  std::map<std::string, int> index;
  for (const fs::path& path : reading.tree.with_extension(".json")) {
    if (!has_sign(reading.tree, path, sign)) continue;
    File file{reading, path, set, index};
    std::vector<json> frames;
    stream_json(reading.tree.read(path), (reading.tree.root / path).string(),
                [&](const std::string& name, json& piece) {
                  check_stop(reading.stop);
                  if (name == "config")
                    read_config(piece, file);
                  else if (name == "frames")
                    frames.push_back(std::move(piece));
                  else if (name.empty())
                    read_frame(piece, file);
                });
    for (const json& frame : frames) read_frame(frame, file);  // the configuration may come last
  }
  return set;
}

}  // namespace

Format scalabel_format() {
  Format format;
  format.name = "scalabel";
  format.title = "Scalabel / BDD100K JSON";
  format.spellings = {"scalabel-bdd", "bdd", "bdd100k"};
  format.description = "a JSON list of frames with labels";
  format.detect = detect;
  format.read = read;
  return format;
}

}  // namespace yolov7::dataset
