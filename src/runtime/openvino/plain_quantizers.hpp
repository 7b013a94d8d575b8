#pragma once
// Quantizers of ONNX as OpenVINO's own. Included where OpenVINO is.
namespace ov {
class Model;
}

namespace yolov7::runtime {

/// A quantizer followed by its opposite (QuantizeLinear and DequantizeLinear of one scale) becomes
/// one FakeQuantize, which is the same function. Without that, the CPU plug-in of OpenVINO 2026.4
/// computes something else on processors without AMX where the numbers are signed and pass through
/// a concatenation, a pooling or an upsampling: 12 px instead of 0.8 on yolov7-tiny. Returns how
/// many.
int merge_quantizers(ov::Model& model);

}  // namespace yolov7::runtime
