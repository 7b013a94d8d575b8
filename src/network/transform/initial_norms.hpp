#pragma once
// Weights to start from, at the size of initial values. Training makes the weights of a convolution
// that a batch-norm follows ever larger, without any effect on what the network computes; but a
// step of the same rate turns larger weights less: the effective rate goes with 1 / ‖w‖² (van
// Laarhoven 2017, arXiv 1706.05350). A network that starts from long-trained weights learns slowly
// for that reason alone.
#include "network/graph/weights.hpp"

namespace yolov7::network {

struct InitialNorms {
  Weights weights;               ///< every tensor in the type that it had
  std::size_t convolutions = 0;  ///< scaled
  double smallest = 1;           ///< of the factors
  /// Between the folded convolutions (fuse()) before and after, in float64, as a share of each
  /// tensor's largest value: the rounding of the type.
  double difference = 0;
};

/// Scales every convolution that only a batch-norm reads down to ‖w‖ = √(out channels / 3), the
/// norm of values uniform in ±1/√fan_in; its batch-norm's mean by the same factor, the variance by
/// its square, and gamma so that ε counts as before. Shorter ones stay. The folded network is the
/// same; Error if it is not, within 1 % (half precision; its last digit is .05 %), or if the
/// weights do not fit.
InitialNorms with_initial_norms(const Network& network, const Weights& weights);

}  // namespace yolov7::network
