#pragma once
// The interface of a Label Studio server (https://labelstud.io/api), as version 1.23.2 answers.
#include <chrono>
#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "platforms/credentials.hpp"
#include "platforms/service.hpp"

namespace yolov7::platforms {

/// A tag of the labelling configuration that makes regions.
struct LabelControl {
  std::string name, to_name;
  std::vector<std::string> labels;
};

struct LabelProject {
  std::int64_t id = 0;
  std::string title;
  std::string image_key;  ///< the member of a task's data that is the image
  std::optional<LabelControl> boxes, polygons;
};

/// A file that was uploaded: "upload/7/1a2b3c4d-name.png".
struct UploadedFile {
  std::int64_t id = 0;
  std::string path;
  std::uint64_t bytes = 0;
};

struct RemoteTask {
  std::int64_t id = 0;
  std::size_t annotations = 0, predictions = 0;
};

struct ImportCounts {
  std::size_t tasks = 0, annotations = 0, predictions = 0;
  std::vector<std::int64_t> task_ids;
};

class LabelStudio {
 public:
  /// A key with two dots is a personal access token, which is exchanged for one of 300 s again and
  /// again; another one is a legacy token.
  LabelStudio(const http::Address& address, const Credential& key, const http::Tries& tries,
              std::stop_token stop);

  /// By number, or by its whole title. Nothing where there is none. Errors: two of this title; no
  /// image in its configuration.
  std::optional<LabelProject> find_project(const std::string& number_or_title);
  /// After a lost answer it looks for the title, and makes one where there is none.
  LabelProject make_project(const std::string& title, const std::vector<std::string>& classes);

  /// Tasks by meta.yolov7.key; a key that stands there twice has two.
  std::multimap<std::string, RemoteTask> tasks_by_key(const LabelProject& project);
  /// All files of the project, or those of `ids`.
  std::vector<UploadedFile> files(const LabelProject& project,
                                  const std::vector<std::int64_t>& ids = {});
  /// One request. Nothing where the answer got lost: look at files(). `why` says what happened.
  std::optional<std::vector<std::int64_t>> upload(const LabelProject& project,
                                                  const std::vector<http::Part>& parts,
                                                  std::string& why);
  /// One request. Nothing where the answer got lost: look at tasks_by_key().
  std::optional<ImportCounts> import(const LabelProject& project, const nlohmann::json& tasks,
                                     std::string& why);
  void delete_predictions(const LabelProject& project, const std::vector<std::int64_t>& tasks);
  /// How many the server made, which may be fewer than were sent. Nothing where the answer got
  /// lost: delete and send them again.
  std::optional<std::size_t> import_predictions(const LabelProject& project,
                                                const nlohmann::json& predictions,
                                                std::string& why);
  /// All tasks with their annotations, those without any too.
  nlohmann::json export_tasks(const LabelProject& project);
  /// Names of people by their number, as far as the server tells them.
  std::map<std::int64_t, std::string> people();

  Service& service() {
    refresh();
    return service_;
  }

 private:
  void refresh();
  LabelProject project_of(const nlohmann::json& value) const;

  Service service_;
  std::string personal_;  ///< a personal access token, or ""
  std::chrono::steady_clock::time_point refreshed_{};
};

}  // namespace yolov7::platforms
