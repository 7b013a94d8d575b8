#pragma once
// From a training graph to the deploy graph of the same detector, folded (architecture 5).
#include <map>
#include <string>

#include "network/checkpoint/checkpoint.hpp"

namespace yolov7::network {

struct DeployConfig {
  std::string text;
  std::map<int, int> layers;  ///< training layer → deploy layer; layers that only the auxiliary
                              ///< head reads are missing
};

/// The deploy graph of a configuration: its head is Detect over the lead inputs, and what no lead
/// level depends on is gone.
DeployConfig deploy_config(std::string_view text, const std::string& source);

struct Reparameterized {
  Network network;  ///< as read back from a file with these weights
  Weights weights;  ///< float64, folded; names by deploy layer
  std::string config, config_source;
};

/// Conv + batch-norm, RepConv branches and implicit tensors folded in double precision, the
/// auxiliary head dropped, layers numbered as in the deploy graph; anchors are copied always. Error
/// where the checkpoint's weights do not fit its network.
Reparameterized reparameterize(const Checkpoint& checkpoint);

/// XXH3-128 over names, types, shapes and bytes of all tensors in order: 32 hexadecimal digits.
std::string tensors_hash(const Weights& weights);

}  // namespace yolov7::network
