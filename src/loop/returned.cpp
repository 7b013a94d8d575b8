#include "loop/returned.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "core/error.hpp"
#include "core/stop.hpp"
#include "dataset/formats/image_output.hpp"
#include "dataset/formats/json_fields.hpp"
#include "platforms/roboflow_upload.hpp"
#include "versions/annotations.hpp"
#include "versions/create.hpp"

namespace yolov7::loop {
namespace fs = std::filesystem;
namespace {

using versions::Item;

/// To 15 digits: what the way through pixels added goes away.
std::string row_of(const dataset::AnnotatedObject& object, const dataset::AnnotatedImage& image) {
  std::string row = std::to_string(object.class_index);
  const auto add = [&](double value) { row += fmt::format(" {}", dataset::tidy(value)); };
  if (const dataset::Ring* polygon = dataset::sole_polygon(object)) {
    for (const dataset::Point& p : *polygon) add(p.x / image.width), add(p.y / image.height);
    return row;
  }
  const CxcywhNormalized box = to_normalized(object.box, image.width, image.height);
  for (const double value : {box.cx, box.cy, box.w, box.h}) add(value);
  return row;
}

class Adding {
 public:
  Adding(versions::Store& store, const TaskSet& tasks, const Answers& answers,
         const ReturnedOptions& options, Returned& result)
      : store_(store), tasks_(tasks), answers_(answers), options_(options), result_(result) {}

  void run() {
    const versions::Entry base = store_.find(options_.base);
    version_.content = store_.content(base.id);
    version_.content.recipe.reset();
    version_.boxes = base.boxes;
    if (version_.content.classes.key_points > 0)
      throw Error(fmt::format(
          "{}: expected a data set of boxes, found key points, which a loop cannot label",
          versions::label_of(base)));
    map_classes();
    for (std::size_t i = 0; i < version_.content.items.size(); ++i)
      by_image_.emplace(version_.content.items[i].image, i);
    for (const Task& task : tasks_.tasks) {
      check_stop(options_.stop);
      if (const Answer& answer = answers_.by_key.at(task.key); answer.labelled())
        take(task, answer);
    }
    if (result_.images_added + result_.images_again == 0)
      throw Error("expected an image that somebody has labelled, found none in the round");
    std::sort(version_.content.items.begin(), version_.content.items.end(), versions::before);
    version_.name = options_.name;
    version_.parent = base.id;
    version_.message = options_.message;
    version_.author = versions::user_name();
    result_.losses = platforms::roboflow_losses(as_rows_);
    result_.entry = store_.add(version_, result_.already_there);
  }

 private:
  void map_classes() {
    auto& classes = version_.content.classes.classes;
    std::vector<bool> used(answers_.classes.size());
    for (const auto& [key, answer] : answers_.by_key)
      if (answer.labelled())
        for (const auto& object : answer.objects)
          used[static_cast<std::size_t>(object.class_index)] = true;
    for (std::size_t i = 0; i < answers_.classes.size(); ++i) {
      const std::string& name = answers_.classes[i];
      auto found = std::find_if(classes.begin(), classes.end(),
                                [&](const auto& one) { return one.name == name; });
      if (found == classes.end() && !used[i]) {
        class_map_.push_back(-1);
        continue;
      }
      if (found == classes.end()) {
        result_.new_classes.push_back(name);
        found = classes.insert(classes.end(), {name, {}, {}, {}});
      }
      class_map_.push_back(static_cast<int>(found - classes.begin()));
    }
    for (const auto& one : classes) as_rows_.classes.push_back({one.name, "", "", ""});
  }

  dataset::AnnotatedImage image_of(const Task& task, const Answer& answer) const {
    dataset::AnnotatedImage image;
    image.width = task.width, image.height = task.height;
    image.objects = answer.objects;
    for (auto& object : image.objects)
      object.class_index = class_map_.at(static_cast<std::size_t>(object.class_index));
    image.state = image.objects.empty() ? dataset::ImageState::empty_on_purpose
                                        : dataset::ImageState::annotated;
    return image;
  }

  Digest keep(std::string text) {
    const Digest digest = sha256_digest(text);
    version_.texts.emplace(digest, std::move(text));
    return digest;
  }

  void take(const Task& task, const Answer& answer) {
    const dataset::AnnotatedImage image = image_of(task, answer);
    const versions::HashedFile file(options_.tasks / "images" / task.file, buffer_);
    const auto [first, last] = by_image_.equal_range(file.digest());
    if (first == last) {
      take_new(task, image, file);
      return;
    }
    ++result_.images_again;
    for (auto at = first; at != last; ++at) {
      Item& item = version_.content.items[at->second];
      const std::string before = item.annotations ? store_.text(*item.annotations) : "";
      const bool objects =
          !before.empty() && !versions::parse_annotations(before, 0, item.path).yolo;
      if (!before.empty()) version_.boxes -= versions::row_count(before);
      item.annotations = keep(objects ? versions::text_of_image(image) : rows_of(image));
      version_.boxes += image.objects.size();
    }
  }

  std::string rows_of(const dataset::AnnotatedImage& image) {
    as_rows_.images.push_back(image);
    std::string rows;
    for (const auto& object : image.objects) rows += row_of(object, image) + "\n";
    return versions::text_of_labels(rows).text;
  }

  void take_new(const Task& task, const dataset::AnnotatedImage& image,
                const versions::HashedFile& file) {
    ++result_.images_added;
    const auto known = store_.object(file.digest());
    store_.objects().add(file, known ? &*known : nullptr);
    version_.objects.insert_or_assign(file.digest(), store_.objects().facts_of(file.digest()));
    version_.content.items.push_back(
        {"images/loop/" + task.file, "train", file.digest(), keep(rows_of(image))});
    version_.boxes += image.objects.size();
  }

  versions::Store& store_;
  const TaskSet& tasks_;
  const Answers& answers_;
  const ReturnedOptions& options_;
  Returned& result_;
  versions::NewVersion version_;
  dataset::AnnotatedSet as_rows_;  // for the account of what rows cannot hold
  std::vector<int> class_map_;
  std::unordered_multimap<Digest, std::size_t, DigestHash> by_image_;
  std::vector<char> buffer_;
};

}  // namespace

Returned add_returned(versions::Store& store, const TaskSet& tasks, const Answers& answers,
                      const ReturnedOptions& options) {
  versions::require_name(options.name);
  const file::Lock lock = store.lock(options.stop);
  Returned result;
  Adding(store, tasks, answers, options, result).run();
  return result;
}

}  // namespace yolov7::loop
