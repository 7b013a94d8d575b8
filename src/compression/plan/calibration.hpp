#pragma once
// From a folded float32 network and images to the scales of its values and the corrections of its
// biases (export 9.1): one pass for the ranges, one for the biases. What is in memory are
// histograms and the values of one image.
#include <cstddef>
#include <memory>
#include <stop_token>

#include "compression/plan/histogram.hpp"
#include "compression/plan/image_pass.hpp"

namespace yolov7::compression {

struct CalibrationOptions {
  RangeMethod method = RangeMethod::squared_error;
  bool per_tensor = false;  ///< weights
  int most = 255;           ///< of the asymmetric numbers behind activations; the image has 255
  bool correct_biases = true;
  /// Ranges that were trained: of what is calibrated, only values between a convolution and its
  /// activation are looked at, and those where `inner`; biases are left alone.
  std::shared_ptr<const network::QuantizationScales> known = nullptr;
  bool inner = true;
  /// Strength of channel_factors(); 0: none. Ranges that are known are those of the network as it
  /// is.
  double equalization = 0.5;
  std::size_t memory = std::size_t{512} << 20;  ///< of the values that are looked at in one pass
  std::stop_token stop = {};
};

/// The same for the same images in the same order. Errors: no image; a value that is not finite,
/// with layer and image; what loading and running report; stopped_error().
network::QuantizationScales calibrate(
    const std::shared_ptr<const network::NetworkAndWeights>& fused, const CalibrationImages& images,
    const CalibrationOptions& options);

}  // namespace yolov7::compression
