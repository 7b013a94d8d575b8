#pragma once
// How much each convolution costs when it alone is quantized: the change of the decoded rows,
// weighted by the float32 network's objectness (export 9.1).
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "equivalence/proof.hpp"
#include "runtime/openvino/quantized_form.hpp"

namespace yolov7::compression {

/// Σ objectness · difference ÷ Σ objectness over all rows.
struct OutputChange {
  double box = 0;    ///< of 1 − IoU with the float32 network's box
  double score = 0;  ///< of |objectness · best class|
  double sum() const { return box + score; }
};
/// The two are of the same images.
OutputChange output_change(const runtime::Prediction& real, const runtime::Prediction& quantized);
/// One prediction an image.
std::vector<runtime::Prediction> predictions(runtime::Detector& detector,
                                             std::span<const equivalence::ProofPicture> images);
/// The mean over images; the two are of the same ones. Error: no image.
OutputChange mean_change(std::span<const runtime::Prediction> real,
                         std::span<const runtime::Prediction> quantized);

struct LayerSensitivity {
  std::string tensor;  ///< of the convolution
  int layer = 0;
  double multiply_adds = 0;  ///< of one image
  OutputChange change;
};

/// Of every convolution that `form.plan` has in integers, in order of execution. Errors:
/// no image; what running reports; stopped_error().
std::vector<LayerSensitivity> layer_sensitivities(
    const std::shared_ptr<const network::NetworkAndWeights>& fused,
    const runtime::QuantizedForm& form, std::span<const equivalence::ProofPicture> images,
    const std::stop_token& stop);

/// Greatest change first; ties in order of execution.
std::vector<LayerSensitivity> by_change(std::vector<LayerSensitivity> layers);

}  // namespace yolov7::compression
