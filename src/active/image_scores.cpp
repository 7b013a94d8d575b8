#include "active/image_scores.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <tuple>

namespace yolov7::active {
namespace {

std::vector<Detection> from(std::span<const Detection> all, double least) {
  std::vector<Detection> kept;
  for (const Detection& one : all)
    if (one.score >= least) kept.push_back(one);
  return kept;
}

}  // namespace

std::size_t ImageScores::boxes() const {
  return std::accumulate(counts.begin(), counts.end(), std::size_t{0});
}

double binary_entropy(double p) {
  if (!(p > 0) || !(p < 1)) return 0;
  return -p * std::log(p) - (1 - p) * std::log1p(-p);
}

ImageScores score_image(std::span<const Detection> detections, std::size_t class_count) {
  ImageScores scores;
  scores.counts.assign(class_count, 0);
  for (const Detection& one : detections) {
    const double p = one.score;
    if (p < least_confidence) continue;
    ++scores.looked_at;
    const double entropy = binary_entropy(p);
    scores.sum_entropy += entropy;
    scores.max_entropy = std::max(scores.max_entropy, entropy);
    scores.lowest = std::min(scores.lowest, p);
    const auto k = static_cast<std::size_t>(std::max(0, one.class_index));
    if (p >= counted_confidence && k < class_count) ++scores.counts[k];
  }
  if (scores.looked_at > 0)
    scores.mean_entropy = scores.sum_entropy / static_cast<double>(scores.looked_at);
  return scores;
}

double disagreement(std::span<const Detection> plain, std::span<const Detection> mirrored,
                    double width, double least) {
  const std::vector<Detection> a = from(plain, least);
  std::vector<Detection> b = from(mirrored, least);
  if (a.empty() && b.empty()) return 0;
  for (Detection& one : b) {
    const double left = width - one.box.x2;
    one.box.x2 = width - one.box.x1;
    one.box.x1 = left;
  }
  std::vector<std::tuple<double, std::size_t, std::size_t>> pairs;  // IoU, place in a, in b
  for (std::size_t i = 0; i < a.size(); ++i)
    for (std::size_t k = 0; k < b.size(); ++k)
      if (a[i].class_index == b[k].class_index)
        if (const double overlap = iou(a[i].box, b[k].box); overlap > 0)
          pairs.emplace_back(overlap, i, k);
  std::sort(pairs.begin(), pairs.end(), [](const auto& one, const auto& other) {
    return std::get<0>(one) != std::get<0>(other) ? std::get<0>(one) > std::get<0>(other)
                                                  : one < other;
  });
  std::vector<bool> taken_a(a.size()), taken_b(b.size());
  double agreed = 0;
  for (const auto& [overlap, i, k] : pairs) {
    if (taken_a[i] || taken_b[k]) continue;
    taken_a[i] = taken_b[k] = true;
    agreed += 2 * overlap;  // once for each look
  }
  return 1 - agreed / static_cast<double>(a.size() + b.size());
}

}  // namespace yolov7::active
