#pragma once
// Weights that hold NaN or infinity: a network of them answers with values that mean nothing.
#include <cstddef>
#include <string>
#include <vector>

#include "network/graph/weights.hpp"

namespace yolov7::network {

/// A tensor with values that are NaN or infinite.
struct NotFinite {
  std::string tensor;
  std::size_t values = 0, of = 0;
};

/// In the order of the weights. Positive infinity in a batch-norm's running variance is left out:
/// it makes the channel a constant, which is what the value means (float16 files hold variances
/// above 65504 so).
std::vector<NotFinite> not_finite(const Weights& weights);

/// "expected finite weights, found NaN or infinity in 2 of 344 tensors: model.3.conv.weight (12 of
/// 864 values), …"; names the first five. "" = all are finite.
std::string finite_fault(const Weights& weights);
/// For weights that are about to be used: that fault as an Error.
void check_finite(const Weights& weights, const std::string& source);

}  // namespace yolov7::network
