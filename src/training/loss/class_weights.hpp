#pragma once
// Sampling weights of classes and pictures (training 11.6).
#include <span>
#include <vector>

#include "dataset/index/index.hpp"

namespace yolov7::training {

/// Reciprocal label counts (0 counts as 1), normalised to sum 1, times the number of classes.
std::vector<double> class_weights(std::span<const std::size_t> label_counts);

/// Per picture: Σ over its labels of classweight · (1 − AP)² / nc; `class_ap` is AP@0.5:0.95 by
/// class index (0 before the first validation; may be empty). Where every weight is 0, all are 1.
std::vector<double> picture_weights(const dataset::Index& index, std::span<const double> class_ap);

}  // namespace yolov7::training
