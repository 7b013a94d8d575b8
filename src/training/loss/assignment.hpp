#pragma once
// Which cells answer for which objects: anchor ratios with neighbour cells (training 13.3), and on
// top of that the optimal-transport style choice per picture (training 14.1; Ge et al., "YOLOX",
// arXiv 2107.08430, section 2.1: SimOTA). Plain float buffers: the lists are short, and no gradient
// flows through them.
#include <array>
#include <span>
#include <vector>

namespace yolov7::training {

/// One row: picture in the batch, class, centre x, centre y, width, height as fractions of the
/// network input.
using Target = std::array<float, 6>;

/// One level as the assignment sees it.
struct LevelGrid {
  int height = 0, width = 0;                  ///< cells
  float stride = 8;                           ///< pixels per cell
  std::vector<std::array<float, 2>> anchors;  ///< width, height in cells
};

/// A cell of one anchor that answers for a target.
struct Positive {
  int image = 0, anchor = 0, row = 0, column = 0;
  int target = 0;  ///< index into the targets
  bool operator==(const Positive&) const = default;
};
using Positives = std::vector<std::vector<Positive>>;  ///< by level

/// Errors: a target whose picture, class or box is out of range or not finite (names the row).
void check_targets(std::span<const Target> targets, int images, int class_count);

/// Pairs of anchor and target whose side ratios stay below `ratio_limit`; for each the own cell and
/// the neighbours nearer than `reach` cells (0.5: usually two, 1.0: all four), in the order own,
/// left, up, right, down; inside a block anchor by anchor, then target by target.
Positives ratio_positives(std::span<const Target> targets, std::span<const LevelGrid> levels,
                          float ratio_limit, float reach);

/// Per picture: each target takes its k cheapest candidates, k being the truncated sum of its `top`
/// largest IoUs; a candidate wanted by several goes to the target for which it is cheapest of all
/// (training K23). Equal costs: the candidate that comes first. `predictions[level]` holds one row
/// of 5 + class_count logits per candidate of that level. The result has the candidates' order of
/// levels, pictures in batch order.
Positives ota_positives(const Positives& candidates,
                        std::span<const std::span<const float>> predictions,
                        std::span<const Target> targets, std::span<const LevelGrid> levels,
                        int images, int class_count, int top);

}  // namespace yolov7::training
