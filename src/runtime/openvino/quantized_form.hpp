#pragma once
// A quantized network as OpenVINO runs it.
#include <memory>

#include "network/transform/quantization.hpp"
#include "runtime/detector.hpp"

namespace yolov7::runtime {

struct QuantizedForm {
  std::shared_ptr<const network::Quantization> plan;  ///< none: float32
  network::ActivationNumbers numbers = network::ActivationNumbers::asymmetric;
  bool inner = false;  ///< the values between convolution and activation are numbers, too
};

/// As make_openvino_detector(); the plan is one for the network as it is given, folded already.
std::unique_ptr<Detector> make_quantized_detector(
    std::shared_ptr<const network::NetworkAndWeights> fused, const QuantizedForm& form,
    const DetectorOptions& options);

}  // namespace yolov7::runtime
