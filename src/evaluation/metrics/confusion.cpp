#include "evaluation/metrics/confusion.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.hpp"

namespace yolov7::evaluation {
namespace {

struct Pair {
  std::size_t target, detection;
  double iou;
};

/// Keeps the best pair of each detection, then the best of each target; nobody falls back to a
/// second choice.
std::vector<Pair> best_pairs(std::vector<Pair> pairs) {
  const auto first_of = [&](auto key) {
    std::stable_sort(pairs.begin(), pairs.end(),
                     [](const Pair& a, const Pair& b) { return a.iou > b.iou; });
    std::vector<std::size_t> seen;
    std::vector<Pair> kept;
    for (const Pair& pair : pairs)
      if (std::find(seen.begin(), seen.end(), key(pair)) == seen.end()) {
        seen.push_back(key(pair));
        kept.push_back(pair);
      }
    pairs = std::move(kept);
  };
  first_of([](const Pair& p) { return p.detection; });
  first_of([](const Pair& p) { return p.target; });
  return pairs;
}

}  // namespace

ConfusionMatrix::ConfusionMatrix(int class_count, double conf_thres, double iou_thres)
    : class_count_(class_count),
      conf_thres_(conf_thres),
      iou_thres_(iou_thres),
      counts_(static_cast<std::size_t>(class_count + 1) *
              static_cast<std::size_t>(class_count + 1)),
      targets_(static_cast<std::size_t>(class_count)),
      predictions_(static_cast<std::size_t>(class_count)) {}

void ConfusionMatrix::add(std::span<const Detection> detections, std::span<const Target> targets) {
  std::vector<const Detection*> kept;
  for (const Detection& d : detections)
    if (static_cast<double>(d.score) > conf_thres_) kept.push_back(&d);
  std::vector<Pair> pairs;
  for (std::size_t t = 0; t < targets.size(); ++t)
    for (std::size_t d = 0; d < kept.size(); ++d)
      if (const double value = iou(targets[t].box, kept[d]->box); value > iou_thres_)
        pairs.push_back({t, d, value});
  pairs = best_pairs(std::move(pairs));
  std::vector<int> partner(targets.size(), background());
  std::vector<char> used(kept.size(), 0);
  for (const Pair& pair : pairs) {
    partner[pair.target] = kept[pair.detection]->class_index;
    used[pair.detection] = 1;
  }
  for (std::size_t t = 0; t < targets.size(); ++t) {
    ++counts_[index(partner[t], targets[t].class_index)];
    ++targets_[static_cast<std::size_t>(targets[t].class_index)];
  }
  for (std::size_t d = 0; d < kept.size(); ++d) {
    if (!used[d]) ++counts_[index(kept[d]->class_index, background())];
    ++predictions_[static_cast<std::size_t>(kept[d]->class_index)];
  }
}

void ConfusionMatrix::check() const {
  for (int c = 0; c < class_count_; ++c) {
    std::size_t column = 0, row = 0;
    for (int other = 0; other <= class_count_; ++other) {
      column += at(other, c);
      row += at(c, other);
    }
    const auto i = static_cast<std::size_t>(c);
    if (column != targets_[i] || row != predictions_[i])
      throw Error(fmt::format(
          "confusion matrix, class {}: column {} of {} targets, row {} of {} detections", c, column,
          targets_[i], row, predictions_[i]));
  }
}

}  // namespace yolov7::evaluation
