#include "evaluation/evaluate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <numeric>
#include <utility>

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "core/threads.hpp"
#include "dataset/loading/loader.hpp"
#include "evaluation/batch_pictures.hpp"
#include "evaluation/picture_outcome.hpp"
#include "image/boxes/nms.hpp"
#include "runtime/detect.hpp"
#include "runtime/joined_detectors.hpp"

namespace yolov7::evaluation {
namespace {

using Clock = std::chrono::steady_clock;
double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

/// Letterboxed pixels to the original picture, clamped (evaluation 1.5: the height gain serves both
/// axes).
Xyxy to_original(const Xyxy& box, const dataset::SampleOrigin& origin) {
  const double gain = origin.gain_y;
  return clip({(box.x1 - origin.pad_x) / gain, (box.y1 - origin.pad_y) / gain,
               (box.x2 - origin.pad_x) / gain, (box.y2 - origin.pad_y) / gain},
              origin.width, origin.height);
}

/// Of the picture's way through the network, and of the metrics.
std::vector<Setting> measuring_settings(ValidationOptions& o) {
  return joined(
      {group("Network",
             {setting("img-size", o.image_size,
                      "long side of the network input in pixels, rounded up to a multiple of the "
                      "stride")
                  .range(1, runtime::longest_input_side)
                  .basic(),
              setting("batch-size", o.batch_size, "images per batch").range(1, 65536).basic()}),
       group("Metrics", {setting("single-cls", o.single_cls,
                                 "measure localisation alone: all classes are one"),
                         setting("v5-metric", o.v5_metric,
                                 "recall 1.0 as the end of the official precision-recall curve")}),
       group("Output",
             {setting("save-hybrid", o.save_hybrid,
                      "label files of labels and predictions together; the metrics are then "
                      "invalid")}),
       group("Machine", {setting("workers", o.workers, "most loader threads").range(0, 1024)})});
}

class Evaluator {
 public:
  Evaluator(runtime::Detector& detector, const dataset::Index& index,
            const ValidationOptions& options)
      : detector_(detector), index_(index), options_(options) {
    if (index.entries.empty()) throw Error(fmt::format("the {} split has no image", index.split));
    const int classes = options.single_cls ? 1 : static_cast<int>(index.names.size());
    if (!options.single_cls && detector.class_count() != classes)
      throw Error(fmt::format("the model has {} classes, the data has {}", detector.class_count(),
                              classes));
    std::vector<int> order = options.data_class,
                     identity(order.empty() ? 0 : static_cast<std::size_t>(detector.class_count()));
    std::sort(order.begin(), order.end());
    std::iota(identity.begin(), identity.end(), 0);
    if (order != identity)
      throw Error(fmt::format("expected each data class once for the {} classes of the model",
                              detector.class_count()));
    result_.options = options;
    result_.options.ground_truth.reset();
    result_.options.exchange = nullptr;
    result_.confusion = ConfusionMatrix(classes);
    for (const dataset::Entry& entry : index.entries) result_.labels += entry.labels.size();
    by_entry_.resize(index.entries.size());
  }

  ValidationResult run(const BatchObserver& observer) {
    dataset::LoaderOptions loading;
    loading.batch_size = options_.batch_size;
    loading.image_size = options_.image_size;
    loading.stride = std::max(32, detector_.stride());
    loading.rectangular = true;
    if (const runtime::InputSides sides = detector_.sides(); sides.fixed()) {
      if (sides.height != sides.width)
        throw Error(fmt::format("expected a model of equal height and width, found {} x {}",
                                sides.height, sides.width));
      loading.rectangular = false;
      loading.image_size = sides.height;
    }
    loading.workers = options_.workers;
    loading.cache_bytes = options_.cache_bytes;
    loading.prefetch = 2;
    loading.sharing = dataset::LoaderOptions::Sharing::batches;
    loading.part = options_.part;
    loading.parts = options_.parts;
    dataset::BatchLoader loader(index_, loading);
    loader.start(0);
    const auto start = Clock::now();
    for (;;) {
      const auto waiting = Clock::now();
      const auto batch = loader.next();
      result_.times.pre += milliseconds_since(waiting);
      if (!batch) break;
      check_stop(options_.stop);
      run_batch(*batch, observer);
    }
    const double own_pictures = static_cast<double>(outcomes_.size());
    if (options_.parts > 1) exchange();
    for (PictureOutcome& one : outcomes_) take(one);
    finish(milliseconds_since(start) - result_.times.prepare, own_pictures);
    return std::move(result_);
  }

 private:
  void run_batch(const dataset::Batch& batch, const BatchObserver& observer) {
    auto start = Clock::now();
    detector_.prepare(batch.count, batch.height, batch.width);
    result_.times.prepare += milliseconds_since(start);
    start = Clock::now();
    detector_.predict({batch.pixels, batch.count, batch.height, batch.width}, prediction_);
    result_.times.inference += milliseconds_since(start);
    if (observer) observer(batch, prediction_);
    start = Clock::now();
    std::vector<NmsResult> found(static_cast<std::size_t>(batch.count));
    parallel_for(found.size(), usable_cores(),
                 [&](std::size_t i) { found[i] = suppress_picture(batch, static_cast<int>(i)); });
    result_.times.nms += milliseconds_since(start);
    std::vector<std::vector<Target>> targets = targets_of(batch);
    for (std::size_t i = 0; i < found.size(); ++i) {
      check_finite(index_.entries[batch.origins[i].entry], found[i]);
      PictureOutcome one{
          batch.number,          batch.origins[i].entry, {},
          std::move(targets[i]), found[i].highest_score, found[i].dropped_not_finite};
      for (Detection d : found[i].detections) {
        d.box = to_original(d.box, batch.origins[i]);
        one.detections.push_back(d);
      }
      outcomes_.push_back(std::move(one));
    }
    if (static_cast<int>(batch.number) < options_.pictures) {
      result_.label_sheets.push_back(label_sheet(batch, index_));
      result_.prediction_sheets.push_back(prediction_sheet(batch, found, index_));
    }
  }

  /// A network that answers nothing but NaN or infinity has not found "nothing".
  void check_finite(const dataset::Entry& entry, const NmsResult& found) const {
    if (found.dropped_not_finite == 0) return;
    const std::string picture = text::printable(entry.picture.string());
    if (found.dropped_not_finite == prediction_.rows)
      throw Error(fmt::format(
          "{}: expected finite numbers from the network, found NaN or infinity in all {} rows of "
          "its prediction ({})",
          picture, prediction_.rows, detector_.description()));
    log::warning(fmt::format("{}: {} of {} rows of the prediction are not finite and are left out",
                             picture, found.dropped_not_finite, prediction_.rows));
  }

  NmsResult suppress_picture(const dataset::Batch& batch, int i) const {
    const int columns = prediction_.columns, classes = columns - 5;
    NmsResult out;
    if (options_.save_hybrid) {
      std::vector<float> rows(
          prediction_.picture(i),
          prediction_.picture(i) + prediction_.rows * static_cast<std::size_t>(columns));
      add_truth(batch, i, classes, rows);
      out = non_maximum_suppression(rows.data(), rows.size() / static_cast<std::size_t>(columns),
                                    classes, adapted(classes));
    } else {
      out = runtime::suppress(prediction_, i, classes, adapted(classes));
    }
    for (Detection& d : out.detections) {
      if (options_.single_cls)
        d.class_index = 0;
      else if (!options_.data_class.empty())
        d.class_index = options_.data_class[static_cast<std::size_t>(d.class_index)];
    }
    return out;
  }

  /// One class: suppression without regard to class, one candidate per row (evaluation 1.14).
  NmsOptions adapted(int classes) const {
    NmsOptions o = options_.nms;
    if (options_.single_cls && classes > 1) {
      o.multi_label = false;
      o.agnostic = true;
    }
    return o;
  }

  void add_truth(const dataset::Batch& batch, int i, int classes, std::vector<float>& rows) const {
    for (const auto& [sample, c, cx, cy, w, h] : batch.targets) {
      if (static_cast<int>(sample) != i) continue;
      const auto width = static_cast<float>(batch.width), height = static_cast<float>(batch.height);
      rows.insert(rows.end(), {cx * width, cy * height, w * width, h * height, 1.0f});
      std::vector<float> scores(static_cast<std::size_t>(classes), 0.0f);
      scores[model_class(static_cast<std::size_t>(c))] = 1;
      rows.insert(rows.end(), scores.begin(), scores.end());
    }
  }

  std::size_t model_class(std::size_t data_class) const {
    if (options_.data_class.empty()) return data_class;
    const auto found = std::find(options_.data_class.begin(), options_.data_class.end(),
                                 static_cast<int>(data_class));
    return static_cast<std::size_t>(found - options_.data_class.begin());
  }

  /// Mapped like the predictions, so that both carry the same truncation of the letterboxed size.
  std::vector<std::vector<Target>> targets_of(const dataset::Batch& batch) const {
    std::vector<std::vector<Target>> targets(static_cast<std::size_t>(batch.count));
    for (const auto& [sample, class_index, cx, cy, w, h] : batch.targets) {
      const auto i = static_cast<std::size_t>(sample);
      const Xyxy box = to_pixels({cx, cy, w, h}, batch.width, batch.height);
      targets[i].push_back({to_original(box, batch.origins[i]),
                            options_.single_cls ? 0 : static_cast<int>(class_index)});
    }
    return targets;
  }

  /// The outcomes of all processes, in the order of the batches.
  void exchange() {
    const std::vector<std::string> parts = options_.exchange(to_bytes(outcomes_));
    outcomes_.clear();
    for (const std::string& part : parts)
      for (PictureOutcome& one : outcomes_of(part)) outcomes_.push_back(std::move(one));
    std::stable_sort(
        outcomes_.begin(), outcomes_.end(),
        [](const PictureOutcome& a, const PictureOutcome& b) { return a.batch < b.batch; });
  }

  /// The detections move out of `one`: every picture is in one batch.
  void take(PictureOutcome& one) {
    std::vector<Detection>& out = by_entry_.at(one.entry);
    out = std::move(one.detections);
    match_picture(out, one.targets, matched_);
    result_.confusion.add(out, one.targets);
    result_.predictions += out.size();
    result_.highest_score = std::max(result_.highest_score, one.highest_score);
    result_.dropped_not_finite += one.dropped_not_finite;
    result_.pictures_not_finite += one.dropped_not_finite > 0 ? 1 : 0;
    ++result_.pictures;
  }

  void finish(double total_ms, double own_pictures) {
    CocoGroundTruth truth =
        options_.ground_truth ? *options_.ground_truth : ground_truth_of(index_);
    if (options_.single_cls) {
      truth.categories = {{1, index_.names.size() == 1 ? index_.names[0] : "item"}};
      for (CocoAnnotation& a : truth.annotations) a.category = 1;
    }
    std::vector<CocoDetection> detections;
    detections.reserve(result_.predictions);
    for (std::size_t e = 0; e < by_entry_.size(); ++e)
      for (const Detection& d : by_entry_[e])
        detections.push_back({static_cast<std::int64_t>(e) + 1, d.class_index + 1, to_ltwh(d.box),
                              static_cast<double>(d.score)});
    if (matched_.target_class.size() != result_.labels)
      throw Error(fmt::format("expected the {} labels of the {} split in its batches, found {}",
                              result_.labels, index_.split, matched_.target_class.size()));
    result_.confusion.check();
    result_.coco = evaluate_coco(truth, detections, options_.coco);
    result_.analyses = analyse(truth, detections, options_.coco, options_.analyses);
    result_.official = yolo_metric(matched_, {options_.v5_metric, false});
    if (options_.keep_detections)
      for (std::size_t e = 0; e < by_entry_.size(); ++e)
        result_.detections.push_back({e, std::move(by_entry_[e])});
    const double n = std::max(own_pictures, 1.0);
    result_.times = {result_.times.pre / n, result_.times.inference / n, result_.times.nms / n,
                     total_ms / n, result_.times.prepare};
  }

  runtime::Detector& detector_;
  const dataset::Index& index_;
  const ValidationOptions& options_;
  runtime::Prediction prediction_;
  std::vector<std::vector<Detection>> by_entry_;
  std::vector<PictureOutcome> outcomes_;
  MatchedPredictions matched_;  ///< in the order of the batches
  ValidationResult result_;
};

}  // namespace

std::vector<Setting> settings(ValidationOptions& o) {
  return joined({measuring_settings(o), threshold_settings(o.nms), limit_settings(o.nms),
                 kind_settings(o.nms), settings(o.analyses)});
}

ValidationResult evaluate(runtime::Detector& detector, const dataset::Index& index,
                          const ValidationOptions& options, const BatchObserver& observer) {
  return Evaluator(detector, index, options).run(observer);
}

}  // namespace yolov7::evaluation
