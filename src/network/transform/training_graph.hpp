#pragma once
// From a deploy graph back to the training graph of the same network (architecture 5.6).
#include <optional>
#include <string>

#include "network/checkpoint/checkpoint.hpp"

namespace yolov7::network {

struct TrainingGraph {
  std::string config, config_source;
};

/// The training graph of a checkpoint whose head is Detect: its own configuration with IDetect in
/// three-level networks, the published training graph of the same multiples in four-level ones.
/// Every layer below the head is the same. Nothing for networks that are none of the published ones
/// (they train as they are) and for training graphs.
std::optional<TrainingGraph> training_graph(const Checkpoint& checkpoint);

}  // namespace yolov7::network
