#pragma once
// A new set with the changes that the findings propose. The source is never touched, every change
// has a number, and any of them can be left out (data-services D1).
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <set>
#include <string>
#include <vector>

#include "dataset/doctor/doctor.hpp"

namespace yolov7::dataset::doctor {

struct NumberedChange {
  int number = 0;  ///< from 1; the same as long as source and checks are the same
  std::string_view check;
  Change change;
  std::string split;
  std::filesystem::path image;  ///< of the source; empty for a label file without an image
  std::filesystem::path label;  ///< of the source
  std::string before;           ///< the row as it was
};

/// Each change once: where several findings propose the same for one row or image it is one change,
/// and an image that is dropped has no other. A row may be replaced and dropped: then it is
/// dropped, and replaced where the drop is left out.
std::vector<NumberedChange> changes_of(const Diagnosis& diagnosis);

struct FixOptions {
  std::set<int> leave;     ///< numbers of changes that are not made
  bool hard_link = false;  ///< of images, where the file system can; else copies
  std::stop_token stop = {};
};

struct FixCounts {
  std::size_t images = 0, dropped_images = 0, changed_rows = 0, dropped_rows = 0;
  std::size_t lost_key_points = 0;      ///< changed rows without the key points that they had
  std::size_t dropped_label_files = 0;  ///< without an image
  std::size_t left = 0;                 ///< changes that were not made
};

/// Writes images/<split>, labels/<split>, data.yaml and changes.json below `out`, which is new or
/// empty. Label rows that are not changed keep their text; a file without a changed row is copied
/// byte for byte, others become UTF-8 with LF. Errors: `out` holds something or lies in the source;
/// a number in `leave` that no change has; stopped_error().
FixCounts write_fixed(const Diagnosis& diagnosis, const std::filesystem::path& out,
                      const FixOptions& options);

nlohmann::json to_json(const NumberedChange& change);

}  // namespace yolov7::dataset::doctor
