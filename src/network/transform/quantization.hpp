#pragma once
// Which values and convolutions of a folded network become 8-bit integers, and by which scales
// (export 9.1). Made once; back ends and emitters translate it and decide nothing themselves.
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "network/graph/weights.hpp"

namespace yolov7::network {

/// How activations are numbers: 0 … most (255) with a zero point, or −128 … 127 around zero.
enum class ActivationNumbers { asymmetric, symmetric };

/// real = scale · (number − zero point).
struct ValueScale {
  float scale = 1;      ///< asymmetric
  int zero_point = 0;   ///< 0 … most, so that 0 is exact
  float symmetric = 1;  ///< scale where the numbers are symmetric
  int most = 255;  ///< 2^bits − 1; every format has 8 bits, experiments of training have fewer
  bool operator==(const ValueScale&) const = default;

  float low() const { return -scale * static_cast<float>(zero_point); }
  float high() const { return scale * static_cast<float>(most - zero_point); }
};

/// The real number that stands for `x` once it is quantized. Halves go to the even number.
float quantized(float x, const ValueScale& scale, ActivationNumbers numbers);

/// What a value is in a quantized network.
enum class ValueRole {
  real,       ///< float32
  quantized,  ///< a quantizer stands directly behind what makes it
  carried,    ///< quantized numbers that are moved as they are: pooling, concatenation, upsampling
  inner       ///< between a quantized convolution and its activation, whose result is quantized
              ///< or read by float32 convolutions alone: a number only where a format's
              ///< convolutions give nothing else
};

/// What is added to a convolution's bias, one number a channel: the mean error of its output that
/// quantized weights and inputs make.
struct BiasCorrection {
  std::vector<float> asymmetric, symmetric;
  const std::vector<float>& of(ActivationNumbers numbers) const {
    return numbers == ActivationNumbers::symmetric ? symmetric : asymmetric;
  }
};

/// −127 … 127 in the order of the tensor; one scale an output channel (all the same per tensor).
struct QuantizedWeight {
  std::vector<std::int8_t> numbers;
  std::vector<float> scales;
};

/// A convolution whose numbers were fitted to the float32 network's outputs.
struct FittedConvolution {
  QuantizedWeight weight;
  std::vector<float> bias;
};
/// By Convolution::tensor; the others are rounded by themselves.
struct FittedConvolutions {
  std::map<std::string, FittedConvolution> asymmetric, symmetric;
  const std::map<std::string, FittedConvolution>& of(ActivationNumbers numbers) const {
    return numbers == ActivationNumbers::symmetric ? symmetric : asymmetric;
  }
};

/// Of all values and convolutions that can be quantized; which of them are is the plan's.
struct QuantizationScales {
  std::vector<ValueScale> values;                     ///< by value number
  std::map<std::string, BiasCorrection> corrections;  ///< by Convolution::tensor
  FittedConvolutions fitted;  ///< instead of rounded weights and corrections
  bool per_tensor = false;    ///< weights have one scale a tensor, else one an output channel
};

struct Quantization {
  QuantizationScales scales;
  std::set<std::string> convolutions;  ///< the quantized ones, by Convolution::tensor
  std::vector<ValueRole> roles;        ///< by value number

  /// Values behind the network (its decoding) are real.
  ValueRole role(int value) const;
  const ValueScale& scale(int value) const;
  bool quantizes(const Convolution& conv) const { return convolutions.contains(conv.tensor); }
  QuantizedWeight weight(const Convolution& conv, const Weights& weights,
                         ActivationNumbers numbers) const;
  /// Bias and correction; without a bias the correction alone. One number a channel.
  std::vector<float> bias(const Convolution& conv, const Weights& weights,
                          ActivationNumbers numbers) const;
};

/// By the largest magnitude. A channel of zeros has scale 1.
QuantizedWeight quantized_weight(const Tensor& weight, int out_channels, bool per_tensor);

/// Whether quantized numbers pass through it unchanged.
bool moves_numbers(const Primitive& primitive);
/// By value number, the smallest number of the values that share one scale with it: all that meet
/// in a concatenation, and what pooling, upsampling and reorganisation make of them.
std::vector<int> scale_groups(const Network& network);

/// In order of execution. Grouped convolutions stay in float32, but for depthwise ones.
std::vector<const Convolution*> quantizable_convolutions(const Network& network);

/// The convolutions whose results are decoded, by Convolution::tensor. They are some thousandths
/// of the work, and their inputs' and weights' rounding moves boxes directly.
std::set<std::string> result_convolutions(const Network& network);

/// All quantizable convolutions but `real`.
Quantization make_quantization(const Network& network, QuantizationScales scales,
                               const std::set<std::string>& real);

/// The values that a calibration has to look at, ascending: those where a quantizer could stand,
/// and those between a convolution and its activation.
std::vector<int> calibrated_values(const Network& network);

/// Share of the convolutions' multiply-adds that are computed in integers, for images of height ×
/// width; and those of one convolution.
double integer_share(const Network& network, const Quantization& quantization, int height,
                     int width);
std::map<std::string, double> multiply_adds(const Network& network, int height, int width);

}  // namespace yolov7::network
