#include "image/boxes/box_fusion.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "core/error.hpp"

namespace yolov7 {
namespace {

struct Weighted {
  Detection detection;
  double score;  ///< times the weight of its list
  std::size_t list;
};

struct Cluster {
  std::vector<Weighted> boxes;
  Xyxy fused;
  void add(const Weighted& one) {
    boxes.push_back(one);
    double total = 0;
    fused = {};
    for (const Weighted& box : boxes) {
      total += box.score;
      fused.x1 += box.score * box.detection.box.x1, fused.y1 += box.score * box.detection.box.y1;
      fused.x2 += box.score * box.detection.box.x2, fused.y2 += box.score * box.detection.box.y2;
    }
    fused.x1 /= total, fused.y1 /= total, fused.x2 /= total, fused.y2 /= total;
  }
};

double final_score(const Cluster& cluster, const std::vector<double>& weights,
                   const FusionOptions& options) {
  double sum = 0, highest = 0, of_boxes = 0, all = 0, largest = 0, present = 0;
  std::set<std::size_t> lists;
  for (const Weighted& box : cluster.boxes) {
    sum += box.score;
    highest = std::max(highest, box.score);
    of_boxes += weights[box.list];
    if (lists.insert(box.list).second) present += weights[box.list];
  }
  for (const double weight : weights) {
    all += weight;
    largest = std::max(largest, weight);
  }
  const auto n = static_cast<double>(cluster.boxes.size()), m = static_cast<double>(weights.size());
  const double mean = sum / n;
  switch (options.score) {
    case FusedScore::average: return mean * (options.allow_overflow ? n : std::min(m, n)) / all;
    case FusedScore::maximum: return highest / largest;
    case FusedScore::box_and_model_average: return mean * n / of_boxes * present / all;
    case FusedScore::absent_model_aware_average: return mean * n / (of_boxes + all - present);
  }
  throw Error("unknown score of fused boxes");
}

std::vector<Cluster> clusters_of(std::vector<Weighted>& boxes, double iou_thres) {
  std::stable_sort(boxes.begin(), boxes.end(),
                   [](const Weighted& a, const Weighted& b) { return a.score > b.score; });
  std::vector<Cluster> clusters;
  for (const Weighted& box : boxes) {
    Cluster* best = nullptr;
    double most = iou_thres;
    for (Cluster& cluster : clusters)
      if (const double o = iou(cluster.fused, box.detection.box); o > most)
        best = &cluster, most = o;
    if (best == nullptr) best = &clusters.emplace_back();
    best->add(box);
  }
  return clusters;
}

std::vector<double> checked_weights(std::size_t lists, const FusionOptions& options) {
  if (options.weights.empty()) return std::vector<double>(lists, 1.0);
  if (options.weights.size() != lists)
    throw usage_error(
        fmt::format("weights of the fusion: expected {} (one for each list of boxes), found {}",
                    lists, options.weights.size()));
  for (const double weight : options.weights)
    if (!(weight > 0) || !std::isfinite(weight))
      throw usage_error(
          fmt::format("weights of the fusion: expected positive numbers, found {}", weight));
  return options.weights;
}

}  // namespace

std::vector<Detection> weighted_boxes_fusion(std::span<const std::vector<Detection>> lists,
                                             const FusionOptions& options) {
  const std::vector<double> weights = checked_weights(lists.size(), options);
  std::map<int, std::vector<Weighted>> by_class;
  for (std::size_t list = 0; list < lists.size(); ++list)
    for (Detection one : lists[list]) {
      if (one.box.x1 > one.box.x2) std::swap(one.box.x1, one.box.x2);
      if (one.box.y1 > one.box.y2) std::swap(one.box.y1, one.box.y2);
      if (!(one.box.area() > 0) || one.score < options.skip_below || !(one.score > 0)) continue;
      by_class[options.agnostic ? 0 : one.class_index].push_back(
          {one, one.score * weights[list], list});
    }
  std::vector<Detection> out;
  for (auto& [class_index, boxes] : by_class)
    for (const Cluster& cluster : clusters_of(boxes, options.iou_thres))
      out.push_back({cluster.fused, static_cast<float>(final_score(cluster, weights, options)),
                     cluster.boxes.front().detection.class_index});
  sort_by_score(out);
  return out;
}

}  // namespace yolov7
