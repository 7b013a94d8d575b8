#include "training/assignment.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/error.hpp"

namespace yolov7::training {
namespace {

float fraction(float x) { return std::fmod(x, 1.0f); }

/// A target in cells of one level. All arithmetic in 32 bits: the conditions below are decided by it (K 19).
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

Corners corners(float x, float y, float w, float h) { return {x - w / 2, y - h / 2, x + w / 2, y + h / 2}; }

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
  float class_probability(int c) const {  // clamped, so that saturated logits stay finite (F 22)
    return std::clamp(std::sqrt(sigmoid(logits[5 + c]) * objectness), 1e-7f, 1 - 1e-7f);
  }
};

Candidate decoded(std::size_t level_index, const Positive& cell, const float* logits, const LevelGrid& level, int class_count) {
  Candidate candidate{level_index, &cell, logits, {}, sigmoid(logits[4]), 0};
  const auto& anchor = level.anchors[static_cast<std::size_t>(cell.anchor)];
  const float x = (sigmoid(logits[0]) * 2 - 0.5f + static_cast<float>(cell.column)) * level.stride;
  const float y = (sigmoid(logits[1]) * 2 - 0.5f + static_cast<float>(cell.row)) * level.stride;
  const float sw = sigmoid(logits[2]) * 2, sh = sigmoid(logits[3]) * 2;
  candidate.box = corners(x, y, sw * sw * anchor[0] * level.stride, sh * sh * anchor[1] * level.stride);
  for (int c = 0; c < class_count; ++c) candidate.background -= std::log1p(-candidate.class_probability(c));
  return candidate;
}

/// IoU and cost of every pair of target and candidate of one picture, target-major.
struct Costs {
  std::vector<float> iou, cost;
};

Costs pair_costs(const std::vector<Candidate>& candidates, const std::vector<int>& own, std::span<const Target> targets,
                 float width_px, float height_px) {
  Costs pairs;
  pairs.iou.reserve(own.size() * candidates.size());
  pairs.cost.reserve(own.size() * candidates.size());
  for (const int index : own) {
    const Target& target = targets[static_cast<std::size_t>(index)];
    const Corners box = corners(target[2] * width_px, target[3] * height_px, target[4] * width_px, target[5] * height_px);
    for (const Candidate& candidate : candidates) {
      const float overlap = iou(box, candidate.box);
      const float y = candidate.class_probability(static_cast<int>(target[1]));
      const float class_cost = candidate.background + std::log1p(-y) - std::log(y);
      const float cost = class_cost - 3 * std::log(overlap + 1e-8f);
      pairs.iou.push_back(overlap);
      pairs.cost.push_back(std::isnan(cost) ? std::numeric_limits<float>::infinity() : cost);
    }
  }
  return pairs;
}

std::size_t dynamic_k(const float* overlaps, std::size_t n, int top, std::vector<float>& buffer) {
  const std::size_t k = std::min(n, static_cast<std::size_t>(top));
  buffer.assign(overlaps, overlaps + n);
  std::partial_sort(buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(k), buffer.end(), std::greater<>());
  const float sum = std::accumulate(buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(k), 0.0f);
  return std::max<std::size_t>(1, static_cast<std::size_t>(sum));
}

/// For each candidate the position of its target in the picture's list, or −1.
std::vector<int> match(const Costs& pairs, std::size_t targets, std::size_t n, int top) {
  std::vector<int> owner(n, -1), claims(n, 0);
  std::vector<std::size_t> order(n);
  std::vector<float> buffer;
  for (std::size_t g = 0; g < targets; ++g) {
    const float* cost = pairs.cost.data() + g * n;
    const std::size_t k = std::min(n, dynamic_k(pairs.iou.data() + g * n, n, top, buffer));
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(k), order.end(),
                      [&](std::size_t a, std::size_t b) { return cost[a] != cost[b] ? cost[a] < cost[b] : a < b; });
    for (std::size_t i = 0; i < k; ++i) {
      owner[order[i]] = static_cast<int>(g);
      ++claims[order[i]];
    }
  }
  for (std::size_t i = 0; i < n; ++i) {
    if (claims[i] < 2) continue;
    std::size_t best = 0;
    for (std::size_t g = 1; g < targets; ++g)
      if (pairs.cost[g * n + i] < pairs.cost[best * n + i]) best = g;
    owner[i] = static_cast<int>(best);
  }
  return owner;
}

}  // namespace

void check_targets(std::span<const Target> targets, int images, int class_count) {
  constexpr float rounding = 1e-3f;  // of boxes that touch the border
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const Target& t = targets[i];
    if (!(t[0] >= 0 && t[0] < static_cast<float>(images)))
      throw Error(fmt::format("target row {}: picture {} is out of range 0..{}", i, t[0], images - 1));
    if (!(t[1] >= 0 && t[1] < static_cast<float>(class_count)))
      throw Error(fmt::format("target row {}: class {} is out of range 0..{}", i, t[1], class_count - 1));
    for (std::size_t k = 2; k < 6; ++k)
      if (!(t[k] >= -rounding && t[k] <= 1 + rounding))
        throw Error(fmt::format("target row {}: expected a box in fractions 0..1, found {} {} {} {}", i, t[2], t[3], t[4], t[5]));
  }
}

Positives ratio_positives(std::span<const Target> targets, std::span<const LevelGrid> levels, float ratio_limit, float reach) {
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
        const int column = static_cast<int>(box.x + block.dx * reach), row = static_cast<int>(box.y + block.dy * reach);
        positives.push_back({static_cast<int>(target[0]), anchor, std::clamp(row, 0, level.height - 1),
                             std::clamp(column, 0, level.width - 1), index});
      }
    result.push_back(std::move(positives));
  }
  return result;
}

Positives ota_positives(const Positives& candidates, std::span<const std::span<const float>> predictions,
                        std::span<const Target> targets, std::span<const LevelGrid> levels, int images, int class_count,
                        int top) {
  Positives result(levels.size());
  const auto columns = static_cast<std::size_t>(5 + class_count);
  std::vector<std::vector<int>> own(static_cast<std::size_t>(images));
  for (std::size_t t = 0; t < targets.size(); ++t) own[static_cast<std::size_t>(targets[t][0])].push_back(static_cast<int>(t));
  std::vector<std::vector<Candidate>> of_image(own.size());
  for (std::size_t level = 0; level < levels.size(); ++level)
    for (std::size_t i = 0; i < candidates[level].size(); ++i) {
      const Positive& cell = candidates[level][i];
      const float* logits = predictions[level].data() + i * columns;
      of_image[static_cast<std::size_t>(cell.image)].push_back(decoded(level, cell, logits, levels[level], class_count));
    }
  const float width_px = static_cast<float>(levels.front().width) * levels.front().stride;
  const float height_px = static_cast<float>(levels.front().height) * levels.front().stride;
  for (std::size_t image = 0; image < own.size(); ++image) {
    const std::vector<Candidate>& list = of_image[image];
    if (own[image].empty() || list.empty()) continue;
    const Costs pairs = pair_costs(list, own[image], targets, width_px, height_px);
    const std::vector<int> owner = match(pairs, own[image].size(), list.size(), top);
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
