// Apple CreateML JSON, also as Roboflow exports it: x and y are the centre, in pixels.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/json.hpp"
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

bool is_createml(const SourceTree& tree, const fs::path& file) {
  const std::string head = tree.head(file);
  const std::vector<std::string> members = first_members(head);
  if (members.empty() || members.front() != "[" || !text::contains(members, "annotations"))
    return false;
  return text::contains(members, "image") || text::contains(members, "imagefilename");
}

bool detect(const SourceTree& tree) {
  for (const fs::path& file : tree.with_extension(".json"))
    if (is_createml(tree, file) && (tree.head(file).find("\"coordinates\"") != std::string::npos ||
                                    file.filename().string().ends_with("createml.json")))
      return true;
  return false;
}

AnnotatedObject read_object(const json& value, std::size_t number, AnnotatedSet& set,
                            std::map<std::string, int>& index) {
  AnnotatedObject object;
  const std::string name = text_at(value, "label");
  const json* place = member(value, "coordinates");
  const json& at = place == nullptr ? value : *place;
  const auto x = number_at(at, "x"), y = number_at(at, "y"), w = number_at(at, "width"),
             h = number_at(at, "height");
  if (name.empty())
    object.fault = fmt::format("annotations[{}]: no class name", number);
  else if (!x || !y || !w || !h)
    object.fault =
        fmt::format("annotations[{}]: expected coordinates x, y, width, height, found {}", number,
                    shown(place));
  else
    object.box = {*x - *w / 2, *y - *h / 2, *x + *w / 2, *y + *h / 2};
  if (!name.empty()) object.class_index = class_named(set, index, name);
  return object;
}

AnnotatedSet read(const Reading& reading) {
  AnnotatedSet set;
  std::map<std::string, int> index;
  for (const fs::path& path : reading.tree.with_extension(".json")) {
    if (!is_createml(reading.tree, path)) continue;
    const std::string content = reading.tree.read(path);
    const std::string split = split_of_folders(path);
    stream_json(content, (reading.tree.root / path).string(), [&](const std::string&, json& piece) {
      check_stop(reading.stop);
      AnnotatedImage image;
      image.annotation = path;
      image.shares_file = true;
      image.split = split;
      image.written = text_at(piece, "image");
      if (image.written.empty()) image.written = text_at(piece, "imagefilename");
      const json* list = member(piece, "annotations");
      if (list != nullptr && !list->is_array())
        image.fault = "expected annotations as a list, found " + shown(list);
      else if (list != nullptr)
        for (const json& one : *list)
          image.objects.push_back(read_object(one, image.objects.size(), set, index));
      image.state = image.objects.empty() ? ImageState::empty_on_purpose : ImageState::annotated;
      reading.finder.assign(image, {path.parent_path()}, reading.account.notes);
      set.images.push_back(std::move(image));
    });
  }
  return set;
}

void write(const Writing& writing) {
  const std::vector<fs::path> places =
      copy_images(writing, [](const std::string& split) { return split; });
  std::map<std::string, std::string> texts;
  for (std::size_t i = 0; i < places.size(); ++i) {
    const AnnotatedImage& image = writing.set.images[i];
    json list = json::array();
    for (const AnnotatedObject& object : image.objects) {
      const Xyxy& box = object.box;
      list.push_back({{"label", class_name(writing, object)},
                      {"coordinates",
                       {{"x", tidy((box.x1 + box.x2) / 2)},
                        {"y", tidy((box.y1 + box.y2) / 2)},
                        {"width", tidy(box.width())},
                        {"height", tidy(box.height())}}}});
    }
    std::string& text = texts[image.split];
    text += text.empty() ? "[\n" : ",\n";
    text += json_text({{"image", places[i].filename().string()}, {"annotations", std::move(list)}});
  }
  for (const auto& [split, text] : texts)
    write_text_file(writing, fs::path(split) / "_annotations.createml.json", text + "\n]\n");
}

}  // namespace

Format createml_format() {
  Format format;
  format.name = "createml";
  format.title = "Apple CreateML JSON";
  format.spellings = {"create-ml"};
  format.description = "a list of images with boxes by their centre";
  format.detect = detect;
  format.read = read;
  format.write = write;
  return format;
}

}  // namespace yolov7::dataset
