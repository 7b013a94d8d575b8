#pragma once
// A Label Studio project into an annotated set: every task accounted for, several people's boxes
// compared and merged, and how much of the pre-labels people had to change.
#include <filesystem>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <set>
#include <string>
#include <vector>

#include "dataset/formats/annotated_set.hpp"
#include "dataset/formats/conversion.hpp"
#include "platforms/agreement.hpp"
#include "platforms/edits.hpp"
#include "platforms/label_studio.hpp"

namespace yolov7::platforms {

struct PullOptions {
  std::string to = "yolo";
  std::filesystem::path out, images;  ///< images: where to look before the server is asked
  bool merge = false;                 ///< join several people's boxes; else the newest annotation
  bool all = false;                   ///< tasks without an annotation, too
  double least_iou = 0.5;
  std::set<std::string> only;  ///< keys of pushed tasks; others are not looked at. Empty: all
};

struct ReviewEntry {
  std::string image;
  std::int64_t task = 0;
  std::size_t people = 0;
  ImageAgreement agreement;
  std::vector<AgreementCount> per_class;
  std::vector<std::string> reasons;
};

struct PullResult {
  LabelProject project;
  std::size_t tasks = 0, with_boxes = 0, empty = 0, skipped = 0, not_annotated = 0;
  std::map<std::string, std::size_t> annotations_by;  ///< person → annotations
  std::vector<ReviewEntry> review;  ///< tasks of several people, least agreement first
  std::vector<AgreementCount> per_class;
  std::vector<std::string> class_names;
  Edits edits;
  std::size_t images_here = 0, images_fetched = 0;
  std::size_t left_out_by_merge = 0;
  /// Key of a pushed task → what people drew in it that is not among the boxes, other than by the
  /// merge.
  std::map<std::string, std::vector<std::string>> left_out;
  dataset::Conversion conversion;
};

/// Writes `out` in the format `to`, with pull.json, all or nothing. Images are taken from `images`
/// where the content hash of the push fits, else fetched from the server itself; what lies at other
/// places (http, s3 …) is not fetched, and its task is dropped by name. Fetched images wait in
/// .NAME.pull beside `out` until the end, so that a later call for the same project of the same
/// server goes on. Errors: no such project; `out` holds something; no annotated task; the server's;
/// stopped_error().
PullResult pull_project(LabelStudio& server, const std::string& project,
                        const PullOptions& options);
nlohmann::json to_json(const PullResult& result);

enum class TaskState { open, annotated, skipped };
/// The state of each pushed task, by its key. Of several people, and of several tasks of one key,
/// annotated comes before skipped, and skipped before open.
std::map<std::string, TaskState> task_states(LabelStudio& server, const LabelProject& project);

}  // namespace yolov7::platforms
