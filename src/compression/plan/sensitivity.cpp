#include "compression/plan/sensitivity.hpp"

#include <algorithm>
#include <cmath>

#include "core/error.hpp"
#include "core/progress.hpp"
#include "core/stop.hpp"
#include "image/boxes/box.hpp"

namespace yolov7::compression {
namespace {

Xyxy corners(const float* row) {
  const auto at = [&](int i) { return static_cast<double>(row[i]); };
  return {at(0) - at(2) / 2, at(1) - at(3) / 2, at(0) + at(2) / 2, at(1) + at(3) / 2};
}

double best_score(const float* row, int columns) {
  double best = 0;
  for (int k = 5; k < columns; ++k) best = std::max(best, static_cast<double>(row[k]));
  return static_cast<double>(row[4]) * (columns == 6 ? 1 : best);
}

}  // namespace

std::vector<runtime::Prediction> predictions(runtime::Detector& detector,
                                             std::span<const equivalence::ProofPicture> images) {
  std::vector<runtime::Prediction> all(images.size());
  for (std::size_t i = 0; i < images.size(); ++i) detector.predict(images[i].batch(), all[i]);
  return all;
}

OutputChange mean_change(std::span<const runtime::Prediction> real,
                         std::span<const runtime::Prediction> quantized) {
  if (real.empty()) throw Error("change of the output: expected images, found none");
  OutputChange mean;
  for (std::size_t i = 0; i < real.size(); ++i) {
    const OutputChange one = output_change(real[i], quantized[i]);
    mean.box += one.box / static_cast<double>(real.size());
    mean.score += one.score / static_cast<double>(real.size());
  }
  return mean;
}

OutputChange output_change(const runtime::Prediction& real, const runtime::Prediction& quantized) {
  OutputChange change;
  double weight = 0;
  const auto columns = static_cast<std::size_t>(real.columns);
  for (std::size_t row = 0; row < real.decoded.size() / columns; ++row) {
    const float *a = real.decoded.data() + row * columns,
                *b = quantized.decoded.data() + row * columns;
    const auto objectness = static_cast<double>(a[4]);
    weight += objectness;
    const double overlap = iou(corners(a), corners(b));
    change.box += objectness * (overlap >= 0 ? 1 - overlap : 1);  // boxes without area have none
    change.score +=
        objectness * std::abs(best_score(a, real.columns) - best_score(b, real.columns));
  }
  if (weight > 0) change.box /= weight, change.score /= weight;
  return change;
}

std::vector<LayerSensitivity> layer_sensitivities(
    const std::shared_ptr<const network::NetworkAndWeights>& fused,
    const runtime::QuantizedForm& form, std::span<const equivalence::ProofPicture> images,
    const std::stop_token& stop) {
  if (images.empty()) throw Error("sensitivity: expected images, found none");
  const network::Network& network = fused->network;
  const auto all = network::quantizable_convolutions(network);
  const auto counts = network::multiply_adds(network, images[0].height, images[0].width);
  const auto real = predictions(*runtime::make_openvino_detector(fused, {}), images);
  std::vector<LayerSensitivity> layers;
  Progress progress("sensitivity", form.plan->convolutions.size(), "layer");
  for (const network::Operation& op : network.operations) {
    const network::Convolution* conv = op.as<network::Convolution>();
    if (conv == nullptr || !form.plan->quantizes(*conv)) continue;
    check_stop(stop);
    std::set<std::string> others;
    for (const network::Convolution* one : all)
      if (one != conv) others.insert(one->tensor);
    runtime::QuantizedForm alone = form;
    alone.plan = std::make_shared<const network::Quantization>(
        network::make_quantization(network, form.plan->scales, others));
    const auto changed = predictions(*runtime::make_quantized_detector(fused, alone, {}), images);
    layers.push_back({conv->tensor, op.layer, counts.at(conv->tensor), mean_change(real, changed)});
    progress.advance(1, conv->tensor);
  }
  progress.finish();
  return layers;
}

std::vector<LayerSensitivity> by_change(std::vector<LayerSensitivity> layers) {
  std::stable_sort(layers.begin(), layers.end(),
                   [](const LayerSensitivity& a, const LayerSensitivity& b) {
                     return a.change.sum() > b.change.sum();
                   });
  return layers;
}

}  // namespace yolov7::compression
