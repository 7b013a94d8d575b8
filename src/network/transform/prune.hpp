#pragma once
// A network without some of its channels: smaller tensors under the same names, and a configuration
// that says the widths (export 9.4).
#include <string>

#include "network/checkpoint/checkpoint.hpp"
#include "network/transform/channel_groups.hpp"

namespace yolov7::network {

/// A checkpoint's network as its configuration describes it, with every branch that may be folded
/// in the weights. Its value numbers are those of Checkpoint::build_network().
Network unfolded_network(const Checkpoint& checkpoint);

/// The checkpoint with only the channels that stay: `widths` in its configuration, averaged (or
/// only) weights in their types, no state of a run. `kept`: by value of unfolded_network(), alike
/// for all channels of a unit. Errors: a layer without channels, what build() refuses.
Checkpoint without_channels(const Checkpoint& checkpoint, const KeptChannels& kept);

}  // namespace yolov7::network
