#include "training/loss/assignment.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>

#include "core/error.hpp"

namespace yolov7::training {
namespace {

float fraction(float x) { return std::fmod(x, 1.0f); }

/// A target in cells of one level. All arithmetic in 32 bits: the conditions below are decided by
/// it (training K19).
struct GridBox {
  float x, y, w, h;
};

GridBox on_grid(const Target& target, const LevelGrid& level) {
  const auto w = static_cast<float>(level.width), h = static_cast<float>(level.height);
  return {target[2] * w, target[3] * h, target[4] * w, target[5] * h};
}

bool ratio_fits(const GridBox& box, const std::array<float, 2>& anchor, float limit) {
  const float rw = box.w / anchor[0], rh = box.h / anchor[1];
  return std::max({rw, 1 / rw, rh, 1 / rh}) < limit;
}

struct Block {
  float dx, dy;  ///< direction of the neighbour
};
constexpr std::array<Block, 5> blocks{{{0, 0}, {-1, 0}, {0, -1}, {1, 0}, {0, 1}}};

bool reaches(const GridBox& box, const LevelGrid& level, const Block& block, float reach) {
  const auto near = [&](float distance) { return fraction(distance) < reach && distance > 1; };
  if (block.dx < 0) return near(box.x);
  if (block.dy < 0) return near(box.y);
  if (block.dx > 0) return near(static_cast<float>(level.width) - box.x);
  if (block.dy > 0) return near(static_cast<float>(level.height) - box.y);
  return true;
}

struct Corners {
  float x1, y1, x2, y2;
  float area() const { return (x2 - x1) * (y2 - y1); }
};

Corners corners(float x, float y, float w, float h) {
  return {x - w / 2, y - h / 2, x + w / 2, y + h / 2};
}

/// Ordinary IoU without an epsilon; nothing over nothing counts as no overlap.
float iou(const Corners& a, const Corners& b) {
  const float w = std::max(0.0f, std::min(a.x2, b.x2) - std::max(a.x1, b.x1));
  const float h = std::max(0.0f, std::min(a.y2, b.y2) - std::max(a.y1, b.y1));
  const float value = w * h / (a.area() + b.area() - w * h);
  return std::isnan(value) ? 0.0f : value;
}

float sigmoid(float x) { return 1 / (1 + std::exp(-x)); }

/// One candidate of a picture, decoded.
struct Candidate {
  std::size_t level = 0;
  const Positive* cell = nullptr;
  const float* logits = nullptr;
  Corners box{};
  float objectness = 0;  ///< probability
  float background = 0;  ///< class cost if no class were wanted: −Σ ln(1 − y_c)
  float class_probability(
      int c) const {  // clamped, so that saturated logits stay finite (training F22)
    return std::clamp(std::sqrt(sigmoid(logits[5 + c]) * objectness), 1e-7f, 1 - 1e-7f);
  }
};

Candidate decoded(std::size_t level_index, const Positive& cell, const float* logits,
                  const LevelGrid& level, int class_count) {
  Candidate candidate{level_index, &cell, logits, {}, sigmoid(logits[4]), 0};
  const auto& anchor = level.anchors[static_cast<std::size_t>(cell.anchor)];
  const float x = (sigmoid(logits[0]) * 2 - 0.5f + static_cast<float>(cell.column)) * level.stride;
  const float y = (sigmoid(logits[1]) * 2 - 0.5f + static_cast<float>(cell.row)) * level.stride;
  const float sw = sigmoid(logits[2]) * 2, sh = sigmoid(logits[3]) * 2;
  candidate.box =
      corners(x, y, sw * sw * anchor[0] * level.stride, sh * sh * anchor[1] * level.stride);
  for (int c = 0; c < class_count; ++c)
    candidate.background -= std::log1p(-candidate.class_probability(c));
  return candidate;
}

/// Class cost of every candidate of a picture, by wanted class; each class that occurs is computed
/// once.
class ClassCosts {
 public:
  explicit ClassCosts(const std::vector<Candidate>& candidates) : candidates_(candidates) {}
  const std::vector<float>& of(int wanted) {
    std::vector<float>& costs = by_class_[wanted];
    if (!costs.empty()) return costs;
    costs.reserve(candidates_.size());
    for (const Candidate& candidate : candidates_) {
      const float y = candidate.class_probability(wanted);
      costs.push_back(candidate.background + std::log1p(-y) - std::log(y));
    }
    return costs;
  }

 private:
  const std::vector<Candidate>& candidates_;
  std::map<int, std::vector<float>> by_class_;
};

/// IoU and cost of one target with every candidate of its picture.
void pair_costs(const std::vector<Candidate>& candidates, const std::vector<float>& class_costs,
                const Corners& box, std::vector<float>& overlaps, std::vector<float>& costs) {
  static const float apart = 3 * std::log(1e-8f);  // most pairs do not overlap
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const float overlap = iou(box, candidates[i].box);
    const float cost = class_costs[i] - (overlap == 0 ? apart : 3 * std::log(overlap + 1e-8f));
    overlaps[i] = overlap;
    costs[i] = std::isnan(cost) ? std::numeric_limits<float>::infinity() : cost;
  }
}

std::size_t dynamic_k(const std::vector<float>& overlaps, int top, std::vector<float>& buffer) {
  const std::size_t k = std::min(overlaps.size(), static_cast<std::size_t>(top));
  buffer = overlaps;
  std::partial_sort(buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(k), buffer.end(),
                    std::greater<>());
  const float sum =
      std::accumulate(buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(k), 0.0f);
  return std::max<std::size_t>(1, static_cast<std::size_t>(sum));
}

/// For each candidate the position of its target in the picture's list `own`, or −1. One target at
/// a time, so that memory grows with the candidates and not with pairs: what is kept of all pairs
/// is the cheapest target of each candidate.
std::vector<int> match(const std::vector<Candidate>& candidates, const std::vector<int>& own,
                       std::span<const Target> targets, float width_px, float height_px, int top) {
  const std::size_t n = candidates.size();
  std::vector<int> owner(n, -1), claims(n, 0), cheapest(n, 0);
  std::vector<float> overlaps(n), costs(n), least(n, std::numeric_limits<float>::infinity()),
      buffer;
  std::vector<std::size_t> order(n);
  ClassCosts class_costs(candidates);
  for (std::size_t g = 0; g < own.size(); ++g) {
    const Target& target = targets[static_cast<std::size_t>(own[g])];
    const Corners box = corners(target[2] * width_px, target[3] * height_px, target[4] * width_px,
                                target[5] * height_px);
    pair_costs(candidates, class_costs.of(static_cast<int>(target[1])), box, overlaps, costs);
    const std::size_t k = std::min(n, dynamic_k(overlaps, top, buffer));
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(k), order.end(),
                      [&](std::size_t a, std::size_t b) {
                        return costs[a] != costs[b] ? costs[a] < costs[b] : a < b;
                      });
    for (std::size_t i = 0; i < k; ++i) {
      owner[order[i]] = static_cast<int>(g);
      ++claims[order[i]];
    }
    for (std::size_t i = 0; i < n; ++i)
      if (costs[i] < least[i]) least[i] = costs[i], cheapest[i] = static_cast<int>(g);
  }
  for (std::size_t i = 0; i < n; ++i)
    if (claims[i] > 1) owner[i] = cheapest[i];
  return owner;
}

}  // namespace

void check_targets(std::span<const Target> targets, int images, int class_count) {
  constexpr float rounding = 1e-3f;  // of boxes that touch the border
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const Target& t = targets[i];
    if (!(t[0] >= 0 && t[0] < static_cast<float>(images)))
      throw Error(
          fmt::format("target row {}: image {} is out of range 0..{}", i, t[0], images - 1));
    if (!(t[1] >= 0 && t[1] < static_cast<float>(class_count)))
      throw Error(
          fmt::format("target row {}: class {} is out of range 0..{}", i, t[1], class_count - 1));
    for (std::size_t k = 2; k < 6; ++k)
      if (!(t[k] >= -rounding && t[k] <= 1 + rounding))
        throw Error(
            fmt::format("target row {}: expected a box in fractions 0..1, found {} {} {} {}", i,
                        t[2], t[3], t[4], t[5]));
  }
}

Positives ratio_positives(std::span<const Target> targets, std::span<const LevelGrid> levels,
                          float ratio_limit, float reach) {
  Positives result;
  for (const LevelGrid& level : levels) {
    std::vector<Positive> positives;
    std::vector<std::pair<int, int>> pairs;  // anchor, target
    for (std::size_t a = 0; a < level.anchors.size(); ++a)
      for (std::size_t t = 0; t < targets.size(); ++t)
        if (ratio_fits(on_grid(targets[t], level), level.anchors[a], ratio_limit))
          pairs.emplace_back(static_cast<int>(a), static_cast<int>(t));
    for (const Block& block : blocks)
      for (const auto& [anchor, index] : pairs) {
        const Target& target = targets[static_cast<std::size_t>(index)];
        const GridBox box = on_grid(target, level);
        if (!reaches(box, level, block, reach)) continue;
        const int column = static_cast<int>(box.x + block.dx * reach),
                  row = static_cast<int>(box.y + block.dy * reach);
        positives.push_back({static_cast<int>(target[0]), anchor,
                             std::clamp(row, 0, level.height - 1),
                             std::clamp(column, 0, level.width - 1), index});
      }
    result.push_back(std::move(positives));
  }
  return result;
}

Positives ota_positives(const Positives& candidates,
                        std::span<const std::span<const float>> predictions,
                        std::span<const Target> targets, std::span<const LevelGrid> levels,
                        int images, int class_count, int top) {
  Positives result(levels.size());
  const auto columns = static_cast<std::size_t>(5 + class_count);
  std::vector<std::vector<int>> own(static_cast<std::size_t>(images));
  for (std::size_t t = 0; t < targets.size(); ++t)
    own[static_cast<std::size_t>(targets[t][0])].push_back(static_cast<int>(t));
  std::vector<std::vector<Candidate>> of_image(own.size());
  for (std::size_t level = 0; level < levels.size(); ++level)
    for (std::size_t i = 0; i < candidates[level].size(); ++i) {
      const Positive& cell = candidates[level][i];
      const float* logits = predictions[level].data() + i * columns;
      of_image[static_cast<std::size_t>(cell.image)].push_back(
          decoded(level, cell, logits, levels[level], class_count));
    }
  const float width_px = static_cast<float>(levels.front().width) * levels.front().stride;
  const float height_px = static_cast<float>(levels.front().height) * levels.front().stride;
  for (std::size_t image = 0; image < own.size(); ++image) {
    const std::vector<Candidate>& list = of_image[image];
    if (own[image].empty() || list.empty()) continue;
    const std::vector<int> owner = match(list, own[image], targets, width_px, height_px, top);
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (owner[i] < 0) continue;
      Positive positive = *list[i].cell;
      positive.target = own[image][static_cast<std::size_t>(owner[i])];
      result[list[i].level].push_back(positive);
    }
  }
  return result;
}

}  // namespace yolov7::training
