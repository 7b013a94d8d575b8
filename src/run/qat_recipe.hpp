#pragma once
// What a training for 8-bit integers does unless its options say otherwise (export 9.6).
#include <string>
#include <vector>

#include "run/options.hpp"

namespace yolov7::run {

/// Of the weights' learning rate for ranges: their numbers are logarithms.
inline constexpr double range_rate = 10;
/// Of the hyper-parameter file's learning rates: the network is trained already.
inline constexpr double qat_rate = 0.1;

/// --qat: options that were not given become those of a short training that starts at --weights and
/// is taught by it. Errors (usage): no file in --weights; another network or precision, or options
/// of --qat without it.
void settle_qat(TrainOptions& options, const std::vector<std::string>& given);

}  // namespace yolov7::run
