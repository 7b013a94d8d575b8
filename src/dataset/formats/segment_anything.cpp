// SA-1B, the data set of Segment Anything: one JSON file per image, with masks and boxes and
// without classes.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/text.hpp"
#include "dataset/formats/all_formats.hpp"
#include "dataset/formats/coco_object.hpp"
#include "dataset/formats/json_fields.hpp"
#include "dataset/formats/json_files.hpp"

namespace yolov7::dataset {
using nlohmann::json;
namespace {

/// Members `image` and `annotations`, none of COCO's or other formats', and an `image_id` in the
/// first bytes.
bool sign(const std::vector<std::string>& members, std::string_view head) {
  const auto has = [&](const char* name) { return text::contains(members, name); };
  return has("image") && has("annotations") && !has("dataset") && !has("images") && !has("[") &&
         head.find("\"image_id\"") != std::string_view::npos;
}

bool detect(const SourceTree& tree) { return any_json_file(tree, sign); }

void take_object(const json& annotation, std::size_t number, AnnotatedImage& image,
                 Conversion& account) {
  AnnotatedObject object;
  object.class_index = 0;
  object.id = id_at(annotation, "id");
  const std::string left_out = read_coco_segmentation(member(annotation, "segmentation"), object);
  read_coco_box(member(annotation, "bbox"), object);
  if (!left_out.empty() && object.fault.empty())
    account.notes.push_back(
        {image.annotation, 0,
         fmt::format("annotations[{}]: {}; the box is kept without it", number, left_out)});
  for (const char* name : {"predicted_iou", "stability_score"})
    if (const auto value = number_at(annotation, name)) object.attributes.push_back({name, *value});
  name_fault(object, "annotations", number);
  image.objects.push_back(std::move(object));
}

AnnotatedSet read(const Reading& reading) {
  AnnotatedSet set;
  set.classes.push_back({"object", {}, {}, {}});
  read_json_files(reading, set, sign, {}, [&](const json& file, AnnotatedImage& image) {
    if (const json* about = member(file, "image")) {
      image.written = text_at(*about, "file_name");
      image.id = id_at(*about, "image_id");
      image.written_width = size_at(*about, "width");
      image.written_height = size_at(*about, "height");
    }
    const json* annotations = member(file, "annotations");
    if (annotations == nullptr || !annotations->is_array())
      throw Error("expected annotations as a list, found " + shown(annotations));
    for (std::size_t i = 0; i < annotations->size(); ++i)
      take_object((*annotations)[i], i, image, reading.account);
  });
  if (!set.images.empty())
    reading.account.notes.push_back(
        {reading.tree.root, 0, "the format has no classes: every object is of class 'object'"});
  return set;
}

}  // namespace

Format segment_anything_format() {
  Format format;
  format.name = "segment-anything";
  format.title = "Segment Anything SA-1B";
  format.spellings = {"sa-1b", "sam"};
  format.description = "one JSON per image with masks and boxes; no classes";
  format.detect = detect;
  format.read = read;
  return format;
}

}  // namespace yolov7::dataset
