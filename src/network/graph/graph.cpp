#include "network/graph/graph.hpp"

#include <algorithm>

namespace yolov7::network {

std::string_view name(HeadKind kind) {
  return kind == HeadKind::detect ? "Detect" : kind == HeadKind::idetect ? "IDetect" : "IAuxDetect";
}

std::size_t Network::lead_levels() const {
  return static_cast<std::size_t>(std::count_if(
      levels.begin(), levels.end(), [](const Level& level) { return !level.auxiliary; }));
}

double Network::largest_stride() const {
  double largest = 1;
  for (const Level& level : levels) largest = std::max(largest, level.stride);
  return largest;
}

std::int64_t Network::parameter_count() const {
  std::int64_t count = 0;
  for (const TensorSpec& spec : tensors) {
    if (!spec.trainable()) continue;
    std::int64_t elements = 1;
    for (const std::int64_t side : spec.shape) elements *= side;
    count += elements;
  }
  return count;
}

std::vector<double> Network::strides() const {
  std::vector<double> result;
  for (const Level& level : levels)
    if (!level.auxiliary) result.push_back(level.stride);
  return result;
}

void count_layer_parameters(Network& network) {
  for (Layer& layer : network.layers) layer.parameters = 0;
  for (const TensorSpec& spec : network.tensors) {
    if (!spec.trainable()) continue;
    std::int64_t elements = 1;
    for (const std::int64_t side : spec.shape) elements *= side;
    network.layers
        .at(static_cast<std::size_t>(std::stoi(spec.name.substr(spec.name.find('.') + 1))))
        .parameters += elements;  // "model.<layer>."
  }
}

}  // namespace yolov7::network
