#include "platforms/label_studio_pull.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/json.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "dataset/formats/format_table.hpp"
#include "dataset/formats/json_fields.hpp"
#include "dataset/formats/output_folder.hpp"
#include "dataset/formats/prepare_set.hpp"
#include "platforms/label_studio_edits.hpp"
#include "platforms/label_studio_images.hpp"
#include "platforms/label_studio_shapes.hpp"

namespace yolov7::platforms {
namespace fs = std::filesystem;
using dataset::AnnotatedImage;
using dataset::member;
using dataset::text_at;
using nlohmann::json;
namespace {

/// One person's newest annotation of a task.
struct Answer {
  std::string author, time;
  const json* annotation = nullptr;
};

struct Task {
  std::int64_t id = 0;
  json value;
  std::vector<Answer> answers;  ///< oldest first
  std::string image;            ///< below the work folder, or "" (then `fault`)
  std::string fault;
};

std::int64_t whole_at(const json& value, const char* key) {
  const json* found = member(value, key);
  return found != nullptr && found->is_number_integer() ? found->get<std::int64_t>() : 0;
}

std::string author_of(const json& annotation, const std::map<std::int64_t, std::string>& people) {
  const json* by = member(annotation, "completed_by");
  if (by != nullptr && by->is_object()) return text_at(*by, "email");
  const std::int64_t number = whole_at(annotation, "completed_by");
  const auto found = people.find(number);
  return found == people.end() ? fmt::format("user {}", number) : found->second;
}

/// Each person's newest annotation that was not cancelled.
std::vector<Answer> answers_of(const json& task, const std::map<std::int64_t, std::string>& people,
                               bool& skipped) {
  std::map<std::string, Answer> newest;
  const json* list = member(task, "annotations");
  if (list != nullptr && list->is_array())
    for (const json& one : *list) {
      const json* cancelled = member(one, "was_cancelled");
      if (cancelled != nullptr && cancelled->is_boolean() && cancelled->get<bool>()) {
        skipped = true;
        continue;
      }
      const std::string updated = text_at(one, "updated_at");
      Answer answer{author_of(one, people), updated.empty() ? text_at(one, "created_at") : updated,
                    &one};
      const auto [place, fresh] = newest.emplace(answer.author, answer);
      if (!fresh && std::pair(answer.time, whole_at(one, "id")) >
                        std::pair(place->second.time, whole_at(*place->second.annotation, "id")))
        place->second = answer;
    }
  std::vector<Answer> answers;
  for (const auto& [author, answer] : newest) answers.push_back(answer);
  std::stable_sort(answers.begin(), answers.end(),
                   [](const Answer& a, const Answer& b) { return a.time < b.time; });
  return answers;
}

/// Whether a person began with the prediction. The server keeps a copy of a task's prediction
/// beside every annotation, and forgets parent_prediction when the prediction is deleted.
bool began_with(const json& annotation, const json& prediction, const json& result) {
  if (member(annotation, "parent_prediction") != nullptr) return true;
  if (!prediction.is_array() || !result.is_array()) return false;
  return std::any_of(result.begin(), result.end(), [&](const json& one) {
    const std::string id = text_at(one, "id");
    return std::any_of(prediction.begin(), prediction.end(),
                       [&](const json& other) { return text_at(other, "id") == id; });
  });
}

/// What the push wrote down: the image's content hash, or "".
std::string key_of(const json& task) {
  const json* meta = member(task, "meta");
  const json* ours = meta == nullptr ? nullptr : member(*meta, "yolov7");
  return ours == nullptr ? "" : text_at(*ours, "key");
}

class Pull {
 public:
  Pull(LabelStudio& server, const PullOptions& options, PullResult& result)
      : server_(server), options_(options), result_(result) {}

  void run(const fs::path& work) {
    const json exported = server_.export_tasks(result_.project);
    const auto people = server_.people();
    for (const json& value : exported) take(value, people);
    if (tasks_.empty())
      throw Error(fmt::format("project {} ({}): expected an annotated task, found none among {}",
                              result_.project.id, text::printable(result_.project.title),
                              result_.tasks));
    fetch_images(work);
    file::write_atomically(work / "tasks.json", json_text(single_annotations(false)));
    write(work);
  }

 private:
  void take(const json& value, const std::map<std::int64_t, std::string>& people) {
    if (!options_.only.empty() && !options_.only.contains(key_of(value))) return;
    ++result_.tasks;
    Task task;
    task.id = whole_at(value, "id");
    task.value = value;
    bool skipped = false;
    task.answers = answers_of(task.value, people, skipped);
    if (task.answers.empty()) {
      ++(skipped ? result_.skipped : result_.not_annotated);
      if (!options_.all || skipped) return;
    } else {
      const json* newest = member(*task.answers.back().annotation, "result");
      ++(newest != nullptr && newest->is_array() && !newest->empty() ? result_.with_boxes
                                                                     : result_.empty);
    }
    for (const Answer& answer : task.answers) {
      ++result_.annotations_by[answer.author];
      const json *prediction = member(*answer.annotation, "prediction"),
                 *before = prediction == nullptr ? nullptr : member(*prediction, "result"),
                 *after = member(*answer.annotation, "result");
      if (before == nullptr || after == nullptr || !began_with(*answer.annotation, *before, *after))
        continue;
      result_.edits += edits_of(*before, *after);
    }
    tasks_.push_back(std::move(task));
    // The pointers of its answers lead into `value`, whose nodes a move leaves where they are.
  }

  void fetch_images(const fs::path& work) {
    TaskImages images(server_, options_.images, work);
    for (Task& task : tasks_) {
      check_stop(server_.service().stop());
      const json* data = member(task.value, "data");
      const std::string written =
          data == nullptr ? "" : text_at(*data, result_.project.image_key.c_str());
      const json* meta = member(task.value, "meta");
      const json* ours = meta == nullptr ? nullptr : member(*meta, "yolov7");
      task.image = images.get(task.id, written, ours == nullptr ? "" : text_at(*ours, "name"),
                              key_of(task.value), task.fault);
    }
    remove_leftovers(work / "images", work);
    result_.images_here = images.here();
    result_.images_fetched = images.fetched();
  }

  /// Images of an earlier call that no task of this one has would count as images of the set.
  void remove_leftovers(const fs::path& images, const fs::path& work) const {
    std::set<std::string> named;
    for (const Task& task : tasks_) named.insert((work / task.image).string());
    std::vector<fs::path> others;
    for (const fs::directory_entry& one : fs::recursive_directory_iterator(images))
      if (!one.is_directory() && !named.contains(one.path().string())) others.push_back(one.path());
    for (const fs::path& one : others) fs::remove(one);
  }

  /// Every answer, or each task's newest, as a task of its own, in order, for the reader of the
  /// format.
  json single_annotations(bool newest_alone) const {
    json list = json::array();
    for (const Task& task : tasks_) {
      const auto add = [&](const json* annotation) {
        json one{
            {"id", task.id}, {"data", {{"image", task.image}}}, {"annotations", json::array()}};
        if (annotation != nullptr) one["annotations"].push_back(*annotation);
        if (const json* meta = member(task.value, "meta")) one["meta"] = *meta;
        list.push_back(std::move(one));
      };
      if (task.answers.empty()) add(nullptr);
      for (const Answer& answer : task.answers)
        if (!newest_alone || &answer == &task.answers.back()) add(answer.annotation);
    }
    return list;
  }

  void write(const fs::path& work) {
    const dataset::Format& to = dataset::format_named(options_.to, "to");
    dataset::Conversion& account = result_.conversion;
    const dataset::SourceTree tree =
        dataset::walk_source(work, {}, "the pulled images", server_.service().stop());
    dataset::AnnotatedSet set = join(tree, account);
    account.source = work;
    account.out = options_.out;
    account.from = "label-studio";
    account.to = to.name;
    const auto before = set.images;
    dataset::prepare_set(set, tree, {}, account, server_.service().stop());
    note_small(before, set.images);
    for (const dataset::Loss& loss : losses(set, to))
      account.losses.push_back({loss.what, loss.count,
                                loss.where == dataset::Keep::attribute   ? "attribute"
                                : loss.where == dataset::Keep::side_file ? "side file"
                                                                         : ""});
    dataset::build_folder(options_.out, [&](const fs::path& folder) {
      to.write({set, folder, {}, account, server_.service().stop()});
      file::write_atomically(folder / "pull.json", json_text(to_json(result_), 2) + "\n",
                             file::Sync::later);
    });
  }

  /// Reads what everybody drew, compares, and makes one image of each task.
  dataset::AnnotatedSet join(const dataset::SourceTree& tree, dataset::Conversion& account) {
    dataset::Conversion reading_account;
    const dataset::ImageFinder finder(tree);
    const dataset::ReadOptions read;
    const dataset::AnnotatedSet all =
        dataset::format_named("label-studio", "from").read({tree, finder, read, reading_account});
    account.not_boxes =
        options_.merge ? reading_account.not_boxes : not_boxes_of_newest(tree, finder);
    dataset::AnnotatedSet set;
    set.classes = all.classes;
    result_.class_names = names_of(all);
    result_.per_class.resize(all.classes.size());
    std::size_t at = 0;
    for (const Task& task : tasks_) {
      const std::size_t count = std::max<std::size_t>(1, task.answers.size());
      AnnotatedImage image = all.images.at(at + count - 1);  // the newest
      if (!task.answers.empty())
        for (dataset::AnnotatedObject& object : image.objects)
          object.author = task.answers.back().author;
      if (count > 1) compare(task, &all.images[at], image);
      note_unread(task, &all.images[at]);
      if (!task.fault.empty()) image.fault = task.fault;
      set.images.push_back(std::move(image));
      at += count;
    }
    std::stable_sort(result_.review.begin(), result_.review.end(),
                     [](const ReviewEntry& a, const ReviewEntry& b) {
                       return a.agreement.count.value() < b.agreement.count.value();
                     });
    return set;
  }

  /// Shapes that are no boxes, by kind, in the annotations that are taken without a merge.
  std::map<std::string, std::size_t> not_boxes_of_newest(const dataset::SourceTree& tree,
                                                         const dataset::ImageFinder& finder) const {
    file::write_atomically(tree.root / "tasks.json", json_text(single_annotations(true)));
    dataset::Conversion account;
    const dataset::ReadOptions read;
    dataset::format_named("label-studio", "from").read({tree, finder, read, account});
    return account.not_boxes;
  }

  /// Regions of the answers that count, of which no usable object came.
  void note_unread(const Task& task, const AnnotatedImage* images) {
    const std::size_t count = task.answers.size(),
                      first = options_.merge || count == 0 ? 0 : count - 1;
    for (std::size_t i = first; i < count; ++i)
      if (const json* result = member(*task.answers[i].annotation, "result"))
        for (const std::string& one : shapes_left_out(*result, images[i]))
          result_.left_out[key_of(task.value)].push_back(one);
  }

  /// Objects that could be read and are not among the prepared ones.
  void note_small(const std::vector<AnnotatedImage>& before,
                  const std::vector<AnnotatedImage>& after) {
    std::map<std::string, std::size_t> kept;
    for (const AnnotatedImage& image : after) kept[image.id] = image.objects.size();
    std::map<std::string, std::string> keys;
    for (const Task& task : tasks_) keys[std::to_string(task.id)] = key_of(task.value);
    for (const AnnotatedImage& image : before) {
      const auto now = kept.find(image.id);
      const std::size_t usable = usable_objects(image);
      if (now != kept.end() && now->second < usable)
        result_.left_out[keys[image.id]].push_back(fmt::format(
            "{} of {} boxes that have no area of 1 px in the image", usable - now->second, usable));
    }
  }

  void compare(const Task& task, const AnnotatedImage* images, AnnotatedImage& image) {
    std::vector<Opinion> opinions;
    std::vector<dataset::AnnotatedObject> unusable;
    for (std::size_t i = 0; i < task.answers.size(); ++i) {
      Opinion opinion{task.answers[i].author, {}};
      for (const dataset::AnnotatedObject& object : images[i].objects)
        (object.fault.empty() ? opinion.objects : unusable).push_back(object);
      opinions.push_back(std::move(opinion));
    }
    ReviewEntry entry;
    entry.image = task.image;
    entry.task = task.id;
    entry.people = opinions.size();
    entry.per_class.resize(result_.per_class.size());
    entry.agreement = agreement_of(opinions, options_.least_iou, entry.per_class);
    for (std::size_t i = 0; i < entry.per_class.size(); ++i)
      result_.per_class[i].add(entry.per_class[i]);
    const Merged merged = merge_opinions(opinions, options_.least_iou, result_.class_names);
    for (const auto* list : {&merged.left_out, &merged.disputed})
      entry.reasons.insert(entry.reasons.end(), list->begin(), list->end());
    if (options_.merge) {
      image.objects = merged.objects;
      image.state = image.objects.empty() ? dataset::ImageState::empty_on_purpose
                                          : dataset::ImageState::annotated;
      // They are left out by their reasons later, as they are without a merge.
      image.objects.insert(image.objects.end(), unusable.begin(), unusable.end());
      result_.left_out_by_merge += merged.left_out.size();
    }
    result_.review.push_back(std::move(entry));
  }

  LabelStudio& server_;
  const PullOptions& options_;
  PullResult& result_;
  std::vector<Task> tasks_;
};

/// What a call that broke off left is of use for the same project of the same server alone: another
/// one has other images in tasks of the same numbers.
void begin_or_go_on(const fs::path& work, const std::string& origin) {
  const fs::path note = work / ".origin";  // hidden: no file of the set
  std::error_code none;
  if (!fs::is_regular_file(note, none) || file::read(note) != origin) fs::remove_all(work);
  file::make_folder(work / "images");
  file::write_atomically(note, origin);
}

}  // namespace

std::map<std::string, TaskState> task_states(LabelStudio& server, const LabelProject& project) {
  std::map<std::string, TaskState> states;
  for (const json& task : server.export_tasks(project)) {
    const std::string key = key_of(task);
    if (key.empty()) continue;
    bool skipped = false;
    const bool annotated = !answers_of(task, {}, skipped).empty();
    const TaskState state = annotated ? TaskState::annotated
                            : skipped ? TaskState::skipped
                                      : TaskState::open;
    TaskState& known = states.emplace(key, state).first->second;
    if (known == TaskState::open || state == TaskState::annotated) known = state;
  }
  return states;
}

PullResult pull_project(LabelStudio& server, const std::string& project,
                        const PullOptions& options) {
  dataset::require_empty(options.out);
  if (dataset::format_named(options.to, "to").write == nullptr)
    throw usage_error(fmt::format("to: {} is read, but not written", options.to));
  PullResult result;
  const auto found = server.find_project(project);
  if (!found)
    throw Error(fmt::format("{}: expected the project '{}', found none",
                            server.service().client().address().text(), text::printable(project)));
  result.project = *found;
  const fs::path out = dataset::output_place(options.out),
                 work = out.parent_path() / ("." + out.filename().string() + ".pull");
  begin_or_go_on(
      work, fmt::format("{} {}\n", server.service().client().address().text(), result.project.id));
  Pull(server, options, result).run(work);
  fs::remove_all(work);
  return result;
}

}  // namespace yolov7::platforms
