#pragma once
// A fused network as an OpenVINO model in memory: what the detector runs and what an export writes.
// Only opset 13 operations and their older versions; static shapes; pre-processing and head decode
// are part of the graph.
#include <memory>
#include <string>
#include <vector>

#include "network/graph/weights.hpp"
#include "runtime/openvino/quantized_form.hpp"

namespace ov {
class Model;
}

namespace yolov7::runtime {

struct OpenvinoModelOptions {
  int batch = 1, height = 640, width = 640;  ///< sides: multiples of the largest stride
  /// Input "images" [B, 3, H, W], R G B planes: uint8 0 … 255, or (true) float32 0 … 1.
  bool float_input = false;
  bool raw_maps = false;  ///< further outputs "raw0", "raw1", …: [B, na, H_j, W_j, 5 + nc], logits
  std::vector<std::string> names;  ///< class names, for the model's description; may be empty
  bool name_values = false;        ///< each value has the name value_name() of its number
  QuantizedForm quantized = {};    ///< convolutions in 8-bit integers; none: all are float32
};

/// Output "output0": decoded [B, rows, 5 + nc] float32 (evaluation 0.3, architecture 3.4). The
/// constants lie over the memory of `fused.weights`, which the model keeps alive. The model's
/// rt_info "yolov7" holds layout, stride, strides, anchors (pixels) and names. A network that is
/// not fused is translated as it is. Errors: a missing tensor, one that is not float32, sides that
/// are not multiples of the stride.
std::shared_ptr<ov::Model> make_openvino_model(
    std::shared_ptr<const network::NetworkAndWeights> fused, const OpenvinoModelOptions& options);

}  // namespace yolov7::runtime
