#include "image/boxes/suppression.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace yolov7 {
namespace {

constexpr std::array<std::pair<std::string_view, NmsKind>, 12> kinds{
    {{"hard", NmsKind::hard},
     {"soft-linear", NmsKind::soft_linear},
     {"soft-gaussian", NmsKind::soft_gaussian},
     {"diou", NmsKind::diou},
     {"matrix-linear", NmsKind::matrix_linear},
     {"matrix-gaussian", NmsKind::matrix_gaussian},
     {"cluster", NmsKind::cluster},
     {"cluster-diou", NmsKind::cluster_diou},
     {"cluster-spm", NmsKind::cluster_spm},
     {"cluster-spm-dist", NmsKind::cluster_spm_dist},
     {"adaptive", NmsKind::adaptive},
     {"wbf", NmsKind::wbf}}};

/// The settings table binds the kind by the place of its name.
constexpr bool in_order() {
  for (std::size_t i = 0; i < kinds.size(); ++i)
    if (static_cast<std::size_t>(kinds[i].second) != i) return false;
  return true;
}
static_assert(in_order());

/// IoU where two boxes without area (0/0) do not overlap.
double overlap(const Xyxy& a, const Xyxy& b) {
  const double value = iou(a, b);
  return std::isnan(value) ? 0 : value;
}

std::vector<Detection> above(std::vector<Detection> detections, double threshold) {
  std::erase_if(detections,
                [&](const Detection& one) { return !(one.score > static_cast<float>(threshold)); });
  return detections;
}

/// Greedy suppression where `measure` of a kept box and a later one exceeds the threshold; 1 for
/// each box that stays.
template <class Measure>
std::vector<unsigned char> greedy(std::span<const Detection> sorted, double threshold,
                                  const Measure& measure) {
  std::vector<unsigned char> keep(sorted.size(), 1);
  std::vector<std::size_t> kept;
  for (std::size_t j = 0; j < sorted.size(); ++j) {
    keep[j] = std::none_of(kept.begin(), kept.end(), [&](std::size_t i) {
      return measure(sorted[i].box, sorted[j].box) > threshold;
    });
    if (keep[j]) kept.push_back(j);
  }
  return keep;
}

std::vector<Detection> chosen(std::span<const Detection> sorted,
                              const std::vector<unsigned char>& keep) {
  std::vector<Detection> out;
  for (std::size_t i = 0; i < sorted.size(); ++i)
    if (keep[i]) out.push_back(sorted[i]);
  return out;
}

auto distance_iou(double beta) {
  return [beta](const Xyxy& a, const Xyxy& b) {
    return overlap(a, b) - std::pow(centre_distance_penalty(a, b), beta);
  };
}

Xyxy weighted_sum(const Xyxy& sum, double weight, const Xyxy& box) {
  return {sum.x1 + weight * box.x1, sum.y1 + weight * box.y1, sum.x2 + weight * box.x2,
          sum.y2 + weight * box.y2};
}
Xyxy divided(const Xyxy& sum, double by) {
  return {sum.x1 / by, sum.y1 / by, sum.x2 / by, sum.y2 / by};
}

/// Boxes become means of those they overlap by more than 0.8 (C_ij > 0.8) and of themselves; scores
/// stay. Overlaps of boxes that are themselves suppressed do not count (their row of C is zero), so
/// that only kept boxes move.
void weight_coordinates(std::vector<Detection>& detections, std::span<const Detection> sorted,
                        const std::vector<unsigned char>& keep) {
  const std::vector<Detection> scored = detections;
  for (std::size_t i = 0; i < scored.size(); ++i) {
    if (!keep[i]) continue;
    double total = scored[i].score;
    Xyxy sum = weighted_sum({}, total, sorted[i].box);
    for (std::size_t j = i + 1; j < scored.size(); ++j) {
      const double c = overlap(sorted[i].box, sorted[j].box);
      if (!(c > 0.8)) continue;
      const double weight = scored[j].score * c;
      total += weight;
      sum = weighted_sum(sum, weight, sorted[j].box);
    }
    if (total > 0) detections[i].box = divided(sum, total);
  }
}

/// Score penalty mechanism: s_j · Π over kept i < j of a factor of their overlap.
void penalise(std::vector<Detection>& detections, std::span<const Detection> sorted,
              const std::vector<unsigned char>& keep, bool by_distance,
              const CrowdOptions& options) {
  const double beta = options.beta(0.6);
  for (std::size_t j = 0; j < sorted.size(); ++j) {
    double factor = 1;
    for (std::size_t i = 0; i < j; ++i) {
      if (!keep[i]) continue;
      const double c = overlap(sorted[i].box, sorted[j].box);
      if (!(c > 0)) continue;
      const double decay = std::exp(-c * c / options.spm_sigma);
      factor *=
          by_distance
              ? std::min(
                    decay + std::pow(centre_distance_penalty(sorted[i].box, sorted[j].box), beta),
                    1.0)
              : decay;
    }
    detections[j].score = static_cast<float>(sorted[j].score * factor);
  }
}

}  // namespace

std::string_view nms_kind_name(NmsKind kind) {
  for (const auto& [name, known] : kinds)
    if (known == kind) return name;
  return "";
}

std::vector<std::string_view> nms_kind_names() {
  std::vector<std::string_view> out;
  for (const auto& [name, kind] : kinds) out.push_back(name);
  return out;
}

double centre_distance_penalty(const Xyxy& a, const Xyxy& b) {
  const double dx = (a.x1 + a.x2 - b.x1 - b.x2) / 2, dy = (a.y1 + a.y2 - b.y1 - b.y2) / 2;
  const double w = std::max(a.x2, b.x2) - std::min(a.x1, b.x1),
               h = std::max(a.y2, b.y2) - std::min(a.y1, b.y1);
  const double diagonal = w * w + h * h;
  return diagonal > 0 ? (dx * dx + dy * dy) / diagonal : 0;
}

std::vector<Detection> soft_suppression(std::span<const Detection> sorted, bool gaussian,
                                        double conf_thres, const CrowdOptions& options) {
  struct Open {
    std::size_t index;
    double score;
  };
  std::vector<Open> open;
  for (std::size_t i = 0; i < sorted.size(); ++i) open.push_back({i, sorted[i].score});
  std::vector<Detection> out;
  while (!open.empty()) {
    // The first of the highest: max_element keeps the lowest index on ties, and `open` stays in
    // incoming order.
    const auto best = std::max_element(
        open.begin(), open.end(), [](const Open& a, const Open& b) { return a.score < b.score; });
    const Open chosen_one = *best;
    open.erase(best);
    const Detection& winner = sorted[chosen_one.index];
    out.push_back({winner.box, static_cast<float>(chosen_one.score), winner.class_index});
    for (Open& other : open) {
      const double o = overlap(winner.box, sorted[other.index].box);
      if (gaussian)
        other.score *= std::exp(-o * o / options.soft_sigma);
      else if (o > options.soft_nt)
        other.score *= 1 - o;
    }
    std::erase_if(open, [&](const Open& other) { return other.score < options.soft_floor; });
  }
  return above(std::move(out), conf_thres);
}

std::vector<Detection> diou_suppression(std::span<const Detection> sorted, double iou_thres,
                                        double beta) {
  return chosen(sorted, greedy(sorted, iou_thres, distance_iou(beta)));
}

std::vector<Detection> adaptive_suppression(std::span<const Detection> sorted, double iou_thres,
                                            const CrowdOptions& options) {
  const std::vector<Detection> distinct =
      chosen(sorted, greedy(sorted, options.adaptive_distinct, overlap));
  std::vector<Detection> kept;
  std::vector<double> limits;
  for (const Detection& one : sorted) {
    std::size_t i = 0;
    while (i < kept.size() && !(overlap(kept[i].box, one.box) > limits[i])) ++i;
    if (i < kept.size()) continue;
    double density = 0;
    for (const Detection& other : distinct)
      if (!(other.box == one.box) && other.score >= options.adaptive_share * one.score)
        density = std::max(density, overlap(one.box, other.box));
    kept.push_back(one);
    limits.push_back(std::max(iou_thres, density));
  }
  return kept;
}

std::vector<Detection> matrix_suppression(std::span<const Detection> sorted, bool gaussian,
                                          const CrowdOptions& options) {
  const auto f = [&](double o) {
    return gaussian ? std::exp(-options.matrix_sigma * o * o) : 1 - o;
  };
  std::vector<double> compensation(sorted.size(),
                                   0);  // q: the largest overlap with a box of a higher score
  std::vector<Detection> out(sorted.begin(), sorted.end());
  for (std::size_t j = 0; j < sorted.size(); ++j) {
    double decay = 1;
    for (std::size_t i = 0; i < j; ++i) {
      const double o = overlap(sorted[i].box, sorted[j].box), below = f(compensation[i]);
      decay = std::min(decay, below == 0 ? 1.0 : f(o) / below);
      compensation[j] = std::max(compensation[j], o);
    }
    out[j].score = static_cast<float>(sorted[j].score * decay);
  }
  out = above(std::move(out), options.matrix_threshold);
  sort_by_score(out);
  return out;
}

std::vector<Detection> cluster_suppression(std::span<const Detection> sorted, NmsKind kind,
                                           double iou_thres, const CrowdOptions& options) {
  const std::vector<unsigned char> keep =
      kind == NmsKind::cluster_diou ? greedy(sorted, iou_thres, distance_iou(options.beta(0.9)))
                                    : greedy(sorted, iou_thres, overlap);
  std::vector<Detection> all(sorted.begin(), sorted.end());
  const bool penalty = kind == NmsKind::cluster_spm || kind == NmsKind::cluster_spm_dist;
  if (penalty) penalise(all, sorted, keep, kind == NmsKind::cluster_spm_dist, options);
  if (options.cluster_weighted) weight_coordinates(all, sorted, keep);
  if (!penalty) return chosen(all, keep);
  all = above(std::move(all), options.spm_threshold);
  sort_by_score(all);
  return all;
}

std::vector<Detection> merge_boxes(std::span<const Detection> candidates,
                                   std::span<const Detection> kept, double iou_thres) {
  std::vector<Detection> out;
  for (const Detection& one : kept) {
    Xyxy sum;
    double total = 0;
    std::size_t overlapping = 0;
    for (const Detection& candidate : candidates) {
      // A box without area overlaps not even itself; it counts as one, as any box does.
      if (!(candidate.box == one.box) && !(overlap(one.box, candidate.box) > iou_thres)) continue;
      ++overlapping;
      total += candidate.score;
      sum = weighted_sum(sum, candidate.score, candidate.box);
    }
    if (overlapping < 2 || !(total > 0)) continue;
    out.push_back({divided(sum, total), one.score, one.class_index});
  }
  return out;
}

}  // namespace yolov7
