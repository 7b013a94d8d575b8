#pragma once
// Networks whose file holds folded tensors: `conv.bias` instead of `bn.*`, `rbr_reparam.*` instead of branches (architecture 6.10).
#include "network/weights.hpp"

namespace yolov7::network {

/// Whether some convolution of the network stands folded in `weights`: with its bias and without its batch-norm.
bool holds_folded(const Network& network, const Weights& weights);

/// The network that `weights` belong to. Where nothing is folded that is `network` itself. Else: folded convolutions have
/// their bias, merged RepConvs are one convolution `rbr_reparam`, implicit vectors are part of the head's convolutions
/// (whoever folds does all three, architecture 5), the auxiliary head is gone, and the head is Detect: the same form and names
/// as the result of fuse(). Layers that are not folded stay.
Network as_stored(const Network& network, const Weights& weights);

}  // namespace yolov7::network
