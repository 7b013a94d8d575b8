#include "image/boxes/nms.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "core/error.hpp"

namespace yolov7 {
namespace {

struct Candidate {
  float score;
  std::int32_t class_index;
  std::uint32_t row;
};

// Ascending keys are descending scores, equal scores in incoming order: a total order, so that any
// sort is stable.
std::uint64_t order_key(float score, std::uint32_t index) {
  const auto bits = std::bit_cast<std::uint32_t>(score + 0.0f);  // −0 becomes +0
  const std::uint32_t ascending = bits & 0x80000000u ? ~bits : bits | 0x80000000u;
  return std::uint64_t{~ascending} << 32 | index;
}

// The first `limit` indices by order_key.
template <class Score>
std::vector<std::uint32_t> best_first(std::size_t count, std::size_t limit, const Score& score) {
  std::vector<std::uint64_t> keys(count);
  for (std::size_t i = 0; i < count; ++i)
    keys[i] = order_key(score(i), static_cast<std::uint32_t>(i));
  if (limit < count) {
    std::nth_element(keys.begin(), keys.begin() + static_cast<std::ptrdiff_t>(limit), keys.end());
    keys.resize(limit);
  }
  std::sort(keys.begin(), keys.end());
  std::vector<std::uint32_t> order(keys.size());
  for (std::size_t i = 0; i < keys.size(); ++i) order[i] = static_cast<std::uint32_t>(keys[i]);
  return order;
}

// Eight lanes without a reduction order, so that the compiler may use vector instructions without
// -ffast-math.
constexpr std::size_t lanes = 8;

bool all_finite(const float* values, std::size_t count) {
  constexpr std::uint32_t exponent = 0x7f800000u;
  std::uint32_t bad[lanes] = {};
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    std::uint32_t bits[lanes];
    std::memcpy(bits, values + i, sizeof bits);
    for (std::size_t k = 0; k < lanes; ++k) bad[k] |= (bits[k] & exponent) == exponent ? 1u : 0u;
  }
  for (; i < count; ++i) bad[0] |= std::isfinite(values[i]) ? 0u : 1u;
  std::uint32_t any = 0;
  for (const std::uint32_t b : bad) any |= b;
  return any == 0;
}

float largest(const float* values, std::size_t count) {
  float best[lanes];
  std::fill(best, best + lanes, values[0]);
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes)
    for (std::size_t k = 0; k < lanes; ++k)
      best[k] = values[i + k] > best[k] ? values[i + k] : best[k];
  for (; i < count; ++i) best[0] = values[i] > best[0] ? values[i] : best[0];
  return *std::max_element(best, best + lanes);
}

// Thresholds compare in float32, as the scores are: a score that is the float next to 0.1 does not
// exceed 0.1.
class Collector {
 public:
  Collector(int class_count, const NmsOptions& options)
      : options_(options),
        class_count_(static_cast<std::size_t>(class_count)),
        conf_(static_cast<float>(options.conf_thres)),
        wanted_(class_count_, options.classes.empty() ? 1 : 0) {
    for (const int c : options.classes) {
      if (c < 0 || c >= class_count)
        throw usage_error(
            fmt::format("class {} to keep is out of range 0..{}", c, class_count - 1));
      wanted_[static_cast<std::size_t>(c)] = 1;
    }
  }

  // For one row (evaluation 2.1, steps 1, 4, 6 and 7).
  void add(const float* row, std::uint32_t index, NmsResult& result) {
    const float* probabilities = row + 5;
    // The class output of a one-class model is not trained and takes no part (step 4), so it is not
    // looked at.
    if (!all_finite(row, class_count_ == 1 ? 5 : 5 + class_count_)) {
      ++result.dropped_not_finite;
      return;
    }
    const float objectness = row[4];
    const float best =
        class_count_ == 1 ? objectness : largest(probabilities, class_count_) * objectness;
    if (!std::isfinite(best)) {  // finite factors whose product overflows
      ++result.dropped_not_finite;
      return;
    }
    result.highest_score = std::max(result.highest_score, best);
    // A product above the threshold is not enough: the objectness alone must exceed it too (step
    // 1).
    if (!(objectness > conf_) || !(best > conf_)) return;
    if (class_count_ == 1) {
      push(objectness, 0, index);
    } else if (options_.multi_label) {
      for (std::size_t c = 0; c < class_count_; ++c)
        if (const float score = probabilities[c] * objectness; score > conf_) push(score, c, index);
    } else {
      push(best, first_best(probabilities, objectness, best), index);
    }
  }
  const std::vector<Candidate>& candidates() const { return candidates_; }

 private:
  std::size_t first_best(const float* probabilities, float objectness, float best) const {
    std::size_t c = 0;
    while (probabilities[c] * objectness != best) ++c;
    return c;
  }
  void push(float score, std::size_t class_index, std::uint32_t row) {
    if (wanted_[class_index])
      candidates_.push_back({score, static_cast<std::int32_t>(class_index), row});
  }

  const NmsOptions& options_;
  std::size_t class_count_;
  float conf_;
  std::vector<unsigned char> wanted_;
  std::vector<Candidate> candidates_;
};

Detection detection_of(const Candidate& candidate, const float* row) {
  const double cx = row[0], cy = row[1], w = row[2], h = row[3];
  return {{cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2}, candidate.score, candidate.class_index};
}

// Kept boxes of one class, each coordinate in its own array.
class KeptBoxes {
 public:
  bool overlaps(const Xyxy& box, double threshold) const {
    const double area = box.area();
    for (std::size_t k = 0; k < x1_.size(); ++k) {
      const double w = std::min(box.x2, x2_[k]) - std::max(box.x1, x1_[k]);
      const double h = std::min(box.y2, y2_[k]) - std::max(box.y1, y1_[k]);
      const double i = w > 0 && h > 0 ? w * h : 0;
      // 0/0 (two boxes without area) is NaN and passes no comparison.
      if (i / (area + area_[k] - i) > threshold) return true;
    }
    return false;
  }
  void add(const Xyxy& box) {
    x1_.push_back(box.x1), y1_.push_back(box.y1), x2_.push_back(box.x2), y2_.push_back(box.y2);
    area_.push_back(box.area());
  }

 private:
  std::vector<double> x1_, y1_, x2_, y2_, area_;
};

// Class indices as given to 0 … count − 1, so that any indices, also negative ones, work. The usual
// few classes are only shifted; indices far apart are ranked.
std::vector<std::size_t> dense_classes(std::span<const Detection> candidates, bool agnostic,
                                       std::size_t& count) {
  std::vector<std::size_t> dense(candidates.size(), 0);
  count = 1;
  if (agnostic || candidates.empty()) return dense;
  const auto by_class = [](const Detection& a, const Detection& b) {
    return a.class_index < b.class_index;
  };
  const auto [lowest, highest] =
      std::minmax_element(candidates.begin(), candidates.end(), by_class);
  const std::int64_t first = lowest->class_index, range = highest->class_index - first;
  if (range < 4096) {
    for (std::size_t i = 0; i < candidates.size(); ++i)
      dense[i] = static_cast<std::size_t>(candidates[i].class_index - first);
    count = static_cast<std::size_t>(range) + 1;
    return dense;
  }
  std::vector<int> present;
  present.reserve(candidates.size());
  for (const Detection& candidate : candidates) present.push_back(candidate.class_index);
  std::sort(present.begin(), present.end());
  present.erase(std::unique(present.begin(), present.end()), present.end());
  for (std::size_t i = 0; i < candidates.size(); ++i)
    dense[i] = static_cast<std::size_t>(
        std::lower_bound(present.begin(), present.end(), candidates[i].class_index) -
        present.begin());
  count = present.size();
  return dense;
}

}  // namespace

std::vector<std::size_t> suppress(std::span<const Detection> candidates, double iou_thres,
                                  bool agnostic, std::size_t max_det) {
  std::size_t class_count = 0;
  const std::vector<std::size_t> dense = dense_classes(candidates, agnostic, class_count);
  std::vector<KeptBoxes> kept_boxes(class_count);
  std::vector<std::size_t> kept;
  const auto order = best_first(candidates.size(), candidates.size(),
                                [&](std::size_t i) { return candidates[i].score; });
  for (const std::uint32_t i : order) {
    // Later candidates cannot change what is kept already, so stopping here is exact.
    if (kept.size() >= max_det) break;
    KeptBoxes& same_class = kept_boxes[dense[i]];
    if (same_class.overlaps(candidates[i].box, iou_thres)) continue;
    same_class.add(candidates[i].box);
    kept.push_back(i);
  }
  return kept;
}

namespace {

std::vector<Detection> hard_suppression(std::span<const Detection> sorted,
                                        const NmsOptions& options) {
  std::vector<Detection> kept;
  for (const std::size_t i : suppress(sorted, options.iou_thres, options.agnostic,
                                      static_cast<std::size_t>(std::max(options.max_det, 0))))
    kept.push_back(sorted[i]);
  return kept;
}

std::vector<Detection> of_one_class(std::span<const Detection> sorted, const NmsOptions& options) {
  const CrowdOptions& crowd = options.crowd;
  switch (options.kind) {
    case NmsKind::soft_linear:
    case NmsKind::soft_gaussian:
      return soft_suppression(sorted, options.kind == NmsKind::soft_gaussian, options.conf_thres,
                              crowd);
    case NmsKind::diou: return diou_suppression(sorted, options.iou_thres, crowd.beta(1));
    case NmsKind::adaptive: return adaptive_suppression(sorted, options.iou_thres, crowd);
    case NmsKind::matrix_linear:
    case NmsKind::matrix_gaussian:
      return matrix_suppression(sorted, options.kind == NmsKind::matrix_gaussian, crowd);
    case NmsKind::cluster:
    case NmsKind::cluster_diou:
    case NmsKind::cluster_spm:
    case NmsKind::cluster_spm_dist:
      return cluster_suppression(sorted, options.kind, options.iou_thres, crowd);
    default: return hard_suppression(sorted, options);
  }
}

/// Boxes are merged where 1 < candidates < 3000 (evaluation 2.2).
bool merges(std::size_t candidates, const NmsOptions& options) {
  return options.merge && candidates > 1 && candidates < 3000;
}

/// Candidates in descending score by class (one group if agnostic), each handled on its own.
std::vector<Detection> by_class(std::span<const Detection> sorted, const NmsOptions& options) {
  std::size_t count = 0;
  const std::vector<std::size_t> dense = dense_classes(sorted, options.agnostic, count);
  std::vector<std::vector<Detection>> groups(count);
  for (std::size_t i = 0; i < sorted.size(); ++i) groups[dense[i]].push_back(sorted[i]);
  std::vector<Detection> out;
  for (const std::vector<Detection>& group : groups) {
    const std::vector<Detection> kept = of_one_class(group, options);
    out.insert(out.end(), kept.begin(), kept.end());
  }
  sort_by_score(out);
  return out;
}

/// The first max_det of all classes, each merged with the candidates of its own.
std::vector<Detection> merged(std::span<const Detection> sorted, const NmsOptions& options) {
  std::size_t count = 0;
  const std::vector<std::size_t> dense = dense_classes(sorted, options.agnostic, count);
  std::vector<std::vector<Detection>> groups(count);
  for (std::size_t i = 0; i < sorted.size(); ++i) groups[dense[i]].push_back(sorted[i]);
  std::vector<Detection> out;
  for (const std::size_t i : suppress(sorted, options.iou_thres, options.agnostic,
                                      static_cast<std::size_t>(std::max(options.max_det, 0)))) {
    const std::vector<Detection> one =
        merge_boxes(groups[dense[i]], sorted.subspan(i, 1), options.iou_thres);
    out.insert(out.end(), one.begin(), one.end());
  }
  return out;
}

/// All lists in descending score, the first max_nms.
std::vector<Detection> joined(std::span<const std::vector<Detection>> lists,
                              const NmsOptions& options) {
  std::vector<Detection> all;
  for (const std::vector<Detection>& list : lists) all.insert(all.end(), list.begin(), list.end());
  if (lists.size() < 2) return all;
  sort_by_score(all);
  if (all.size() > static_cast<std::size_t>(std::max(options.max_nms, 0)))
    all.resize(static_cast<std::size_t>(std::max(options.max_nms, 0)));
  return all;
}

std::vector<Detection> fused(std::span<const std::vector<Detection>> lists,
                             const NmsOptions& options) {
  FusionOptions fusion = options.fusion;
  fusion.agnostic = options.agnostic;
  if (lists.size() < 2) return weighted_boxes_fusion(lists, fusion);
  std::vector<std::vector<Detection>> suppressed;
  for (const std::vector<Detection>& list : lists)
    suppressed.push_back(hard_suppression(list, options));
  return weighted_boxes_fusion(suppressed, fusion);
}

}  // namespace

NmsResult nms_candidates(const float* decoded, std::size_t rows, int class_count,
                         const NmsOptions& options) {
  if (class_count < 1)
    throw Error(
        fmt::format("non-maximum suppression: expected at least 1 class, found {}", class_count));
  const std::size_t columns = 5 + static_cast<std::size_t>(class_count);
  NmsResult result;
  Collector collector(class_count, options);
  for (std::size_t r = 0; r < rows; ++r)
    collector.add(decoded + r * columns, static_cast<std::uint32_t>(r), result);

  const std::vector<Candidate>& candidates = collector.candidates();
  const std::size_t limit =
      std::min(candidates.size(), static_cast<std::size_t>(std::max(options.max_nms, 0)));
  result.beyond_max_nms = candidates.size() - limit;
  result.detections.reserve(limit);
  for (const std::uint32_t i :
       best_first(candidates.size(), limit, [&](std::size_t k) { return candidates[k].score; }))
    result.detections.push_back(detection_of(candidates[i], decoded + candidates[i].row * columns));
  return result;
}

std::vector<Detection> select_detections(std::span<const std::vector<Detection>> lists,
                                         const NmsOptions& options) {
  std::vector<Detection> out;
  if (options.kind == NmsKind::wbf) {
    out = fused(lists, options);
  } else {
    const std::vector<Detection> all = joined(lists, options);
    if (options.kind == NmsKind::hard)
      return merges(all.size(), options) ? merged(all, options) : hard_suppression(all, options);
    out = by_class(all, options);
  }
  if (out.size() > static_cast<std::size_t>(std::max(options.max_det, 0)))
    out.resize(static_cast<std::size_t>(std::max(options.max_det, 0)));
  return out;
}

NmsResult non_maximum_suppression(const float* decoded, std::size_t rows, int class_count,
                                  const NmsOptions& options) {
  NmsResult result = nms_candidates(decoded, rows, class_count, options);
  result.detections = select_detections({&result.detections, 1}, options);
  return result;
}

}  // namespace yolov7
