#pragma once
// Measures any Detector on a split (evaluation 1.2–1.6): rectangular batches, suppression, back to
// the original picture, COCO's and the official metric, confusion matrix, time.
#include <functional>
#include <opencv2/core/mat.hpp>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "dataset/batch.hpp"
#include "dataset/index/index.hpp"
#include "evaluation/analyses/analyses.hpp"
#include "evaluation/metrics/coco.hpp"
#include "evaluation/metrics/coco_split.hpp"
#include "evaluation/metrics/confusion.hpp"
#include "evaluation/metrics/yolo_metric.hpp"
#include "image/boxes/nms.hpp"
#include "runtime/detector.hpp"

namespace yolov7::evaluation {

/// Low threshold, several classes for one box (evaluation 1.4).
inline NmsOptions validation_nms() {
  NmsOptions nms;
  nms.conf_thres = 0.001;
  nms.iou_thres = 0.65;
  nms.multi_label = true;
  nms.crowd.matrix_threshold = 0.001;  // low, as the confidence threshold is
  return nms;
}

struct ValidationOptions {
  int image_size = 640, batch_size = 32;
  NmsOptions nms = validation_nms();
  bool single_cls = false;  ///< all predicted classes become 0 before suppression
  bool v5_metric = false;
  bool save_hybrid =
      false;  ///< ground truth enters the suppression: for auto-labelling, the metrics are invalid
  bool keep_detections = false;  ///< for label files, JSON and pictures
  int pictures = 0;              ///< batches kept as contact sheets
  int workers = 8;
  std::size_t cache_bytes = 0;
  std::vector<int> data_class;                  ///< by model class; empty = the same
  std::optional<CocoGroundTruth> ground_truth;  ///< for the COCO metric in place of the labels; ids
                                                ///< as ground_truth_of() gives them
  CocoOptions coco;
  AnalysisOptions analyses;   ///< of the detections and the ground truth that the COCO metric has
  std::stop_token stop = {};  ///< looked at before each batch
  /// Several processes share the batches: this one takes every parts-th, and `exchange` turns its
  /// bytes into those of all, in order of the parts. The result is then that of the whole split in
  /// every process; contact sheets and times are this process's.
  int part = 0, parts = 1;
  std::function<std::vector<std::string>(const std::string&)> exchange;
};

/// The options of a command line that these members are.
std::vector<Setting> settings(ValidationOptions& options);

/// Milliseconds per picture. `pre` is the time that the run waited for the loader's threads.
struct ValidationTimes {
  double pre = 0, inference = 0, nms = 0, total = 0;
  double prepare = 0;  ///< of the whole run: getting the detector ready for the batch shapes; part
                       ///< of no other figure
};

struct ValidationResult {
  ValidationOptions options;
  std::size_t pictures = 0, labels = 0, predictions = 0;
  CocoResult coco;
  Analyses analyses;
  YoloMetric official;
  ConfusionMatrix confusion;
  ValidationTimes times;
  std::vector<PictureDetections> detections;  ///< in the index's order, if kept
  std::vector<cv::Mat> label_sheets, prediction_sheets;
  float highest_score = 0;  ///< of all rows, also below the threshold
  std::size_t dropped_not_finite = 0;
  std::size_t pictures_not_finite = 0;  ///< with such rows; each is named in a warning

  double map50() const { return coco.stats[1] < 0 ? 0 : coco.stats[1]; }
  double map() const { return coco.stats[0] < 0 ? 0 : coco.stats[0]; }
};

using BatchObserver = std::function<void(const dataset::Batch&, const runtime::Prediction&)>;

/// The observer sees each batch before suppression. The result does not depend on threads.
/// Errors: an index without pictures, a detector whose classes do not fit the data (single_cls
/// aside), a picture for which no row of the prediction is finite (the picture is named),
/// stopped_error().
ValidationResult evaluate(runtime::Detector& detector, const dataset::Index& index,
                          const ValidationOptions& options, const BatchObserver& observer = {});

}  // namespace yolov7::evaluation
