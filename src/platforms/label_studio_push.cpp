#include "platforms/label_studio_push.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <tuple>
#include <unordered_map>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/json.hpp"
#include "core/log.hpp"
#include "core/progress.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "dataset/formats/label_studio.hpp"
#include "platforms/label_studio_tasks.hpp"

namespace yolov7::platforms {
namespace fs = std::filesystem;
using dataset::AnnotatedImage;
using nlohmann::json;
namespace {

constexpr std::uint64_t most_image_bytes = std::uint64_t{1} << 30;

struct Item {
  const AnnotatedImage* image;
  std::string key, file;  ///< file: its path on the server
  std::int64_t task = 0;
};

class Push {
 public:
  Push(LabelStudio& server, const dataset::AnnotatedSet& set, const PushOptions& options,
       Journal& journal, PushResult& result)
      : server_(server), set_(set), options_(options), journal_(journal), result_(result) {}

  void run() {
    const std::vector<std::string> keys = task_keys(set_);
    std::vector<Item> fresh, known;
    const auto there = server_.tasks_by_key(result_.project);
    for (std::size_t i = 0; i < set_.images.size(); ++i) {
      const auto found = there.find(keys[i]);
      Item item{&set_.images[i], keys[i], "", found == there.end() ? 0 : found->second.id};
      (item.task == 0 ? fresh : known).push_back(std::move(item));
    }
    result_.tasks_known = known.size();
    Progress progress("pushing", set_.images.size(), "images");
    progress.advance(known.size());
    if (!fresh.empty()) look_at_files();
    std::size_t begin = 0;
    while (begin < fresh.size()) {
      const std::size_t end = end_of_chunk(fresh, begin);
      std::vector<Item> chunk(fresh.begin() + static_cast<std::ptrdiff_t>(begin),
                              fresh.begin() + static_cast<std::ptrdiff_t>(end));
      send_files(chunk);
      send_tasks(chunk);
      progress.advance(chunk.size());
      begin = end;
    }
    if (options_.predictions) {
      std::tie(result_.predictions_renewed, result_.predictions_unchanged) =
          renew_predictions(known);
      renew_predictions(recovered_);
    } else {
      for (const Item& item : known) result_.annotations_not_sent += has_labels(item) ? 1 : 0;
    }
    count(fresh);
    look_at_result(keys, fresh);
  }

 private:
  static bool has_labels(const Item& item) {
    return item.image->state != dataset::ImageState::not_annotated || !item.image->objects.empty();
  }

  std::size_t end_of_chunk(const std::vector<Item>& items, std::size_t begin) const {
    std::uint64_t bytes = 0;
    const std::size_t most = std::min(options_.files_a_request, options_.tasks_a_request);
    std::size_t end = begin;
    while (end < items.size() && end - begin < most) {
      std::error_code error;
      bytes += fs::file_size(items[end].image->file, error);
      if (end > begin && bytes > options_.bytes_a_request) break;
      ++end;
    }
    return end;
  }

  void look_at_files() {
    files_.clear();
    for (const UploadedFile& file : server_.files(result_.project))
      if (const std::string mark = mark_in(file.path); !mark.empty()) files_[mark] = file;
  }

  /// Repeats `send` until nothing is missing; after a lost answer `look` finds out what got there.
  template <class Missing, class Send, class Look>
  void until_there(const Missing& missing, const Send& send, const Look& look) {
    for (int number = 1;; ++number) {
      const auto items = missing();
      if (items.empty()) return;
      std::string why;
      if (send(items, why)) return;
      if (number >= server_.service().tries().most)
        throw Error(fmt::format("{} ({} tries)", why, number));
      const auto wait = http::wait_before(number, server_.service().tries(), {});
      log::info(fmt::format("{}; looking what got there in {:.1f} s", why,
                            static_cast<double>(wait.count()) / 1000));
      http::wait_for(wait, server_.service().stop());
      look();
    }
  }

  void send_files(std::vector<Item>& chunk) {
    const auto take_known = [&] {
      std::vector<Item*> missing;
      for (Item& item : chunk) {
        const auto found = files_.find(mark_of(item.key));
        std::error_code error;
        if (found != files_.end() && found->second.bytes == fs::file_size(item.image->file, error))
          item.file = found->second.path;
        else
          missing.push_back(&item);
      }
      return missing;
    };
    result_.files_known += chunk.size() - take_known().size();
    until_there(
        take_known,
        [&](const std::vector<Item*>& missing, std::string& why) {
          std::vector<http::Part> parts;
          for (const Item* item : missing)
            // The server takes one file of each name of a part.
            parts.push_back({fmt::format("file{}", parts.size()),
                             file::read(item->image->file, most_image_bytes),
                             upload_name(*item->image, item->key), "application/octet-stream"});
          const auto ids = server_.upload(result_.project, parts, why);
          if (!ids) return false;
          if (ids->size() != parts.size())
            throw Error(fmt::format("{}: expected {} files to be taken, found {}",
                                    result_.project.title, parts.size(), ids->size()));
          for (const UploadedFile& file : server_.files(result_.project, *ids))
            files_[mark_in(file.path)] = file;
          return true;
        },
        [&] { look_at_files(); });
    if (const auto left = take_known(); !left.empty())
      throw Error(
          fmt::format("{}: expected {} on the server after its upload, found it missing or "
                      "of another size",
                      result_.project.title, left.front()->image->file.string()));
  }

  void send_tasks(std::vector<Item>& chunk) {
    std::multimap<std::string, RemoteTask> there;
    until_there(
        [&] {
          std::vector<Item*> missing;
          for (Item& item : chunk) {
            const auto found = there.find(item.key);
            if (item.task == 0 && found != there.end()) {
              item.task = found->second.id;
              recovered_.push_back(item);
            }
            if (item.task == 0) missing.push_back(&item);
          }
          return missing;
        },
        [&](const std::vector<Item*>& missing, std::string& why) {
          return import_once(missing, why);
        },
        [&] { there = server_.tasks_by_key(result_.project); });
    std::map<std::string, std::string> tasks, marks;
    for (const Item& item : chunk) {
      tasks[item.key] = std::to_string(item.task);
      const bool counted = std::none_of(recovered_.begin(), recovered_.end(),
                                        [&](const Item& one) { return one.key == item.key; });
      if (options_.predictions && has_labels(item) && counted)
        marks[item.key] = mark_of_labels(item);
    }
    journal_.set_all(tasks, "task");
    journal_.set_all(marks, "prediction");
  }

  bool import_once(const std::vector<Item*>& missing, std::string& why) {
    json tasks = json::array();
    std::size_t labelled = 0;
    for (const Item* item : missing) {
      tasks.push_back(task_of(*item));
      labelled += has_labels(*item) ? 1 : 0;
    }
    const auto counts = server_.import(result_.project, tasks, why);
    if (!counts) return false;
    const std::size_t annotations = options_.predictions ? 0 : labelled,
                      predictions = options_.predictions ? labelled : 0;
    if (counts->tasks != tasks.size() || counts->annotations != annotations ||
        counts->predictions != predictions || counts->task_ids.size() != tasks.size())
      throw Error(
          fmt::format("{}: expected {} tasks, {} annotations and {} predictions to be made, found "
                      "{}, {} and {}",
                      result_.project.title, tasks.size(), annotations, predictions, counts->tasks,
                      counts->annotations, counts->predictions));
    for (std::size_t i = 0; i < missing.size(); ++i) missing[i]->task = counts->task_ids[i];
    return true;
  }

  /// Regions for the project's own controls.
  json regions_of(const AnnotatedImage& image) const {
    json regions = json::array();
    for (const dataset::AnnotatedObject& object : image.objects) {
      const std::string& name = set_.classes.at(static_cast<std::size_t>(object.class_index)).name;
      json region = dataset::label_studio_region(object, image, name, regions.size(), true);
      const auto& control =
          region["type"] == "polygonlabels" ? result_.project.polygons : result_.project.boxes;
      region["from_name"] = control->name;
      region["to_name"] = control->to_name;
      regions.push_back(std::move(region));
    }
    return regions;
  }

  json labels_of(const AnnotatedImage& image) const {
    json labels{{"result", regions_of(image)}};
    if (!options_.predictions) return labels;
    labels["model_version"] = options_.model;
    double lowest = 2;
    for (const dataset::AnnotatedObject& object : image.objects)
      if (object.score) lowest = std::min(lowest, *object.score);
    if (lowest < 2) labels["score"] = lowest;
    return labels;
  }

  json task_of(const Item& item) const {
    const AnnotatedImage& image = *item.image;
    json task{{"data", {{result_.project.image_key, "/data/" + item.file}}},
              {"meta",
               {{"yolov7",
                 {{"key", item.key},
                  {"name", image.file.filename().string()},
                  {"split", image.split},
                  {"source_id", image.id}}}}}};
    if (has_labels(item))
      task[options_.predictions ? "predictions" : "annotations"] = {labels_of(image)};
    return task;
  }

  /// What the journal has of a task: "" where the image has no labels.
  std::string mark_of_labels(const Item& item) const {
    return has_labels(item) ? file::content_hash(json_text(labels_of(*item.image))) : "";
  }

  /// How many were made anew or taken away, and how many the journal knows to be the same.
  std::pair<std::size_t, std::size_t> renew_predictions(const std::vector<Item>& known) {
    std::size_t unchanged = 0;
    std::vector<const Item*> changed;
    std::map<std::string, std::string> marks, unknown;
    for (const Item& item : known) {
      const std::string mark = mark_of_labels(item);
      if (journal_.get(item.key, "prediction") == mark) {
        unchanged += has_labels(item) ? 1 : 0;
        continue;
      }
      marks[item.key] = mark;
      unknown[item.key] = "unknown";
      changed.push_back(&item);
    }
    // What the server has of them is not known from here until the last one is made.
    journal_.set_all(unknown, "prediction");
    for (std::size_t begin = 0; begin < changed.size(); begin += options_.tasks_a_request) {
      check_stop(server_.service().stop());
      const std::size_t end = std::min(changed.size(), begin + options_.tasks_a_request);
      renew(std::vector<const Item*>(changed.begin() + static_cast<std::ptrdiff_t>(begin),
                                     changed.begin() + static_cast<std::ptrdiff_t>(end)));
    }
    journal_.set_all(marks, "prediction");
    return {changed.size(), unchanged};
  }

  /// Deleting and making anew is one step: repeated as a whole, it leaves no doubles.
  void renew(const std::vector<const Item*>& items) {
    json predictions = json::array();
    std::vector<std::int64_t> tasks;
    for (const Item* item : items) {
      tasks.push_back(item->task);
      if (!has_labels(*item)) continue;
      json one = labels_of(*item->image);
      one["task"] = item->task;
      predictions.push_back(std::move(one));
    }
    until_there([&] { return items; },
                [&](const std::vector<const Item*>&, std::string& why) {
                  server_.delete_predictions(result_.project, tasks);
                  if (predictions.empty()) return true;
                  const auto made = server_.import_predictions(result_.project, predictions, why);
                  if (!made) return false;
                  if (*made != predictions.size())
                    throw Error(fmt::format("{}: expected {} predictions to be made, found {}",
                                            result_.project.title, predictions.size(), *made));
                  return true;
                },
                [] {});
  }

  /// What this call made, whether its answers came or not.
  void count(const std::vector<Item>& fresh) {
    const auto labelled =
        static_cast<std::size_t>(std::count_if(fresh.begin(), fresh.end(), has_labels));
    result_.tasks = fresh.size();
    result_.files = fresh.size() - result_.files_known;
    (options_.predictions ? result_.predictions : result_.annotations) = labelled;
  }

  /// Each image has one task, and each new one the labels that were sent with it.
  void look_at_result(const std::vector<std::string>& keys, const std::vector<Item>& fresh) {
    const auto there = server_.tasks_by_key(result_.project);
    for (std::size_t i = 0; i < keys.size(); ++i) {
      const std::size_t count = there.count(keys[i]);
      if (count == 0)
        throw Error(fmt::format("{}: expected a task for {}, found none", result_.project.title,
                                set_.images[i].file.string()));
      if (count > 1) result_.doubles.push_back(set_.images[i].file.string());
    }
    for (const Item& item : fresh) {
      const RemoteTask& task = there.find(item.key)->second;
      if (has_labels(item) && (options_.predictions ? task.predictions : task.annotations) != 1)
        throw Error(fmt::format("{}: expected task {} to have one set of labels, found {}",
                                result_.project.title, task.id,
                                options_.predictions ? task.predictions : task.annotations));
    }
  }

  LabelStudio& server_;
  const dataset::AnnotatedSet& set_;
  const PushOptions& options_;
  Journal& journal_;
  PushResult& result_;
  std::unordered_map<std::string, UploadedFile> files_;  // by mark
  std::vector<Item> recovered_;  // tasks whose answer got lost: what they have is not known
};

}  // namespace

PushResult push_set(LabelStudio& server, const std::string& project,
                    const dataset::AnnotatedSet& set, const PushOptions& options,
                    Journal& journal) {
  PushResult result;
  if (const auto found = server.find_project(project)) {
    result.project = *found;
  } else {
    if (!options.make_project || text::parse_int(project))
      throw Error(fmt::format("{}: expected the project '{}', found none",
                              server.service().client().address().text(),
                              text::printable(project)));
    result.project = server.make_project(project, names_of(set));
    result.made_project = true;
  }
  require_classes(set, result.project);
  Push(server, set, options, journal, result).run();
  return result;
}

}  // namespace yolov7::platforms
