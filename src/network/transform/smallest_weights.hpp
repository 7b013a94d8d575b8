#pragma once
// Unstructured pruning, as the original's helper does it (export 9.4): zeros among the weights, in
// tensors of the same shape.
#include "network/graph/weights.hpp"

namespace yolov7::network {

struct SparseWeights {
  Weights weights;
  std::int64_t zeros = 0, elements = 0;  ///< of all parameters, afterwards
  double sparsity() const {
    return elements > 0 ? static_cast<double>(zeros) / static_cast<double>(elements) : 0;
  }
};

/// Of every convolution the share `amount` of its weights with the smallest magnitudes becomes
/// zero: round(amount · n) of n, each convolution by itself; of equal ones the first. Weights that
/// are zero count among them. Error: amount outside 0 … 1.
SparseWeights without_smallest_weights(const Network& network, const Weights& weights,
                                       double amount);

}  // namespace yolov7::network
