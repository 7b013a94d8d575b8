#pragma once
// The reference for proofs: a network in float64.
#include <span>
#include <vector>

#include "runtime/proof.hpp"

namespace yolov7::training {

/// The network as it is (unfolded or folded), all arithmetic in float64 on the CPU, one picture
/// after the other.
std::vector<runtime::Outputs> exact_outputs(const network::Network& network,
                                            const network::Weights& weights,
                                            std::span<const runtime::ProofPicture> pictures);

}  // namespace yolov7::training
