#include "loop/answers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/error.hpp"
#include "core/text.hpp"
#include "versions/diff.hpp"

namespace yolov7::loop {
using dataset::AnnotatedImage;
using dataset::AnnotatedObject;
using platforms::Edits;
namespace {

constexpr double kept_within_px = 0.5;

void scale(AnnotatedObject& object, double x, double y) {
  object.box = {object.box.x1 * x, object.box.y1 * y, object.box.x2 * x, object.box.y2 * y};
  for (dataset::Ring& ring : object.rings)
    for (dataset::Point& point : ring) point.x *= x, point.y *= y;
}

AnswerState state_of(const AnnotatedImage& image) {
  if (image.state == dataset::ImageState::not_annotated) return AnswerState::open;
  return image.objects.empty() ? AnswerState::empty : AnswerState::boxes;
}

versions::Shape shape_of(const Xyxy& box, int class_index, const Task& task, const char* row) {
  versions::Shape shape;
  shape.is_box = true;
  shape.class_index = class_index;
  shape.box = {box.x1 / task.width, box.y1 / task.height, box.x2 / task.width,
               box.y2 / task.height};
  shape.row = row;  // never equal on both sides: boxes alone decide
  return shape;
}

bool is_kept(const Xyxy& a, const Xyxy& b) {
  return std::abs(a.x1 - b.x1) <= kept_within_px && std::abs(a.y1 - b.y1) <= kept_within_px &&
         std::abs(a.x2 - b.x2) <= kept_within_px && std::abs(a.y2 - b.y2) <= kept_within_px;
}

}  // namespace

std::size_t Answers::count(AnswerState state) const {
  return static_cast<std::size_t>(std::count_if(
      by_key.begin(), by_key.end(), [&](const auto& one) { return one.second.state == state; }));
}

std::size_t Answers::answered() const { return by_key.size() - count(AnswerState::open); }

std::size_t Answers::boxes() const {
  std::size_t sum = 0;
  for (const auto& [key, answer] : by_key) sum += answer.labelled() ? answer.objects.size() : 0;
  return sum;
}

Answers no_answers(const TaskSet& tasks) {
  Answers answers;
  answers.classes = tasks.classes;
  for (const Task& task : tasks.tasks) answers.by_key[task.key];
  return answers;
}

TaskFinder::TaskFinder(const TaskSet& tasks) {
  for (const Task& task : tasks.tasks) by_key_.emplace(task.key, &task);
}

const Task* TaskFinder::find(const std::string& key) const {
  const auto task = by_key_.lower_bound(key);
  return key.empty() || task == by_key_.end() || !task->first.starts_with(key) ? nullptr
                                                                               : task->second;
}

void hold_open(const Task& task, const std::vector<std::string>& lost, Answers& answers) {
  answers.by_key.at(task.key) = {};
  answers.notes.push_back(fmt::format("{} is not taken and stays open: left out of it: {}",
                                      text::printable(task.file), text::join(lost, "; ")));
}

std::string key_by_content(const AnnotatedImage& image) { return image.content_hash; }

void take_answers(const dataset::AnnotatedSet& set, const TaskSet& tasks, KeyOf key_of,
                  Answers& answers) {
  answers.classes = names_of(set);
  const TaskFinder finder(tasks);
  std::map<std::string, std::string> from;
  for (const AnnotatedImage& image : set.images) {
    const std::string key = key_of(image);
    const Task* task = finder.find(key);
    if (task == nullptr) {
      ++answers.strangers;
      continue;
    }
    const std::string name = image.file.string();
    const auto [other, fresh] = from.emplace(task->key, name);
    if (!fresh)
      throw Error(fmt::format("{}: expected one image of each task, found {} as another one of {}",
                              name, other->second, task->file));
    Answer& answer = answers.by_key[task->key];
    answer = {state_of(image), image.objects};
    for (AnnotatedObject& object : answer.objects) {
      if (object.class_index < 0 ||
          static_cast<std::size_t>(object.class_index) >= answers.classes.size())
        throw Error(fmt::format("{}: expected each object with a class, found one without", name));
      if (image.width != task->width || image.height != task->height)
        scale(object, static_cast<double>(task->width) / image.width,
              static_cast<double>(task->height) / image.height);
      object.score.reset();
    }
  }
}

std::map<std::string, Edits> count_edits(const TaskSet& tasks, const Answers& answers) {
  std::map<std::string, Edits> result;
  std::vector<int> class_map(tasks.classes.size(), -1);
  for (std::size_t i = 0; i < class_map.size(); ++i) {
    const auto found = std::find(answers.classes.begin(), answers.classes.end(), tasks.classes[i]);
    if (found != answers.classes.end())
      class_map[i] = static_cast<int>(found - answers.classes.begin());
  }
  const auto name = [](const std::vector<std::string>& names, int index) {
    return names.at(static_cast<std::size_t>(index));
  };
  for (const Task& task : tasks.tasks) {
    const Answer& answer = answers.by_key.at(task.key);
    if (!answer.labelled()) continue;
    std::vector<versions::Shape> before, after;
    for (const Detection& one : task.suggestions)
      before.push_back(shape_of(one.box, one.class_index, task, "suggested"));
    for (const AnnotatedObject& one : answer.objects)
      after.push_back(shape_of(one.box, one.class_index, task, "answered"));
    for (const versions::ShapeDiff& one : versions::diff_shapes(before, after, class_map)) {
      if (one.before < 0) {
        ++result[name(answers.classes, after[static_cast<std::size_t>(one.after)].class_index)]
              .added;
        continue;
      }
      const Detection& was = task.suggestions[static_cast<std::size_t>(one.before)];
      Edits& edits = result[name(tasks.classes, was.class_index)];
      if (one.after < 0)
        ++edits.removed;
      else if (one.kind == versions::BoxChange::reclassed)
        ++edits.relabelled;
      else
        ++(is_kept(was.box, answer.objects[static_cast<std::size_t>(one.after)].box) ? edits.kept
                                                                                     : edits.moved);
    }
  }
  return result;
}

Edits total(const std::map<std::string, Edits>& by_class) {
  Edits sum;
  for (const auto& [name, edits] : by_class) sum += edits;
  return sum;
}

double cost_by_hand(std::size_t images, const Edits& e, const EditCosts& costs) {
  const std::size_t boxes = e.kept + e.moved + e.relabelled + e.added;
  return static_cast<double>(images) * costs.image + static_cast<double>(boxes) * costs.box;
}

double cost_corrected(std::size_t images, const Edits& e, const EditCosts& costs) {
  return static_cast<double>(images) * costs.image + static_cast<double>(e.added) * costs.box +
         static_cast<double>(e.moved + e.relabelled) * costs.change +
         static_cast<double>(e.removed) * costs.removal;
}

}  // namespace yolov7::loop
