#pragma once
// How far each channel of a value reaches, and the factors that let all channels of one scale use
// all of its numbers (network/transform/equalize.hpp).
#include <map>
#include <memory>
#include <vector>

#include "compression/plan/calibration.hpp"
#include "network/transform/equalize.hpp"

namespace yolov7::compression {

/// What a negative number behind the activation counts beside a positive one: the mean of its
/// magnitudes in front of and behind it, since formats of integers alone hold both. 1 but for a
/// leaky ReLU.
float negative_weight(const network::Activation& activation);

/// Of each channel the mean over the images of its largest magnitude; that of negative numbers is
/// multiplied by `negative`.
class ChannelRanges {
 public:
  void add(const runtime::StreamedValue& value, float negative = 1);
  /// By value number.
  std::map<int, std::vector<double>> means() const;

 private:
  struct Sums {
    std::vector<double> largest;
    double images = 0;
  };
  std::map<int, Sums> sums_;
};

/// Of all values that share one scale, each channel is multiplied by (largest range ÷ its range) to
/// the power of `strength`, at most by `most_channel_factor`. A channel that is always zero has the
/// factor 1. `ranges`: of the scalable values.
network::ChannelFactors channel_factors(const network::Network& network,
                                        const std::map<int, std::vector<double>>& ranges,
                                        double strength);
inline constexpr double most_channel_factor = 64;

/// The network with such factors, by one pass over the images; `fused` itself where no channel can
/// be multiplied. Errors: those of look_at_values().
std::shared_ptr<const network::NetworkAndWeights> equalized(
    const std::shared_ptr<const network::NetworkAndWeights>& fused, const CalibrationImages& images,
    const CalibrationOptions& options);

}  // namespace yolov7::compression
