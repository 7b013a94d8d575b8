#pragma once
// What people are asked to look at in one round: images with the detector's boxes as suggestions.
// A task is known by the content of its image (file::content_hash), wherever the image lies and
// whatever it is called; so no image is sent twice, in this round or in another.
#include <cstddef>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "dataset/formats/annotated_set.hpp"
#include "image/boxes/box.hpp"

namespace yolov7::loop {

struct Task {
  std::string key;     ///< 32 digits
  std::string file;    ///< of the copy below images/: "<12 digits of the key>_name.jpg"
  std::string origin;  ///< where the image came from
  int width = 0, height = 0;
  std::vector<Detection> suggestions;  ///< pixels, clipped to the image
};

struct TaskSet {
  std::vector<std::string> classes;
  std::string model;  ///< who made the suggestions
  std::vector<Task> tasks;
};

/// There are images, and none of them can be sent or chosen any more.
struct NothingLeft : Error {
  using Error::Error;
};

struct TasksMade {
  TaskSet set;
  std::vector<std::string> sent_before;  ///< images that an earlier round has
  std::vector<std::string> doubles;      ///< images with the content of one before them
};

/// From predictions (COCO with scores, as `active select` and `detect --collect` write them): paths
/// are absolute, or relative to the file's folder. Writes `folder` with images/ (copies) and
/// tasks.json, all or nothing. `known`: keys of earlier rounds, which are left out. `model`: name
/// for the suggestions. Errors: a file of another form; an image that is gone or no image;
/// NothingLeft.
TasksMade make_tasks(const std::filesystem::path& predictions, const std::filesystem::path& folder,
                     const std::set<std::string>& known, const std::string& model);
/// Error: it was not made by make_tasks().
TaskSet read_tasks(const std::filesystem::path& folder);

/// For writers and servers: images with files, sizes, hashes, and the suggestions with their scores
/// as objects. An image without a suggestion is not annotated.
dataset::AnnotatedSet annotated_set(const TaskSet& set, const std::filesystem::path& folder);

}  // namespace yolov7::loop
