#pragma once
// The interface of a CVAT server (https://docs.cvat.ai/docs/api_sdk/), with the requests of
// cvat-sdk 2.80. Tried against a server of the tests' own that cvat-sdk accepts, never against CVAT
// itself: docs/platforms.md says what stays unproved.
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <stop_token>
#include <string>
#include <vector>

#include "dataset/formats/annotated_set.hpp"
#include "dataset/formats/conversion.hpp"
#include "platforms/credentials.hpp"
#include "platforms/service.hpp"

namespace yolov7::platforms {

struct CvatCredential {
  Credential token;           ///< a personal access token, or
  Credential user, password;  ///< both
};
/// CVAT_ACCESS_TOKEN or the file's line; else CVAT_USERNAME and CVAT_PASSWORD. Error: neither.
CvatCredential cvat_credential(const http::Address& server);

struct CvatOptions {
  http::Tries tries = {};
  std::chrono::seconds patience{3600};  ///< for what the server works on
  std::chrono::milliseconds first_pause{200}, longest_pause{5000};
};

class Cvat {
 public:
  Cvat(const http::Address& address, const CvatCredential& key, const CvatOptions& options,
       std::stop_token stop);

  /// The new task's number. Error: the answer got lost, so the task may be there.
  std::int64_t make_task(const std::string& name, const std::vector<std::string>& labels);
  /// Images in this order, under these names.
  void send_images(std::int64_t task, const std::vector<std::filesystem::path>& files,
                   const std::vector<std::string>& names);
  void import_annotations(std::int64_t task, const std::string& format,
                          const std::filesystem::path& archive);
  /// By number, or by its whole name. Errors: none, several.
  std::int64_t find_task(const std::string& number_or_name);
  std::vector<std::int64_t> tasks_named(const std::string& name);
  struct TaskFacts {
    std::size_t images = 0, jobs = 0, jobs_completed = 0;
  };
  TaskFacts facts_of(std::int64_t task);
  void export_task(std::int64_t task, const std::string& format, bool images,
                   const std::filesystem::path& archive);

  Service& service() { return service_; }

 private:
  void log_in(const CvatCredential& key);
  nlohmann::json post_data(const std::string& path, const char* step, http::Request request);
  /// Until the server has done it. Error: it failed, or takes too long.
  nlohmann::json finished(const nlohmann::json& answer, const std::string& what);

  CvatOptions options_;
  Service service_;
};

struct CvatPush {
  std::int64_t task = 0;
  std::size_t images = 0, objects = 0;
  std::vector<dataset::ConversionLoss> losses;
};
/// A new task with the set's images and its objects as "CVAT 1.1". `set` is prepared.
CvatPush push_set(Cvat& server, const std::string& name, const dataset::AnnotatedSet& set);

/// How far an earlier push came.
struct CvatProgress {
  bool resumed = false;   ///< there may have been one: a task of the name is taken
  std::int64_t task = 0;  ///< 0 = none is known
  bool images = false, annotations = false;
  std::function<void(const CvatProgress&)> changed = {};  ///< called after each step
};
/// The same, without the steps that are done. Errors: several tasks of the name; one with another
/// number of images.
CvatPush push_set(Cvat& server, const std::string& name, const dataset::AnnotatedSet& set,
                  CvatProgress& progress);

struct CvatPullOptions {
  std::string to = "yolo";
  std::filesystem::path out, images;  ///< images: the server sends none where a folder is named
  std::filesystem::path annotations = {};  ///< gets the export's annotations.xml; empty: nothing
};
/// The task's export as "CVAT for images 1.1", converted into the folder `out`.
dataset::Conversion pull_task(Cvat& server, const std::string& number_or_name,
                              const CvatPullOptions& options);

}  // namespace yolov7::platforms
