#pragma once
// The options of annotate.
#include <string>
#include <vector>

#include "active/gap_filling.hpp"
#include "active/machine_labels.hpp"
#include "api/model.hpp"
#include "core/settings.hpp"
#include "image/codec/truncated.hpp"
#include "runtime/detect.hpp"

namespace yolov7::cli {

struct AnnotateOptions {
  AnnotateOptions() { look.nms.kind = NmsKind::wbf; }

  api::ModelOptions model;  ///< its weights are the teachers
  runtime::LookOptions look;
  active::PromiseOptions promise;
  active::DoubtOptions doubt;
  TruncatedRule truncated;
  std::string source, out, to = "yolo", labelled, labelled_split = "val";
  std::vector<std::string> map, conf;
  bool drop_unknown = false, with_empty = false, link = false;
  bool sequence = false;  ///< images of a folder are frames of a video
  int vid_stride = 1;
  active::GapOptions gaps;
  std::string gap_boxes = "doubtful";  ///< or "labels"

  bool fills_as_labels() const { return gap_boxes == "labels"; }
  bool fused() const { return model.weights.size() > 1 || model.augment; }
};

Settings settings(AnnotateOptions& options);
/// Errors (usage): what is missing, and options that exclude each other; an output folder that is
/// not empty; a teacher that is not there.
void require_possible(const AnnotateOptions& options);

/// The thresholds of --conf by class: "0.5" for every class, "NAME=0.5" for one. −1: none. Errors
/// (usage): no number from 0 to 1, a class that is not in `names`, a class twice.
std::vector<double> given_thresholds(const std::vector<std::string>& texts,
                                     const std::vector<std::string>& names);

}  // namespace yolov7::cli
