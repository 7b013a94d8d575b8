#pragma once
// The reference for proofs: a network in float64.
#include <span>
#include <vector>

#include "equivalence/proof.hpp"

namespace yolov7::nn {

/// The network as it is (unfolded or folded), all arithmetic in float64 on the CPU, one picture
/// after the other.
std::vector<equivalence::Outputs> exact_outputs(
    const network::Network& network, const network::Weights& weights,
    std::span<const equivalence::ProofPicture> pictures);

}  // namespace yolov7::nn
