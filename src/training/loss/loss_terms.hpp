#pragma once
// The parts that every detection loss is made of.
#include <span>
#include <vector>

#include "kernels/torch.hpp"
#include "training/loss/assignment.hpp"

namespace yolov7::training {

/// Positions of positives in a raw map, each an int64 tensor [n] on the map's device.
struct CellIndex {
  at::Tensor image, anchor, row, column;
};
CellIndex cell_index(std::span<const Positive> positives, at::Device device);

/// What a loss reads of one raw map [B, na, H, W, 5 + nc]: all objectness logits [B, na, H, W] and
/// the rows at the cells [n, 5 + nc]. One backward pass writes the map's gradient once; repeated
/// cells add up in list order.
struct MapTerms {
  at::Tensor objectness, rows;
};
MapTerms read_map(const at::Tensor& map, const CellIndex& cells);

/// Positions (in list order) of the positives that are the last of their cell: whoever writes last
/// wins (training K20).
std::vector<std::int64_t> last_of_each_cell(std::span<const Positive> positives);

/// Mean binary cross-entropy with logits; γ > 0: focal (Lin et al., "Focal loss", arXiv 1708.02002,
/// α = 0.25) on top of the positive weight (training 13.2). Both tensors of one shape; the target
/// carries no gradient. `weights`, where it is defined, multiplies the terms before the mean
/// (training 23.1); it broadcasts to their shape.
at::Tensor binary_cross_entropy(const at::Tensor& logits, const at::Tensor& target,
                                double positive_weight, double gamma,
                                const at::Tensor& weights = {});

}  // namespace yolov7::training
