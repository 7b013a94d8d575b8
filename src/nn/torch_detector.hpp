#pragma once
// The reference detector: the unfused network in evaluation mode under LibTorch.
#include <memory>

#include "kernels/torch.hpp"
#include "runtime/detector.hpp"

namespace yolov7::nn {

class FakeQuantizers;

/// precision "float32" or "bfloat16" (convolutions and activations). `quantizers`, which outlive
/// it: the network rounds as they say. Errors as network::check, unknown precision.
std::unique_ptr<runtime::Detector> make_torch_detector(const network::Network& network,
                                                       const network::Weights& weights,
                                                       const runtime::DetectorOptions& options,
                                                       at::Device device,
                                                       const FakeQuantizers* quantizers = nullptr);

/// The same on the processor.
std::unique_ptr<runtime::Detector> make_torch_detector(const network::Network& network,
                                                       const network::Weights& weights,
                                                       const runtime::DetectorOptions& options);

}  // namespace yolov7::nn
