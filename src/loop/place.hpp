#pragma once
// Where people label: a Label Studio project, a CVAT task, a Roboflow project, or a plain folder.
#include <cstddef>
#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "loop/answers.hpp"
#include "loop/tasks.hpp"

namespace yolov7::loop {

struct PlaceOptions {
  /// "label-studio://host:port/project", "cvat://host:port/name", "roboflow://workspace/project",
  /// or a folder.
  std::string to;
  int tries = 5;        ///< how often a request is tried
  int patience = 3600;  ///< seconds for what a server works on
  std::string roboflow_address;
  std::string roboflow_version;  ///< number of the version to pull; "" = none was named
  std::stop_token stop = {};
};

/// A round as a place sees it.
struct PlaceRound {
  int number = 0;
  std::filesystem::path folder;  ///< of the round, for files of the place's own
  std::filesystem::path tasks;   ///< folder of the tasks, with images/
  const TaskSet& set;
};

struct Pushed {
  std::size_t made = 0, known = 0;  ///< tasks of this call, and of an earlier one
  std::size_t suggestions = 0;      ///< boxes that go with the tasks
  std::string where;                ///< for people: an address or a folder
  std::string how;                  ///< what they have to do, one sentence
  std::vector<std::string> notes;   ///< what is not as it was asked for
};

class Place {
 public:
  virtual ~Place() = default;
  /// Every task once, whatever became of an earlier call. Errors: counts that differ; the
  /// server's; stopped_error().
  virtual Pushed push(const PlaceRound& round) = 0;
  /// What is there now.
  virtual Answers pull(const PlaceRound& round) = 0;
};

/// Connects; a folder is not made yet. Errors: `to` is no place; no key for the server.
std::unique_ptr<Place> open_place(const PlaceOptions& options);
/// `to` with an absolute path where it is a folder.
std::string absolute_place(const std::string& to);

// One for each kind; open_place() chooses.
std::unique_ptr<Place> folder_place(const PlaceOptions& options);
std::unique_ptr<Place> label_studio_place(const PlaceOptions& options);
std::unique_ptr<Place> cvat_place(const PlaceOptions& options);
std::unique_ptr<Place> roboflow_place(const PlaceOptions& options);

}  // namespace yolov7::loop
