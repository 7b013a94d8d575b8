#include "training/distillation/distill_loss.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "core/error.hpp"
#include "training/loss/ciou.hpp"
#include "training/loss/loss_terms.hpp"

namespace yolov7::training {
namespace {

constexpr double variance_epsilon = 1e-6;  ///< a channel that is constant has variance 0
constexpr float mask_share = 0.5f;         ///< ψ

void require_one_shape(const at::Tensor& student, const at::Tensor& teacher) {
  if (student.sizes() != teacher.sizes())
    throw Error(fmt::format("distillation: expected features of one shape, found [{}] and [{}]",
                            fmt::join(student.sizes(), ", "), fmt::join(teacher.sizes(), ", ")));
}

at::Tensor normalised(const at::Tensor& x) {
  const at::Tensor centred = x - x.mean({0, 2, 3}, true);
  return centred * (centred.square().mean({0, 2, 3}, true) + variance_epsilon).rsqrt();
}

/// Binary cross-entropy of each element.
at::Tensor cross_entropy(const at::Tensor& logits, const at::Tensor& target) {
  return at::binary_cross_entropy_with_logits(logits, target, {}, {}, at::Reduction::None);
}

/// The mean of those that are not left out; 0 where all are.
at::Tensor mean_without(const at::Tensor& values, const at::Tensor& left_out) {
  if (!left_out.defined()) return values.mean();
  const at::Tensor kept = 1 - left_out;
  return (values * kept).sum() / kept.sum().clamp_min(1);
}

at::Tensor columns_of(const at::Tensor& map, const ClassColumns& columns, bool of_teacher) {
  std::vector<std::int64_t> numbers;
  for (const auto& [own, theirs] : columns) numbers.push_back(5 + (of_teacher ? theirs : own));
  return map.index_select(-1, at::tensor(numbers, at::kLong).to(map.device()));
}

/// Rows of all cells as boxes relative to their cells, in cells (training 13.4).
at::Tensor boxes(const at::Tensor& map, std::span<const std::array<float, 2>> anchors) {
  std::vector<float> sides;
  for (const std::array<float, 2>& anchor : anchors)
    sides.insert(sides.end(), anchor.begin(), anchor.end());
  const at::Tensor size = at::tensor(sides, at::kFloat)
                              .to(map.device(), map.scalar_type())
                              .view({1, static_cast<std::int64_t>(anchors.size()), 1, 1, 2});
  const at::Tensor centre = map.slice(-1, 0, 2).sigmoid() * 2 - 0.5,
                   side = (map.slice(-1, 2, 4).sigmoid() * 2).square() * size;
  return at::cat({centre, side}, -1).reshape({-1, 4});
}

/// Of an anchor's box at a cell, and one target: all in cells.
float overlap(float x, float y, const std::array<float, 2>& anchor, const Target& box) {
  const auto along = [](float centre, float side, float other, float other_side) {
    return std::min(centre + side / 2, other + other_side / 2) -
           std::max(centre - side / 2, other - other_side / 2);
  };
  const float w = along(x, anchor[0], box[2], box[4]), h = along(y, anchor[1], box[3], box[5]);
  if (w <= 0 || h <= 0) return 0;
  return w * h / (anchor[0] * anchor[1] + box[4] * box[5] - w * h);
}

/// Calls visit(level, row, column, IoU) for all cells and anchors that touch the target.
template <class Visit>
void for_each_touching(const Target& target, std::span<const LevelGrid> levels, Visit visit) {
  for (std::size_t l = 0; l < levels.size(); ++l) {
    const LevelGrid& grid = levels[l];
    const auto w = static_cast<float>(grid.width), h = static_cast<float>(grid.height);
    const Target box{target[0],     target[1],     target[2] * w,
                     target[3] * h, target[4] * w, target[5] * h};
    for (const std::array<float, 2>& anchor : grid.anchors) {
      const auto range = [](float centre, float reach, int cells) {
        return std::pair(std::max(0, static_cast<int>(std::floor(centre - reach - 0.5f))),
                         std::min(cells - 1, static_cast<int>(std::ceil(centre + reach - 0.5f))));
      };
      const auto [left, right] = range(box[2], (box[4] + anchor[0]) / 2, grid.width);
      const auto [top, bottom] = range(box[3], (box[5] + anchor[1]) / 2, grid.height);
      for (int row = top; row <= bottom; ++row)
        for (int column = left; column <= right; ++column)
          visit(l, row, column,
                overlap(static_cast<float>(column) + 0.5f, static_cast<float>(row) + 0.5f, anchor,
                        box));
    }
  }
}

}  // namespace

at::Tensor channel_loss(const at::Tensor& student, const at::Tensor& teacher, double temperature) {
  require_one_shape(student, teacher);
  const auto where = [&](const at::Tensor& x) {
    return at::log_softmax(normalised(x).flatten(2) / temperature, -1);
  };
  const at::Tensor log_teacher = where(teacher.detach()), log_student = where(student);
  const at::Tensor divergence = (log_teacher.exp() * (log_teacher - log_student)).sum(-1);
  return divergence.mean() * (temperature * temperature);
}

at::Tensor imitation_loss(const at::Tensor& student, const at::Tensor& teacher,
                          const at::Tensor& mask) {
  require_one_shape(student, teacher);
  const at::Tensor cells = mask.sum().clamp_min(1);
  return ((student - teacher.detach()).square() * mask.unsqueeze(1)).sum() / (2 * cells);
}

std::vector<std::vector<std::uint8_t>> imitation_mask(std::span<const Target> targets, int images,
                                                      std::span<const LevelGrid> levels) {
  std::vector<std::vector<std::uint8_t>> mask;
  for (const LevelGrid& grid : levels)
    mask.emplace_back(static_cast<std::size_t>(images) * static_cast<std::size_t>(grid.height) *
                      static_cast<std::size_t>(grid.width));
  for (const Target& target : targets) {
    float largest = 0;
    for_each_touching(target, levels,
                      [&](std::size_t, int, int, float iou) { largest = std::max(largest, iou); });
    for_each_touching(target, levels, [&](std::size_t level, int row, int column, float iou) {
      if (iou <= mask_share * largest) return;
      const auto width = static_cast<std::size_t>(levels[level].width),
                 height = static_cast<std::size_t>(levels[level].height);
      mask[level]
          [(static_cast<std::size_t>(target[0]) * height + static_cast<std::size_t>(row)) * width +
           static_cast<std::size_t>(column)] = 1;
    });
  }
  return mask;
}

OutputTerms output_terms(const at::Tensor& student, const at::Tensor& teacher,
                         const ClassColumns& columns, std::span<const std::array<float, 2>> anchors,
                         std::span<const std::array<float, 2>> teacher_anchors,
                         const at::Tensor& left_out) {
  const at::Tensor fixed = teacher.detach(), objectness = fixed.select(-1, 4).sigmoid();
  OutputTerms terms;
  terms.objectness = mean_without(cross_entropy(student.select(-1, 4), objectness), left_out);
  terms.classes = columns.empty()
                      ? at::zeros({}, terms.objectness.options().requires_grad(false))
                      : (objectness * cross_entropy(columns_of(student, columns, false),
                                                    columns_of(fixed, columns, true).sigmoid())
                                          .mean(-1))
                            .mean();
  const at::Tensor ciou = box_iou(boxes(student, anchors), boxes(fixed, teacher_anchors));
  terms.box = (objectness.reshape(-1) * (1 - ciou)).mean();
  return terms;
}

at::Tensor cell_mask(std::span<const Positive> cells, const at::Tensor& map) {
  at::Tensor mask = at::zeros(map.sizes().slice(0, 4), map.options().requires_grad(false));
  if (cells.empty()) return mask;
  const CellIndex index = cell_index(cells, map.device());
  const std::vector<at::indexing::TensorIndex> places{index.image, index.anchor, index.row,
                                                      index.column};
  mask.index_put_(places, at::ones({static_cast<std::int64_t>(cells.size())}, mask.options()));
  return mask;
}

at::Tensor logit_loss(const at::Tensor& student, const at::Tensor& teacher,
                      const ClassColumns& columns, double temperature) {
  const at::Tensor fixed = teacher.detach();
  const at::Tensor soft = (columns_of(fixed, columns, true) / temperature).sigmoid();
  const at::Tensor apart =
      cross_entropy(columns_of(student, columns, false) / temperature, soft).mean(-1);
  return (fixed.select(-1, 4).sigmoid() * apart).mean() * (temperature * temperature);
}

}  // namespace yolov7::training
