#include "dataset/doctor/assignment.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

namespace yolov7::dataset::doctor {
namespace {

constexpr double half = 0.5;

struct Interval {
  double from = 0, to = 0;
  bool empty() const { return to <= from; }
};

/// The scales at which this anchor takes the box: every ratio of sides below the threshold.
Interval scales_of(double w, double h, const std::pair<double, double>& anchor, double threshold) {
  return {std::max(anchor.first / (threshold * w), anchor.second / (threshold * h)),
          std::min(anchor.first * threshold / w, anchor.second * threshold / h)};
}

Interval common(const Interval& a, const Interval& b) {
  return {std::max(a.from, b.from), std::min(a.to, b.to)};
}

double length_of_union(std::vector<Interval> parts) {
  std::sort(parts.begin(), parts.end(),
            [](const Interval& a, const Interval& b) { return a.from < b.from; });
  double length = 0, end = 0;
  for (const Interval& part : parts) {
    if (part.empty()) continue;
    length += std::max(0.0, part.to - std::max(part.from, end));
    end = std::max(end, part.to);
  }
  return length;
}

Obstacle obstacle_of(double w, double h, const NetworkRule& rule) {
  if (std::max(w / h, h / w) >= most_ratio) return Obstacle::too_thin;
  if (std::min(w, h) * rule.most_scale <= least_side_px) return Obstacle::too_tiny;
  std::pair<double, double> least{1e9, 1e9}, most{0, 0};
  for (const auto& level : rule.levels)
    for (const auto& [aw, ah] : level.anchors) {
      least = {std::min(least.first, aw), std::min(least.second, ah)};
      most = {std::max(most.first, aw), std::max(most.second, ah)};
    }
  const double t = rule.anchor_threshold;
  if (w * rule.most_scale * t <= least.first || h * rule.most_scale * t <= least.second)
    return Obstacle::too_small;
  if (w * rule.least_scale >= most.first * t || h * rule.least_scale >= most.second * t)
    return Obstacle::too_large;
  return Obstacle::too_long;
}

struct Sized {
  double w, h;  ///< at the training size
  int class_index;
};

std::vector<Sized> boxes_of(const Subject& subject, int image_size) {
  std::vector<Sized> boxes;
  for (const Split& split : subject.splits)
    for (const Entry& entry : split.index.entries) {
      const double scale = static_cast<double>(image_size) / std::max(entry.width, entry.height);
      for (const Label& label : entry.labels)
        boxes.push_back({label.box.w * entry.width * scale, label.box.h * entry.height * scale,
                         label.class_index});
    }
  return boxes;
}

void count(const Reach& reach, ReachCounts& counts) {
  ++counts.boxes;
  counts.never += reach.share <= 0 ? 1 : 0;
  counts.seldom += reach.share > 0 && reach.share < half ? 1 : 0;
  counts.finest_only += reach.share > 0 && reach.finest_only ? 1 : 0;
}

Cure cure_of(std::string text, const std::vector<Sized>& boxes, double enlarged,
             const NetworkRule& rule) {
  ReachCounts counts;
  for (const Sized& box : boxes) count(reach_of(box.w * enlarged, box.h * enlarged, rule), counts);
  return {std::move(text), counts.never, counts.seldom};
}

NetworkRule with_anchors(const NetworkRule& rule) {
  NetworkRule fitted = rule;
  const std::size_t levels = rule.levels.size();
  const std::size_t each = rule.fitted.size() / levels;
  for (std::size_t i = 0; i < levels; ++i)
    fitted.levels[i].anchors.assign(
        rule.fitted.begin() + static_cast<std::ptrdiff_t>(i * each),
        i + 1 == levels ? rule.fitted.end()
                        : rule.fitted.begin() + static_cast<std::ptrdiff_t>((i + 1) * each));
  return fitted;
}

/// The network with a level more: anchors of half the size in front, or of twice the size behind.
NetworkRule with_level(const NetworkRule& rule, bool finer) {
  NetworkRule result = rule;
  NetworkRule::Level level = finer ? rule.levels.front() : rule.levels.back();
  const double factor = finer ? 0.5 : 2;
  level.stride *= factor;
  for (auto& [w, h] : level.anchors) w *= factor, h *= factor;
  result.levels.insert(finer ? result.levels.begin() : result.levels.end(), level);
  return result;
}

std::vector<Cure> cures_of(const std::vector<Sized>& boxes, const NetworkRule& rule) {
  std::vector<Cure> cures;
  if (!rule.fitted.empty())
    cures.push_back(
        cure_of("anchors searched for this set (yolov7 anchors)", boxes, 1, with_anchors(rule)));
  constexpr int grain = 64;
  for (const double factor : {0.5, 0.75, 1.5, 2.0, 3.0}) {
    const int size = static_cast<int>(rule.image_size * factor) / grain * grain;
    if (size < grain || size == rule.image_size) continue;
    cures.push_back(cure_of(fmt::format("--img-size {}", size), boxes,
                            static_cast<double>(size) / rule.image_size, rule));
  }
  cures.push_back(cure_of("images cut into 2 x 2 tiles", boxes, 2, rule));
  cures.push_back(cure_of("a finer level (P2) with anchors of half the size", boxes, 1,
                          with_level(rule, true)));
  cures.push_back(cure_of("a coarser level (P6) with anchors of twice the size", boxes, 1,
                          with_level(rule, false)));
  std::stable_sort(cures.begin(), cures.end(), [](const Cure& a, const Cure& b) {
    return std::pair(a.never, a.seldom) < std::pair(b.never, b.seldom);
  });
  return cures;
}

std::size_t size_of(const Sized& box) {
  constexpr double small = 32, medium = 96;  // COCO's borders, at the training size
  const double side = std::sqrt(box.w * box.h);
  return side < small ? 0 : side < medium ? 1 : 2;
}

nlohmann::json counts_json(const ReachCounts& counts) {
  return {{"name", counts.name},
          {"boxes", counts.boxes},
          {"never", counts.never},
          {"seldom", counts.seldom},
          {"finest_only", counts.finest_only}};
}

}  // namespace

Reach reach_of(double width_px, double height_px, const NetworkRule& rule) {
  Reach reach;
  Interval kept{std::max(rule.least_scale, least_side_px / std::min(width_px, height_px)),
                rule.most_scale};
  if (std::max(width_px / height_px, height_px / width_px) >= most_ratio) kept.to = kept.from;
  std::vector<Interval> taken;
  bool coarser = false;
  for (std::size_t i = 0; i < rule.levels.size(); ++i)
    for (const auto& anchor : rule.levels[i].anchors) {
      taken.push_back(common(kept, scales_of(width_px, height_px, anchor, rule.anchor_threshold)));
      coarser = coarser || (i > 0 && !taken.back().empty());
    }
  reach.share = length_of_union(taken) / (rule.most_scale - rule.least_scale);
  reach.finest_only = reach.share > 0 && !coarser;
  if (reach.share <= 0) reach.obstacle = obstacle_of(width_px, height_px, rule);
  return reach;
}

std::optional<Assignment> assignment_of(const Subject& subject) {
  if (!subject.network) return std::nullopt;
  const NetworkRule& rule = *subject.network;
  Assignment result{rule.name,
                    rule.image_size,
                    rule.anchor_threshold,
                    rule.least_scale,
                    rule.most_scale,
                    {"all", 0, 0, 0, 0},
                    {},
                    {},
                    {}};
  const std::vector<std::string>& names = subject.splits.front().index.names;
  for (const std::string& name : names) result.classes.push_back({name});
  for (const char* name : {"below 32 x 32 px", "below 96 x 96 px", "larger"})
    result.sizes.push_back({name});
  const std::vector<Sized> boxes = boxes_of(subject, rule.image_size);
  for (const Sized& box : boxes) {
    const Reach reach = reach_of(box.w, box.h, rule);
    count(reach, result.all);
    count(reach, result.sizes[size_of(box)]);
    if (static_cast<std::size_t>(box.class_index) < names.size())
      count(reach, result.classes[static_cast<std::size_t>(box.class_index)]);
  }
  if (result.all.never + result.all.seldom > 0) result.cures = cures_of(boxes, rule);
  return result;
}

nlohmann::json to_json(const Assignment& assignment) {
  nlohmann::json classes = nlohmann::json::array(), sizes = classes, cures = classes;
  for (const ReachCounts& one : assignment.classes) classes.push_back(counts_json(one));
  for (const ReachCounts& one : assignment.sizes) sizes.push_back(counts_json(one));
  for (const Cure& cure : assignment.cures)
    cures.push_back({{"cure", cure.text}, {"never", cure.never}, {"seldom", cure.seldom}});
  return {{"network", assignment.network},
          {"image_size", assignment.image_size},
          {"anchor_t", assignment.anchor_threshold},
          {"scales", {assignment.least_scale, assignment.most_scale}},
          {"all", counts_json(assignment.all)},
          {"classes", std::move(classes)},
          {"sizes", std::move(sizes)},
          {"cures", std::move(cures)}};
}

std::vector<std::string> lines_of(const Assignment& assignment) {
  const ReachCounts& all = assignment.all;
  std::vector<std::string> lines{fmt::format(
      "{} at {} px: of {} boxes, {} can never be assigned to an anchor, {} at less than half of "
      "the scales of the training transform, {} on the finest level only",
      assignment.network, assignment.image_size, all.boxes, all.never, all.seldom,
      all.finest_only)};
  constexpr std::size_t most_cures = 3;
  for (std::size_t i = 0; i < std::min(most_cures, assignment.cures.size()); ++i) {
    const Cure& cure = assignment.cures[i];
    if (std::pair(cure.never, cure.seldom) >= std::pair(all.never, all.seldom)) break;
    lines.push_back(fmt::format("  with {}: {} never, {} at less than half", cure.text, cure.never,
                                cure.seldom));
  }
  return lines;
}

}  // namespace yolov7::dataset::doctor
