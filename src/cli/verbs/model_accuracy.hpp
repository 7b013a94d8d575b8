#pragma once
// mAP of models on the same images of one split, and of their difference.
#include <map>
#include <memory>
#include <string>

#include "cli/verbs/val_options.hpp"
#include "equivalence/file_accuracy.hpp"
#include "equivalence/parent.hpp"
#include "evaluation/analyses/bootstrap.hpp"

namespace yolov7::cli {

struct MeasuredModel {
  std::size_t images = 0, labels = 0;
  double map50 = 0, map = 0;
  evaluation::CocoMatches matches;
  std::vector<double> class_ap{};       ///< by class of the data; -1: a class without objects
  std::size_t pictures_not_finite = 0;  ///< with rows that are NaN or infinite, which are left out
};
/// Errors: what prepare_measurement() and evaluate() report.
MeasuredModel measure_model(runtime::Detector& detector, const Measurement& measurement,
                            const evaluation::BatchObserver& observer = {});

/// Both on the same images: mAP, and its change with the interval of draws. Without data, split,
/// budget and row errors. Errors: stopped_error().
equivalence::Accuracy compared(const MeasuredModel& parent, const MeasuredModel& model, int draws);

/// The split of --data on squares of `image_size`. Errors: those of prepare_measurement().
Measurement split_measurement(const std::string& data, const std::string& split, int image_size,
                              const api::OpenModel& model);

/// The same model for images of one height and width, as another one takes them.
std::unique_ptr<runtime::Detector> with_sides(runtime::Detector& detector,
                                              runtime::InputSides sides);

/// Weights beside the files that were written from them. The weights are measured once for each
/// way in which files take images.
class FileAccuracy {
 public:
  struct Request {
    std::string data, split = "val";
    int image_size = 640, draws = 1000;
    double budget = 0.003;
    bool row_errors = false;  ///< of files, for which the weights run once more
  };
  /// `weights` tell what is measured, `parent` runs them and outlives this. Errors: those of
  /// prepare_measurement().
  FileAccuracy(const api::OpenModel& weights, equivalence::Parent& parent, const Request& request);
  equivalence::Accuracy operator()(runtime::Detector& file, const NmsOptions* suppression);
  /// mAP that another detector over the same network loses, taking images as `sides` say.
  double lost(runtime::Detector& detector, runtime::InputSides sides);
  std::size_t labels() const { return measurement_.index.label_count(); }

 private:
  const MeasuredModel& measured_weights(runtime::InputSides sides, const NmsOptions* suppression,
                                        const Measurement& measurement);

  equivalence::Parent& parent_;
  Request request_;
  Measurement measurement_;
  std::map<std::string, MeasuredModel> measured_;  // the weights, by how files take images
};

}  // namespace yolov7::cli
