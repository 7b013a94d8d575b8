// What CVAT's REST interface gives as annotations of a task or job, and annotations.json of its
// backups: shapes and tracks by frame number. Labels and frames stand in other files beside it.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/json.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "dataset/formats/all_formats.hpp"
#include "dataset/formats/cvat_tracks.hpp"
#include "dataset/formats/json_fields.hpp"
#include "dataset/formats/json_files.hpp"
#include "dataset/formats/splits.hpp"

namespace yolov7::dataset {
namespace fs = std::filesystem;
using nlohmann::json;
namespace {

constexpr int most_frames = 10'000'000;

bool sign(const std::vector<std::string>& members, std::string_view) {
  const auto has = [&](const char* name) { return text::contains(members, name); };
  return has("shapes") && has("tracks") && has("tags");
}

bool detect(const SourceTree& tree) { return any_json_file(tree, sign); }

struct FrameName {
  std::string name;
  int width = 0, height = 0;
};

/// What the files beside the annotations say.
struct Task {
  std::vector<std::string> names;                   ///< in their order
  std::map<std::string, std::string> label_of;      ///< id → name
  std::map<std::string, std::string> attribute_of;  ///< id of its definition → name
  std::vector<FrameName> frames;                    ///< empty: the images in order of their names
};

void take_labels(const json& list, Task& task) {
  for (const json& one : list) {
    const std::string name = text_at(one, "name"), id = id_at(one, "id");
    if (name.empty() || member(one, "parent_id") != nullptr) continue;
    if (!text::contains(task.names, name)) task.names.push_back(name);
    if (!id.empty()) task.label_of.emplace(id, name);
    if (const json* attributes = member(one, "attributes");
        attributes != nullptr && attributes->is_array())
      for (const json& attribute : *attributes)
        task.attribute_of.emplace(id_at(attribute, "id"), text_at(attribute, "name"));
  }
}

void take_frame(const json& one, Task& task) {
  const std::string name = text_at(one, "name");
  if (name.empty()) return;  // the first lines of a manifest say what it is
  const std::string extension = text_at(one, "extension");
  task.frames.push_back({name + extension, size_at(one, "width"), size_at(one, "height")});
}

Task read_task(const Reading& reading) {
  constexpr std::uint64_t most_bytes = 256u << 20;
  Task task;
  for (const fs::path& path : reading.tree.with_extension(".json")) {
    const auto members = first_members(reading.tree.head(path));
    const auto has = [&](const char* name) { return text::contains(members, name); };
    const bool list = has("[") && has("name") && has("id");
    const bool frames = has("frames") && (has("start_frame") || has("chunk_size"));
    if ((!list && !has("results") && !has("labels") && !frames) || sign(members, "")) continue;
    const json file = parse_json(reading.tree.read(path, most_bytes), path.string());
    for (const char* key : {"results", "labels"})
      if (const json* labels = member(file, key); labels != nullptr && labels->is_array())
        take_labels(*labels, task);
    if (list && file.is_array()) take_labels(file, task);
    if (const json* all = member(file, "frames"); frames && all != nullptr && all->is_array())
      for (const json& one : *all) take_frame(one, task);
  }
  for (const fs::path& path : reading.tree.with_extension(".jsonl")) {
    if (path.filename() != "manifest.jsonl" || !task.frames.empty()) continue;
    const std::string content = reading.tree.read(path, most_bytes);
    for (const std::string_view line : text::lines(content))
      if (!text::trim(line).empty()) take_frame(parse_json(line, path.string()), task);
  }
  return task;
}

/// Numbers of a mask: runs row by row over a window whose corners (inclusive) are the last four.
std::string take_mask(const std::vector<double>& n, AnnotatedObject& object) {
  if (n.size() < 5) return "expected runs and the window of a mask";
  const std::size_t k = n.size() - 4;
  object.box = {n[k], n[k + 1], n[k + 2] + 1, n[k + 3] + 1};
  return "";
}

/// Returns the kind where the shape is no box.
std::string take_shape(const json& shape, AnnotatedObject& object) {
  const std::string kind = text_at(shape, "type");
  if (kind != "rectangle" && kind != "polygon" && kind != "ellipse" && kind != "mask")
    return kind.empty() ? "shape without a type" : kind;
  const json* written = member(shape, "points");
  const auto n = numbers_of(written);
  const std::size_t least = kind == "polygon" ? 6 : 4;
  if (!n || n->size() < least || (kind != "mask" && n->size() % 2 != 0)) {
    object.fault = fmt::format("expected {} numbers or more as points of a {}, found {}", least,
                               kind, shown(written));
    return "";
  }
  const double degrees = number_at(shape, "rotation").value_or(0);
  if (kind == "mask") {
    object.fault = take_mask(*n, object);
  } else if (kind == "polygon") {
    take_ring(ring_of(written), written, object);
  } else if (kind == "ellipse") {  // centre, then the right end and the upper end
    object.box = box_of_ellipse((*n)[0], (*n)[1], (*n)[2] - (*n)[0], (*n)[1] - (*n)[3], degrees);
  } else {
    object.box = {(*n)[0], (*n)[1], (*n)[2], (*n)[3]};
    if (degrees != 0) {
      object.rotation = Rotation{object.box, degrees};
      object.box = box_around({corners_of(*object.rotation)});
    }
  }
  return "";
}

struct File {
  const Reading& reading;
  fs::path path;
  const Task& task;
  AnnotatedSet& set;
  std::map<std::string, int>& index;
  ObjectsByFrame objects = {};
  std::map<int, std::vector<Attribute>> tags = {};
  int last = -1;  ///< frame that is named
  std::size_t masks = 0;
};

std::string label_of(const json& value, const File& file) {
  if (const std::string name = text_at(value, "label"); !name.empty()) return name;
  const auto known = file.task.label_of.find(id_at(value, "label_id"));
  return known == file.task.label_of.end() ? "" : known->second;
}

void take_label(const json& value, File& file, AnnotatedObject& object) {
  const std::string name = label_of(value, file);
  if (!name.empty())
    object.class_index = class_named(file.set, file.index, name);
  else if (object.fault.empty())
    object.fault = fmt::format("no class: label_id is {}, which no file of labels beside it names",
                               shown(member(value, "label_id")));
}

void take_attributes(const json& value, const File& file, AnnotatedObject& object) {
  const json* list = member(value, "attributes");
  if (list == nullptr || !list->is_array()) return;
  for (const json& one : *list) {
    const std::string id = id_at(one, "spec_id");
    const auto known = file.task.attribute_of.find(id);
    std::string name = text_at(one, "name");
    if (name.empty())
      name = known != file.task.attribute_of.end() ? known->second : "attribute " + id;
    const json* found = member(one, "value");
    Attribute attribute{
        name, found != nullptr && found->is_string() ? found->get<std::string>() : shown(found)};
    if (!take_mark(attribute, object)) object.attributes.push_back(std::move(attribute));
  }
}

/// The frame of a shape; nothing where it is none.
std::optional<int> frame_of(const json& value) {
  const auto frame = number_at(value, "frame");
  if (!frame || !(*frame >= 0) || *frame > most_frames || *frame != static_cast<int>(*frame))
    return std::nullopt;
  return static_cast<int>(*frame);
}

/// An object of a shape without its class, or nothing: it is no box, or is dropped by name.
std::optional<AnnotatedObject> object_of(const json& shape, const std::string& where, File& file) {
  AnnotatedObject object;
  if (const std::string kind = take_shape(shape, object); !kind.empty()) {
    ++file.reading.account.not_boxes[kind];
    return std::nullopt;
  }
  if (!frame_of(shape)) {
    ++file.reading.account.boxes.in;
    file.reading.account.drop({"box", file.path, 0, 1,
                               fmt::format("{}: expected a frame 0..{}, found {}", where,
                                           most_frames, shown(member(shape, "frame")))});
    return std::nullopt;
  }
  file.masks += text_at(shape, "type") == "mask" ? 1 : 0;
  file.last = std::max(file.last, *frame_of(shape));
  object.occluded = flag_at(shape, "occluded");
  object.z_order = static_cast<int>(std::clamp(number_at(shape, "z_order").value_or(0), -1e9, 1e9));
  object.id = id_at(shape, "id");
  object.source = text_at(shape, "source");
  if (const std::string group = id_at(shape, "group"); group != "0") object.group = group;
  take_attributes(shape, file, object);
  return object;
}

void read_shapes(const json& list, File& file) {
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::string where = fmt::format("shapes[{}]", i);
    auto object = object_of(list[i], where, file);
    if (!object) continue;
    if (flag_at(list[i], "outside")) {
      ++file.reading.account.boxes.in;
      file.reading.account.drop({"box", file.path, 0, 1, where + ": it is marked as outside"});
      continue;
    }
    take_label(list[i], file, *object);
    name_fault(*object, "shapes", i);
    file.objects[*frame_of(list[i])].push_back(std::move(*object));
  }
}

std::vector<AnnotatedObject> shapes_of_track(const json& track, std::size_t number, File& file) {
  std::vector<AnnotatedObject> shapes;
  const json* list = member(track, "shapes");
  if (list == nullptr || !list->is_array()) return shapes;
  const std::string id = id_at(track, "id");
  for (std::size_t i = 0; i < list->size(); ++i) {
    const json& shape = (*list)[i];
    auto object = object_of(shape, fmt::format("tracks[{}].shapes[{}]", number, i), file);
    if (!object) continue;
    object->track = TrackPlace{id.empty() ? std::to_string(number) : id, *frame_of(shape), true,
                               flag_at(shape, "outside")};
    take_label(track, file, *object);
    take_attributes(track, file, *object);
    name_fault(*object, "tracks", number);
    if (const std::string group = id_at(track, "group"); group != "0") object->group = group;
    shapes.push_back(std::move(*object));
  }
  return shapes;
}

void read_tag(const json& tag, File& file) {
  std::map<std::string, std::size_t>& not_boxes = file.reading.account.not_boxes;
  const auto frame = frame_of(tag);
  if (!frame) {
    ++not_boxes["tag without a frame"];
    return;
  }
  const std::string name = label_of(tag, file);
  if (name.empty())
    ++not_boxes["tag without a label"];
  else
    file.tags[*frame].push_back({name, true});
  file.last = std::max(file.last, *frame);
  const json* attributes = member(tag, "attributes");
  if (attributes != nullptr && attributes->is_array() && !attributes->empty())
    not_boxes["attribute of a tag"] += attributes->size();
}

void read_body(const json& body, File& file) {
  const auto list_of = [&](const char* name) {
    const json* list = member(body, name);
    if (list != nullptr && !list->is_array())
      throw Error(fmt::format("{}: expected {} as a list, found {}",
                              (file.reading.tree.root / file.path).string(), name, shown(list)));
    return list;
  };
  if (const json* shapes = list_of("shapes")) read_shapes(*shapes, file);
  if (const json* tags = list_of("tags"))
    for (const json& tag : *tags) read_tag(tag, file);
  std::vector<std::vector<AnnotatedObject>> tracks;
  if (const json* list = list_of("tracks"))
    for (std::size_t i = 0; i < list->size(); ++i)
      tracks.push_back(shapes_of_track((*list)[i], i, file));
  CvatFrames frames;
  frames.source = (file.reading.tree.root / file.path).string();
  frames.stop =
      file.task.frames.empty() ? file.last : static_cast<int>(file.task.frames.size()) - 1;
  for (std::vector<AnnotatedObject>& shapes : tracks)
    add_track(std::move(shapes), frames, file.objects);
  // Frames without an object, as far as there are images.
  const std::size_t images = std::max(file.task.frames.size(), file.reading.tree.images.size());
  for (int frame = 0; frame <= frames.stop && static_cast<std::size_t>(frame) < images; ++frame)
    file.objects[frame];
}

void add_images(File& file) {
  const std::vector<TreeImage>& images = file.reading.tree.images;
  for (auto& [frame, objects] : file.objects) {
    check_stop(file.reading.stop);
    const auto place = static_cast<std::size_t>(frame);
    AnnotatedImage image;
    image.annotation = file.path;
    image.shares_file = true;
    image.id = std::to_string(frame);
    image.split = split_of_file(file.path);
    image.objects = std::move(objects);
    if (const auto tags = file.tags.find(frame); tags != file.tags.end()) image.tags = tags->second;
    if (place < file.task.frames.size()) {
      const FrameName& known = file.task.frames[place];
      image.written = known.name;
      image.written_width = known.width, image.written_height = known.height;
      file.reading.finder.assign(image, {file.path.parent_path(), file.path.parent_path() / "data"},
                                 file.reading.account.notes);
    } else if (file.task.frames.empty() && place < images.size()) {
      image.written = images[place].relative.generic_string();
      image.picture = place;
    } else {
      image.written = fmt::format("frame {}", frame);
      image.missing = true;
      image.fault = fmt::format("no image: frame {} of {}", frame,
                                file.task.frames.empty() ? images.size() : file.task.frames.size());
    }
    file.set.images.push_back(std::move(image));
  }
  if (file.task.frames.empty() && !images.empty())
    file.reading.account.notes.push_back(
        {file.path, 0,
         "no file names the frames: frame 0, 1, … are the images in the order of their names"});
  if (file.masks > 0)
    file.reading.account.notes.push_back(
        {file.path, 0,
         fmt::format("the pixels of {} masks are not read: their boxes are", file.masks)});
}

AnnotatedSet read(const Reading& reading) {
  AnnotatedSet set;
  std::map<std::string, int> index;
  const Task task = read_task(reading);
  for (const std::string& name : task.names) class_named(set, index, name);
  for (const fs::path& path : reading.tree.with_extension(".json")) {
    check_stop(reading.stop);
    if (!has_sign(reading.tree, path, sign)) continue;
    const json content = parse_json(reading.tree.read(path), (reading.tree.root / path).string());
    File file{reading, path, task, set, index};
    if (content.is_array())
      for (const json& job : content) read_body(job, file);
    else
      read_body(content, file);
    add_images(file);
  }
  return set;
}

}  // namespace

Format cvat_rest_format() {
  Format format;
  format.name = "cvat-rest";
  format.title = "CVAT REST JSON";
  format.spellings = {"cvat-json", "cvat-backup"};
  format.description = "JSON with shapes, tracks and tags by frame, of CVAT's REST interface";
  format.detect = detect;
  format.read = read;
  return format;
}

}  // namespace yolov7::dataset
