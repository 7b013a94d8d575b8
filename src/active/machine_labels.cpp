#include "active/machine_labels.hpp"

#include <fmt/format.h>

#include <cmath>

#include "active/precision_bound.hpp"
#include "core/text.hpp"

namespace yolov7::active {
namespace {

bool reaches(float score, double threshold) { return score >= static_cast<float>(threshold); }

double share(std::size_t part, std::size_t all) {
  return all == 0 ? 0 : static_cast<double>(part) / static_cast<double>(all);
}

/// Without the bound.
ClassRule counted(int class_index, double threshold, std::span<const Outcome> outcomes,
                  std::size_t objects) {
  ClassRule rule;
  rule.measured = true;
  rule.threshold = threshold;
  rule.objects = objects;
  for (const Outcome& one : outcomes) {
    if (one.class_index != class_index || !reaches(one.score, threshold)) continue;
    ++rule.boxes;
    rule.correct += one.correct ? 1 : 0;
  }
  return rule;
}

void bound(ClassRule& rule, double confidence, const PromiseOptions& options) {
  rule.confidence = confidence;
  rule.bound = lower_bound(rule.correct, rule.boxes, confidence);
  rule.annotated = rule.boxes > 0 && rule.bound >= options.precision;
}

/// Boxes that are needed where none is wrong: the bound is (1 − confidence)^(1/n) then.
std::size_t least_boxes(double confidence, const PromiseOptions& options) {
  return static_cast<std::size_t>(
      std::ceil(std::log(1 - confidence) / std::log(options.precision) - 1e-9));
}

/// Several thresholds of one class. Those with too few boxes to promise anything are no looks, nor
/// is one with the boxes of the threshold above it: that is known from the scores alone.
ClassRule lowest_that_keeps(const std::vector<ClassRule>& rules, const PromiseOptions& options) {
  std::vector<std::size_t> looks;
  for (auto rule = rules.rbegin(); rule != rules.rend(); ++rule)
    if (rule->boxes >= least_boxes(options.confidence, options) &&
        (looks.empty() || rule->boxes > looks.back()))
      looks.push_back(rule->boxes);
  const double each = confidence_of_each(looks, options.precision, options.confidence);
  ClassRule best = rules.front();
  for (ClassRule rule : rules) {
    bound(rule, each, options);
    if (rule.annotated) return rule;
    if (rule.bound > best.bound) best = rule;
  }
  return best;
}

std::string failure_of(const ClassRule& best, const PromiseOptions& options) {
  if (best.objects == 0) return "the labelled images have no object of it";
  if (best.boxes == 0) return "nothing of it was found in the labelled images";
  const std::string found =
      fmt::format("the best bound is {:.3f}, from {} correct ones of {} at threshold {}",
                  best.bound, best.correct, best.boxes, text::general(best.threshold));
  const std::size_t least = least_boxes(best.confidence, options);
  return best.boxes < least ? fmt::format("{}; {} without a fault would be needed", found, least)
                            : found;
}

}  // namespace

double ClassRule::precision() const { return share(correct, boxes); }
double ClassRule::recall() const { return share(correct, objects); }

std::vector<double> thresholds_from(double lowest) {
  std::vector<double> thresholds;
  for (int step = 0; lowest + 0.05 * step < 1 - 1e-9; ++step)
    thresholds.push_back(std::round((lowest + 0.05 * step) * 1e6) / 1e6);
  return thresholds;
}

std::vector<ClassRule> choose_rules(std::span<const Outcome> outcomes,
                                    std::span<const std::size_t> objects,
                                    const PromiseOptions& options) {
  std::vector<ClassRule> rules;
  for (std::size_t k = 0; k < objects.size(); ++k) {
    std::vector<ClassRule> looks;
    for (const double threshold : thresholds_from(options.lowest))
      looks.push_back(counted(static_cast<int>(k), threshold, outcomes, objects[k]));
    ClassRule best = lowest_that_keeps(looks, options);
    if (!best.annotated) best.reason = failure_of(best, options);
    rules.push_back(best);
  }
  return rules;
}

std::vector<ClassRule> rules_at(std::span<const double> thresholds,
                                std::span<const Outcome> outcomes,
                                std::span<const std::size_t> objects,
                                const PromiseOptions& options) {
  std::vector<ClassRule> rules;
  for (std::size_t k = 0; k < thresholds.size(); ++k) {
    ClassRule rule;
    if (thresholds[k] < 0) {
      rule.reason = "no threshold is given for it";
    } else if (objects.empty()) {
      rule.threshold = thresholds[k];
      rule.annotated = true;
    } else {
      rule = counted(static_cast<int>(k), thresholds[k], outcomes, objects[k]);
      bound(rule, options.confidence, options);
      if (!rule.annotated) rule.reason = failure_of(rule, options);
    }
    rules.push_back(rule);
  }
  return rules;
}

JudgedImage judge(std::span<const Detection> detections, std::span<const ClassRule> rules,
                  const DoubtOptions& options) {
  JudgedImage image;
  for (std::size_t i = 0; i < detections.size(); ++i) {
    const ClassRule& rule = rules[static_cast<std::size_t>(detections[i].class_index)];
    if (is_label(detections[i], rule))
      image.labels.push_back(i);
    else if (reaches(detections[i].score, options.doubt))
      ++image.doubtful;
  }
  settle(image, options);
  return image;
}

void settle(JudgedImage& image, const DoubtOptions& options) {
  const std::size_t all = image.labels.size() + image.doubtful;
  if (all == 0)
    image.verdict = ImageVerdict::empty;
  else if (image.labels.empty() || static_cast<double>(image.doubtful) >
                                       options.tolerated * static_cast<double>(all) + 1e-9)
    image.verdict = ImageVerdict::doubtful;
  else
    image.verdict = ImageVerdict::complete;
}

bool is_label(const Detection& detection, const ClassRule& rule) {
  return rule.annotated && reaches(detection.score, rule.threshold);
}

}  // namespace yolov7::active
