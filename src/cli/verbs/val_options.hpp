#pragma once
// The options of val, and what its tasks share: the model, the split, what is measured.
#include <string>
#include <vector>

#include "api/model.hpp"
#include "cli/verb.hpp"
#include "core/settings.hpp"
#include "dataset/index/index.hpp"
#include "evaluation/evaluate.hpp"
#include "image/codec/truncated.hpp"

namespace yolov7::cli {

struct ValOptions {
  ValOptions() { model.weights = {"yolov7.pt"}; }

  api::ModelOptions model;
  evaluation::ValidationOptions measuring;
  TruncatedRule truncated;
  std::string data = "data/coco.yaml", task = "val", device, project = "runs/test", name = "exp",
              anno_json;
  bool verbose = false, save_txt = false, save_conf = false, save_json = false, exist_ok = false,
       no_trace = false, recheck = false, strict = false;
  std::vector<int> coco_max_dets{1, 10, 100};
  std::vector<int> study_sizes{256, 384, 512, 640, 768, 896, 1024, 1152, 1280, 1408, 1536};
  bool refused_switch = false;
};

Settings settings(ValOptions& options);
/// Error (usage): options that exclude each other, an unknown task. Warnings: options without
/// effect.
void check(const ValOptions& options);
/// Of the settings that the command line gives, those without effect in this task: of a report that
/// `speed` and `study` do not write, of an analysis that is not asked for.
std::vector<std::string> unused(const ValOptions& options, const std::vector<std::string>& given);
/// COCO's own data set, by the name of its description.
bool is_coco(const std::string& data);

/// A split, and how a model is to be measured on it.
struct Measurement {
  dataset::Index index;
  evaluation::ValidationOptions options;
  std::string annotations;        ///< COCO annotation file for the COCO metric; empty = the labels
  std::string data_account = {};  ///< JSON: what reading a format other than data.yaml dropped
};
/// Errors: the description has no such split, classes of model and data that differ, whatever
/// reading reports.
Measurement prepare_measurement(const ValOptions& options, const std::string& split,
                                const api::OpenModel& model);

/// Exit code 1 and an error line where predictions had rows that are not finite.
void judge_finite(const evaluation::ValidationResult& result, Output& output);

/// --task speed and study (evaluation 1.12): each weights file by itself.
nlohmann::json run_speed(const ValOptions& options, Output& output);
nlohmann::json run_study(const ValOptions& options, Output& output);

}  // namespace yolov7::cli
