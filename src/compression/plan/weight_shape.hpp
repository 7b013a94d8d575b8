#pragma once
// What of a convolution's weights tells how well 8-bit integers hold them.
#include "network/graph/weights.hpp"

namespace yolov7::compression {

struct WeightShape {
  double largest = 0;   ///< magnitude
  double spread = 0;    ///< largest magnitude of a channel ÷ that of the channel in the middle
  double kurtosis = 0;  ///< of a channel's weights, mean over channels; 3: normal, 1.8: uniform
};

/// Channels of zeros count in none of them.
WeightShape weight_shape(const network::Tensor& weight, int out_channels);

}  // namespace yolov7::compression
