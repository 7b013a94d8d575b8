#include "network/checkpoint/checkpoint.hpp"

#include "network/config/builder.hpp"
#include "network/graph/folded.hpp"

namespace yolov7::network {
namespace {

/// Anchor sizes by level, from the buffer anchor_grid [levels, 1, anchors, 1, 1, 2]; empty where
/// the weights have none that fits.
std::vector<std::vector<AnchorSize>> stored_anchors(const Network& network,
                                                    const Weights& weights) {
  std::vector<std::vector<AnchorSize>> anchors;
  for (const TensorSpec& spec : network.tensors) {
    if (spec.role != TensorSpec::Role::anchor_grid) continue;
    const Tensor* grid = weights.find(spec.name);
    if (grid == nullptr || grid->shape != spec.shape) break;
    const std::vector<double> sizes = grid->to_doubles();
    std::size_t at = 0;
    for (std::size_t level = 0; level < network.lead_levels(); ++level) {
      anchors.emplace_back();
      for (int a = 0; a < network.anchors_per_level; ++a, at += 2)
        anchors.back().push_back({sizes[at], sizes[at + 1]});
    }
  }
  return anchors;
}

}  // namespace

Network Checkpoint::build_network() const {
  Overrides overrides;
  overrides.class_count = class_count;
  Network network = build(config, config_source, overrides);
  // The buffers, not the config's anchors, are authoritative, in their own order
  // (architecture 3.8).
  overrides.anchors = stored_anchors(network, inference_weights());
  if (!overrides.anchors.empty()) {
    network = build(config, config_source, overrides);
    for (std::size_t i = 0; i < network.levels.size(); ++i)
      network.levels[i].anchors = overrides.anchors[i % overrides.anchors.size()];
  }
  return as_stored(network, inference_weights());
}

const Weights& Checkpoint::inference_weights() const { return ema.size() > 0 ? ema : model; }

}  // namespace yolov7::network
