#pragma once
// An annotated set into a Label Studio project: files, then tasks with what is known of them
// (data-services F).
#include <string>
#include <vector>

#include "dataset/formats/annotated_set.hpp"
#include "platforms/journal.hpp"
#include "platforms/label_studio.hpp"

namespace yolov7::platforms {

struct PushOptions {
  bool predictions = false;      ///< objects are pre-labels of a model, not the truth
  std::string model = "yolov7";  ///< the name of the model that the pre-labels carry
  bool make_project = true;      ///< where there is none of this title
  std::size_t files_a_request = 100, tasks_a_request = 500;  ///< the server's limits
  std::uint64_t bytes_a_request = std::uint64_t{64} << 20;
};

struct PushResult {
  LabelProject project;
  bool made_project = false;
  std::size_t files = 0, files_known = 0;        ///< uploaded by this call, and found on the server
  std::size_t tasks = 0, tasks_known = 0;        ///< the same
  std::size_t annotations = 0, predictions = 0;  ///< made with the tasks of this call
  /// Of the tasks known; renewed: also taken away, where nothing is found in the image any more.
  std::size_t predictions_renewed = 0, predictions_unchanged = 0;
  std::size_t annotations_not_sent = 0;  ///< of tasks known: what people may have changed is kept
  std::vector<std::string> doubles;      ///< images that have two tasks
};

/// `set` is prepared. Nothing is sent twice: what stands on the server is found by the image's
/// content hash in the task's `meta`, whatever became of the journal or of an answer. Every count
/// in an answer is compared with what was sent. Errors: classes or shapes that the project's
/// configuration lacks (before anything is sent: the server would take and drop them without a
/// word); fewer made than sent; the server's; stopped_error().
PushResult push_set(LabelStudio& server, const std::string& project,
                    const dataset::AnnotatedSet& set, const PushOptions& options, Journal& journal);

}  // namespace yolov7::platforms
