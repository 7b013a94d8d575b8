#pragma once
// Mixup of two finished pictures (data 8.5).
#include "dataset/augment/sample.hpp"

namespace yolov7::dataset {

/// truncate(first · ratio + second · (1 − ratio)) per channel, into `first`; the labels of `second`
/// are appended, without weights. Both pictures have the same size.
void mixup(Sample& first, const Sample& second, double ratio);

}  // namespace yolov7::dataset
