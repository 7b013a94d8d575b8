#pragma once
// A plain folder as the place where people label, with any tool that edits YOLO label files.
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "loop/answers.hpp"
#include "loop/tasks.hpp"

namespace yolov7::loop {

/// Lines of done.txt: the name of a finished image, "skip NAME", or "all" for all that no other
/// line names, wherever it stands; "#" begins a comment. Sets the state of the tasks that are
/// named: skipped, or `empty` for finished ones. Error: a name that no task has, a name that is
/// both finished and skipped.
void read_done(std::string_view text, const TaskSet& tasks, const std::string& source,
               Answers& answers);
/// Classes of classes.txt: those of the tasks in their order, and behind them the ones that people
/// added. Error: others, one twice.
std::vector<std::string> read_classes(std::string_view text, const TaskSet& tasks,
                                      const std::string& source);
/// Rows of a label file. `clipped` counts boxes that reach beyond the image by more than half a
/// pixel. Errors: a row that is no label, a class that classes.txt does not have.
std::vector<dataset::AnnotatedObject> read_labels(std::string_view text, const Task& task,
                                                  std::size_t classes, const std::string& source,
                                                  std::size_t& clipped);

}  // namespace yolov7::loop
