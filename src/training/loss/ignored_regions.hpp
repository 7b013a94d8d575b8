#pragma once
// Predictions that are no background because they lie in an ignored region (training 23.2).
#include <span>

#include "dataset/target_marks.hpp"
#include "kernels/torch.hpp"
#include "training/loss/assignment.hpp"

namespace yolov7::training {

/// A prediction is in a region where more than this share of its own box is.
inline constexpr double least_inside = 0.5;

/// 1 and 0 [B, na, H, W] in the map's type: 0 where the box that the raw map [B, na, H, W, 5 + nc]
/// predicts lies in a region of its image. Without gradient.
at::Tensor background_weights(const at::Tensor& map, const LevelGrid& grid,
                              std::span<const dataset::IgnoredBox> ignored);

/// Errors: another number of weights than of targets, a weight outside 0 … 1, a region of an image
/// that is not there (names the row).
void check_marks(const dataset::TargetMarks& marks, std::size_t targets, int images);

}  // namespace yolov7::training
