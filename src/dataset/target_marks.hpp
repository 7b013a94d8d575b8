#pragma once
// What stands beside the targets of a batch: how much each counts, and where predictions are no
// background (training 23).
#include <array>
#include <cstddef>
#include <span>
#include <vector>

namespace yolov7::dataset {

/// Sample in the batch, cx, cy, w, h, as fractions of the network's input.
using IgnoredBox = std::array<float, 5>;

struct TargetMarks {
  std::vector<float> weights;       ///< one a target; empty: all 1
  std::vector<IgnoredBox> ignored;  ///< regions that are neither object nor background
  bool empty() const { return weights.empty() && ignored.empty(); }
  bool operator==(const TargetMarks&) const = default;
};

/// Adds those of sample number `sample`, which has `count` targets, behind `before` targets.
void append(TargetMarks& all, std::size_t before, const TargetMarks& one, std::size_t count,
            std::size_t sample);

/// Those of the samples first … first + count − 1, renumbered from 0.
/// `targets`: those of the whole batch.
TargetMarks part_of(const TargetMarks& all, std::span<const std::array<float, 6>> targets,
                    int first, int count);

}  // namespace yolov7::dataset
