#pragma once
// The options of val, and what its tasks share: the model, the split, what is measured.
#include <string>
#include <vector>

#include "api/model.hpp"
#include "cli/verb.hpp"
#include "cli/verbs/nms_choice.hpp"
#include "core/settings.hpp"
#include "dataset/index/index.hpp"
#include "evaluation/evaluate.hpp"

namespace yolov7::cli {

struct ValOptions {
  std::vector<std::string> weights{"yolov7.pt"};
  std::string data = "data/coco.yaml", task = "val", device, project = "runs/test", name = "exp",
              precision = "float32", backend = "openvino";
  int batch_size = 32, img_size = 640, max_det = 300, max_nms = 30000, workers = 8, threads = 0;
  double conf_thres = 0.001, iou_thres = 0.65;
  bool single_cls = false, verbose = false, save_txt = false, save_hybrid = false,
       save_conf = false, save_json = false, exist_ok = false;
  bool augment = false, tta_clip_tails = false, no_trace = false, v5_metric = false,
       recheck = false, strict = false;
  std::string anno_json;
  std::vector<int> coco_max_dets{1, 10, 100};
  NmsChoice nms;
  std::vector<int> study_sizes{256, 384, 512, 640, 768, 896, 1024, 1152, 1280, 1408, 1536};
  bool refused_switch = false;

  ValOptions() { nms.matrix_thres = 0.001; }  // low, as the confidence threshold is
  evaluation::AnalysisOptions analyses;
};

Settings settings(ValOptions& options);
/// Error (usage): options that exclude each other, an unknown task. Warnings: options without
/// effect.
void check(const ValOptions& options);
api::ModelOptions model_options(const ValOptions& options);
/// COCO's own data set, by the name of its description.
bool is_coco(const std::string& data);

/// A split, and how a model is to be measured on it.
struct Measurement {
  dataset::Index index;
  evaluation::ValidationOptions options;
  std::string annotations;  ///< COCO annotation file for the COCO metric; empty = the labels
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
