#pragma once
// Which detections of a teacher become labels, and which images they describe whole
// (docs/annotate.md).
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "image/boxes/box.hpp"

namespace yolov7::active {

/// A detection on a labelled image: correct where it matches an object of its class.
struct Outcome {
  float score = 0;
  int class_index = 0;
  bool correct = false;
};

struct PromiseOptions {
  double precision = 0.95;   ///< that the lower bound must reach
  double confidence = 0.95;  ///< of the bound, one-sided
  double lowest = 0.25;      ///< lowest threshold
};

/// What is done with the detections of a class.
struct ClassRule {
  bool annotated = false;
  double threshold = 0;  ///< labels are the detections of this score and more
  bool measured = false;
  std::size_t boxes = 0, correct = 0;  ///< of the labelled images, at the threshold
  std::size_t objects = 0;             ///< in the labelled images
  double bound = 0;          ///< lower bound of the precision, at the confidence that was asked for
  double confidence = 0;     ///< of the bound alone, where several thresholds were looked at
  std::string reason;        ///< why the class is not annotated, or ""
  double precision() const;  ///< 0 without a box
  double recall() const;     ///< 0 without an object
};

/// The thresholds from which choose_rules() takes: `lowest` and steps of .05 above it, below 1.
std::vector<double> thresholds_from(double lowest);

/// For each class the lowest threshold whose bound reaches the precision. The lowest of several
/// that seem to keep a promise may be one that kept it by luck, so the confidence holds for all
/// thresholds together (confidence_of_each()), and only a few are looked at.
/// `objects`: labelled objects by class; its length is the number of classes.
std::vector<ClassRule> choose_rules(std::span<const Outcome> outcomes,
                                    std::span<const std::size_t> objects,
                                    const PromiseOptions& options);
/// The same where the thresholds are given; negative: none for this class. `objects` may be empty:
/// nothing was measured, and every class with a threshold is annotated.
std::vector<ClassRule> rules_at(std::span<const double> thresholds,
                                std::span<const Outcome> outcomes,
                                std::span<const std::size_t> objects,
                                const PromiseOptions& options);

enum class ImageVerdict { complete, doubtful, empty };

struct JudgedImage {
  ImageVerdict verdict = ImageVerdict::empty;
  std::vector<std::size_t> labels;  ///< places of detections that are labels
  std::size_t doubtful = 0;         ///< detections from `doubt` on that are none
};

struct DoubtOptions {
  double doubt = 0.25;   ///< detections below it do not count
  double tolerated = 0;  ///< share of doubtful detections that a complete image may have
};

/// Complete: labels, and doubtful detections up to the tolerated share of both. Empty: no detection
/// from `doubt` on. Doubtful: all others; so is an image with a detection of a class that is not
/// annotated, beyond that share.
JudgedImage judge(std::span<const Detection> detections, std::span<const ClassRule> rules,
                  const DoubtOptions& options);
/// The verdict of what stands in `image`, after labels or doubtful detections came in.
void settle(JudgedImage& image, const DoubtOptions& options);

/// Whether a detection is a label by the rule of its class.
bool is_label(const Detection& detection, const ClassRule& rule);

}  // namespace yolov7::active
