#include "cli/verbs/model_accuracy.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "core/interrupt.hpp"

namespace yolov7::cli {
namespace {

class WithSides final : public runtime::Detector {
 public:
  WithSides(runtime::Detector& detector, runtime::InputSides sides)
      : detector_(detector), sides_(sides) {}
  std::string description() const override { return detector_.description(); }
  int class_count() const override { return detector_.class_count(); }
  int stride() const override { return detector_.stride(); }
  runtime::InputSides sides() const override { return sides_; }
  void prepare(int count, int height, int width) override {
    detector_.prepare(count, height, width);
  }
  void predict(const runtime::PixelBatch& batch, runtime::Prediction& prediction) override {
    detector_.predict(batch, prediction);
  }

 private:
  runtime::Detector& detector_;
  runtime::InputSides sides_;
};

}  // namespace

std::unique_ptr<runtime::Detector> with_sides(runtime::Detector& detector,
                                              runtime::InputSides sides) {
  return std::make_unique<WithSides>(detector, sides);
}

MeasuredModel measure_model(runtime::Detector& detector, const Measurement& measurement,
                            const evaluation::BatchObserver& observer) {
  evaluation::ValidationOptions options = measurement.options;
  options.analyses = {};
  options.pictures = 0;
  options.keep_detections = true;
  const evaluation::ValidationResult result =
      evaluation::evaluate(detector, measurement.index, options, observer);
  std::vector<evaluation::CocoDetection> detections;
  for (const evaluation::PictureDetections& picture : result.detections)
    for (const Detection& one : picture.detections)
      detections.push_back({static_cast<std::int64_t>(picture.entry) + 1, one.class_index + 1,
                            evaluation::to_ltwh(one.box), static_cast<double>(one.score)});
  const evaluation::CocoGroundTruth truth =
      options.ground_truth ? *options.ground_truth : evaluation::ground_truth_of(measurement.index);
  return {result.pictures,
          result.labels,
          result.map50(),
          result.map(),
          evaluation::match_coco(truth, detections, options.coco),
          result.coco.ap_per_category,
          result.pictures_not_finite};
}

Measurement split_measurement(const std::string& data, const std::string& split, int image_size,
                              const api::OpenModel& model) {
  ValOptions options;
  options.data = data;
  options.task = split;
  options.measuring.image_size = image_size;
  options.measuring.batch_size = 8;
  return prepare_measurement(options, split, model);
}

equivalence::Accuracy compared(const MeasuredModel& parent, const MeasuredModel& model, int draws) {
  evaluation::BootstrapOptions bootstrap;
  bootstrap.draws = draws;
  bootstrap.stop = interrupt::token();
  const evaluation::Interval change =
      evaluation::compare(parent.matches, model.matches, bootstrap).map;
  equivalence::Accuracy found;
  found.images = model.images, found.labels = model.labels;
  found.parent_map50 = parent.map50, found.parent_map = parent.map;
  found.file_map50 = model.map50, found.file_map = model.map;
  found.change = change.value, found.low = change.low, found.high = change.high;
  found.draws = draws;
  return found;
}

FileAccuracy::FileAccuracy(const api::OpenModel& weights, equivalence::Parent& parent,
                           const Request& request)
    : parent_(parent),
      request_(request),
      measurement_(split_measurement(request.data, request.split, request.image_size, weights)) {}

const MeasuredModel& FileAccuracy::measured_weights(runtime::InputSides sides,
                                                    const NmsOptions* suppression,
                                                    const Measurement& measurement) {
  const std::string way =
      fmt::format("{} x {}, {}", sides.height, sides.width,
                  suppression == nullptr ? std::string("all rows")
                                         : fmt::format("above {}", suppression->conf_thres));
  auto known = measured_.find(way);
  if (known == measured_.end()) {
    const equivalence::OpenParent parent(parent_);
    known = measured_.emplace(way, measure_model(*with_sides(*parent, sides), measurement)).first;
  }
  return known->second;
}

double FileAccuracy::lost(runtime::Detector& detector, runtime::InputSides sides) {
  const double before = measured_weights(sides, nullptr, measurement_).map;
  return before - measure_model(*with_sides(detector, sides), measurement_).map;
}

equivalence::Accuracy FileAccuracy::operator()(runtime::Detector& file,
                                               const NmsOptions* suppression) {
  Measurement measurement = measurement_;
  if (suppression != nullptr) measurement.options.nms = *suppression;
  const MeasuredModel& before = measured_weights(file.sides(), suppression, measurement);
  equivalence::RowErrors errors;
  evaluation::BatchObserver observer;
  std::optional<equivalence::OpenParent> parent;
  if (request_.row_errors) {
    parent.emplace(parent_);
    observer = [&](const dataset::Batch& batch, const runtime::Prediction& found) {
      runtime::Prediction wanted;
      (**parent).predict({batch.pixels, batch.count, batch.height, batch.width}, wanted);
      equivalence::add_row_errors(errors, wanted, found);
    };
  }
  const MeasuredModel after = measure_model(file, measurement, observer);
  parent.reset();
  equivalence::Accuracy found = compared(before, after, request_.draws);
  found.data = std::filesystem::path(request_.data).filename().string();
  found.split = request_.split;
  found.budget = request_.budget;
  if (errors.rows > 0) {
    errors.box /= static_cast<double>(errors.rows);
    errors.score /= static_cast<double>(errors.rows);
    found.errors = errors;
  }
  return found;
}

}  // namespace yolov7::cli
