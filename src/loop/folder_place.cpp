#include "loop/folder_place.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "dataset/formats/image_fit.hpp"
#include "dataset/formats/output_folder.hpp"
#include "dataset/formats/yolo.hpp"
#include "dataset/formats/yolo_layout.hpp"
#include "loop/place.hpp"
#include "loop/state.hpp"
#include "platforms/roboflow_upload.hpp"

namespace yolov7::loop {
namespace fs = std::filesystem;
using dataset::AnnotatedObject;
namespace {

constexpr std::uint64_t most_text_bytes = 64u << 20;
constexpr const char* done_name = "done.txt";
constexpr const char* done_text =
    "# Write here the name of each image that you have finished, one a line; \"skip NAME\" for "
    "one\n"
    "# that cannot be labelled; or \"all\" for all others. An image without an object keeps an "
    "empty label "
    "file.\n";

std::string label_name(const Task& task) { return fs::path(task.file).stem().string() + ".txt"; }

class FolderPlace : public Place {
 public:
  explicit FolderPlace(const PlaceOptions& options) : folder_(options.to), stop_(options.stop) {}

  Pushed push(const PlaceRound& round) override {
    const fs::path folder = folder_of(round);
    Pushed pushed;
    pushed.where = folder.string();
    pushed.how = fmt::format("correct the label files in {} and name finished images in {}",
                             (folder / "labels").string(), (folder / done_name).string());
    for (const Task& task : round.set.tasks) pushed.suggestions += task.suggestions.size();
    std::error_code error;
    if (fs::exists(folder / "tasks.json", error)) {
      require_same(round, folder);
      pushed.known = round.set.tasks.size();
      return pushed;
    }
    dataset::build_folder(folder, [&](const fs::path& work) { write(round, work); });
    pushed.made = round.set.tasks.size();
    return pushed;
  }

  Answers pull(const PlaceRound& round) override {
    const fs::path folder = folder_of(round);
    require_same(round, folder);
    Answers answers = no_answers(round.set);
    const fs::path done = folder / done_name, classes = folder / "classes.txt";
    read_done(file::read(done, most_text_bytes), round.set, done.string(), answers);
    answers.classes =
        read_classes(file::read(classes, most_text_bytes), round.set, classes.string());
    std::size_t clipped = 0;
    for (const Task& task : round.set.tasks) {
      Answer& answer = answers.by_key.at(task.key);
      if (answer.state != AnswerState::empty) continue;
      const fs::path label = folder / "labels" / label_name(task);
      std::error_code error;
      if (!fs::exists(label, error))
        throw Error(
            fmt::format("{}: expected the label file of a finished image (an empty one "
                        "where it shows no object), found none",
                        label.string()));
      answer.objects = read_labels(file::read(label, most_text_bytes), task, answers.classes.size(),
                                   label.string(), clipped);
      if (!answer.objects.empty()) answer.state = AnswerState::boxes;
    }
    if (clipped > 0)
      answers.notes.push_back(
          fmt::format("{} boxes reached beyond their images and were clipped", clipped));
    return answers;
  }

 private:
  fs::path folder_of(const PlaceRound& round) const {
    return folder_ / fmt::format("round-{:03}", round.number);
  }

  void require_same(const PlaceRound& round, const fs::path& folder) const {
    const TaskSet there = read_tasks(folder);
    const bool same = std::equal(there.tasks.begin(), there.tasks.end(), round.set.tasks.begin(),
                                 round.set.tasks.end(),
                                 [](const Task& a, const Task& b) { return a.key == b.key; });
    if (!same)
      throw Error(fmt::format("{}: expected the tasks of round {} of this loop, found others",
                              folder.string(), round.number));
  }

  void write(const PlaceRound& round, const fs::path& work) const {
    const dataset::AnnotatedSet set = annotated_set(round.set, round.tasks);
    for (const char* name : {"images", "labels"}) file::make_folder(work / name);
    for (std::size_t i = 0; i < set.images.size(); ++i) {
      check_stop(stop_);
      const Task& task = round.set.tasks[i];
      fs::copy_file(set.images[i].file, work / "images" / task.file);
      file::write_atomically(work / "labels" / label_name(task),
                             platforms::roboflow_rows(set.images[i]), file::Sync::later);
      passing();
    }
    std::string classes;
    for (const std::string& name : round.set.classes) classes += name + "\n";
    file::write_atomically(work / "classes.txt", classes, file::Sync::later);
    file::write_atomically(
        work / "data.yaml",
        dataset::description_text({{"train", "images"}, {"val", "images"}}, round.set.classes, ""),
        file::Sync::later);
    file::write_atomically(work / done_name, done_text, file::Sync::later);
    fs::copy_file(round.tasks / "tasks.json", work / "tasks.json");
  }

  fs::path folder_;
  std::stop_token stop_;
};

}  // namespace

void read_done(std::string_view text, const TaskSet& tasks, const std::string& source,
               Answers& answers) {
  std::vector<std::string> names;
  std::unordered_map<std::string, const Task*> by_name;
  for (const Task& task : tasks.tasks) {
    names.push_back(task.file);
    for (const std::string& name :
         {task.file, fs::path(task.file).stem().string(), "images/" + task.file})
      by_name.emplace(name, &task);
  }
  bool all = false;
  int line = 0;
  for (std::string_view row : text::lines(text)) {
    ++line;
    row = text::trim(row);
    if (row.empty() || row.front() == '#') continue;
    const bool skip = row.starts_with("skip ");
    const std::string name(text::trim(skip ? row.substr(5) : row));
    if (name == "all" && !skip) {
      all = true;
      continue;
    }
    const auto found = by_name.find(name);
    if (found == by_name.end())
      throw Error(fmt::format("{}:{}: expected the name of an image of the round, found '{}'{}",
                              source, line, text::printable(name),
                              text::did_you_mean(name, names)));
    const Task* const task = found->second;
    AnswerState& state = answers.by_key.at(task->key).state;
    const AnswerState wanted = skip ? AnswerState::skipped : AnswerState::empty;
    if (state != AnswerState::open && state != wanted)
      throw Error(fmt::format("{}:{}: expected {} as finished or as skipped, found both", source,
                              line, task->file));
    state = wanted;
  }
  if (!all) return;
  for (auto& [key, answer] : answers.by_key)
    if (answer.state == AnswerState::open) answer.state = AnswerState::empty;
}

std::vector<std::string> read_classes(std::string_view text, const TaskSet& tasks,
                                      const std::string& source) {
  std::vector<std::string> names;
  for (const std::string_view row : text::lines(text))
    if (const std::string name(text::trim(row)); !name.empty()) {
      if (text::contains(names, name))
        throw Error(fmt::format("{}: expected each class once, found '{}' twice", source,
                                text::printable(name)));
      names.push_back(name);
    }
  for (std::size_t i = 0; i < tasks.classes.size(); ++i)
    if (i >= names.size() || names[i] != tasks.classes[i])
      throw Error(
          fmt::format("{}: expected class {} to be '{}' still, and new classes behind the "
                      "old ones, found {}",
                      source, i, text::printable(tasks.classes[i]),
                      i < names.size() ? "'" + text::printable(names[i]) + "'" : "none"));
  return names;
}

std::vector<AnnotatedObject> read_labels(std::string_view text, const Task& task,
                                         std::size_t classes, const std::string& source,
                                         std::size_t& clipped) {
  std::vector<AnnotatedObject> objects = dataset::parse_yolo_rows(text, {}, source).objects;
  for (AnnotatedObject& object : objects) {
    if (!object.fault.empty())
      throw Error(fmt::format("{}:{}: {}", source, object.line, object.fault));
    if (object.class_index < 0 || static_cast<std::size_t>(object.class_index) >= classes)
      throw Error(fmt::format("{}:{}: expected a class of 0 to {} (classes.txt), found {}", source,
                              object.line, classes - 1, object.class_index));
    const Xyxy box{object.box.x1 * task.width, object.box.y1 * task.height,
                   object.box.x2 * task.width, object.box.y2 * task.height};
    constexpr double rounding = 0.5;
    clipped += std::max({-box.x1, -box.y1, box.x2 - task.width, box.y2 - task.height}) > rounding;
    object.box = box;
    for (dataset::Ring& ring : object.rings)
      for (dataset::Point& point : ring) point.x *= task.width, point.y *= task.height;
    dataset::clip_object(object, task.width, task.height);
    if (!(object.box.area() > 0))
      throw Error(
          fmt::format("{}:{}: expected a box that lies in the image and has an area, found "
                      "none",
                      source, object.line));
  }
  return objects;
}

std::unique_ptr<Place> folder_place(const PlaceOptions& options) {
  return std::make_unique<FolderPlace>(options);
}

}  // namespace yolov7::loop
