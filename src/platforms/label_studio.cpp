#include "platforms/label_studio.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/json.hpp"
#include "core/text.hpp"
#include "dataset/formats/json_fields.hpp"
#include "dataset/formats/label_studio.hpp"

namespace yolov7::platforms {
using dataset::member;
using dataset::text_at;
using nlohmann::json;
namespace {

// An import of 500 tasks takes seconds on a busy server.
constexpr std::chrono::seconds longest_silence{300};
// An access token lives for 300 s.
constexpr std::chrono::seconds life_of_access{200};
constexpr int missing = 404, page_size = 1000;

std::int64_t number_at(const json& value, const char* key) {
  const json* found = member(value, key);
  return found != nullptr && found->is_number_integer() ? found->get<std::int64_t>() : 0;
}

std::size_t count_at(const json& value, const char* key) {
  return static_cast<std::size_t>(std::max<std::int64_t>(0, number_at(value, key)));
}

std::string project_path(const LabelProject& project, const std::string& call) {
  return fmt::format("/api/projects/{}/{}", project.id, call);
}

/// A list that the server gives as it is, or in pages. It ends where the server answers with one of
/// `also`.
std::vector<json> list_of(LabelStudio& server, const std::string& path, const http::Fields& query,
                          std::initializer_list<int> also = {}) {
  std::vector<json> all;
  for (int page = 1;; ++page) {
    http::Request request{.path = path, .query = query};
    if (page > 1) request.query.emplace_back("page", std::to_string(page));
    Service& service = server.service();
    const http::Answer answer = service.send(request, also);
    if (!answer.good()) return all;
    const json value = service.json_of(answer, request);
    const json* list = value.is_array() ? &value : member(value, "results");
    if (list == nullptr || !list->is_array() || list->empty()) return all;
    all.insert(all.end(), list->begin(), list->end());
    if (text_at(value, "next").empty()) return all;
  }
}

/// A control of the parsed configuration that works on an image; its data key in `image_key`.
std::optional<LabelControl> control_of(const std::string& name, const json& value,
                                       std::string& image_key) {
  const json *inputs = member(value, "inputs"), *targets = member(value, "to_name"),
             *labels = member(value, "labels");
  if (inputs == nullptr || !inputs->is_array() || inputs->empty() || targets == nullptr ||
      !targets->is_array() || targets->empty() || !targets->front().is_string() ||
      text_at(inputs->front(), "type") != "Image")
    return std::nullopt;
  LabelControl control{name, targets->front().get<std::string>(), {}};
  if (labels != nullptr && labels->is_array())
    for (const json& one : *labels)
      if (one.is_string()) control.labels.push_back(one.get<std::string>());
  if (image_key.empty()) image_key = text_at(inputs->front(), "value");
  return control;
}

}  // namespace

LabelStudio::LabelStudio(const http::Address& address, const Credential& key,
                         const http::Tries& tries, std::stop_token stop)
    : service_("Label Studio", address, {std::chrono::seconds(10), longest_silence}, tries,
               std::move(stop)) {
  service_.client().hide(key.value);
  if (std::count(key.value.begin(), key.value.end(), '.') == 2)
    personal_ = key.value;
  else
    service_.client().set_header("Authorization", "Token " + key.value);
}

void LabelStudio::refresh() {
  const auto now = std::chrono::steady_clock::now();
  if (personal_.empty() ||
      (refreshed_.time_since_epoch().count() != 0 && now - refreshed_ < life_of_access))
    return;
  const std::string access =
      text_at(service_.post("/api/token/refresh", {{"refresh", personal_}}), "access");
  if (access.empty())
    throw Error(
        fmt::format("Label Studio {}: expected an access token for the personal one, found "
                    "none",
                    service_.client().address().text()));
  service_.client().hide(access);
  service_.client().set_header("Authorization", "Bearer " + access);
  refreshed_ = now;
}

LabelProject LabelStudio::project_of(const json& value) const {
  LabelProject project{number_at(value, "id"), text_at(value, "title"), "", {}, {}};
  const json* config = member(value, "parsed_label_config");
  if (config != nullptr && config->is_object())
    for (const auto& [name, one] : config->items()) {
      const std::string type = text_at(one, "type");
      if (type == "RectangleLabels" && !project.boxes)
        project.boxes = control_of(name, one, project.image_key);
      if (type == "PolygonLabels" && !project.polygons)
        project.polygons = control_of(name, one, project.image_key);
    }
  if (project.id == 0 || project.image_key.empty())
    throw Error(fmt::format(
        "Label Studio {}: project {} ({}): expected <RectangleLabels> or <PolygonLabels> for an "
        "<Image> in its labelling configuration, found neither",
        service_.client().address().text(), project.id, text::printable(project.title)));
  return project;
}

std::optional<LabelProject> LabelStudio::find_project(const std::string& number_or_title) {
  if (const auto number = text::parse_int(number_or_title); number && *number > 0) {
    const http::Request request{.path = fmt::format("/api/projects/{}", *number)};
    const http::Answer answer = service().send(request, {missing});
    if (answer.status == missing) return std::nullopt;
    return project_of(service_.json_of(answer, request));
  }
  const std::vector<json> projects =
      list_of(*this, "/api/projects/",
              {{"title", number_or_title}, {"page_size", std::to_string(page_size)}});
  const json* found = nullptr;
  for (const json& one : projects) {
    if (text_at(one, "title") != number_or_title) continue;
    if (found != nullptr)
      throw Error(fmt::format(
          "Label Studio {}: expected one project of the title '{}', found {} and {}; name it by "
          "its number",
          service_.client().address().text(), text::printable(number_or_title),
          number_at(*found, "id"), number_at(one, "id")));
    found = &one;
  }
  if (found == nullptr) return std::nullopt;
  return project_of(*found);
}

LabelProject LabelStudio::make_project(const std::string& title,
                                       const std::vector<std::string>& classes) {
  const http::Request request =
      json_request("POST", "/api/projects/",
                   {{"title", title}, {"label_config", dataset::label_studio_config(classes)}});
  for (int number = 1;; ++number) {
    std::string why;
    if (const auto answer = service().send_once(request, why))
      return project_of(service_.json_of(*answer, request));
    if (number >= service_.tries().most) throw Error(fmt::format("{} ({} tries)", why, number));
    http::wait_for(http::wait_before(number, service_.tries(), {}), service_.stop());
    if (const auto made = find_project(title)) return *made;
  }
}

std::multimap<std::string, RemoteTask> LabelStudio::tasks_by_key(const LabelProject& project) {
  std::multimap<std::string, RemoteTask> found;
  std::size_t seen = 0;
  for (int page = 1;; ++page) {
    const http::Request request{
        .path = "/api/tasks/",
        .query = {{"project", std::to_string(project.id)},
                  {"include", "id,meta,total_annotations,total_predictions"},
                  {"page", std::to_string(page)},
                  {"page_size", std::to_string(page_size)}}};
    const http::Answer answer = service().send(request, {missing});
    if (answer.status == missing) break;  // behind the last page
    const json value = service_.json_of(answer, request);
    const json* tasks = member(value, "tasks");
    if (tasks == nullptr || !tasks->is_array() || tasks->empty()) break;
    for (const json& task : *tasks) {
      ++seen;
      const json* meta = member(task, "meta");
      const json* ours = meta == nullptr ? nullptr : member(*meta, "yolov7");
      const std::string key = ours == nullptr ? "" : text_at(*ours, "key");
      if (!key.empty())
        found.emplace(key, RemoteTask{number_at(task, "id"), count_at(task, "total_annotations"),
                                      count_at(task, "total_predictions")});
    }
    if (seen >= count_at(value, "total")) break;
  }
  return found;
}

std::vector<UploadedFile> LabelStudio::files(const LabelProject& project,
                                             const std::vector<std::int64_t>& ids) {
  http::Fields query{{"all", "true"}};
  if (!ids.empty()) query = {{"ids", fmt::format("[{}]", fmt::join(ids, ","))}};
  const json answer = service().get(project_path(project, "file-uploads"), query);
  std::vector<UploadedFile> found;
  if (answer.is_array())
    for (const json& one : answer)
      found.push_back({number_at(one, "id"), text_at(one, "file"), count_at(one, "size")});
  return found;
}

std::optional<std::vector<std::int64_t>> LabelStudio::upload(const LabelProject& project,
                                                             const std::vector<http::Part>& parts,
                                                             std::string& why) {
  const http::Request request{.method = "POST",
                              .path = project_path(project, "import"),
                              .query = {{"commit_to_project", "false"}},
                              .parts = parts};
  const auto answer = service().send_once(request, why);
  if (!answer) return std::nullopt;
  std::vector<std::int64_t> ids;
  const json value = service_.json_of(*answer, request);
  const json* list = member(value, "file_upload_ids");
  if (list != nullptr && list->is_array())
    for (const json& one : *list)
      if (one.is_number_integer()) ids.push_back(one.get<std::int64_t>());
  return ids;
}

std::optional<ImportCounts> LabelStudio::import(const LabelProject& project, const json& tasks,
                                                std::string& why) {
  const http::Request request =
      json_request("POST", project_path(project, "import"), tasks, {{"return_task_ids", "true"}});
  const auto answer = service().send_once(request, why);
  if (!answer) return std::nullopt;
  const json value = service_.json_of(*answer, request);
  ImportCounts counts{count_at(value, "task_count"),
                      count_at(value, "annotation_count"),
                      count_at(value, "prediction_count"),
                      {}};
  const json* ids = member(value, "task_ids");
  if (ids != nullptr && ids->is_array())
    for (const json& one : *ids)
      if (one.is_number_integer()) counts.task_ids.push_back(one.get<std::int64_t>());
  return counts;
}

void LabelStudio::delete_predictions(const LabelProject& project,
                                     const std::vector<std::int64_t>& tasks) {
  service().post("/api/dm/actions/", {{"selectedItems", {{"all", false}, {"included", tasks}}}},
                 {{"id", "delete_tasks_predictions"}, {"project", std::to_string(project.id)}});
}

std::optional<std::size_t> LabelStudio::import_predictions(const LabelProject& project,
                                                           const json& predictions,
                                                           std::string& why) {
  const http::Request request =
      json_request("POST", project_path(project, "import/predictions"), predictions);
  const auto answer = service().send_once(request, why);
  if (!answer) return std::nullopt;
  return count_at(service_.json_of(*answer, request), "created");
}

json LabelStudio::export_tasks(const LabelProject& project) {
  json tasks = service().get(project_path(project, "export"),
                             {{"exportType", "JSON"}, {"download_all_tasks", "true"}});
  if (!tasks.is_array())
    throw Error(fmt::format("Label Studio {}: expected a list of tasks in the export, found {}",
                            service_.client().address().text(), tasks.type_name()));
  return tasks;
}

std::map<std::int64_t, std::string> LabelStudio::people() {
  std::map<std::int64_t, std::string> names;
  constexpr int refused = 403;
  for (const json& one : list_of(*this, "/api/users/", {}, {refused, missing}))
    if (const std::string name = text_at(one, "email"); !name.empty())
      names[number_at(one, "id")] = name;
  return names;
}

}  // namespace yolov7::platforms
