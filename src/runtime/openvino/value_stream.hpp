#pragma once
// Chosen values of a float32 network, image after image: what a calibration looks at.
#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "network/graph/weights.hpp"
#include "runtime/detector.hpp"
#include "runtime/openvino/quantized_form.hpp"

namespace yolov7::runtime {

/// One value of one image: channels × height × width.
struct StreamedValue {
  int number = 0;  ///< of the network's values
  int channels = 0, height = 0, width = 0;
  std::span<const float> values;
};

class ValueStream {
 public:
  virtual ~ValueStream() = default;
  /// All chosen values of one image, in order; their memory holds until the next call. Errors: what
  /// running the network reports.
  virtual std::vector<StreamedValue> run(const PixelBatch& image) = 0;
};

/// `values`: numbers of the network's values; of a quantized network what they are behind their
/// quantizers. Their memory is that of one image. The network is run
/// as it is, not folded first. Errors: a number that the network does not make; this build has no
/// OpenVINO.
std::unique_ptr<ValueStream> stream_values(std::shared_ptr<const network::NetworkAndWeights> fused,
                                           std::vector<int> values, int height, int width,
                                           const QuantizedForm& form = {});

}  // namespace yolov7::runtime
