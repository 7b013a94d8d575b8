#pragma once
// 8-bit integers in ONNX: where quantizers stand, and in which form (export 8, 9.1).
#include <string>
#include <string_view>
#include <vector>

#include "exporting/export_model.hpp"
#include "exporting/onnx_graph.hpp"

namespace yolov7::exporting {

enum class OnnxQuantizerForm {
  tensorrt,    ///< QuantizeLinear and DequantizeLinear directly behind activations, numbers around
               ///< zero, float32 biases: TensorRT computes in integers
  asymmetric,  ///< the same with a zero point: OpenVINO computes in integers
  ort,         ///< the two around every operation, integer biases: ONNX Runtime's own form
  openvino,    ///< OpenVINO's FakeQuantize, for its own files
  openvino_symmetric  ///< the same around zero
};
/// Of --qdq, or "openvino", "openvino-tensorrt". Error: another name.
OnnxQuantizerForm onnx_quantizer_form(std::string_view name);

/// Does nothing where the model has no quantization.
class OnnxQuantizers {
 public:
  OnnxQuantizers(OnnxGraph& graph, const ExportModel& model, OnnxQuantizerForm form)
      : graph_(graph), model_(model), plan_(model.quantization.get()), form_(form) {}

  bool quantizes(const network::Convolution& conv) const {
    return plan_ != nullptr && plan_->quantizes(conv);
  }
  /// `value` of the network's value `number`, with a quantizer behind it where one belongs.
  std::string held(int number, const std::string& value);
  std::string weight(const network::Convolution& conv, const std::vector<std::int64_t>& shape);
  /// `input`: number of the value that the convolution reads.
  std::string bias(const network::Convolution& conv, int input);
  /// Operator sets that the nodes need besides ONNX's own.
  std::vector<std::string> domains() const;

 private:
  network::ActivationNumbers numbers() const;
  bool of_openvino() const;
  bool wanted(network::ValueRole role) const;
  std::string dequantized(const std::string& value, const std::string& scale,
                          const std::string& zero, bool per_channel);

  OnnxGraph& graph_;
  const ExportModel& model_;
  const network::Quantization* plan_;
  OnnxQuantizerForm form_;
};

}  // namespace yolov7::exporting
