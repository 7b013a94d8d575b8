#pragma once
// Answers into a version of the labelled data set.
#include <cstddef>
#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

#include "dataset/formats/conversion.hpp"
#include "loop/answers.hpp"
#include "versions/store.hpp"

namespace yolov7::loop {

struct ReturnedOptions {
  std::string base;  ///< the labelled version that was there when the tasks were sent
  std::string name;  ///< of the data set that gets the version
  std::string message;
  std::filesystem::path tasks;  ///< folder of the round's tasks, with the images
  std::stop_token stop = {};
};

struct Returned {
  versions::Entry entry;
  bool already_there = false;  ///< the newest version of the name has this content
  std::size_t images_added = 0;
  std::size_t images_again = 0;  ///< that the base has; their annotations are replaced
  std::vector<std::string> new_classes;
  /// What rows of label files cannot hold, by name and number.
  std::vector<dataset::ConversionLoss> losses;
};

/// The base with the labelled answers: new images go to the train split, those that the base has by
/// their bytes get the new annotations at their places. Its parent is the base, so merging it with
/// whatever the labelled set is by now is three-way. Classes that the base lacks go to the end.
/// Errors: a base with key points; a damaged store; a full disk; no labelled answer;
/// stopped_error(). The store is then as it was.
Returned add_returned(versions::Store& store, const TaskSet& tasks, const Answers& answers,
                      const ReturnedOptions& options);

}  // namespace yolov7::loop
