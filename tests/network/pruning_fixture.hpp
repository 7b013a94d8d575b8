#pragma once
// A network in which channels are tied in every way, and its outputs in double precision.
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "network/checkpoint/checkpoint.hpp"
#include "network/transform/channel_groups.hpp"
#include "tests/network/config_fixture.hpp"
#include "tests/runtime/reference_interpreter.hpp"

namespace yolov7::network {

/// Groups (layer 2), depthwise (3), an identity branch (4), a sum (5), pools (6, 7), a gate of all
/// channels (8), Concat (10), ReOrg (12), implicit vectors (14).
inline const char* tied_config = R"(nc: 2
anchors: [[10,13, 16,30], [33,23, 30,61]]
sam: {8: pointwise}
backbone:
  - [-1, 1, Conv, [8, 3, 2]]
  - [-1, 1, Conv, [16, 3, 2]]
  - [-1, 1, Conv, [16, 3, 1, None, 4]]
  - [-1, 1, Conv, [16, 3, 1, None, 16]]
  - [-1, 1, RepConv, [16, 3, 1]]
  - [[-1, 3], 1, Shortcut, [1]]
  - [-1, 1, SPPCSPC, [8]]
head:
  - [-1, 1, MP, []]
  - [-1, 1, Conv, [16, 1, 1]]
  - [-1, 1, Upsample, [None, 2, 'nearest']]
  - [[-1, 6], 1, Concat, [1]]
  - [-1, 1, Conv, [8, 3, 1]]
  - [-1, 1, ReOrg, []]
  - [-1, 1, Conv, [16, 1, 1]]
  - [[11, 13], 1, IDetect, [nc, anchors]]
)";

/// Weights of the golden formula, in float64.
inline Checkpoint formula_checkpoint(const std::string& config) {
  Checkpoint checkpoint;
  checkpoint.config = config;
  checkpoint.config_source = "tied.yaml";
  checkpoint.class_count = 2;
  checkpoint.names = {"a", "b"};
  const Network network = build(config, "tied.yaml");
  const reference::Tensors tensors = reference::formula_tensors(network);
  const Weights typed = reference::to_weights(network, tensors);
  for (const TensorSpec& spec : network.tensors) {
    const Tensor& tensor = typed.at(spec.name);
    checkpoint.ema.set(spec.name, tensor.type == DataType::int64
                                      ? tensor
                                      : Tensor::from(tensor.to_doubles(), spec.shape));
  }
  return checkpoint;
}

/// Raw maps of all levels, one after the other.
inline std::vector<double> raw_outputs(const Network& network, const Weights& weights) {
  reference::Tensors tensors;
  for (const auto& [name, tensor] : weights.entries()) tensors[name] = tensor.to_doubles();
  reference::Interpreter interpreter(network, tensors);
  std::vector<double> all;
  for (const reference::Map& map : interpreter.run(reference::formula_input(1, 32), false))
    all.insert(all.end(), map.values.begin(), map.values.end());
  return all;
}

/// Largest difference as a share of the largest value.
inline double apart(const std::vector<double>& a, const std::vector<double>& b) {
  double most = 0, largest = 0;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    most = std::max(most, std::abs(a[i] - b[i]));
    largest = std::max(largest, std::abs(a[i]));
  }
  return a.size() == b.size() && std::isfinite(most) ? most / largest : 1;
}

inline void set_element(Weights& weights, const std::string& name, std::size_t at, double value) {
  const Tensor& old = weights.at(name);
  std::vector<double> values = old.to_doubles();
  values[at] = value;
  weights.set(name, Tensor::from(values, old.shape).converted(old.type));
}

/// Zero for every picture: γ and β of the batch-norms that make the unit, and what is added to it.
inline void silence(Weights& weights, const Network& network, const ChannelUnit& unit) {
  for (const Operation& op : network.operations)
    for (const auto& [value, channel] : unit.members) {
      if (value != op.output) continue;
      const auto c = static_cast<std::size_t>(channel);
      if (const BatchNorm* norm = op.as<BatchNorm>()) {
        set_element(weights, norm->tensor + ".weight", c, 0);
        set_element(weights, norm->tensor + ".bias", c, 0);
      }
      if (const ImplicitAdd* added = op.as<ImplicitAdd>())
        set_element(weights, added->tensor + ".implicit", c, 0);
    }
}

}  // namespace yolov7::network
