#pragma once
// Isolated bias correction (export 9.1): the mean difference of each convolution's output that its
// quantized weights and inputs make, from the float32 network's own values, all layers at once.
#include <map>
#include <vector>

#include "network/transform/quantization.hpp"
#include "runtime/openvino/value_stream.hpp"

namespace yolov7::compression {

/// Gathers the means of the convolutions' inputs, real and quantized.
class InputMeans {
 public:
  InputMeans(const network::NetworkAndWeights& fused, const network::QuantizationScales& scales);

  /// The values that have to be added for every image, ascending.
  std::vector<int> values() const;
  /// A value that is not among values() does nothing.
  void add(const runtime::StreamedValue& value);
  /// By Convolution::tensor.
  std::map<std::string, network::BiasCorrection> corrections() const;

 private:
  /// Under each place of the window: channel · kernel_h · kernel_w + place.
  struct Sums {
    network::Convolution shape;  ///< one of those that have these inputs and this window
    std::vector<double> real, asymmetric, symmetric;
    double positions = 0;
  };
  struct Reader {
    network::Convolution conv;
    int value = 0;
    std::size_t sums = 0;
  };
  std::size_t sums_for(int value, const network::Convolution& conv);

  const network::NetworkAndWeights& fused_;
  const network::QuantizationScales& scales_;
  std::vector<Sums> sums_;
  std::vector<int> value_of_;  // by place in sums_
  std::vector<Reader> readers_;
};

}  // namespace yolov7::compression
