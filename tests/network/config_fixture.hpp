#pragma once
// Networks for the tests: the configs of this source tree, and small ones written out.
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>

#include "network/config/builder.hpp"
#include "network/graph/graph.hpp"
#include "network/graph/weights.hpp"
#include "tests/scratch_folder.hpp"

namespace yolov7::network {

using test::error_of;

inline std::string config_text(const std::string& path) {
  std::ifstream in(std::string(YOLOV7_SOURCE_DIR) + "/configs/" + path, std::ios::binary);
  if (!in) throw std::runtime_error("no config " + path);
  return {std::istreambuf_iterator<char>(in), {}};
}
/// "training/yolov7.yaml".
inline Network build_config(const std::string& path, const Overrides& overrides = {}) {
  return build(config_text(path), path, overrides);
}

/// A config of one level: `layers` are lines "- [...]"; nc 1, one anchor.
inline std::string small_config(const std::string& layers,
                                const std::string& header = "nc: 1\nanchors: [[10, 13]]\n") {
  return header + "backbone:\n" + layers + "head: []\n";
}

/// Every tensor of a network, its elements numbered: distinct values whose order shows.
inline Weights numbered_weights(const Network& network) {
  Weights weights;
  double next = 0;
  for (const TensorSpec& spec : network.tensors) {
    std::int64_t count = 1;
    for (const std::int64_t side : spec.shape) count *= side;
    std::vector<double> values(static_cast<std::size_t>(count));
    for (double& value : values)
      value = 0.25 + 0.01 * static_cast<double>(static_cast<int>(next++) % 97);
    weights.set(spec.name, Tensor::from(values, spec.shape));
  }
  return weights;
}

}  // namespace yolov7::network
