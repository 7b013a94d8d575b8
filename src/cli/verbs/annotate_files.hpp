#pragma once
// What annotate writes: the labels as a data set, and what people should look at.
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "active/machine_labels.hpp"
#include "cli/verbs/active_pool.hpp"
#include "cli/verbs/annotate_frames.hpp"
#include "dataset/formats/conversion.hpp"

namespace yolov7::cli {

struct MachineLabels {
  std::vector<std::string> names;
  std::vector<active::ClassRule> rules;
  std::string teacher;                      ///< SHA-256 of the teachers, joined by "+"
  std::vector<PoolImage> images;            ///< with the classes of the labels
  std::vector<active::JudgedImage> judged;  ///< one for each image
  /// For each image from which place on its detections were filled in by tracks; empty: none were.
  std::vector<std::size_t> filled_from;
  FramePlaces places;                   ///< of images that are frames
  const VideoImages* frames = nullptr;  ///< where some are frames of videos
  bool is_filled(std::size_t image, std::size_t detection) const {
    return !filled_from.empty() && detection >= filled_from[image];
  }
  double doubt = 0.25;
  std::size_t count(active::ImageVerdict verdict) const;
  /// Detections of complete images that are no labels (--doubt-share); they are ignored regions
  /// where the format has a place for these.
  std::size_t tolerated() const;
};

struct LabelFiles {
  std::filesystem::path out;
  std::string to;
  bool with_empty = false, hard_link = false;
};

/// SHA-256 of a model file, with that of its weights where they stand beside it (.xml); of a folder
/// that of the list of its files with theirs. A model that a server runs has its address instead:
/// what the server runs there, nobody else can tell.
std::string model_fingerprint(const std::filesystem::path& path);

/// set/ (where an image is complete), review.json, review.txt, empty.txt and annotation.json, which
/// is `report` with "account", "written_boxes" and "ignored_regions" added; frames/ where videos
/// were read. Each label has the attributes `origin` "machine", `teacher` and `threshold`, and its
/// score; one that a track filled in has `interpolated` instead of the last two. Detections with a
/// track have it, filled ones as no key frame. Boxes under 1 px are dropped by name. Errors: a full
/// disk, stopped_error().
dataset::Conversion write_label_files(const MachineLabels& labels, const LabelFiles& files,
                                      nlohmann::json& report);

}  // namespace yolov7::cli
