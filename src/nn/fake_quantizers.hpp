#pragma once
// The quantizers of a plan (network/transform/quantization.hpp) in a network that trains: the
// forward pass rounds where the quantized network will, and the ranges of activations are learned
// (export 9.6).
#include <string>
#include <vector>

#include "kernels/fake_quantizer.hpp"
#include "kernels/torch.hpp"
#include "network/graph/weights.hpp"
#include "network/transform/quantization.hpp"

namespace yolov7::nn {

class FakeQuantizers {
 public:
  /// Every quantizable convolution of `network`, which is folded, but those whose results are
  /// decoded, and every value where the plan of them has a quantizer. Values of one scale group
  /// share one range; the image's, where nothing meets it, is not learned. Error: a network with
  /// batch-norms, scales of another network or that are not above 0.
  FakeQuantizers(const network::Network& network, network::QuantizationScales scales,
                 at::Device device = at::kCPU);

  /// What stands for `x` behind the value's quantizer; `x` itself where it has none.
  at::Tensor value(int number, const at::Tensor& x) const;
  /// The same of a convolution's weight.
  at::Tensor weight(const network::Convolution& conv, const at::Tensor& weight) const;

  struct Range {
    std::string name;      ///< "quantizer.<value>.log_scale", of the smallest value that has it
    at::Tensor log_scale;  ///< float32 [1]
    kernels::NumberRange numbers;
  };
  /// Those that can be learned, by value number.
  const std::vector<Range>& ranges() const { return ranges_; }
  std::size_t convolutions() const { return plan_.convolutions.size(); }  ///< in integers
  /// Whether their gradients are computed.
  void learn(bool on);
  bool learns() const { return learns_; }

  /// As they are now. Around zero: what holds the same numbers.
  network::QuantizationScales scales() const;
  /// How many values there are in the network that it is of.
  int value_count() const { return static_cast<int>(scales_.values.size()); }

  /// The learned ones under their names, to the bit; Error: one is missing.
  void store(network::Weights& weights) const;
  void load(const network::Weights& weights) const;

 private:
  network::Quantization plan_;
  network::QuantizationScales scales_;  ///< as they were given
  std::vector<Range> ranges_;
  std::vector<int> range_of_;  ///< by value number; −1: none that is learned
  bool learns_ = true;
};

}  // namespace yolov7::nn
