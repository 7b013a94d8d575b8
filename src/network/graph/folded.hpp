#pragma once
// Networks whose file holds folded tensors: `conv.bias` instead of `bn.*`, `rbr_reparam.*` instead
// of branches (architecture 6.10).
#include "network/graph/weights.hpp"

namespace yolov7::network {

/// Whether some convolution of the network stands folded in `weights`: with its bias and without
/// its batch-norm.
bool holds_folded(const Network& network, const Weights& weights);

/// The network that `weights` belong to. Where nothing is folded that is `network` itself. Else:
/// folded convolutions have their bias, and merged RepConvs are one convolution `rbr_reparam`.
/// Where no batch-norm is left, the head is folded too (whoever folds does everything, architecture
/// 5): implicit vectors are part of its convolutions, the auxiliary head is gone, and it is Detect:
/// the same form and names as the result of fuse(). A head whose tensors are all there beside
/// batch-norms that are left stays as it is.
Network as_stored(const Network& network, const Weights& weights);

}  // namespace yolov7::network
