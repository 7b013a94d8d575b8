#pragma once
// How much each channel of a network counts (export 9.4).
#include <string>
#include <vector>

#include "network/transform/channel_groups.hpp"

namespace yolov7::network {

enum class Importance {
  norm,   ///< squared weights that make the unit and that read it, batch-norms folded in
          ///< (Fang et al. 2023, section 3.3)
  scale,  ///< |γ| of the unit's batch-norms (Liu et al. 2017, "Network slimming", arXiv 1708.06519)
};
/// "norm", "scale".
Importance importance(const std::string& name);

/// By group and unit, divided by the group's mean: 1 is as much as a unit of this group counts on
/// average. A group whose scores are all 0 keeps zeros. Error: scale, and a group without a
/// batch-norm.
std::vector<std::vector<double>> channel_scores(const Network& network, const Weights& weights,
                                                const std::vector<ChannelGroup>& groups,
                                                Importance importance);

/// A unit that changes nothing goes before every other one, whatever its own weights are: dead ones
/// get the score 0, which no other one has then. Nothing below 0: scores are added up and compared
/// as shares of their sum (WidthsByTime).
void put_dead_first(std::vector<std::vector<double>>& scores,
                    const std::vector<std::vector<char>>& dead);

}  // namespace yolov7::network
