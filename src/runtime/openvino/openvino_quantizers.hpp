#pragma once
// 8-bit integers in an OpenVINO model, in the form that its CPU plug-in computes in integers:
// FakeQuantize behind values, and weights as int8 constants that are scaled (export 3). Included
// where OpenVINO is.
#include "network/transform/quantization.hpp"

namespace ov {
class Node;
template <class NodeType>
class Output;
class Shape;
}  // namespace ov

namespace yolov7::runtime {

ov::Output<ov::Node> quantized_value(const ov::Output<ov::Node>& value,
                                     const network::ValueScale& scale,
                                     network::ActivationNumbers numbers);

/// `shape` of the weights, and of the scales: one an output channel.
ov::Output<ov::Node> quantized_weights(const network::QuantizedWeight& weight,
                                       const ov::Shape& shape, const ov::Shape& scales);

}  // namespace yolov7::runtime
