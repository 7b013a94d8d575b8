#include "loop/tasks.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "active/coco_predictions.hpp"
#include "core/error.hpp"
#include "core/file.hpp"
#include "core/json.hpp"
#include "core/text.hpp"
#include "dataset/formats/output_folder.hpp"
#include "image/codec/codec.hpp"
#include "loop/state.hpp"

namespace yolov7::loop {
namespace fs = std::filesystem;
using nlohmann::json;
namespace {

constexpr std::uint64_t most_image_bytes = std::uint64_t{1} << 30;
constexpr std::size_t mark_length = 12, longest_stem = 80;

std::string copy_name(const std::string& key, const fs::path& image) {
  std::string stem = text::file_name(image.stem().string());
  std::size_t end = std::min(stem.size(), longest_stem);
  while (end > 0 && end < stem.size() && (static_cast<unsigned char>(stem[end]) & 0xC0) == 0x80)
    --end;
  return key.substr(0, mark_length) + "_" + stem.substr(0, end) +
         text::lower(image.extension().string());
}

/// The detector looked at another image where the sizes differ.
void require_size(const active::PredictedImage& image, const std::string& bytes,
                  const fs::path& origin) {
  const PictureHeader header = read_picture_header(bytes, origin.string());
  if (header.width != image.width || header.height != image.height)
    throw Error(fmt::format("{}: expected {} × {} px, as its predictions say, found {} × {}",
                            origin.string(), image.width, image.height, header.width,
                            header.height));
}

json to_json(const TaskSet& set) {
  json tasks = json::array();
  for (const Task& task : set.tasks) {
    json boxes = json::array();
    for (const Detection& one : task.suggestions)
      boxes.push_back({{"class", one.class_index},
                       {"box", {one.box.x1, one.box.y1, one.box.x2, one.box.y2}},
                       {"score", one.score}});
    tasks.push_back({{"key", task.key},
                     {"file", task.file},
                     {"origin", task.origin},
                     {"width", task.width},
                     {"height", task.height},
                     {"suggestions", std::move(boxes)}});
  }
  return {{"classes", set.classes}, {"model", set.model}, {"tasks", std::move(tasks)}};
}

Task task_of(const json& value) {
  Task task{value.at("key"),   value.at("file"),   value.at("origin"),
            value.at("width"), value.at("height"), {}};
  for (const json& one : value.at("suggestions")) {
    const std::vector<double> box = one.at("box");
    task.suggestions.push_back(
        {{box.at(0), box.at(1), box.at(2), box.at(3)}, one.at("score"), one.at("class")});
  }
  return task;
}

}  // namespace

TasksMade make_tasks(const fs::path& predictions, const fs::path& folder,
                     const std::set<std::string>& known, const std::string& model) {
  const active::Predictions read = active::read_coco_predictions(predictions);
  TasksMade made;
  made.set.classes = read.names;
  made.set.model = model;
  dataset::build_folder(folder, [&](const fs::path& work) {
    file::make_folder(work / "images");
    std::set<std::string> here;
    for (const active::PredictedImage& image : read.images) {
      const fs::path origin = fs::absolute(predictions.parent_path() / image.file);
      const std::string bytes = file::read(origin, most_image_bytes),
                        key = file::content_hash(bytes);
      if (known.contains(key)) {
        made.sent_before.push_back(origin.string());
        continue;
      }
      if (!here.insert(key).second) {
        made.doubles.push_back(origin.string());
        continue;
      }
      require_size(image, bytes, origin);
      Task task{key,         copy_name(key, origin), origin.lexically_normal().string(),
                image.width, image.height,           {}};
      for (Detection one : image.detections) {
        one.box = clip(one.box, image.width, image.height);
        if (one.box.area() > 0) task.suggestions.push_back(one);
      }
      file::write_atomically(work / "images" / task.file, bytes, file::Sync::later);
      made.set.tasks.push_back(std::move(task));
      passing();
    }
    if (made.set.tasks.empty())
      throw NothingLeft(
          fmt::format("{}: expected an image that no earlier round has, found none among {}",
                      predictions.string(), read.images.size()));
    file::write_atomically(work / "tasks.json", json_text(to_json(made.set), 1) + "\n",
                           file::Sync::later);
  });
  return made;
}

TaskSet read_tasks(const fs::path& folder) {
  const fs::path file = folder / "tasks.json";
  const json content = read_json(file);
  try {
    TaskSet set{content.at("classes"), content.at("model"), {}};
    for (const json& one : content.at("tasks")) set.tasks.push_back(task_of(one));
    return set;
  } catch (const json::exception&) {
    throw Error(
        fmt::format("{}: expected the tasks of a round, found something else", file.string()));
  }
}

dataset::AnnotatedSet annotated_set(const TaskSet& set, const fs::path& folder) {
  dataset::AnnotatedSet result;
  for (const std::string& name : set.classes) result.classes.push_back({name, "", "", ""});
  for (const Task& task : set.tasks) {
    dataset::AnnotatedImage& image = result.images.emplace_back();
    image.written = "images/" + task.file;
    image.file = folder / "images" / task.file;
    image.content_hash = task.key;
    image.split = "train";
    image.width = task.width, image.height = task.height;
    for (const Detection& one : task.suggestions) {
      dataset::AnnotatedObject& object = image.objects.emplace_back();
      object.class_index = one.class_index;
      object.box = one.box;
      object.score = one.score;
    }
    image.state =
        image.objects.empty() ? dataset::ImageState::not_annotated : dataset::ImageState::annotated;
  }
  return result;
}

}  // namespace yolov7::loop
