#pragma once
// Which channels of a network can only be removed together (export 9.4; Fang et al. 2023,
// "DepGraph", arXiv 2301.12900, section 3), from its primitives alone.
#include <string>
#include <utility>
#include <vector>

#include "network/graph/weights.hpp"

namespace yolov7::network {

/// Channels of values that are one: what makes them, what passes them on, what adds to them.
struct ChannelUnit {
  std::vector<std::pair<int, int>> members;  ///< value number, channel
};

/// Units that the same convolutions make.
struct ChannelGroup {
  std::vector<std::string> convolutions;  ///< tensor names, in order of execution
  std::vector<ChannelUnit> units;
};

/// Every channel of the network but those that have to stay: of the picture, of the head's outputs,
/// of what a mean or maximum over channels reads, and of gates that go for all channels.
/// Batch-norm, activation, implicit vector, pooling and upsampling pass a channel on; a sum and a
/// product tie their inputs; Concat shifts; ReOrg makes four; a depthwise convolution ties input
/// and output; of a convolution in groups the channels of one place in every group are one, on both
/// sides, so that all groups stay alike.
std::vector<ChannelGroup> channel_groups(const Network& network);

/// By value number and channel: whether it stays.
using KeptChannels = std::vector<std::vector<char>>;
KeptChannels all_kept(const Network& network);
void remove(KeptChannels& kept, const ChannelUnit& unit);

/// Whether each unit changes nothing: whatever reads it gets zeros for every picture, or multiplies
/// it by zeros. By group and unit.
std::vector<std::vector<char>> dead_units(const Network& network, const Weights& weights,
                                          const std::vector<ChannelGroup>& groups);

}  // namespace yolov7::network
