#include "evaluation/evaluate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "core/error.hpp"
#include "core/interrupt.hpp"
#include "core/threads.hpp"
#include "dataset/loader.hpp"
#include "evaluation/batch_pictures.hpp"
#include "image/nms.hpp"

namespace yolov7::evaluation {
namespace {

using Clock = std::chrono::steady_clock;
double milliseconds_since(Clock::time_point start) { return std::chrono::duration<double, std::milli>(Clock::now() - start).count(); }

/// Letterboxed pixels to the original picture, clamped (evaluation 1.5: the height gain serves both axes).
Xyxy to_original(const Xyxy& box, const dataset::SampleOrigin& origin) {
  const double gain = origin.gain_y;
  return clip({(box.x1 - origin.pad_x) / gain, (box.y1 - origin.pad_y) / gain, (box.x2 - origin.pad_x) / gain, (box.y2 - origin.pad_y) / gain}, origin.width,
              origin.height);
}

class Evaluator {
 public:
  Evaluator(runtime::Detector& detector, const dataset::Index& index, const ValidationOptions& options) : detector_(detector), index_(index), options_(options) {
    if (index.entries.empty()) throw Error(fmt::format("the {} split has no picture", index.split));
    const int classes = options.single_cls ? 1 : static_cast<int>(index.names.size());
    if (!options.single_cls && detector.class_count() != classes)
      throw Error(fmt::format("the model has {} classes, the data has {}", detector.class_count(), classes));
    result_.options = options;
    result_.confusion = ConfusionMatrix(classes);
    by_entry_.resize(index.entries.size());
    nms_.conf_thres = options.conf_thres;
    nms_.iou_thres = options.iou_thres;
    nms_.multi_label = true;
    nms_.max_det = options.max_det;
    nms_.max_nms = options.max_nms;
  }

  ValidationResult run(const BatchObserver& observer) {
    dataset::LoaderOptions loading;
    loading.batch_size = options_.batch_size;
    loading.image_size = options_.image_size;
    loading.stride = std::max(32, detector_.stride());
    loading.rectangular = true;
    loading.workers = options_.workers;
    loading.cache_bytes = options_.cache_bytes;
    loading.prefetch = 2;
    dataset::BatchLoader loader(index_, loading);
    loader.start(0);
    const auto start = Clock::now();
    for (;;) {
      const auto waiting = Clock::now();
      const auto batch = loader.next();
      result_.times.pre += milliseconds_since(waiting);
      if (!batch) break;
      interrupt::check();
      run_batch(*batch, observer);
    }
    finish(milliseconds_since(start));
    return std::move(result_);
  }

 private:
  void run_batch(const dataset::Batch& batch, const BatchObserver& observer) {
    auto start = Clock::now();
    detector_.predict({batch.pixels, batch.count, batch.height, batch.width}, prediction_);
    result_.times.inference += milliseconds_since(start);
    if (observer) observer(batch, prediction_);
    start = Clock::now();
    std::vector<NmsResult> found(static_cast<std::size_t>(batch.count));
    parallel_for(found.size(), usable_cores(), [&](std::size_t i) { found[i] = suppress_picture(batch, static_cast<int>(i)); });
    result_.times.nms += milliseconds_since(start);
    for (std::size_t i = 0; i < found.size(); ++i) take(batch.origins[i], found[i]);
    if (static_cast<int>(batch.number) < options_.pictures) {
      result_.label_sheets.push_back(label_sheet(batch, index_));
      result_.prediction_sheets.push_back(prediction_sheet(batch, found, index_));
    }
  }

  NmsResult suppress_picture(const dataset::Batch& batch, int i) const {
    const int columns = prediction_.columns, classes = columns - 5;
    std::vector<float> rows(prediction_.picture(i), prediction_.picture(i) + prediction_.rows * static_cast<std::size_t>(columns));
    if (options_.save_hybrid) add_truth(batch, i, classes, rows);
    const std::size_t count = rows.size() / static_cast<std::size_t>(columns);
    NmsResult out = non_maximum_suppression(rows.data(), count, classes, adapted(classes));
    for (Detection& d : out.detections) {
      if (options_.single_cls) d.class_index = 0;
      else if (!options_.data_class.empty()) d.class_index = options_.data_class[static_cast<std::size_t>(d.class_index)];
    }
    return out;
  }

  /// One class: suppression without regard to class, one candidate per row (evaluation 1.14).
  NmsOptions adapted(int classes) const {
    NmsOptions o = nms_;
    if (options_.single_cls && classes > 1) {
      o.multi_label = false;
      o.agnostic = true;
    }
    return o;
  }

  void add_truth(const dataset::Batch& batch, int i, int classes, std::vector<float>& rows) const {
    for (const auto& [sample, c, cx, cy, w, h] : batch.targets) {
      if (static_cast<int>(sample) != i || static_cast<int>(c) >= classes) continue;
      rows.insert(rows.end(), {cx * static_cast<float>(batch.width), cy * static_cast<float>(batch.height), w * static_cast<float>(batch.width), h * static_cast<float>(batch.height), 1.0f});
      std::vector<float> scores(static_cast<std::size_t>(classes), 0.0f);
      scores[static_cast<std::size_t>(c)] = 1;
      rows.insert(rows.end(), scores.begin(), scores.end());
    }
  }

  void take(const dataset::SampleOrigin& origin, const NmsResult& found) {
    std::vector<Detection>& out = by_entry_[origin.entry];
    for (Detection d : found.detections) {
      d.box = to_original(d.box, origin);
      out.push_back(d);
    }
    result_.highest_score = std::max(result_.highest_score, found.highest_score);
    result_.dropped_not_finite += found.dropped_not_finite;
    ++result_.pictures;
  }

  std::vector<Target> targets_of(const dataset::Entry& entry) const {
    std::vector<Target> targets;
    for (const dataset::Label& label : entry.labels)
      targets.push_back({clip(to_pixels(label.box, entry.width, entry.height), entry.width, entry.height), options_.single_cls ? 0 : label.class_index});
    return targets;
  }

  void finish(double total_ms) {
    CocoGroundTruth truth = ground_truth_of(index_);
    if (options_.single_cls) {
      truth.categories = {{1, index_.names.size() == 1 ? index_.names[0] : "item"}};
      for (CocoAnnotation& a : truth.annotations) a.category = 1;
    }
    std::vector<CocoDetection> detections;
    MatchedPredictions matched;
    for (std::size_t e = 0; e < by_entry_.size(); ++e) {
      const std::vector<Target> targets = targets_of(index_.entries[e]);
      result_.labels += targets.size();
      match_picture(by_entry_[e], targets, matched);
      result_.confusion.add(by_entry_[e], targets);
      for (const Detection& d : by_entry_[e])
        detections.push_back({static_cast<std::int64_t>(e) + 1, d.class_index + 1, to_ltwh(d.box), static_cast<double>(d.score)});
    }
    result_.confusion.check();
    result_.coco = evaluate_coco(truth, detections);
    result_.official = yolo_metric(matched, {options_.v5_metric, false});
    if (options_.keep_detections)
      for (std::size_t e = 0; e < by_entry_.size(); ++e) result_.detections.push_back({e, std::move(by_entry_[e])});
    const auto n = static_cast<double>(std::max<std::size_t>(result_.pictures, 1));
    result_.times = {result_.times.pre / n, result_.times.inference / n, result_.times.nms / n, total_ms / n};
  }

  runtime::Detector& detector_;
  const dataset::Index& index_;
  const ValidationOptions& options_;
  NmsOptions nms_;
  runtime::Prediction prediction_;
  std::vector<std::vector<Detection>> by_entry_;
  ValidationResult result_;
};

}  // namespace

ValidationResult evaluate(runtime::Detector& detector, const dataset::Index& index, const ValidationOptions& options, const BatchObserver& observer) {
  return Evaluator(detector, index, options).run(observer);
}

}  // namespace yolov7::evaluation
