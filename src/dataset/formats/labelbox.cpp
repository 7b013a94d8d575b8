// Labelbox export 2: one JSON text per line and image. What stands behind addresses is not fetched.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/text.hpp"
#include "dataset/formats/all_formats.hpp"
#include "dataset/formats/json_fields.hpp"
#include "dataset/formats/json_files.hpp"
#include "dataset/formats/splits.hpp"

namespace yolov7::dataset {
namespace fs = std::filesystem;
using nlohmann::json;
namespace {

bool is_labelbox(const SourceTree& tree, const fs::path& file) {
  return text::contains(first_members(tree.head(file)), "data_row");
}

std::vector<fs::path> files_of(const SourceTree& tree) {
  std::vector<fs::path> files;
  for (const char* extension : {".ndjson", ".jsonl", ".json"})
    for (const fs::path& file : tree.with_extension(extension))
      if (is_labelbox(tree, file)) files.push_back(file);
  return files;
}

bool detect(const SourceTree& tree) { return !files_of(tree).empty(); }

/// What was answered to a question, as text; several answers joined.
std::string answer_of(const json& one) {
  if (const json* radio = member(one, "radio_answer")) return text_at(*radio, "name");
  if (const json* words = member(one, "text_answer")) return text_at(*words, "content");
  std::vector<std::string> names;
  if (const json* list = member(one, "checklist_answers"); list != nullptr && list->is_array())
    for (const json& answer : *list) names.push_back(text_at(answer, "name"));
  return text::join(names, ", ");
}

std::vector<Attribute> answers_of(const json* list) {
  std::vector<Attribute> answers;
  if (list != nullptr && list->is_array())
    for (const json& one : *list)
      if (const std::string name = text_at(one, "name"); !name.empty())
        answers.push_back({name, answer_of(one)});
  return answers;
}

struct Into {
  AnnotatedSet& set;
  std::map<std::string, int>& index;
  Conversion& account;
};

void take_object(const json& value, std::size_t number, AnnotatedImage& image, const Into& into) {
  AnnotatedObject object;
  const json *box = member(value, "bounding_box"), *polygon = member(value, "polygon");
  if (box == nullptr && polygon == nullptr) {
    std::string kind = text_at(value, "annotation_kind");
    for (const char* one : {"mask", "line", "point", "location", "segments"})
      if (kind.empty() && member(value, one) != nullptr) kind = one;
    ++into.account.not_boxes[kind.empty() ? "object without a box" : kind];
    return;
  }
  if (polygon != nullptr) take_ring(ring_of_points(polygon), polygon, object);
  if (box != nullptr && object.fault.empty())
    take_box(box, "left", "top", "width", "height", object);
  std::string name = text_at(value, "name");
  if (name.empty()) name = text_at(value, "value");
  if (!name.empty()) object.class_index = class_named(into.set, into.index, name);
  if (name.empty() && object.fault.empty()) object.fault = "no class name";
  object.id = id_at(value, "feature_id");
  object.attributes = answers_of(member(value, "classifications"));
  name_fault(object, "objects", number);
  image.objects.push_back(std::move(object));
}

/// The labels of all projects, in their order.
std::vector<const json*> labels_of(const json& row) {
  std::vector<const json*> labels;
  const json* projects = member(row, "projects");
  if (projects == nullptr || !projects->is_object()) return labels;
  for (const json& project : *projects)
    if (const json* list = member(project, "labels"); list != nullptr && list->is_array())
      for (const json& label : *list) labels.push_back(&label);
  return labels;
}

void take_row(const json& row, AnnotatedImage& image, const Into& into) {
  const json* about = member(row, "data_row");
  if (about == nullptr) throw Error("expected data_row, found " + shown(&row));
  for (const char* key : {"external_id", "global_key", "row_data", "id"})
    if (image.written.empty()) image.written = text_at(*about, key);
  image.id = id_at(*about, "id");
  if (const json* media = member(row, "media_attributes")) {
    image.written_width = size_at(*media, "width");
    image.written_height = size_at(*media, "height");
  }
  const std::vector<const json*> labels = labels_of(row);
  if (labels.empty()) {
    image.state = ImageState::not_annotated;
    return;
  }
  if (labels.size() > 1)
    into.account.notes.push_back(
        {image.annotation, image.line,
         fmt::format("image '{}' has {} labels (of several people or projects): the first one "
                     "counts",
                     text::printable(image.written), labels.size())});
  const json* annotations = member(*labels.front(), "annotations");
  if (annotations == nullptr) throw Error("expected annotations, found " + shown(labels.front()));
  if (member(*annotations, "frames") != nullptr)
    ++into.account.not_boxes["annotations over frames of a video"];
  const json* objects = member(*annotations, "objects");
  if (objects != nullptr && !objects->is_array())
    throw Error("expected objects as a list, found " + shown(objects));
  for (std::size_t i = 0; objects != nullptr && i < objects->size(); ++i)
    take_object((*objects)[i], i, image, into);
  image.tags = answers_of(member(*annotations, "classifications"));
  if (image.objects.empty()) image.state = ImageState::empty_on_purpose;
}

AnnotatedSet read(const Reading& reading) {
  AnnotatedSet set;
  std::map<std::string, int> index;
  const Into into{set, index, reading.account};
  for (const fs::path& path : files_of(reading.tree)) {
    const std::size_t first = set.images.size();
    each_json_line(reading, set, path,
                   [&](const json& row, AnnotatedImage& image) { take_row(row, image, into); });
    const fs::path folder = path.parent_path();
    for (std::size_t i = first; i < set.images.size(); ++i) {
      set.images[i].split = split_of_file(path);
      if (set.images[i].fault.empty())
        reading.finder.assign(set.images[i], {folder, folder / "images"}, reading.account.notes);
    }
  }
  return set;
}

}  // namespace

Format labelbox_format() {
  Format format;
  format.name = "labelbox";
  format.title = "Labelbox NDJSON";
  format.spellings = {"labelbox-ndjson"};
  format.description = "a JSON text per line with data_row and projects";
  format.detect = detect;
  format.read = read;
  return format;
}

}  // namespace yolov7::dataset
