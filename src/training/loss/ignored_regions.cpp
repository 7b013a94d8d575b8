#include "training/loss/ignored_regions.hpp"

#include <fmt/format.h>

#include <optional>
#include <vector>

#include "core/error.hpp"

namespace yolov7::training {
namespace {

/// Corners of all boxes of an image [na, H, W, 5 + nc] in cells: four tensors [na, H, W].
struct Corners {
  at::Tensor x1, y1, x2, y2;
};

Corners corners(const at::Tensor& map, const LevelGrid& grid) {
  const auto options = map.options();
  std::vector<float> widths, heights;
  for (const auto& anchor : grid.anchors) widths.push_back(anchor[0]), heights.push_back(anchor[1]);
  const auto sizes = [&](const std::vector<float>& of) {
    return at::tensor(of, at::kFloat).to(options).view({-1, 1, 1});
  };
  const at::Tensor column = at::arange(grid.width, options).view({1, 1, -1}),
                   row = at::arange(grid.height, options).view({1, -1, 1});
  const at::Tensor x = map.select(-1, 0).sigmoid() * 2 - 0.5 + column,
                   y = map.select(-1, 1).sigmoid() * 2 - 0.5 + row,
                   half_w = (map.select(-1, 2).sigmoid() * 2).square() * sizes(widths) / 2,
                   half_h = (map.select(-1, 3).sigmoid() * 2).square() * sizes(heights) / 2;
  return {x - half_w, y - half_h, x + half_w, y + half_h};
}

at::Tensor inside(const Corners& boxes, const dataset::IgnoredBox& region, const LevelGrid& grid) {
  const double w = grid.width, h = grid.height;
  const double x1 = (region[1] - region[3] / 2) * w, x2 = (region[1] + region[3] / 2) * w,
               y1 = (region[2] - region[4] / 2) * h, y2 = (region[2] + region[4] / 2) * h;
  const at::Tensor width = (boxes.x2.clamp_max(x2) - boxes.x1.clamp_min(x1)).clamp_min(0),
                   height = (boxes.y2.clamp_max(y2) - boxes.y1.clamp_min(y1)).clamp_min(0);
  const at::Tensor area = (boxes.x2 - boxes.x1) * (boxes.y2 - boxes.y1);
  return width * height > area * least_inside;
}

}  // namespace

at::Tensor background_weights(const at::Tensor& map, const LevelGrid& grid,
                              std::span<const dataset::IgnoredBox> ignored) {
  at::NoGradGuard no_gradient;
  at::Tensor weights = at::ones({map.size(0), map.size(1), map.size(2), map.size(3)},
                                map.options().requires_grad(false));
  const at::Tensor values = map.detach();
  for (std::int64_t image = 0; image < map.size(0); ++image) {
    std::optional<Corners> boxes;
    for (const dataset::IgnoredBox& region : ignored) {
      if (static_cast<std::int64_t>(region[0]) != image) continue;
      if (!boxes) boxes = corners(values[image], grid);
      weights[image].masked_fill_(inside(*boxes, region, grid), 0);
    }
  }
  return weights;
}

void check_marks(const dataset::TargetMarks& marks, std::size_t targets, int images) {
  if (!marks.weights.empty() && marks.weights.size() != targets)
    throw Error(
        fmt::format("weights of targets: expected {}, found {}", targets, marks.weights.size()));
  for (std::size_t i = 0; i < marks.weights.size(); ++i)
    if (!(marks.weights[i] >= 0 && marks.weights[i] <= 1))
      throw Error(
          fmt::format("weight of target row {}: expected 0..1, found {}", i, marks.weights[i]));
  for (std::size_t i = 0; i < marks.ignored.size(); ++i)
    if (!(marks.ignored[i][0] >= 0 && marks.ignored[i][0] < static_cast<float>(images)))
      throw Error(fmt::format("ignored region {}: image {} is out of range 0..{}", i,
                              marks.ignored[i][0], images - 1));
}

}  // namespace yolov7::training
