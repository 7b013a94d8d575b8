#pragma once
// Networks for the tests: the configs of this source tree, small ones written out, and what an error says.
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>

#include "core/error.hpp"
#include "network/graph.hpp"
#include "network/weights.hpp"

namespace yolov7::network {

inline std::string config_text(const std::string& path) {
  std::ifstream in(std::string(YOLOV7_SOURCE_DIR) + "/configs/" + path, std::ios::binary);
  if (!in) throw std::runtime_error("no config " + path);
  return {std::istreambuf_iterator<char>(in), {}};
}
/// "training/yolov7.yaml".
inline Network build_config(const std::string& path, const Overrides& overrides = {}) { return build(config_text(path), path, overrides); }

/// A config of one level: `layers` are lines "- [...]"; nc 1, one anchor.
inline std::string small_config(const std::string& layers, const std::string& header = "nc: 1\nanchors: [[10, 13]]\n") {
  return header + "backbone:\n" + layers + "head: []\n";
}

/// The message of the Error that `call` throws, or "" if it throws none.
template <class Call>
std::string message(Call call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

/// Every tensor of a network, its elements numbered: distinct values whose order shows.
inline Weights numbered_weights(const Network& network) {
  Weights weights;
  double next = 0;
  for (const TensorSpec& spec : network.tensors) {
    std::int64_t count = 1;
    for (const std::int64_t side : spec.shape) count *= side;
    std::vector<double> values(static_cast<std::size_t>(count));
    for (double& value : values) value = 0.25 + 0.01 * static_cast<double>(static_cast<int>(next++) % 97);
    weights.set(spec.name, Tensor::from(values, spec.shape));
  }
  return weights;
}

}  // namespace yolov7::network
