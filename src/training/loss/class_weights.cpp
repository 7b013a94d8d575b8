#include "training/loss/class_weights.hpp"

#include <algorithm>
#include <numeric>

namespace yolov7::training {

std::vector<double> class_weights(std::span<const std::size_t> label_counts) {
  std::vector<double> weights;
  for (const std::size_t count : label_counts)
    weights.push_back(1 / static_cast<double>(std::max<std::size_t>(count, 1)));
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  for (double& weight : weights) weight *= static_cast<double>(weights.size()) / sum;
  return weights;
}

std::vector<double> picture_weights(const dataset::Index& index, std::span<const double> class_ap) {
  std::vector<std::size_t> counts(index.names.size(), 0);
  for (const dataset::Entry& entry : index.entries)
    for (const dataset::Label& label : entry.labels)
      ++counts[static_cast<std::size_t>(label.class_index)];
  std::vector<double> classes = class_weights(counts);
  for (std::size_t c = 0; c < classes.size(); ++c) {
    const double missing = 1 - (c < class_ap.size() ? class_ap[c] : 0);
    classes[c] *= missing * missing / static_cast<double>(classes.size());
  }
  std::vector<double> weights;
  for (const dataset::Entry& entry : index.entries) {
    double weight = 0;
    for (const dataset::Label& label : entry.labels)
      weight += classes[static_cast<std::size_t>(label.class_index)];
    weights.push_back(weight);
  }
  if (std::all_of(weights.begin(), weights.end(), [](double w) { return w == 0; }))
    std::fill(weights.begin(), weights.end(), 1.0);
  return weights;
}

}  // namespace yolov7::training
